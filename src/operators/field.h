/* field.h: the key selector leat_field, as operators see it that take keys. */
#ifndef LEATI_FIELD_H
#define LEATI_FIELD_H

#include "leat/operator.h"

/* Is `f` a leat_field, and of which item? Such a function needs no C pointer in another process: it
   travels as a number. */
bool leati_field_index(const leat_function *f, int *index);

/* Item `index` of `v`, native values on the short way. Says why it fails. */
leat_status leati_field_take(leat_context *ctx, const leat_value *v, int index, leat_value *out);

/* The status of a failed leat_value_field or leat_value_with_field, with the reason: no item
   `index`, or no field `name` when that is not NULL, in `v`. */
leat_status leati_field_missing(leat_context *ctx, leat_status status, const leat_value *v,
                                int index, const char *name);

#endif
