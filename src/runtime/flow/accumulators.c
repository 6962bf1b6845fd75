/* accumulators.c: see accumulators.h. What is added up is a tally (tally.h). */
#include "runtime/flow/accumulators.h"

#include <pthread.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/bridge.h"
#include "runtime/flow/chain.h"
#include "runtime/flow/tally.h"

struct leat_accumulator {
    leat_accumulator *next;
    char *name;
    pthread_mutex_t lock; /* guards the tally */
    leati_tally tally;
};

static leat_accumulator *first_of(const leati_accumulators *a) {
    return atomic_load_explicit((_Atomic(leat_accumulator *) *)(uintptr_t)&a->first,
                                memory_order_acquire);
}

static leat_accumulator *accumulator_new(const char *name, leat_accumulator_kind kind) {
    leat_accumulator *a = leati_zalloc(sizeof *a);
    if (a) a->name = leati_strdup(name);
    if (!a || !a->name) {
        leati_free(a);
        return NULL;
    }
    pthread_mutex_init(&a->lock, NULL);
    leati_tally_init(&a->tally, kind);
    return a;
}

leat_status leat_context_accumulator(leat_context *ctx, const char *name,
                                     leat_accumulator_kind kind, leat_accumulator **out,
                                     leat_error *err) {
    const char *where = ctx->info->name;
    if (!name || !*name || (int)kind < 0 || (int)kind >= LEATI_TALLY_KINDS)
        return leat_error_set(err, LEAT_E_ARGUMENT, where,
                              "an accumulator needs a name and a kind");
    leat_accumulator *a = first_of(&ctx->accumulators);
    while (a && strcmp(a->name, name) != 0) a = a->next;
    if (a && a->tally.kind != kind)
        return leat_error_set(err, LEAT_E_STATE, where,
                              "the accumulator '%s' is a %s, and was asked for as a %s; give it "
                              "another name",
                              name, leati_tally_kind_name((int)a->tally.kind),
                              leati_tally_kind_name((int)kind));
    leati_claims *claims = ctx->chain->around.claims;
    if (!a && claims) {
        leat_status status = leati_claims_make(claims, name, kind, where, err);
        if (status < 0) return status;
    }
    if (!a) {
        a = accumulator_new(name, kind);
        if (!a) return leat_error_set(err, LEAT_E_NOMEM, where, "no memory for an accumulator");
        a->next = first_of(&ctx->accumulators);
        atomic_store_explicit(&ctx->accumulators.first, a, memory_order_release);
    }
    *out = a;
    return LEAT_OK;
}

leat_status leat_accumulator_add(leat_accumulator *accumulator, const leat_value *value) {
    if (!accumulator || !value) return LEAT_E_ARGUMENT;
    pthread_mutex_lock(&accumulator->lock);
    leat_status status = leati_tally_add(&accumulator->tally, value);
    pthread_mutex_unlock(&accumulator->lock);
    return status;
}

leat_status leati_accumulator_value(leat_accumulator *accumulator, uint16_t domain,
                                    leati_arena *arena, leat_value *out) {
    return leati_tally_value(&accumulator->tally, domain, arena, out);
}

void leati_accumulators_free(leati_accumulators *all) {
    leat_accumulator *a = first_of(all);
    while (a) {
        leat_accumulator *next = a->next;
        leati_tally_fini(&a->tally);
        pthread_mutex_destroy(&a->lock);
        leati_free(a->name);
        leati_free(a);
        a = next;
    }
}

void leati_accumulators_write(const leati_accumulators *all, leati_buf *out) {
    for (leat_accumulator *a = first_of(all); a; a = a->next) {
        leati_buf content;
        leati_buf_init(&content);
        pthread_mutex_lock(&a->lock);
        leati_tally_write(&a->tally, &content);
        pthread_mutex_unlock(&a->lock);
        leati_buf_u8(out, LEATI_REPORT_ACCUMULATOR);
        leati_buf_blob(out, a->name, strlen(a->name));
        leati_buf_blob(out, content.bytes, content.size);
        out->failed |= content.failed;
        leati_buf_fini(&content);
    }
}
