/* restart.c: see restart.h. What the words mean was tried on Flink 2.3.0: all limits count
   restarts, so a limit of 3 bears 3 failures and the fourth ends the job. */
#include "runtime/job/restart.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/clock.h"

/* --- from the configuration ------------------------------------------------------------------- */

static leati_restart_kind kind_of(const leati_config *config) {
    const char *type = leati_config_get(config, "restart-strategy.type");
    if (!type)
        return leati_config_duration_ms(config, "execution.checkpointing.interval") > 0
                   ? LEATI_RESTART_EXPONENTIAL_DELAY
                   : LEATI_RESTART_NONE;
    if (strncmp(type, "fixed", 5) == 0) return LEATI_RESTART_FIXED_DELAY;
    if (strncmp(type, "failure", 7) == 0) return LEATI_RESTART_FAILURE_RATE;
    if (strncmp(type, "exponential", 11) == 0) return LEATI_RESTART_EXPONENTIAL_DELAY;
    return LEATI_RESTART_NONE;
}

static void read_fixed(leati_restart *r, const leati_config *c) {
    r->most = leati_config_int(c, "restart-strategy.fixed-delay.attempts");
    r->delay = leati_config_duration_ms(c, "restart-strategy.fixed-delay.delay");
}

static void read_rate(leati_restart *r, const leati_config *c) {
    r->most = leati_config_int(c, "restart-strategy.failure-rate.max-failures-per-interval");
    r->interval =
        leati_config_duration_ms(c, "restart-strategy.failure-rate.failure-rate-interval");
    r->delay = leati_config_duration_ms(c, "restart-strategy.failure-rate.delay");
}

#define EXPONENTIAL "restart-strategy.exponential-delay."

static leat_status read_exponential(leati_restart *r, const leati_config *c, leat_error *err) {
    r->most = leati_config_int(c, EXPONENTIAL "attempts-before-reset-backoff");
    r->delay = leati_config_duration_ms(c, EXPONENTIAL "initial-backoff");
    r->longest = leati_config_duration_ms(c, EXPONENTIAL "max-backoff");
    r->threshold = leati_config_duration_ms(c, EXPONENTIAL "reset-backoff-threshold");
    r->multiplier = leati_config_double(c, EXPONENTIAL "backoff-multiplier");
    r->jitter = leati_config_double(c, EXPONENTIAL "jitter-factor");
    if (r->delay > r->longest)
        return leat_error_set(err, LEAT_E_CONFIG, EXPONENTIAL "initial-backoff",
                              "it is %lld ms, and max-backoff only %lld ms; raise max-backoff",
                              (long long)r->delay, (long long)r->longest);
    if (!(r->multiplier >= 1))
        return leat_error_set(err, LEAT_E_CONFIG, EXPONENTIAL "backoff-multiplier",
                              "it is %g; it takes 1 or more", r->multiplier);
    if (!(r->jitter >= 0 && r->jitter <= 1))
        return leat_error_set(err, LEAT_E_CONFIG, EXPONENTIAL "jitter-factor",
                              "it is %g; it takes 0 to 1", r->jitter);
    return LEAT_OK;
}

leat_status leati_restart_init(leati_restart *r, const leati_config *config, leat_error *err) {
    memset(r, 0, sizeof *r);
    r->kind = kind_of(config);
    r->random = (uint64_t)leati_clock_monotonic();
    switch (r->kind) {
    case LEATI_RESTART_NONE: break;
    case LEATI_RESTART_FIXED_DELAY: read_fixed(r, config); break;
    case LEATI_RESTART_FAILURE_RATE: read_rate(r, config); break;
    case LEATI_RESTART_EXPONENTIAL_DELAY: return read_exponential(r, config, err);
    }
    return LEAT_OK;
}

void leati_restart_fini(leati_restart *r) {
    leati_free(r->times);
    r->times = NULL;
}

/* --- failures --------------------------------------------------------------------------------- */

/* From 0 to 1 (splitmix64). */
static double random_part(leati_restart *r) {
    uint64_t x = r->random += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return (double)((x ^ (x >> 31)) >> 11) / 9007199254740992.0;
}

/* An attempt that ran for the threshold is as good as a first one. */
static int64_t exponential(leati_restart *r, int64_t now) {
    if (r->failures && now - r->resumed_at >= r->threshold) r->failures = 0;
    if (++r->failures > r->most) return -1;
    double longest = (double)r->longest, delay = (double)r->delay;
    for (int64_t i = 1; i < r->failures && delay < longest && r->multiplier > 1; i++)
        delay *= r->multiplier;
    if (delay > longest) delay = longest;
    delay += delay * r->jitter * (2 * random_part(r) - 1);
    return (int64_t)((delay > longest ? longest : delay) + 0.5);
}

static void forget_before(leati_restart *r, int64_t since) {
    int64_t old = 0;
    while (old < r->failures && r->times[old] < since) old++;
    r->failures -= old;
    if (old) memmove(r->times, r->times + old, (size_t)r->failures * sizeof *r->times);
}

/* Without memory for another time the job ends. */
static int64_t by_rate(leati_restart *r, int64_t now) {
    forget_before(r, now - r->interval);
    if (r->failures >= r->most) return -1;
    if ((size_t)r->failures == r->room) {
        size_t room = r->room ? 2 * r->room : 8;
        int64_t *times = leati_resize(r->times, room * sizeof *times);
        if (!times) return -1;
        r->times = times;
        r->room = room;
    }
    r->times[r->failures++] = now;
    return r->delay;
}

int64_t leati_restart_after(leati_restart *r, int64_t now) {
    int64_t delay = -1;
    switch (r->kind) {
    case LEATI_RESTART_NONE: break;
    case LEATI_RESTART_FIXED_DELAY: delay = ++r->failures > r->most ? -1 : r->delay; break;
    case LEATI_RESTART_EXPONENTIAL_DELAY: delay = exponential(r, now); break;
    case LEATI_RESTART_FAILURE_RATE: delay = by_rate(r, now); break;
    }
    r->resumed_at = now + (delay < 0 ? 0 : delay);
    return delay;
}

void leati_restart_words(const leati_restart *r, char *out, size_t size) {
    long long most = (long long)r->most;
    const char *s = most == 1 ? "" : "s";
    switch (r->kind) {
    case LEATI_RESTART_NONE: snprintf(out, size, "no restarts"); break;
    case LEATI_RESTART_FIXED_DELAY:
        snprintf(out, size, "fixed-delay: %lld restart%s", most, s);
        break;
    case LEATI_RESTART_EXPONENTIAL_DELAY:
        if (r->most == INT_MAX)
            snprintf(out, size, "exponential-delay");
        else
            snprintf(out, size, "exponential-delay: %lld restart%s in a row", most, s);
        break;
    case LEATI_RESTART_FAILURE_RATE:
        snprintf(out, size, "failure-rate: %lld restart%s within %lld ms", most, s,
                 (long long)r->interval);
        break;
    }
}
