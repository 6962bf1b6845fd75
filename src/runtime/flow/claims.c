/* claims.c: see claims.h. There are few, so that they are a list. */
#include "runtime/flow/claims.h"

#include <pthread.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/flow/tally.h"

typedef struct claim {
    struct claim *next;
    leat_accumulator_kind kind;
    char *name, *owner; /* the operator that came first */
} claim;

struct leati_claims {
    pthread_mutex_t lock;
    claim *first;
};

leati_claims *leati_claims_new(void) {
    leati_claims *c = leati_zalloc(sizeof *c);
    if (c) pthread_mutex_init(&c->lock, NULL);
    return c;
}

static void claim_free(claim *one) {
    leati_free(one->name);
    leati_free(one->owner);
    leati_free(one);
}

void leati_claims_free(leati_claims *c) {
    if (!c) return;
    for (claim *one = c->first, *next; one; one = next) {
        next = one->next;
        claim_free(one);
    }
    pthread_mutex_destroy(&c->lock);
    leati_free(c);
}

static claim *claim_new(const char *name, leat_accumulator_kind kind, const char *owner) {
    claim *one = leati_zalloc(sizeof *one);
    if (!one) return NULL;
    one->kind = kind;
    one->name = leati_strdup(name);
    one->owner = leati_strdup(owner);
    if (one->name && one->owner) return one;
    claim_free(one);
    return NULL;
}

/* Under the lock. */
static leat_status make(leati_claims *c, const char *name, leat_accumulator_kind kind,
                        const char *operator_name, leat_error *err) {
    claim *one = c->first;
    while (one && strcmp(one->name, name) != 0) one = one->next;
    if (one && one->kind == kind) return LEAT_OK;
    if (one)
        return leat_error_set(err, LEAT_E_STATE, operator_name,
                              "the accumulator '%s' is a %s here, and a %s in '%s'; give one of "
                              "them another name",
                              name, leati_tally_kind_name((int)kind),
                              leati_tally_kind_name((int)one->kind), one->owner);
    one = claim_new(name, kind, operator_name);
    if (!one)
        return leat_error_set(err, LEAT_E_NOMEM, operator_name, "no memory for an accumulator");
    one->next = c->first;
    c->first = one;
    return LEAT_OK;
}

leat_status leati_claims_make(leati_claims *c, const char *name, leat_accumulator_kind kind,
                              const char *operator_name, leat_error *err) {
    pthread_mutex_lock(&c->lock);
    leat_status status = make(c, name, kind, operator_name, err);
    pthread_mutex_unlock(&c->lock);
    return status;
}
