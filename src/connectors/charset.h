/* charset.h: text in other charsets than UTF-8, for what writes files: what a charset has no
   character for becomes '?', as in Java. */
#ifndef LEATI_CHARSET_H
#define LEATI_CHARSET_H

#include "leat/base.h"
#include "runtime/base/buf.h"

typedef struct leati_charset leati_charset;

/* By the names that iconv(3) and Java have in common, in any case: "ISO-8859-1", "UTF-16",
   "GB18030" ... *out is NULL for UTF-8, which needs nothing. LEAT_E_ARGUMENT for a name that is
   not known here. */
leat_status leati_charset_new(const char *name, leati_charset **out, leat_error *err);
void leati_charset_free(leati_charset *c); /* NULL is fine */
/* Appends `size` bytes of UTF-8 in the charset; one call is one text, with its byte order mark
   where the charset has one. LEAT_E_NOMEM. */
leat_status leati_charset_append(leati_charset *c, const char *bytes, size_t size, leati_buf *out);

#endif
