/* tally.h: what an accumulator holds: one subtask's part, or the parts of several put together. One
   thread. */
#ifndef LEATI_TALLY_H
#define LEATI_TALLY_H

#include "leat/accumulator.h"
#include "runtime/base/arena.h"
#include "runtime/base/buf.h"

enum { LEATI_TALLY_KINDS = LEAT_ACCUMULATOR_LIST + 1 };

typedef struct leati_bin {
    int64_t value, count;
} leati_bin;

typedef struct leati_tally {
    leat_accumulator_kind kind;
    int64_t count; /* of what was added */
    int64_t i;     /* sum or extreme of integers */
    double d;      /* of numbers */
    leati_bin *bins;
    size_t bin_count, bin_room;
    leati_buf items; /* of a list: values in the codec, one after the other */
} leati_tally;

void leati_tally_init(leati_tally *t, leat_accumulator_kind kind);
void leati_tally_fini(leati_tally *t);
/* As leat_accumulator_add. */
leat_status leati_tally_add(leati_tally *t, const leat_value *value);
/* Its content as bytes, for leati_tally_merge. */
void leati_tally_write(const leati_tally *t, leati_buf *out);
/* Adds the content of one that was written; `t` is an initialised one of any kind that has nothing
   yet, or has that one's kind. LEAT_E_TYPE when it has another, LEAT_E_FORMAT, LEAT_E_RANGE. */
leat_status leati_tally_merge(leati_tally *t, leati_reader *in);
/* The result; memory and objects belong to the arena. `domain` as in leati_value_decode. */
leat_status leati_tally_value(const leati_tally *t, uint16_t domain, leati_arena *arena,
                              leat_value *out);
/* "sum of integers" and so on; never NULL. */
const char *leati_tally_kind_name(int kind);

#endif
