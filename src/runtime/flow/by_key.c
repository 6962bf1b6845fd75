/* by_key.c: see by_key.h. Counted, because the task may end while the I/O thread has the sorter. */
#include "runtime/flow/by_key.h"

#include "runtime/base/alloc.h"
#include "runtime/data/batch.h"
#include "runtime/data/codec.h"
#include "runtime/flow/output.h"
#include "runtime/state/sorter.h"

struct leati_by_key {
    atomic_int refs; /* the task, and work that is out */
    leati_chain *chain;
    leati_by_key_options options;
    char *dirs;
    leati_sorter *sorter;
    leati_arena arena; /* of the current key */
    leat_record key;   /* without a value, at the end of time */
    uint64_t left;     /* records of the key that were not handed on */
    leati_pile_item item;
    bool has_item;    /* `item` is the next record of the key */
    bool busy;        /* the sorter is the I/O thread's */
    atomic_bool lost; /* its answer: no memory for the letter */
    leat_mailbox *mailbox;
    bool gives, in_key;
    unsigned told; /* of the final watermark and the ends */
};

static void unref(void *arg) {
    leati_by_key *b = arg;
    if (atomic_fetch_sub(&b->refs, 1) != 1) return;
    leat_mailbox_unref(b->mailbox);
    leati_sorter_free(b->sorter);
    leati_arena_fini(&b->arena);
    leati_free(b->dirs);
    leati_free(b);
}

leati_by_key *leati_by_key_new(leati_chain *chain, const leati_by_key_options *options) {
    leati_by_key *b = leati_zalloc(sizeof *b);
    if (!b) return NULL;
    atomic_init(&b->refs, 1);
    b->chain = chain;
    b->options = *options;
    leati_arena_init(&b->arena);
    b->dirs = leati_strdup(options->dirs);
    leati_sorter_options o = {
        .memory = options->memory, .dirs = b->dirs, .arrival = !options->keys};
    b->sorter = b->dirs || !options->dirs ? leati_sorter_new(&o) : NULL;
    if (!b->sorter) {
        unref(b);
        return NULL;
    }
    chain->contexts[0]->by_key = options->keys;
    return b;
}

void leati_by_key_close(leati_by_key *b) {
    if (!b) return;
    leati_sorter_abandon(b->sorter);
    leati_arena_fini(&b->arena);
}

void leati_by_key_free(leati_by_key *b) {
    if (b) unref(b);
}

static leat_context *head_of(const leati_by_key *b) {
    return b->chain->contexts[0];
}

/* The sorter's error says more than its status, where it has one. */
static leat_status fail(leati_by_key *b, leat_status status) {
    const leat_error *err = leati_sorter_error(b->sorter);
    if (!err->status) return leati_chain_blame(head_of(b), status);
    return leat_context_fail(head_of(b), status, "%s", err->text);
}

/* --- on the I/O thread ------------------------------------------------------------------------ */

static leat_status work(void *arg) {
    leati_by_key *b = arg;
    return leati_sorter_work(b->sorter);
}

static leat_status work_done(leat_context *ctx, void *self, void *arg, leat_status worked) {
    leati_by_key *b = arg;
    (void)ctx;
    (void)self;
    b->busy = false;
    leat_status status = worked < 0 ? fail(b, worked) : LEAT_OK;
    unref(b);
    return status;
}

/* The task has ended, or the answer found no memory: then the task hears of it without one. */
static void work_dropped(void *arg) {
    leati_by_key *b = arg;
    atomic_store(&b->lost, true);
    leat_mailbox_wake(b->mailbox);
    unref(b);
}

/* LEAT_AGAIN: its answer wakes the task. */
static leat_status start_work(leati_by_key *b) {
    leat_io io = {.work = work, .done = work_done, .drop = work_dropped, .arg = b};
    if (!b->mailbox) b->mailbox = leat_context_mailbox(head_of(b));
    if (!b->mailbox) return LEAT_E_NOMEM;
    atomic_fetch_add(&b->refs, 1);
    leat_status status = leat_context_io(head_of(b), &io);
    if (status < 0) {
        unref(b);
        return leat_context_fail(head_of(b), status, "records can't be sorted: no I/O thread");
    }
    b->busy = true;
    return LEAT_AGAIN;
}

/* --- taking ----------------------------------------------------------------------------------- */

/* Frames are read as if there were no interpreter, so that objects pass as bytes. But of a key that
   is one, or has one inside, the canonical bytes are wanted. */
static bool has_object_bytes(const leat_value *v) {
    if (LEAT_LIKELY(leati_kind_is_scalar(v->kind) || v->kind == LEAT_STRING)) return false;
    if (v->kind == LEAT_BYTES) return v->flags & LEATI_OBJECT_BYTES;
    size_t count = v->kind == LEAT_MAP ? 2 * (size_t)v->size : v->size;
    const leat_value *items = v->kind == LEAT_ROW ? v->as.row->items : v->as.items;
    if (v->kind == LEAT_DECIMAL || v->kind == LEAT_OBJECT) return false;
    for (size_t i = 0; i < count; i++)
        if (has_object_bytes(&items[i])) return true;
    return false;
}

/* While records are taken nothing else is in the arena. */
static leat_status revive_key(leati_by_key *b, leat_value *key) {
    leati_buf bytes;
    leati_buf_init(&bytes);
    leat_status status = leati_value_encode(key, NULL, &bytes);
    leati_arena_reset(&b->arena);
    char *copy = status < 0 ? NULL : leati_arena_alloc(&b->arena, bytes.size);
    if (copy) {
        memcpy(copy, bytes.bytes, bytes.size);
        leati_reader in = leati_reader_of(copy, bytes.size);
        status = leati_value_decode(&in, leati_context_domain(head_of(b)), &b->arena, key);
    } else if (status >= 0) {
        status = LEAT_E_NOMEM;
    }
    leati_buf_fini(&bytes);
    return status;
}

static leat_status add(leati_by_key *b, unsigned input, leat_record record) {
    leat_status status = LEAT_OK;
    if (!b->options.keys) {
        record.key = leat_null();
        record.hash = 0;
    } else if (LEAT_UNLIKELY(has_object_bytes(&record.key))) {
        status = revive_key(b, &record.key);
    }
    const leat_type *type = head_of(b)->info->input_types[input];
    return status < 0 ? status : leati_sorter_add(b->sorter, input, &record, type);
}

static leat_status add_all(leati_by_key *b, unsigned input, const leati_batch *batch) {
    enum { NEXT = 4, SOON = 8 };
    const leat_record *records = batch->records;
    leat_status status = LEAT_OK;
    for (uint32_t i = 0; i < batch->count && status >= 0; i++) {
        if (i + SOON < batch->count)
            leati_sorter_expect(b->sorter, records[i + NEXT].hash, records[i + SOON].hash);
        status = add(b, input, records[i]);
    }
    if (status == LEAT_E_RANGE)
        return leat_context_fail(head_of(b), status,
                                 "a record has more than 1 GiB and can't be sorted; make it "
                                 "smaller");
    return status < 0 ? fail(b, status) : LEAT_OK;
}

static leat_status take_data(leati_by_key *b, leati_element *e, unsigned input,
                             leati_channel *from) {
    leati_batch *batch;
    size_t records, bytes;
    leat_status status = leati_element_open(e, 0, &batch, &records, &bytes);
    if (status < 0) return leat_context_fail(head_of(b), status, "a frame of records is damaged");
    status = add_all(b, input, batch);
    leati_batch_unref(batch);
    leati_channel_give_back(from, records, bytes);
    e->kind = LEATI_NOTHING;
    return status;
}

/* Signals are told again, as far as they matter, when all is handed on. */
static leat_status take(leati_by_key *b, leati_gate *gate, leati_element *out, unsigned *input,
                        leati_channel **from) {
    leat_status status = leati_gate_next(gate, out, input, from);
    if (status == LEAT_DONE) {
        b->gives = true;
        out->kind = LEATI_NOTHING;
        status = leati_sorter_end(b->sorter);
        return status < 0 ? fail(b, status) : LEAT_OK;
    }
    if (status != LEAT_OK) return status;
    if (out->kind == LEATI_BATCH || out->kind == LEATI_FRAME) {
        bool waits = b->options.sorted >> *input & 1;
        return waits ? take_data(b, out, *input, *from) : LEAT_OK;
    }
    out->kind = LEATI_NOTHING;
    return LEAT_OK;
}

/* --- giving ----------------------------------------------------------------------------------- */

static leat_status begin_key(leati_by_key *b, const leati_pile_key *key) {
    leati_arena_reset(&b->arena);
    leat_record_init(&b->key, leat_null(), LEAT_MAX_TIME);
    b->key.hash = key->hash;
    b->left = key->count;
    /* The bytes may be gone before the key's last record, what they hold must not. */
    char *copy = leati_arena_alloc(&b->arena, key->value_size);
    if (!copy) return LEAT_E_NOMEM;
    memcpy(copy, key->value, key->value_size);
    leati_reader in = leati_reader_of(copy, key->value_size);
    leat_status status =
        leati_value_decode(&in, leati_context_domain(head_of(b)), &b->arena, &b->key.key);
    b->chain->key = &b->key;
    b->in_key = true;
    return status;
}

/* The next record of the key, which stays the next one until `has_item` is taken away. */
static leat_status look(leati_by_key *b) {
    if (b->has_item) return LEAT_OK;
    leat_status status = leati_sorter_next(b->sorter, &b->item);
    b->has_item = status == LEAT_OK;
    return status;
}

/* Records of one input, up to a batch full. Their bytes are the sorter's, which may not work again
   before they have been read: that is asked for with the next call only. */
static leat_status gather(leati_by_key *b, leati_batch *batch, unsigned input) {
    uint16_t domain = leati_context_domain(head_of(b));
    leat_status status = LEAT_OK;
    while (batch->count < batch->room && batch->bytes < LEATI_BATCH_BYTES) {
        status = look(b);
        if (status != LEAT_OK || b->item.input != input) break;
        status = leati_batch_add_encoded(batch, b->item.bytes, b->item.size, domain, &b->key,
                                         b->item.time);
        if (status < 0) break;
        b->has_item = false;
        b->left--;
    }
    return status < 0 ? status : LEAT_OK;
}

static leat_status give_records(leati_by_key *b, leati_element *out, unsigned *input) {
    uint64_t room = b->left < LEATI_BATCH_RECORDS ? b->left : LEATI_BATCH_RECORDS;
    leati_batch *batch = leati_batch_new((uint32_t)room);
    *input = b->item.input;
    leat_status status = batch ? gather(b, batch, *input) : LEAT_E_NOMEM;
    if (status < 0) {
        leati_batch_unref(batch);
        return status;
    }
    *out = (leati_element){.kind = LEATI_BATCH, .as.batch = batch};
    return LEAT_OK;
}

static leat_status end_key(leati_by_key *b, leati_element *out) {
    b->in_key = false;
    *out = leati_signal(b->options.keys ? LEATI_KEY_END : LEATI_NOTHING, 0);
    return LEAT_OK;
}

static leat_status give_end(leati_by_key *b, leati_element *out) {
    unsigned at = b->told++;
    if (at > head_of(b)->info->op->inputs) return LEAT_DONE;
    *out = at ? leati_signal(LEATI_END, at - 1) : leati_signal(LEATI_WATERMARK, INT64_MAX);
    return LEAT_OK;
}

static leat_status give(leati_by_key *b, leati_element *out, unsigned *input) {
    leat_status status;
    if (b->in_key) {
        status = look(b);
        if (status == LEAT_OK) return give_records(b, out, input);
        return status == LEAT_DONE ? end_key(b, out) : status;
    }
    leati_pile_key key;
    status = b->told ? LEAT_DONE : leati_sorter_next_key(b->sorter, &key);
    if (status == LEAT_DONE) return give_end(b, out);
    out->kind = LEATI_NOTHING;
    return status == LEAT_OK ? begin_key(b, &key) : status;
}

leat_status leati_by_key_next(leati_by_key *b, leati_gate *gate, leati_element *out,
                              unsigned *input, leati_channel **from) {
    *from = NULL;
    if (b->busy) return atomic_load(&b->lost) ? LEAT_E_NOMEM : LEAT_AGAIN;
    if (leati_sorter_is_due(b->sorter)) return start_work(b);
    if (!b->gives) return take(b, gate, out, input, from);
    leat_status status = give(b, out, input);
    if (status == LEAT_AGAIN) return start_work(b);
    return status < 0 ? fail(b, status) : status;
}
