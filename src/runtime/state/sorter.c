/* sorter.c: see sorter.h.

   Runs have levels: what memory gives is a run of level 0, and FAN_IN runs of a level are merged
   into one of the next, so that a final merge has few buffers however much there is, and a record
   is written once per level. The runs of a level stand in one file, which is emptied when they are
   merged. Those of a higher level are older than those of a lower one; that keeps the order of
   arrival. */
#include "runtime/state/sorter.h"

#include "runtime/base/alloc.h"
#include "runtime/data/codec.h"
#include "runtime/data/key.h"
#include "runtime/state/merge.h"

#include <stdatomic.h>

enum { FAN_IN = 32, LEVELS = 8, BLOCK_LEAST = 4096, BLOCK_MOST = 1 << 20 };

typedef struct level {
    leati_run_file file;
    leati_run runs[FAN_IN];
    size_t count;
} level;

struct leati_sorter {
    leati_sorter_options options;
    size_t block;
    leati_piles *piles;
    leati_buf key, value; /* of the record being added */
    level levels[LEVELS];
    size_t spills;
    leati_merge *merge; /* giving from files; NULL: from memory */
    bool ended, due;
    atomic_bool abandoned;
    leat_error err;
};

leati_sorter *leati_sorter_new(const leati_sorter_options *options) {
    leati_sorter *s = leati_zalloc(sizeof *s);
    if (!s) return NULL;
    s->options = *options;
    s->block = options->memory / (2 * FAN_IN);
    if (s->block < BLOCK_LEAST) s->block = BLOCK_LEAST;
    if (s->block > BLOCK_MOST) s->block = BLOCK_MOST;
    for (int i = 0; i < LEVELS; i++) leati_run_file_init(&s->levels[i].file, options->dirs);
    s->piles = leati_piles_new(!options->arrival);
    if (s->piles) return s;
    leati_sorter_free(s);
    return NULL;
}

void leati_sorter_free(leati_sorter *s) {
    if (!s) return;
    leati_merge_free(s->merge);
    for (int i = 0; i < LEVELS; i++) leati_run_file_fini(&s->levels[i].file);
    leati_piles_free(s->piles);
    leati_buf_fini(&s->key);
    leati_buf_fini(&s->value);
    leati_free(s);
}

void leati_sorter_abandon(leati_sorter *s) {
    atomic_store(&s->abandoned, true);
}

bool leati_sorter_is_due(const leati_sorter *s) {
    return s->due;
}

const leat_error *leati_sorter_error(const leati_sorter *s) {
    return &s->err;
}

size_t leati_sorter_spills(const leati_sorter *s) {
    return s->spills;
}

/* --- taking ----------------------------------------------------------------------------------- */

static leat_status name_pile(leati_sorter *s, leati_pile *pile, const leat_value *key) {
    s->key.size = 0;
    leat_status status = leati_value_encode(key, NULL, &s->key);
    return status < 0 ? status : leati_pile_set_value(s->piles, pile, s->key.bytes, s->key.size);
}

static leat_status pile_of(leati_sorter *s, const leat_record *record, leati_pile **out) {
    char near[LEATI_KEY_SHORT];
    const char *bytes = near;
    size_t size = leati_key_short(&record->key, near);
    if (!size) {
        s->key.size = 0;
        leat_status status = leati_key_write(&record->key, &s->key);
        if (status < 0) return status;
        bytes = s->key.bytes;
        size = s->key.size;
    }
    *out = leati_piles_at(s->piles, record->hash, bytes, size);
    if (!*out) return LEAT_E_NOMEM;
    return leati_pile_has_value(*out) ? LEAT_OK : name_pile(s, *out, &record->key);
}

void leati_sorter_expect(const leati_sorter *s, uint64_t next, uint64_t soon) {
    leati_piles_expect(s->piles, next, soon);
}

leat_status leati_sorter_add(leati_sorter *s, unsigned input, const leat_record *record,
                             const leat_type *type) {
    leati_pile *pile;
    leat_status status = pile_of(s, record, &pile);
    s->value.size = 0;
    if (status >= 0) status = leati_value_encode(&record->value, type, &s->value);
    if (status < 0) return status;
    if (s->value.size > LEATI_PILE_ITEM_MOST) return LEAT_E_RANGE;
    leati_pile_item item = {.bytes = s->value.bytes,
                            .size = (uint32_t)s->value.size,
                            .input = input,
                            .time = record->time};
    status = leati_pile_append(s->piles, pile, &item);
    if (leati_piles_memory(s->piles) >= s->options.memory) s->due = true;
    return status;
}

leat_status leati_sorter_end(leati_sorter *s) {
    s->ended = true;
    s->due = s->spills > 0;
    return s->due ? LEAT_OK : leati_piles_sort(s->piles);
}

/* --- files ------------------------------------------------------------------------------------ */

/* Between two keys nobody may be waiting for the rest any more. */
static leat_status begin_pile(leati_sorter *s, leati_run_writer *w, const leati_pile_key *key) {
    if (atomic_load_explicit(&s->abandoned, memory_order_relaxed)) return LEAT_E_CANCELLED;
    return leati_run_write_key(w, key, &s->err);
}

static leat_status write_piles(leati_sorter *s, leati_run_writer *w) {
    leati_pile_key key;
    leati_pile_item item;
    leat_status status = LEAT_OK;
    while (status >= 0 && (status = leati_piles_next_key(s->piles, &key)) == LEAT_OK) {
        status = begin_pile(s, w, &key);
        while (status >= 0 && (status = leati_piles_next(s->piles, &item)) == LEAT_OK)
            status = leati_run_write(w, &item, &s->err);
    }
    return status;
}

/* Waits for the disk instead of answering LEAT_AGAIN. */
static leat_status merge_key(leati_merge *m, leati_pile_key *key, leat_error *err) {
    leat_status status;
    while ((status = leati_merge_next_key(m, key)) == LEAT_AGAIN)
        if ((status = leati_merge_fill(m, err)) < 0) break;
    return status;
}

static leat_status merge_item(leati_merge *m, leati_pile_item *item, leat_error *err) {
    leat_status status;
    while ((status = leati_merge_next(m, item)) == LEAT_AGAIN)
        if ((status = leati_merge_fill(m, err)) < 0) break;
    return status;
}

static leat_status write_merged(leati_sorter *s, leati_merge *m, leati_run_writer *w) {
    leati_pile_key key;
    leati_pile_item item;
    leat_status status = LEAT_OK;
    while (status >= 0 && (status = merge_key(m, &key, &s->err)) == LEAT_OK) {
        status = begin_pile(s, w, &key);
        while (status >= 0 && (status = merge_item(m, &item, &s->err)) == LEAT_OK)
            status = leati_run_write(w, &item, &s->err);
    }
    return status;
}

/* A run of level `to`: of all runs of the level below, or of the piles. */
static leat_status write_run(leati_sorter *s, level *to, leati_merge *from) {
    leati_run_writer w;
    leat_status status = leati_run_begin(&w, &to->file, s->block, &s->err);
    if (status >= 0) status = from ? write_merged(s, from, &w) : write_piles(s, &w);
    if (status >= 0) status = leati_run_end(&w, &to->runs[to->count], &s->err);
    if (status >= 0) to->count++;
    leati_run_writer_fini(&w);
    return status;
}

static leat_status merge_level(leati_sorter *s, level *from) {
    leati_merge *m = leati_merge_new(from->runs, from->count, !s->options.arrival);
    leat_status status = m ? write_run(s, from + 1, m) : LEAT_E_NOMEM;
    leati_merge_free(m);
    if (status < 0) return status;
    from->count = 0;
    return leati_run_file_clear(&from->file, &s->err);
}

/* The highest level takes what there is room for; by then that is more than disks hold. */
static leat_status spill(leati_sorter *s) {
    if (!leati_piles_count(s->piles)) return LEAT_OK;
    leat_status status = leati_piles_sort(s->piles);
    if (status >= 0) status = write_run(s, &s->levels[0], NULL);
    leati_piles_clear(s->piles);
    s->spills++;
    for (int i = 0; i + 1 < LEVELS && status >= 0 && s->levels[i].count == FAN_IN; i++)
        status = merge_level(s, &s->levels[i]);
    return status;
}

/* Oldest runs first. */
static leat_status begin_merge(leati_sorter *s) {
    leati_run runs[FAN_IN * LEVELS];
    size_t count = 0;
    for (int i = LEVELS; i-- > 0;)
        for (size_t k = 0; k < s->levels[i].count; k++) runs[count++] = s->levels[i].runs[k];
    s->merge = leati_merge_new(runs, count, !s->options.arrival);
    return s->merge ? LEAT_OK : LEAT_E_NOMEM;
}

static leat_status work(leati_sorter *s) {
    if (s->merge) return leati_merge_fill(s->merge, &s->err);
    leat_status status = spill(s);
    return status >= 0 && s->ended ? begin_merge(s) : status;
}

static leat_status explain(leati_sorter *s, leat_status status) {
    if (status >= 0 || s->err.status || status == LEAT_E_CANCELLED) return status;
    if (status == LEAT_E_NOMEM)
        return leat_error_set(&s->err, status, "sort",
                              "no memory for sorting; lower execution.sorted-inputs.memory");
    return leati_run_damaged(&s->err);
}

leat_status leati_sorter_work(leati_sorter *s) {
    leat_status status = work(s);
    s->due = false;
    return explain(s, status);
}

/* --- giving ----------------------------------------------------------------------------------- */

static leat_status given(leati_sorter *s, leat_status status) {
    s->due = status == LEAT_AGAIN;
    return explain(s, status);
}

leat_status leati_sorter_next_key(leati_sorter *s, leati_pile_key *key) {
    return given(s, s->merge ? leati_merge_next_key(s->merge, key)
                             : leati_piles_next_key(s->piles, key));
}

leat_status leati_sorter_next(leati_sorter *s, leati_pile_item *item) {
    return given(s, s->merge ? leati_merge_next(s->merge, item) : leati_piles_next(s->piles, item));
}
