/* remote.c: see remote.h. Batches are encoded on the writer's thread, which is inside the
   interpreter where there are objects, and decoded on the reader's. `lock` is written by the close
   and read by all who send; the table of channels and the connections are complete before any task
   runs.

   Credit. A channel charges what a batch weighs in memory; an object weighs nothing there, so that
   what its bytes weigh more is charged when they are known, and batches begin small and grow to
   what a batch of native values weighs. A reader that gives back little at a time collects it to a
   quarter of the channel, since each time wakes the sender: what is collected never blocks it, for
   less than the capacity is outstanding then. */
#include "runtime/job/remote.h"

#include "runtime/base/alloc.h"
#include "runtime/data/batch.h"
#include "runtime/data/codec.h"
#include "runtime/flow/output.h"

/* A frame ends with the record that makes it this large. */
enum { FRAME_BYTES = 4 * LEATI_BATCH_BYTES, GROWTH = 4 };

typedef struct remote_end {
    leati_remote *remote;
    leati_channel *channel; /* one reference */
    uint32_t number;
    int peer;
    bool writes;
    const leat_type *type;
    size_t owed_records, owed_bytes; /* given back, not yet told; the reading task's */
} remote_end;

struct leati_remote {
    leati_connection **wires; /* by host */
    int hosts;
    pthread_rwlock_t lock;
    remote_end **ends; /* by channel; NULL: none here */
    size_t room;
    bool closed;
};

leati_remote *leati_remote_new(int hosts) {
    leati_remote *r = leati_zalloc(sizeof *r);
    if (!r) return NULL;
    r->hosts = hosts;
    r->wires = leati_zalloc((size_t)hosts * sizeof(leati_connection *));
    pthread_rwlock_init(&r->lock, NULL);
    if (r->wires) return r;
    leati_remote_free(r);
    return NULL;
}

void leati_remote_free(leati_remote *r) {
    if (!r) return;
    for (size_t i = 0; i < r->room; i++) {
        if (!r->ends[i]) continue;
        leati_channel_unref(r->ends[i]->channel);
        leati_free(r->ends[i]);
    }
    leati_free(r->ends);
    leati_free(r->wires);
    pthread_rwlock_destroy(&r->lock);
    leati_free(r);
}

void leati_remote_set_wire(leati_remote *r, int peer, leati_connection *wire) {
    r->wires[peer] = wire;
}

static void put_u32(char *at, uint64_t x) {
    for (int i = 0; i < 4; i++) at[i] = (char)(x >> (8 * i));
}

static void put_u64(char *at, uint64_t x) {
    for (int i = 0; i < 8; i++) at[i] = (char)(x >> (8 * i));
}

/* A broken connection is reported by its end; tasks that still write are about to be stopped. */
static leat_status send_frame(remote_end *e, leati_frame_kind kind, const char *head,
                              size_t head_size, const leati_buf *body) {
    leati_remote *r = e->remote;
    leat_status status = LEAT_OK;
    pthread_rwlock_rdlock(&r->lock);
    if (!r->closed)
        status = leati_connection_send(r->wires[e->peer], kind, head, head_size,
                                       body ? body->bytes : NULL, body ? body->size : 0);
    pthread_rwlock_unlock(&r->lock);
    return status == LEAT_E_IO ? LEAT_OK : status;
}

/* --- sending ---------------------------------------------------------------------------------- */

/* A batch on its way: as one frame, or as several when its records are large. */
typedef struct sending {
    remote_end *end;
    leati_buf body;
    uint32_t count;         /* records in `body` */
    size_t charge, charged; /* the batch's, and what frames have taken of it, or beyond it */
} sending;

/* The channel's counter must never be below what may come back, so it is raised first. */
static leat_status send_part(sending *s, bool last) {
    char head[16];
    leati_channel *c = s->end->channel;
    size_t left = s->charge > s->charged ? s->charge - s->charged : 0;
    size_t charge = last && left > s->body.size ? left : s->body.size;
    if (charge > left) atomic_fetch_add(&c->bytes, charge - left);
    s->charged += charge;
    put_u32(s->body.bytes, s->count);
    put_u32(head, s->end->number);
    put_u32(head + 4, s->count);
    put_u64(head + 8, charge);
    leat_status status = send_frame(s->end, LEATI_F_DATA, head, sizeof head, &s->body);
    s->body.size = 0;
    s->count = 0;
    return status;
}

static leat_status encode_some(sending *s, const leati_batch *batch, uint32_t *at) {
    leat_status status = LEAT_OK;
    leati_buf_u32(&s->body, 0); /* their number: send_part */
    while (status >= 0 && *at < batch->count && s->body.size < FRAME_BYTES) {
        status = leati_record_encode(&batch->records[(*at)++], s->end->type, &s->body);
        s->count++;
    }
    return status >= 0 && s->body.failed ? LEAT_E_NOMEM : status;
}

/* So many records weigh about as much as a batch of native values may. */
static void size_next_batch(leati_channel *c, const leati_batch *batch, size_t bytes) {
    size_t fit = (size_t)FRAME_BYTES * batch->count / (bytes + 1);
    size_t most = GROWTH * c->batch_records;
    if (most > fit) most = fit;
    if (most > LEATI_BATCH_RECORDS) most = LEATI_BATCH_RECORDS;
    c->batch_records = most ? most : 1;
}

static leat_status send_batch(remote_end *e, const leati_batch *batch, size_t charge) {
    sending s = {.end = e, .charge = charge};
    leat_status status = LEAT_OK;
    size_t bytes = 0;
    leati_buf_init(&s.body);
    for (uint32_t at = 0; at < batch->count && status >= 0;) {
        status = encode_some(&s, batch, &at);
        bytes += s.body.size;
        if (status >= 0) status = send_part(&s, at == batch->count);
    }
    size_next_batch(e->channel, batch, bytes);
    leati_buf_fini(&s.body);
    return status;
}

/* leati_channel.send of a channel that is read elsewhere. */
static leat_status remote_send(void *arg, leati_element *element, size_t records, size_t bytes) {
    remote_end *e = arg;
    leat_status status;
    (void)records;
    if (element->kind == LEATI_BATCH) {
        status = send_batch(e, element->as.batch, bytes);
    } else {
        char head[13];
        put_u32(head, e->number);
        head[4] = (char)element->kind;
        put_u64(head + 5, (uint64_t)element->value);
        status = send_frame(e, LEATI_F_SIGNAL, head, sizeof head, NULL);
    }
    leati_element_drop(element);
    return status;
}

/* leati_channel.credit of a channel that is written elsewhere. */
static void remote_credit(void *arg, size_t records, size_t bytes) {
    remote_end *e = arg;
    char head[16];
    e->owed_records += records;
    e->owed_bytes += bytes;
    if (e->owed_records <= e->channel->max_records / 4 &&
        e->owed_bytes <= e->channel->max_bytes / 4)
        return;
    put_u32(head, e->number);
    put_u32(head + 4, e->owed_records);
    put_u64(head + 8, e->owed_bytes);
    e->owed_records = e->owed_bytes = 0;
    send_frame(e, LEATI_F_CREDIT, head, sizeof head, NULL);
}

/* Room for the channel of this number. */
static bool make_room(leati_remote *r, size_t number) {
    if (number < r->room) return true;
    size_t room = 2 * number + 16;
    remote_end **ends = leati_resize(r->ends, room * sizeof(remote_end *));
    if (!ends) return false;
    memset(ends + r->room, 0, (room - r->room) * sizeof(remote_end *));
    r->ends = ends;
    r->room = room;
    return true;
}

static leat_status join(void *arg, leati_channel *channel, int number, int peer, bool writes,
                        const leat_type *type) {
    leati_remote *r = arg;
    bool known = number >= 0 && peer >= 0 && peer < r->hosts && r->wires[peer];
    remote_end *e = known && make_room(r, (size_t)number) ? leati_zalloc(sizeof *e) : NULL;
    if (!e) return LEAT_E_NOMEM;
    e->remote = r;
    e->channel = channel;
    e->number = (uint32_t)number;
    e->peer = peer;
    e->writes = writes;
    e->type = type;
    leati_channel_ref(channel);
    if (writes) {
        channel->send = remote_send;
        channel->send_arg = e;
        channel->batch_records = 1;
    } else {
        channel->credit = remote_credit;
        channel->credit_arg = e;
    }
    r->ends[number] = e;
    return LEAT_OK;
}

leati_wires leati_remote_wires(leati_remote *r) {
    return (leati_wires){join, r};
}

/* --- taking ----------------------------------------------------------------------------------- */

static leat_status take_data(remote_end *e, leati_reader *in) {
    leati_element element = {.kind = LEATI_FRAME, .value = (int64_t)leati_reader_u32(in)};
    uint64_t charge = leati_reader_u64(in);
    size_t size = leati_reader_left(in);
    if (in->failed || !size || charge > SIZE_MAX / 2) return LEAT_E_FORMAT;
    element.as.frame.charge = (size_t)charge;
    element.as.frame.size = size;
    element.as.frame.bytes = leati_memdup(in->at, size);
    if (!element.as.frame.bytes) return LEAT_E_NOMEM;
    return leati_channel_push(e->channel, &element, (size_t)element.value, (size_t)charge);
}

static leat_status take_signal(remote_end *e, leati_reader *in) {
    uint8_t kind = leati_reader_u8(in);
    int64_t value = (int64_t)leati_reader_u64(in);
    if (in->failed || leati_reader_left(in) || kind < LEATI_WATERMARK || kind > LEATI_VOTE)
        return LEAT_E_FORMAT;
    leati_element element = leati_signal((leati_element_kind)kind, value);
    return leati_channel_push(e->channel, &element, 0, 0);
}

static leat_status take_credit(remote_end *e, leati_reader *in) {
    uint64_t records = leati_reader_u32(in), bytes = leati_reader_u64(in);
    leati_channel *c = e->channel;
    if (in->failed || leati_reader_left(in) || records > atomic_load(&c->records) ||
        bytes > atomic_load(&c->bytes))
        return LEAT_E_FORMAT;
    leati_channel_give_back(c, (size_t)records, (size_t)bytes);
    return LEAT_OK;
}

leat_status leati_remote_take(leati_remote *r, int peer, uint8_t kind, const char *payload,
                              size_t size) {
    leati_reader in = leati_reader_of(payload, size);
    uint32_t number = leati_reader_u32(&in);
    remote_end *e = in.failed || number >= r->room ? NULL : r->ends[number];
    if (!e || e->peer != peer || e->writes != (kind == LEATI_F_CREDIT)) return LEAT_E_FORMAT;
    switch (kind) {
    case LEATI_F_DATA: return take_data(e, &in);
    case LEATI_F_SIGNAL: return take_signal(e, &in);
    case LEATI_F_CREDIT: return take_credit(e, &in);
    default: return LEAT_E_FORMAT;
    }
}

void leati_remote_close(leati_remote *r) {
    pthread_rwlock_wrlock(&r->lock);
    r->closed = true;
    pthread_rwlock_unlock(&r->lock);
}

/* --- the job's description -------------------------------------------------------------------- */

void leati_job_encode(const leati_blueprint *b, int index, int workers, int attempt,
                      const leati_survival *survival, leati_buf *out) {
    leati_buf config;
    leati_buf_init(&config);
    leati_config_encode(b->config, &config);
    leati_buf_varint(out, (uint64_t)index);
    leati_buf_varint(out, (uint64_t)workers);
    leati_buf_varint(out, (uint64_t)attempt);
    leati_buf_blob_text(out, survival->folder);
    leati_buf_blob_text(out, survival->restore);
    leati_buf_blob(out, config.bytes, config.size);
    leati_buf_blob(out, b->preamble, b->preamble_size);
    leati_graph_encode(&b->graph, out);
    if (config.failed) out->failed = true;
    leati_buf_fini(&config);
}

leat_status leati_job_decode(const char *bytes, size_t size, leati_job_text *out, leat_error *err) {
    leati_reader in = leati_reader_of(bytes, size);
    memset(out, 0, sizeof *out);
    out->index = (int)leati_reader_varint(&in);
    out->workers = (int)leati_reader_varint(&in);
    out->attempt = (int)leati_reader_varint(&in);
    out->folder = leati_reader_text(&in);
    out->restore = leati_reader_text(&in);
    size_t config_size;
    const char *config = leati_reader_blob(&in, &config_size);
    out->preamble = leati_reader_blob(&in, &out->preamble_size);
    if (in.failed) {
        leati_job_text_fini(out);
        return leat_error_set(err, LEAT_E_FORMAT, "job", "the job's description is damaged");
    }
    out->config = leati_config_new();
    leat_status status = out->config ? leati_config_decode(out->config, config, config_size, err)
                                     : leat_error_set(err, LEAT_E_NOMEM, "job", "no memory");
    if (status >= 0) status = leati_graph_decode(&out->graph, &in, err);
    if (status < 0) leati_job_text_fini(out);
    return status;
}

void leati_job_text_fini(leati_job_text *t) {
    leati_graph_fini(&t->graph);
    leati_config_free(t->config);
    leati_free(t->folder);
    leati_free(t->restore);
    t->config = NULL;
    t->folder = t->restore = NULL;
}
