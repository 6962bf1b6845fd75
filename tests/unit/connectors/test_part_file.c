/* Tests of part_file.c below file_sink.c: with seeded runs that crash between any two steps, or
   whose file calls fail, that every line is there once; in a bulk format, too. */
#include "faulty_files.h"
#include "part_files.h"

#include "runtime/base/buf.h"

/* --- crashes between any two steps ------------------------------------------------------------ */

enum { MOST_SUBTASKS = 3 };

typedef struct saga {
    unsigned seed;
    leat_arg policy;
    harness *subtasks[MOST_SUBTASKS];
    int count;
    int next;                       /* the number of the next record */
    int64_t checkpoint;             /* the number of the last one begun */
    leati_buf saved[MOST_SUBTASKS]; /* what the last complete checkpoint has of each */
    int saved_count;                /* 0: there is none yet */
    int saved_next;                 /* where the source was */
    int crashes;
} saga;

static unsigned draw(saga *s, unsigned below) {
    s->seed = s->seed * 1103515245u + 12345u;
    return (s->seed >> 16) % below;
}

static void begin(saga *s) {
    s->count = 1 + (int)draw(s, MOST_SUBTASKS);
    leat_arg args[] = {leat_arg_string("path", folder), s->policy};
    for (int i = 0; i < s->count; i++)
        s->subtasks[i] = harness_new_at(&leat_file_sink_operator, args, 2, NULL, i, s->count);
    if (s->saved_count) harness_restore(s->saved, s->saved_count, s->subtasks, s->count);
    s->next = s->saved_next;
}

static void forget(leati_buf *snapshots) {
    for (int i = 0; i < MOST_SUBTASKS; i++) leati_buf_fini(&snapshots[i]);
}

static void crash(saga *s) {
    s->crashes++;
    for (int i = 0; i < s->count; i++) harness_free(s->subtasks[i]);
    leati_io_settle(10000); /* what a dying process had begun */
    atomic_store(&calls_left, -1);
    begin(s);
}

/* Barriers everywhere; with all of them passed the checkpoint is published. Any of the steps may be
   the last. */
static leat_status take_checkpoint(saga *s) {
    leati_buf snapshots[MOST_SUBTASKS] = {0};
    leat_status status = LEAT_OK;
    s->checkpoint++;
    int stop_at = draw(s, 4) ? MOST_SUBTASKS : (int)draw(s, MOST_SUBTASKS);
    for (int i = 0; i < s->count && status >= 0 && i != stop_at; i++) {
        status = barrier(s->subtasks[i], s->checkpoint);
        if (status >= 0) harness_save(s->subtasks[i], &snapshots[i]);
    }
    bool complete = status >= 0 && stop_at >= s->count;
    if (complete) {
        forget(s->saved);
        memcpy(s->saved, snapshots, sizeof snapshots);
        memset(snapshots, 0, sizeof snapshots);
        s->saved_count = s->count;
        s->saved_next = s->next;
    }
    for (int i = 0; complete && i < s->count && status >= 0; i++)
        if (draw(s, 4)) status = harness_complete(s->subtasks[i], s->checkpoint);
    forget(snapshots);
    return status;
}

static leat_status push_next(saga *s) {
    char line[16];
    snprintf(line, sizeof line, "%05d", s->next);
    harness *h = s->subtasks[s->next % s->count];
    s->next++;
    return push_line(h, line);
}

static leat_status finish_all(saga *s) {
    leat_status status = LEAT_OK;
    for (int i = 0; i < s->count && status >= 0; i++) status = finish(s->subtasks[i]);
    return status;
}

/* None twice; `all`: none is missing. */
static void expect_numbers(const sight *s, int records, bool all) {
    for (int i = 0; i < s->count; i++) {
        if (i > 0) assert_string_not_equal(s->lines[i], s->lines[i - 1]);
        if (all) assert_int_equal(atoi(s->lines[i]), i);
    }
    if (all) assert_int_equal(s->count, records);
}

static void play(unsigned seed, int records, bool bulk, bool with_faulty_files) {
    static const int errors[] = {ENOSPC, EIO, EACCES};
    saga s = {.seed = seed * 2654435761u + 1};
    leat_function writer = counted_writer();
    s.policy = bulk          ? leat_arg_function("writer", &writer)
               : draw(&s, 2) ? leat_arg_int("roll_on_checkpoint", 1)
                             : leat_arg_int("part_size", draw(&s, 2) ? 40 : 1 << 20);
    begin(&s);
    for (int steps = 0; s.next < records; steps++) {
        leat_status status = LEAT_OK;
        unsigned what = draw(&s, 40);
        bool calm = steps > 4 * records; /* in the end it gets there */
        if (with_faulty_files && !calm && draw(&s, 20) == 0) {
            atomic_store(&fault, errors[draw(&s, 3)]);
            atomic_store(&calls_left, (int)draw(&s, 12));
        }
        if (what == 0 && !calm)
            crash(&s);
        else if (what < 6)
            status = take_checkpoint(&s);
        else
            status = push_next(&s);
        if (status < 0) crash(&s);
        if (what < 6) expect_numbers(look(), records, false);
    }
    atomic_store(&calls_left, -1);
    while (take_checkpoint(&s) < 0) crash(&s);
    if (finish_all(&s) < 0) fail_msg("seed %u: %s", seed, harness_failure(s.subtasks[0]));
    for (int i = 0; i < s.count; i++) harness_free(s.subtasks[i]);
    /* A crash sets the source back: what was pushed last may still be missing. */
    const sight *end = look();
    expect_numbers(end, s.next, true);
    forget(s.saved);
}

static void each_saga(void **state, int seeds, bool bulk, bool with_faulty_files) {
    for (int seed = 0; seed < seeds; seed++) {
        play((unsigned)seed, 120, bulk, with_faulty_files);
        folder_remove(state);
        with_faults(state);
    }
}

static void crashes_lose_and_double_nothing(void **state) {
    each_saga(state, 40, false, false);
}

static void faults_lose_and_double_nothing(void **state) {
    each_saga(state, 40, false, true);
}

static void crashes_lose_and_double_nothing_in_bulk(void **state) {
    each_saga(state, 20, true, false);
}

static void faults_lose_and_double_nothing_in_bulk(void **state) {
    each_saga(state, 20, true, true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FAULTS(crashes_lose_and_double_nothing),
        WITH_FAULTS(faults_lose_and_double_nothing),
        WITH_FAULTS(crashes_lose_and_double_nothing_in_bulk),
        WITH_FAULTS(faults_lose_and_double_nothing_in_bulk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
