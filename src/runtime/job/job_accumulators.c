/* job_accumulators.c: the accumulators of a job: those of all subtasks that its hosts reported last
   (job_metrics.c), put together by their names. */
#include <math.h>

#include "runtime/base/alloc.h"
#include "runtime/data/codec.h"
#include "runtime/data/double_text.h"
#include "runtime/flow/metrics.h"
#include "runtime/flow/tally.h"
#include "runtime/job/job.h"

typedef struct named {
    char *name;
    leati_tally tally;
} named;

typedef struct gathering {
    named *all; /* in the order in which they were met */
    size_t count;
    leat_error *err;
} gathering;

static void gathering_free(gathering *g) {
    for (size_t i = 0; i < g->count; i++) {
        leati_tally_fini(&g->all[i].tally);
        leati_free(g->all[i].name);
    }
    leati_free(g->all);
}

/* NULL when memory ran out. */
static named *named_get(gathering *g, const char *bytes, size_t size) {
    for (size_t i = 0; i < g->count; i++)
        if (strlen(g->all[i].name) == size && memcmp(g->all[i].name, bytes, size) == 0)
            return &g->all[i];
    named *grown = leati_resize(g->all, (g->count + 1) * sizeof *grown);
    if (!grown) return NULL;
    g->all = grown;
    named *n = &grown[g->count];
    n->name = leati_format("%.*s", (int)size, bytes);
    if (!n->name) return NULL;
    leati_tally_init(&n->tally, LEAT_ACCUMULATOR_INT_SUM);
    g->count++;
    return n;
}

static leat_status add_part(gathering *g, leati_reader *in) {
    size_t name_size, size;
    const char *name = leati_reader_blob(in, &name_size);
    const char *content = leati_reader_blob(in, &size);
    if (!content) return LEAT_E_FORMAT;
    named *n = named_get(g, name, name_size);
    leati_reader part = leati_reader_of(content, size);
    int kind = size ? content[0] : -1;
    leat_status status = n ? leati_tally_merge(&n->tally, &part) : LEAT_E_NOMEM;
    if (status == LEAT_E_TYPE)
        leat_error_set(g->err, status, n->name,
                       "one operator has this accumulator as a %s, another one as a %s; give one "
                       "of them another name",
                       leati_tally_kind_name((int)n->tally.kind), leati_tally_kind_name(kind));
    else if (status == LEAT_E_RANGE)
        leat_error_set(g->err, status, n->name, "the sum of all subtasks leaves 64 bits");
    else if (status < 0)
        leat_error_set(g->err, status, "accumulators", "no memory, or a damaged report");
    return status;
}

static leat_status add_report(gathering *g, leati_reader in) {
    leat_status status = LEAT_OK;
    while (leati_reader_left(&in) && !in.failed && status >= 0) {
        leati_report_head(&in);
        for (uint8_t what; status >= 0 && (what = leati_reader_u8(&in));) {
            if (what == LEATI_REPORT_ACCUMULATOR)
                status = add_part(g, &in);
            else
                leati_report_skip(&in);
        }
    }
    return status;
}

static leat_status gather(leat_job *job, gathering *g) {
    leat_status status = LEAT_OK;
    pthread_mutex_lock(&job->lock);
    for (int i = 0; job->reports && i <= job->plan->workers && status >= 0; i++)
        status = add_report(g, leati_reader_of(job->reports[i].bytes, job->reports[i].size));
    pthread_mutex_unlock(&job->lock);
    return status;
}

leat_status leati_job_accumulators_check(leat_job *job, leat_error *err) {
    gathering g = {.err = err};
    leat_status status = gather(job, &g);
    gathering_free(&g);
    return status == LEAT_E_TYPE ? err->status = LEAT_E_STATE : LEAT_OK;
}

leat_status leati_job_accumulators_each(leat_job *job, uint16_t domain, leati_arena *arena,
                                        leat_accumulator_call call, void *arg, leat_error *err) {
    leat_error own;
    leat_status status = leati_job_check(job, "leat_job_accumulators", err ? err : &own);
    if (status < 0) return status;
    gathering g = {.err = err ? err : &own};
    status = gather(job, &g);
    for (size_t i = 0; i < g.count && status >= 0; i++) {
        leat_value value;
        status = leati_tally_value(&g.all[i].tally, domain, arena, &value);
        if (status < 0)
            leat_error_set(g.err, status, g.all[i].name, "its values can't be read");
        else if ((status = call(g.all[i].name, &value, arg)) < 0)
            leat_error_set(g.err, status, g.all[i].name, "the call for it failed");
    }
    gathering_free(&g);
    return status < 0 ? status : LEAT_OK;
}

leat_status leat_job_accumulators_each(leat_job *job, leat_accumulator_call call, void *arg,
                                       leat_error *err) {
    leati_arena arena;
    if (!call)
        return leat_error_set(err, LEAT_E_ARGUMENT, "leat_job_accumulators_each", "call is NULL");
    leat_status status = leati_job_check(job, "leat_job_accumulators", err);
    if (status < 0) return status;
    leati_job_metrics_await(job);
    leati_arena_init(&arena);
    status = leati_job_accumulators_each(job, 0, &arena, call, arg, err);
    leati_arena_fini(&arena);
    return status;
}

/* --- as JSON ---------------------------------------------------------------------------------- */

static void put_value(leati_buf *b, const leat_value *v);

static void put_text(leati_buf *b, const leat_value *v) {
    leati_buf text;
    leati_buf_init(&text);
    if (v->kind == LEAT_STRING)
        leati_buf_append(&text, v->as.bytes, v->size);
    else
        leati_value_text(v, NULL, LEAT_TEXT_STRING, &text);
    leati_json_string(b, leati_buf_cstr(&text));
    b->failed |= text.failed;
    leati_buf_fini(&text);
}

/* Names of members are strings: those of a histogram are its integers. */
static void put_map(leati_buf *b, const leat_value *v) {
    leati_buf_text(b, "{");
    for (uint32_t i = 0; i < v->size; i++) {
        if (i) leati_buf_text(b, ", ");
        put_text(b, &v->as.items[2 * i]);
        leati_buf_text(b, ": ");
        put_value(b, &v->as.items[2 * i + 1]);
    }
    leati_buf_text(b, "}");
}

static void put_value(leati_buf *b, const leat_value *v) {
    const leat_value *items = leat_value_items(v);
    switch (v->kind) {
    case LEAT_NULL: leati_buf_text(b, "null"); return;
    case LEAT_BOOL: leati_buf_text(b, v->as.b ? "true" : "false"); return;
    case LEAT_INT: leati_buf_printf(b, "%lld", (long long)v->as.i); return;
    case LEAT_DOUBLE:
        if (isfinite(v->as.d))
            leati_double_repr(v->as.d, b);
        else
            leati_buf_text(b, "null");
        return;
    case LEAT_MAP: put_map(b, v); return;
    case LEAT_TUPLE:
    case LEAT_ROW:
    case LEAT_LIST: break;
    default: put_text(b, v); return;
    }
    leati_buf_text(b, "[");
    for (uint32_t i = 0; i < v->size; i++) {
        if (i) leati_buf_text(b, ", ");
        put_value(b, &items[i]);
    }
    leati_buf_text(b, "]");
}

static leat_status put_named(const char *name, const leat_value *value, void *arg) {
    leati_buf *b = arg;
    if (b->size > 1) leati_buf_text(b, ",\n ");
    leati_json_string(b, name);
    leati_buf_text(b, ": ");
    put_value(b, value);
    return LEAT_OK;
}

char *leat_job_accumulators(leat_job *job, leat_error *err) {
    leati_buf json;
    leati_buf_init(&json);
    leati_buf_text(&json, "{");
    if (leat_job_accumulators_each(job, put_named, &json, err) < 0) {
        leati_buf_fini(&json);
        return NULL;
    }
    leati_buf_text(&json, "}");
    char *text = leati_buf_take(&json);
    if (!text) leat_error_set(err, LEAT_E_NOMEM, "leat_job_accumulators", "no memory");
    return text;
}
