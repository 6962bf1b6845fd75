/* fold.h: two elements into one by a field of theirs: sum, min, max, min_by, max_by. With v1 the
   accumulated element, v2 the new one and f the chosen field:

       sum        v1 with f = v1.f + v2.f         min, max         v1 with f = the smaller, larger
       min_by     v2 if v2.f < v1.f, else v1      max_by           v2 if v2.f > v1.f, else v1

   So all other fields keep coming from the first element, and of equal ones the earlier stays.
   Field 0 of a scalar is the scalar.

   Native values and objects of a host language take the same way, through leat_value_field and its
   kin; int64 scalars, fields of native tuples, and sums of integers in a language's tuples have a
   short one before it, which gives up where they overflow. A sum that leaves the range of its
   field's declared type is an error in either. */
#ifndef LEATI_FOLD_H
#define LEATI_FOLD_H

#include "leat/operator.h"

typedef enum leati_fold_verb {
    LEATI_FOLD_SUM,
    LEATI_FOLD_MIN,
    LEATI_FOLD_MAX,
    LEATI_FOLD_MIN_BY,
    LEATI_FOLD_MAX_BY,
    LEATI_FOLD_COUNT /* as a function only: how many there are */
} leati_fold_verb;

typedef struct leati_fold {
    int64_t field;
    const char *field_name; /* NULL: `field` counts */
    const leat_type
        *integer;      /* the field's type if that is an integer of at most 64 bits, else NULL */
    int64_t low, high; /* of `integer`; otherwise those of int64 */
} leati_fold;

/* Looks up the field's declared type; `type` (may be NULL) is that of the elements. */
void leati_fold_init(leati_fold *f, const leat_type *type);

/* Is `f`, a reducer or an aggregate that was opened, one of these? `fold` is NULL for a count. */
bool leati_fold_of(const leat_function *f, const leati_fold **fold, leati_fold_verb *verb);

/* LEAT_E_RANGE when the sum is beyond the declared type of its field. */
leat_status leati_fold_check(leat_context *ctx, const leati_fold *f, const leat_value *sum);

/* Has a key's first element, which nothing is folded into, the field? Fails if not. */
leat_status leati_fold_first(leat_context *ctx, const leati_fold *f, const leat_value *v);

/* `out` becomes the new accumulated element, which may point into the others. LEAT_DONE: it is v1
   still; an object that nobody else holds may have been changed. */
leat_status leati_fold_both(leat_context *ctx, const leati_fold *f, leati_fold_verb verb,
                            const leat_value *v1, const leat_value *v2, leat_value *out);

#endif
