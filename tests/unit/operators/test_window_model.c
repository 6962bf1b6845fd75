/* Random records, with disorder beyond what the watermarks allow, through windows of every kind of
   time, against a naive reference that keeps all elements of all windows; also that windows with
   the trigger given by its name, which are never kept in slices, give the same. */
#include "windows.h"

#include <stdlib.h>

enum { KEYS = 3, MOST = 4000, STEPS = 120 };

typedef enum shape { TUMBLING, SLIDING, SESSION } shape;

typedef struct subject {
    const char *assigner;
    shape shape;
    int64_t size, slide, offset; /* of a session: its gap */
    int64_t lateness;
    const char *param, *fold; /* of Leat's own */
} subject;

/* --- the reference ---------------------------------------------------------------------------- */

typedef struct element {
    int64_t time, number;
} element;

typedef struct bag {
    int key;
    int64_t start, end;
    int count;
    bool gone;
    element *elements;
} bag;

typedef struct model {
    const subject *s;
    bag bags[MOST];
    int count;
    int64_t watermark;
    char *lines[MOST]; /* of one step */
    int line_count;
} model;

static uint64_t seed;

static int64_t random_below(int64_t n) {
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int64_t)((seed >> 33) % (uint64_t)n);
}

static void write_line(model *m, const char *format, int key, int64_t number, int64_t time) {
    char line[80];
    const char name[] = {(char)('a' + key), 0};
    if (strcmp(format, "count") == 0)
        snprintf(line, sizeof line, "%lld@%lld", (long long)number, (long long)time);
    else if (strcmp(format, "late") == 0)
        snprintf(line, sizeof line, "late:(%s,%lld)@%lld", name, (long long)number,
                 (long long)time);
    else
        snprintf(line, sizeof line, "(%s,%lld)@%lld", name, (long long)number, (long long)time);
    assert_true(m->line_count < MOST);
    m->lines[m->line_count++] = strdup(line);
}

static void fire_bag(model *m, const bag *b) {
    const char *fold = m->s->fold;
    int64_t result = strcmp(fold, "count") == 0 ? 0 : b->elements[0].number;
    for (int i = 0; i < b->count; i++) {
        int64_t n = b->elements[i].number;
        if (strcmp(fold, "count") == 0)
            result++;
        else if (strncmp(fold, "sum", 3) == 0)
            result += i ? n : 0;
        else if (strncmp(fold, "min", 3) == 0)
            result = n < result ? n : result;
        else
            result = n > result ? n : result;
    }
    write_line(m, fold, b->key, result, b->end - 1);
}

static void bag_add(bag *b, element e) {
    b->elements = realloc(b->elements, (size_t)(b->count + 1) * sizeof e);
    assert_non_null(b->elements);
    b->elements[b->count++] = e;
}

static bool is_late(const model *m, int64_t end) {
    return end - 1 + m->s->lateness <= m->watermark;
}

static bag *bag_of(model *m, int key, int64_t start, int64_t end) {
    for (int i = 0; i < m->count; i++) {
        bag *b = &m->bags[i];
        if (!b->gone && b->key == key && b->start == start && b->end == end) return b;
    }
    assert_true(m->count < MOST);
    m->bags[m->count] = (bag){.key = key, .start = start, .end = end};
    return &m->bags[m->count++];
}

static bool put_into(model *m, int key, int64_t start, int64_t end, element e) {
    if (is_late(m, end)) return false;
    bag *b = bag_of(m, key, start, end);
    bag_add(b, e);
    if (end - 1 <= m->watermark) fire_bag(m, b);
    return true;
}

/* A session takes in all others that it overlaps or touches, until there are none. */
static bool put_into_session(model *m, int key, element e) {
    bag all = {.key = key, .start = e.time, .end = e.time + m->s->size};
    bool merged = true, any = false;
    while (merged) {
        merged = false;
        for (int i = 0; i < m->count; i++) {
            bag *b = &m->bags[i];
            if (b->gone || b->key != key || b->start > all.end || b->end < all.start) continue;
            if (b->start < all.start) all.start = b->start;
            if (b->end > all.end) all.end = b->end;
            for (int k = 0; k < b->count; k++) bag_add(&all, b->elements[k]);
            b->gone = merged = any = true;
        }
    }
    if (!any && is_late(m, all.end)) return false;
    bag *b = bag_of(m, key, all.start, all.end);
    free(b->elements);
    *b = all;
    bag_add(b, e);
    if (all.end - 1 <= m->watermark) fire_bag(m, b);
    return true;
}

static void model_push(model *m, int key, element e) {
    const subject *s = m->s;
    bool taken = false;
    if (s->shape == SESSION) {
        taken = put_into_session(m, key, e);
    } else {
        for (int64_t start = e.time - s->size + 1; start <= e.time; start++)
            if ((start - s->offset) % s->slide == 0)
                taken |= put_into(m, key, start, start + s->size, e);
    }
    if (!taken && e.time + s->lateness <= m->watermark)
        write_line(m, "late", key, e.number, e.time);
}

static void model_watermark(model *m, int64_t watermark) {
    for (int i = 0; i < m->count; i++) {
        bag *b = &m->bags[i];
        if (b->gone) continue;
        if (b->end - 1 > m->watermark && b->end - 1 <= watermark) fire_bag(m, b);
        b->gone = b->end - 1 + m->s->lateness <= watermark;
    }
    m->watermark = watermark;
}

static void model_fini(model *m) {
    for (int i = 0; i < m->count; i++) free(m->bags[i].elements);
    free(m);
}

/* --- comparing -------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What one step gave, but for watermarks; the order of keys that fire together is open. */
static int results_of(harness *h, char **out) {
    int count = 0;
    for (const char *line; (line = harness_next(h));) {
        if (strncmp(line, "watermark", 9) == 0) continue;
        assert_true(count < MOST);
        out[count++] = strdup(line);
    }
    qsort(out, (size_t)count, sizeof *out, by_text);
    return count;
}

static void compare_step(model *m, harness *h, const char *what) {
    char *got[MOST];
    int count = results_of(h, got);
    qsort(m->lines, (size_t)m->line_count, sizeof *m->lines, by_text);
    for (int i = 0; i < count || i < m->line_count; i++) {
        const char *have = i < count ? got[i] : "nothing";
        const char *want = i < m->line_count ? m->lines[i] : "nothing";
        if (strcmp(have, want) != 0) fail_msg("%s: %s instead of %s", what, have, want);
    }
    for (int i = 0; i < count; i++) free(got[i]);
    for (int i = 0; i < m->line_count; i++) free(m->lines[i]);
    m->line_count = 0;
}

static harness *open_subject(void **state, const subject *s, bool named_trigger) {
    window_args a = {.count = 0};
    with_own(&a, "assigner", s->assigner);
    with_own(&a, s->param, s->fold);
    with_int(&a, "lateness", s->lateness);
    with_text(&a, "late_tag", "late");
    if (named_trigger) with_own(&a, "trigger", "event_time");
    harness *h = open_window(state, &a);
    harness_side(h, "late");
    return h;
}

static void follow(void **state, const subject *s, uint64_t from, bool named_trigger) {
    seed = from;
    model *m = calloc(1, sizeof *m);
    assert_non_null(m);
    m->s = s;
    m->watermark = INT64_MIN / 2;
    harness *h = open_subject(state, s, named_trigger);
    int64_t now = random_below(100) - 50;
    for (int i = 0; i < STEPS; i++) {
        if (random_below(6) == 0) {
            int64_t mark = now - random_below(30);
            if (mark <= m->watermark) continue;
            model_watermark(m, mark);
            watermark(h, mark);
        } else {
            now += random_below(random_below(20) ? 6 : 200);
            int key = (int)random_below(KEYS);
            element e = {now - random_below(random_below(8) ? 20 : 120), random_below(50) - 20};
            const char name[] = {(char)('a' + key), 0};
            model_push(m, key, e);
            take(h, name, e.number, e.time);
        }
        compare_step(m, h, s->assigner);
    }
    model_watermark(m, INT64_MAX / 2);
    assert_int_equal(harness_end(h, 0), LEAT_OK);
    compare_step(m, h, s->assigner);
    end_windows(h);
    model_fini(m);
}

static const subject subjects[] = {
    {"tumbling_event_time 10", TUMBLING, 10, 10, 0, 0, "reduce", "sum 1"},
    {"tumbling_event_time 10 3", TUMBLING, 10, 10, 3, 15, "aggregate", "count"},
    {"sliding_event_time 20 5", SLIDING, 20, 5, 0, 0, "reduce", "sum 1"},
    {"sliding_event_time 20 5 2", SLIDING, 20, 5, 2, 0, "aggregate", "count"},
    {"sliding_event_time 60 1", SLIDING, 60, 1, 0, 0, "reduce", "min 1"},
    {"sliding_event_time 30 12 -5", SLIDING, 30, 12, -5, 0, "reduce", "max 1"},
    {"sliding_event_time 25 10", SLIDING, 25, 10, 0, 0, "aggregate", "sum 1"},
    {"sliding_event_time 20 5", SLIDING, 20, 5, 0, 12, "reduce", "sum 1"},
    {"sliding_event_time 7 15", SLIDING, 7, 15, 0, 0, "reduce", "sum 1"},
    {"session_event_time 8", SESSION, 8, 0, 0, 0, "reduce", "sum 1"},
    {"session_event_time 8", SESSION, 8, 0, 0, 20, "aggregate", "count"},
    {"session_event_time 15", SESSION, 15, 0, 0, 3, "reduce", "min 1"},
};

static void windows_are_those_of_the_model(void **state) {
    enum { RUNS = 15, REVIVED_RUNS = 2 };
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++)
        for (uint64_t run = 0; run < (*state ? REVIVED_RUNS : RUNS); run++) {
            follow(state, &subjects[i], 1000 * i + run, false);
            follow(state, &subjects[i], 1000 * i + run, true);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(windows_are_those_of_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
