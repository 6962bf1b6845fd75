/* remote.c: see remote.h. Batches are encoded on the writer's thread, which is inside the interpreter where there
   are objects, and decoded on the reader's. `lock` guards the table of channels only: wires are set before any task runs. */
#include "runtime/job/remote.h"

#include "runtime/base/alloc.h"
#include "runtime/data/batch.h"

typedef struct remote_end {
    leati_remote *remote;
    leati_channel *channel; /* one reference; NULL after close */
    uint32_t number;
    int peer;
    bool writes;
    const leat_type *type;
} remote_end;

struct leati_remote {
    leati_connection **wires; /* by host */
    int hosts;
    pthread_mutex_t lock;
    remote_end **ends;
    size_t count;
    bool closed;
};

leati_remote *leati_remote_new(int hosts) {
    leati_remote *r = leati_zalloc(sizeof *r);
    if (!r) return NULL;
    r->hosts = hosts;
    r->wires = leati_zalloc((size_t)hosts * sizeof(leati_connection *));
    pthread_mutex_init(&r->lock, NULL);
    if (r->wires) return r;
    leati_remote_free(r);
    return NULL;
}

void leati_remote_free(leati_remote *r) {
    if (!r) return;
    for (size_t i = 0; i < r->count; i++) {
        leati_channel_unref(r->ends[i]->channel);
        leati_free(r->ends[i]);
    }
    leati_free(r->ends);
    leati_free(r->wires);
    pthread_mutex_destroy(&r->lock);
    leati_free(r);
}

void leati_remote_set_wire(leati_remote *r, int peer, leati_connection *wire) {
    r->wires[peer] = wire;
}

static void put_u32(char *at, uint64_t x) {
    for (int i = 0; i < 4; i++) at[i] = (char)(x >> (8 * i));
}

/* A broken wire is reported by its end; tasks that still write are about to be stopped. */
static leat_status send_frame(remote_end *e, leati_frame_kind kind, const char *head,
                              size_t head_size, const leati_buf *body) {
    leati_remote *r = e->remote;
    pthread_mutex_lock(&r->lock);
    leati_connection *wire = r->closed ? NULL : r->wires[e->peer];
    leat_status status =
        wire ? leati_connection_send(wire, kind, head, head_size, body ? body->bytes : NULL,
                                     body ? body->size : 0)
             : LEAT_OK;
    pthread_mutex_unlock(&r->lock);
    return status == LEAT_E_IO ? LEAT_OK : status;
}

/* --- sending -------------------------------------------------------------------------------------- */

static leat_status send_batch(remote_end *e, const leati_batch *batch, size_t charge) {
    char head[12];
    leati_buf body;
    leati_buf_init(&body);
    leat_status status = leati_batch_encode(batch, e->type, &body);
    if (status >= 0 && body.failed) status = LEAT_E_NOMEM;
    put_u32(head, e->number);
    put_u32(head + 4, batch->count);
    put_u32(head + 8, charge);
    if (status >= 0) status = send_frame(e, LEATI_F_DATA, head, sizeof head, &body);
    leati_buf_fini(&body);
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
        put_u32(head + 5, (uint64_t)element->value);
        put_u32(head + 9, (uint64_t)element->value >> 32);
        status = send_frame(e, LEATI_F_SIGNAL, head, sizeof head, NULL);
    }
    leati_element_drop(element);
    return status;
}

/* leati_channel.credit of a channel that is written elsewhere. */
static void remote_credit(void *arg, size_t records, size_t bytes) {
    remote_end *e = arg;
    char head[12];
    put_u32(head, e->number);
    put_u32(head + 4, records);
    put_u32(head + 8, bytes);
    send_frame(e, LEATI_F_CREDIT, head, sizeof head, NULL);
}

static leat_status join(void *arg, leati_channel *channel, int number, int peer, bool writes,
                        const leat_type *type) {
    leati_remote *r = arg;
    remote_end **ends = leati_resize(r->ends, (r->count + 1) * sizeof(remote_end *));
    if (ends) r->ends = ends;
    remote_end *e = ends ? leati_zalloc(sizeof *e) : NULL;
    if (!e || peer < 0 || peer >= r->hosts) {
        leati_free(e);
        return LEAT_E_NOMEM;
    }
    *e = (remote_end){r, channel, (uint32_t)number, peer, writes, type};
    leati_channel_ref(channel);
    if (writes) {
        channel->send = remote_send;
        channel->send_arg = e;
    } else {
        channel->credit = remote_credit;
        channel->credit_arg = e;
    }
    r->ends[r->count++] = e;
    return LEAT_OK;
}

leati_wires leati_remote_wires(leati_remote *r) {
    return (leati_wires){join, r};
}

/* --- taking --------------------------------------------------------------------------------------- */

static remote_end *find(leati_remote *r, uint32_t number, bool writes) {
    for (size_t i = 0; i < r->count; i++)
        if (r->ends[i]->number == number && r->ends[i]->writes == writes) return r->ends[i];
    return NULL;
}

static leat_status take_data(remote_end *e, leati_reader *in) {
    leati_element element = {.kind = LEATI_FRAME, .value = (int64_t)leati_reader_u32(in)};
    element.as.frame.charge = leati_reader_u32(in);
    element.as.frame.size = leati_reader_left(in);
    if (in->failed) return LEAT_E_FORMAT;
    element.as.frame.bytes = leati_memdup(in->at, element.as.frame.size);
    if (!element.as.frame.bytes) return LEAT_E_NOMEM;
    return leati_channel_push(e->channel, &element, (size_t)element.value, element.as.frame.charge);
}

static leat_status take_signal(remote_end *e, leati_reader *in) {
    uint8_t kind = leati_reader_u8(in);
    int64_t value = (int64_t)leati_reader_u64(in);
    if (in->failed || kind < LEATI_WATERMARK || kind > LEATI_END) return LEAT_E_FORMAT;
    leati_element element = leati_signal((leati_element_kind)kind, value);
    return leati_channel_push(e->channel, &element, 0, 0);
}

static leat_status take_credit(remote_end *e, leati_reader *in) {
    size_t records = leati_reader_u32(in), bytes = leati_reader_u32(in);
    leati_channel *c = e->channel;
    if (in->failed || records > atomic_load(&c->records) || bytes > atomic_load(&c->bytes))
        return LEAT_E_FORMAT;
    leati_channel_give_back(c, records, bytes);
    return LEAT_OK;
}

leat_status leati_remote_take(leati_remote *r, uint8_t kind, const char *payload, size_t size) {
    leati_reader in = leati_reader_of(payload, size);
    uint32_t number = leati_reader_u32(&in);
    remote_end *e = in.failed ? NULL : find(r, number, kind == LEATI_F_CREDIT);
    if (!e || !e->channel) return LEAT_E_FORMAT;
    switch (kind) {
    case LEATI_F_DATA: return take_data(e, &in);
    case LEATI_F_SIGNAL: return take_signal(e, &in);
    case LEATI_F_CREDIT: return take_credit(e, &in);
    default: return LEAT_E_FORMAT;
    }
}

void leati_remote_close(leati_remote *r) {
    pthread_mutex_lock(&r->lock);
    r->closed = true;
    pthread_mutex_unlock(&r->lock);
}

/* --- the job's description -------------------------------------------------------------------------- */

void leati_job_encode(const leati_blueprint *b, int index, int workers, int attempt,
                      leati_buf *out) {
    leati_buf config;
    leati_buf_init(&config);
    leati_config_encode(b->config, &config);
    leati_buf_varint(out, (uint64_t)index);
    leati_buf_varint(out, (uint64_t)workers);
    leati_buf_varint(out, (uint64_t)attempt);
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
    size_t config_size;
    const char *config = leati_reader_blob(&in, &config_size);
    out->preamble = leati_reader_blob(&in, &out->preamble_size);
    if (in.failed)
        return leat_error_set(err, LEAT_E_FORMAT, "job", "the job's description is damaged");
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
    t->config = NULL;
}
