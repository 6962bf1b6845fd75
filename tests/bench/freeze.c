/* freeze.c: what a snapshot costs those who go on meanwhile, on state alone,

       freeze KEYS ROUNDS

   for a table with KEYS integer keys and a value (int, double) each, which are read and written in
   an order of chance, and for as many timers, which fire and are set again. Prints one line of
   JSON: nanoseconds per step without a snapshot; those that a snapshot takes, per item; the longest
   time that freezing, one sweep of 256 and taking a group took, in microseconds; and the
   nanoseconds per item of a snapshot that is made at once. CPU time; the best round of each
   counts. */
#include "runtime/data/key.h"
#include "runtime/state/table.h"
#include "runtime/state/timers.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { GROUPS = 128, SWEEP = 256, STEPS = 1000 };

static const leat_namespace none = {NULL, 0};
static leati_table *table;
static leati_timers *timers;
static uint64_t keys, seed = 88172645463325252u;

/* One of the two. */
typedef struct subject {
    void (*work)(uint64_t i);
    leat_status (*freeze)(void);
    leat_status (*thaw_some)(int budget);
    leat_status (*take_group)(int *group, leati_buf *out);
    leat_status (*at_once)(int group, leati_buf *out);
} subject;

typedef struct cost {
    double step, extra, at_once;       /* ns: per step, per item, per item */
    double freezing, sweeping, taking; /* us, the longest */
} cost;

static void check(leat_status status) {
    if (status >= 0) return;
    fprintf(stderr, "failed with status %d\n", (int)status);
    exit(1);
}

static uint64_t next_random(void) {
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return seed;
}

/* CPU time of the thread: others may be at work on this machine. */
static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* --- a table ---------------------------------------------------------------------------------- */

static void write_one(uint64_t key, double x) {
    leat_value k = leat_int((int64_t)key), v, items[2] = {leat_int(1), leat_double(x)};
    uint64_t hash;
    check(leati_key_hash(&k, &hash));
    leat_status status = leati_table_get(table, &k, hash, none, &v);
    check(status);
    if (status == LEAT_OK) items[0].as.i = v.as.items[0].as.i + 1;
    v = leat_tuple(items, 2);
    check(leati_table_put(table, &k, hash, none, &v));
}

static void table_work(uint64_t i) {
    write_one(next_random() % keys, (double)i);
}

static leat_status table_freeze(void) {
    return leati_table_freeze(table, (leati_table_loss){NULL, NULL});
}

static leat_status table_thaw_some(int budget) {
    return leati_table_thaw_some(table, budget);
}

static leat_status table_take_group(int *group, leati_buf *out) {
    return leati_table_take_group(table, group, out);
}

static leat_status table_at_once(int group, leati_buf *out) {
    return leati_table_snapshot(table, group, out);
}

/* --- timers ----------------------------------------------------------------------------------- */

static void set_one(uint64_t key, int64_t time) {
    leat_value k = leat_int((int64_t)key);
    leat_timer timer = {LEAT_EVENT_TIME, time, none};
    uint64_t hash;
    check(leati_key_hash(&k, &hash));
    check(leati_timers_set(timers, &k, hash, &timer));
}

static void timers_work(uint64_t i) {
    static leati_arena arena;
    (void)i;
    leat_value key;
    uint64_t hash;
    leat_timer timer;
    check(leati_timers_pop(timers, INT64_MAX, &arena, &key, &hash, &timer));
    set_one((uint64_t)key.as.i, timer.time + (int64_t)(next_random() % 1000000));
    leati_arena_reset(&arena);
}

static leat_status timers_freeze(void) {
    return leati_timers_freeze(timers);
}

static leat_status timers_thaw_some(int budget) {
    return leati_timers_thaw_some(timers, budget);
}

static leat_status timers_take_group(int *group, leati_buf *out) {
    return leati_timers_take_group(timers, group, out);
}

static leat_status timers_at_once(int group, leati_buf *out) {
    return leati_timers_snapshot(timers, group, out);
}

/* --- both ------------------------------------------------------------------------------------- */

static void longest(double *most, double then) {
    double us = (now() - then) / 1000;
    if (us > *most) *most = us;
}

/* Sends nothing away, as fast as it comes; the number of bytes. */
static size_t take_all(const subject *s, cost *c, leat_status *status) {
    leati_buf group;
    int number;
    size_t bytes = 0;
    leati_buf_init(&group);
    do {
        double then = now();
        *status = s->take_group(&number, &group);
        longest(&c->taking, then);
        check(*status);
        if (*status == LEAT_OK) bytes += group.size;
    } while (*status == LEAT_OK);
    leati_buf_fini(&group);
    return bytes;
}

/* Steps with a sweep after each STEPS. */
static size_t snapshot_with_work(const subject *s, cost *c, uint64_t *steps) {
    size_t bytes = 0;
    double then = now();
    check(s->freeze());
    longest(&c->freezing, then);
    for (leat_status status = LEAT_AGAIN; status != LEAT_DONE;) {
        for (int i = 0; i < STEPS; i++) s->work(++*steps);
        then = now();
        check(s->thaw_some(SWEEP));
        longest(&c->sweeping, then);
        bytes += take_all(s, c, &status);
    }
    return bytes;
}

static cost round_of(const subject *s) {
    cost c = {0};
    uint64_t steps = 0;
    leati_buf all;
    double then = now();
    for (uint64_t i = 0; i < 2 * keys; i++) s->work(i);
    c.step = (now() - then) / (double)keys / 2;
    then = now();
    size_t bytes = snapshot_with_work(s, &c, &steps);
    c.extra = (now() - then - c.step * (double)steps) / (double)keys;
    leati_buf_init(&all);
    then = now();
    for (int g = 0; g < GROUPS; g++) check(s->at_once(g, &all));
    c.at_once = (now() - then) / (double)keys;
    if (bytes < keys * 8 || all.size < keys * 8) check(LEAT_E_STATE);
    leati_buf_fini(&all);
    return c;
}

static void best_of(cost *best, const cost *c) {
    const double *from = &c->step;
    double *to = &best->step;
    for (size_t i = 0; i < sizeof *c / sizeof *from; i++)
        if (to[i] == 0 || from[i] < to[i]) to[i] = from[i];
}

static void measure(const char *name, const subject *s, int rounds, const char *end) {
    cost best = {0};
    for (int i = 0; i < rounds; i++) {
        cost c = round_of(s);
        best_of(&best, &c);
    }
    printf("\"%s\": {\"step\": %.1f, \"extra\": %.1f, \"at_once\": %.1f, \"freeze\": %.1f, "
           "\"sweep\": %.1f, \"take\": %.1f}%s",
           name, best.step, best.extra, best.at_once, best.freezing, best.sweeping, best.taking,
           end);
}

int main(int argc, char **argv) {
    static const leat_state_decl decl = {.name = "value"};
    static const subject of_table = {table_work, table_freeze, table_thaw_some, table_take_group,
                                     table_at_once};
    static const subject of_timers = {timers_work, timers_freeze, timers_thaw_some,
                                      timers_take_group, timers_at_once};
    keys = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    int rounds = argc > 2 ? atoi(argv[2]) : 3;
    table = leati_table_new(GROUPS, &decl, NULL);
    timers = leati_timers_new(GROUPS);
    if (!table || !timers) check(LEAT_E_NOMEM);
    for (uint64_t i = 0; i < keys; i++) write_one(i, 0.5);
    for (uint64_t i = 0; i < keys; i++) set_one(i, (int64_t)(next_random() % 1000000));
    printf("{");
    measure("table", &of_table, rounds, ", ");
    measure("timers", &of_timers, rounds, "}\n");
    leati_table_free(table);
    leati_timers_free(timers);
    return 0;
}
