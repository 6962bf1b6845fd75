/* utf8.h: is it UTF-8? By RFC 3629: no surrogates, nothing above U+10FFFF, no overlong forms. */
#ifndef LEATI_UTF8_H
#define LEATI_UTF8_H

#include "leat/base.h"

/* Only bytes below 0x80? */
LEAT_API bool leati_utf8_is_ascii(const void *bytes, size_t size);
/* How many bytes at the front are valid: `size` when all are, else where the first bad or
   unfinished character begins. */
LEAT_API size_t leati_utf8_valid(const void *bytes, size_t size);

#endif
