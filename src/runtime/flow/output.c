/* output.c: see output.h. How large a batch may grow is fixed when it begins, by the credit of its
   channel: so the common record costs one comparison, and a small channel is not overdrawn by a
   large batch. */
#include "runtime/flow/output.h"

#include "runtime/base/alloc.h"
#include "runtime/data/batch.h"
#include "runtime/data/key.h"
#include "runtime/flow/chain.h"

typedef struct leati_target {
    leati_channel *channel;
    leati_batch *batch;              /* being gathered; NULL when there is nothing */
    size_t most_records, most_bytes; /* of `batch` */
    bool full;
} leati_target;

struct leati_output {
    leati_chain *chain;
    leat_partitioning how;
    leati_target *targets;
    int count, next, full;
    uint64_t random;
    const leat_type *type;
    int max_parallelism;
    bool cut, dirty;
    uint64_t loops;
    leati_count written;
};

leati_output *leati_output_new(leati_chain *chain, leat_partitioning how, int subtask,
                               leati_channel *const *targets, int count, const leat_type *type,
                               int max_parallelism, bool cut) {
    leati_output *o = leati_zalloc(sizeof *o);
    leati_target *t = leati_zalloc((size_t)count * sizeof *t);
    if (!o || !t) {
        leati_free(o);
        leati_free(t);
        for (int i = 0; i < count; i++) leati_channel_unref(targets[i]);
        return NULL;
    }
    for (int i = 0; i < count; i++) t[i].channel = targets[i];
    o->chain = chain;
    o->how = how;
    o->targets = t;
    o->count = count;
    o->next = subtask % count;
    o->random = 0x9E3779B97F4A7C15u * (uint64_t)(subtask + 1);
    o->type = type;
    o->max_parallelism = max_parallelism;
    o->cut = cut;
    return o;
}

void leati_output_free(leati_output *o) {
    if (!o) return;
    for (int i = 0; i < o->count; i++) {
        leati_batch_unref(o->targets[i].batch);
        leati_channel_leave(o->targets[i].channel);
        leati_channel_unref(o->targets[i].channel);
    }
    leati_free(o->targets);
    leati_free(o);
}

static leat_status seal(leati_target *t) {
    if (!t->batch) return LEAT_OK;
    leati_element e = {.kind = LEATI_BATCH, .as.batch = t->batch};
    size_t records = t->batch->count, bytes = t->batch->bytes;
    t->batch = NULL;
    return leati_channel_push(t->channel, &e, records, bytes);
}

static void mark_full(leati_output *o, leati_target *t) {
    if (t->full) return;
    t->full = true;
    o->full++;
    o->chain->full++;
}

/* A batch failed, not the record that is there or was last. */
static leat_status say_why(leati_output *o, leati_target *t, leat_status status) {
    leat_context *last = o->chain->contexts[o->chain->count - 1];
    const char *why = leati_channel_failure(t->channel);
    last->current = NULL;
    if (why) return leat_context_fail(last, status, "%s", why);
    if (status == LEAT_E_RANGE)
        return leat_context_fail(last, status,
                                 "a record has more than 1 GiB and can't be sent to another "
                                 "process; make it smaller");
    return status;
}

/* The batch is full: off it goes, and the channel says whether there is room for another. */
static leat_status seal_and_look(leati_output *o, leati_target *t) {
    leat_status status = seal(t);
    if (LEAT_UNLIKELY(status < 0)) return say_why(o, t, status);
    if (!leati_channel_has_room(t->channel, 0, 0)) mark_full(o, t);
    return status;
}

static leat_status begin_batch(leati_output *o, leati_target *t) {
    leati_channel_credit(t->channel, &t->most_records, &t->most_bytes);
    if (t->most_records > LEATI_BATCH_RECORDS) t->most_records = LEATI_BATCH_RECORDS;
    if (t->most_bytes > LEATI_BATCH_BYTES) t->most_bytes = LEATI_BATCH_BYTES;
    t->batch = leati_batch_new((uint32_t)t->most_records);
    if (!t->batch) return LEAT_E_NOMEM;
    o->dirty = true;
    return LEAT_OK;
}

/* `hash` is the record's, which may not be in it yet. */
static inline leat_status put(leati_output *o, leati_target *t, const leat_record *record,
                              uint64_t hash) {
    leat_status status = t->batch ? LEAT_OK : begin_batch(o, t);
    leati_batch *batch = t->batch;
    if (status >= 0) status = leati_batch_append(batch, record, o->type, o->cut);
    if (status < 0) return status;
    batch->records[batch->count - 1].hash = hash;
    if (LEAT_UNLIKELY(batch->count >= t->most_records || batch->bytes >= t->most_bytes))
        return seal_and_look(o, t);
    return LEAT_OK;
}

static uint64_t next_random(leati_output *o) { /* xorshift64* */
    o->random ^= o->random >> 12;
    o->random ^= o->random << 25;
    o->random ^= o->random >> 27;
    return o->random * 0x2545F4914F6CDD1Du;
}

static leat_status put_hashed(leati_output *o, const leat_record *record) {
    uint64_t hash;
    leat_status status = leati_key_hash(&record->key, &hash);
    if (status < 0) return status;
    int target = 0;
    if (o->count > 1)
        target = leati_key_group_owner(leati_key_group(hash, o->max_parallelism), o->count,
                                       o->max_parallelism);
    return put(o, &o->targets[target], record, hash);
}

static leat_status put_everywhere(leati_output *o, const leat_record *record) {
    leat_status status = LEAT_OK;
    for (int i = 0; i < o->count && status >= 0; i++)
        status = put(o, &o->targets[i], record, record->hash);
    return status;
}

int64_t leati_output_written(const leati_output *o) {
    return leati_count_read(&o->written);
}

leat_status leati_output_write(leati_output *o, const leat_record *record) {
    int target = 0;
    leati_count_up(&o->written, 1);
    switch (o->how) {
    case LEAT_HASH: return put_hashed(o, record);
    case LEAT_BROADCAST: return put_everywhere(o, record);
    case LEAT_REBALANCE:
    case LEAT_RESCALE:
        target = o->next;
        if (++o->next == o->count) o->next = 0;
        break;
    case LEAT_SHUFFLE: target = (int)(next_random(o) % (uint64_t)o->count); break;
    case LEAT_CUSTOM: target = (int)(record->hash % (uint64_t)o->count); break;
    default: break;
    }
    return put(o, &o->targets[target], record, record->hash);
}

leat_status leati_output_flush(leati_output *o) {
    leat_status status = LEAT_OK;
    if (!o->dirty) return LEAT_OK;
    for (int i = 0; i < o->count && status >= 0; i++)
        if (o->targets[i].batch) status = seal_and_look(o, &o->targets[i]);
    o->dirty = false;
    return status;
}

bool leati_output_dirty(const leati_output *o) {
    return o->dirty;
}

void leati_output_set_loops(leati_output *o, uint64_t loops) {
    o->loops = loops;
}

leat_status leati_output_signal(leati_output *o, leati_element signal) {
    if (signal.kind == LEATI_ROUND && !(o->loops >> leati_round_loop(&signal) & 1)) return LEAT_OK;
    leat_status status = leati_output_flush(o);
    for (int i = 0; i < o->count && status >= 0; i++) {
        leati_element e = signal;
        status = leati_channel_push(o->targets[i].channel, &e, 0, 0);
        if (status < 0) say_why(o, &o->targets[i], status);
    }
    return status;
}

bool leati_output_has_room(leati_output *o) {
    for (int i = 0; i < o->count && o->full; i++) {
        leati_target *t = &o->targets[i];
        if (!t->full || !leati_channel_has_room(t->channel, t->batch ? t->batch->count : 0, 0))
            continue;
        t->full = false;
        o->full--;
        o->chain->full--;
    }
    return o->full == 0;
}
