/* text.h: values as people read them, by PyFlink's rules. */
#ifndef LEATI_TEXT_H
#define LEATI_TEXT_H

#include "leat/type.h"
#include "runtime/base/buf.h"

/* Appends the text of a value. What is print()ed is written as Flink's runtime does, "(a,1)", null,
   true, 1.0E10, but the items of a row as Python's str() does: "+I[a,None]". LEAT_TEXT_STRING
   differs in rows: "+I[a, null]". Objects ask their language, with `type` (may be NULL). */
LEAT_API leat_status leati_value_text(const leat_value *v, const leat_type *type,
                                      leat_text_form form, leati_buf *out);

#endif
