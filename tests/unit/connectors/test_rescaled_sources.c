/* Tests of all sources that several subtasks share, or that one has alone: stopped after any number
   of records, and restored with another parallelism, they give every record once. */
#include "folder.h"

#include <zlib.h>

enum { MOST = 3, TEXTS = 4096 };

typedef struct source {
    const leat_operator *op;
    const leat_arg *args;
    size_t arg_count;
    int records; /* in all; each has a text of its own, "0" and so on */
    bool single;
} source;

static int seen[TEXTS];

static void count_results(const source *s, harness *h) {
    const char *text;
    while ((text = harness_next(h))) {
        int number = atoi(text);
        assert_in_range(number, 0, s->records - 1);
        seen[number]++;
    }
}

static harness *subtask_of(const source *s, int subtask, int parallelism) {
    return harness_new_at(s->op, s->args, s->arg_count, NULL, subtask, parallelism);
}

/* Until it gave as many records as there is room for, or all that it has. */
static void run(const source *s, harness *h, int room) {
    leat_status status = LEAT_AGAIN;
    if (room) harness_room(h, room);
    for (size_t had = 0; room && status == LEAT_AGAIN && had < (size_t)room;) {
        status = harness_poll(h);
        had = harness_count(h);
        if (status == LEAT_AGAIN && had < (size_t)room) usleep(50); /* a block is on its way */
    }
    assert_true(status >= 0);
    count_results(s, h);
}

/* `room` records of each of `before` subtasks, then the rest of `after` subtasks. */
static void stop_and_go_on(const source *s, int room, int before, int after) {
    harness *from[MOST] = {NULL}, *to[MOST] = {NULL};
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < before; i++) {
        from[i] = subtask_of(s, i, before);
        run(s, from[i], room);
    }
    for (int i = 0; i < after; i++) to[i] = subtask_of(s, i, after);
    harness_rescale(from, before, to, after);
    for (int i = 0; i < before; i++) harness_free(from[i]);
    for (int i = 0; i < after; i++) {
        run(s, to[i], s->records + 1);
        harness_free(to[i]);
    }
    for (int i = 0; i < s->records; i++)
        if (seen[i] != 1)
            fail_msg("record %d came %d times: %d of each of %d subtasks, then %d subtasks", i,
                     seen[i], room, before, after);
}

static void each_record_comes_once(const source *s) {
    int most = s->single ? 1 : MOST;
    for (int before = 1; before <= most; before++)
        for (int after = 1; after <= most; after++)
            for (int room = 0; room <= s->records / before + 1; room++)
                stop_and_go_on(s, room, before, after);
}

static void sequence_rescaled_gives_each_number_once(void **state) {
    (void)state;
    leat_arg args[] = {leat_arg_int("first", 0), leat_arg_int("last", 22)};
    each_record_comes_once(&(source){&leat_sequence_operator, args, 2, 23, false});
}

static void collection_restored_gives_each_value_once(void **state) {
    (void)state;
    leat_value values[5], list = leat_list(values, 5);
    for (int i = 0; i < 5; i++) values[i] = leat_int(i);
    leat_arg arg = leat_arg_list("items", &list);
    each_record_comes_once(&(source){&leat_collection_operator, &arg, 1, 5, true});
}

static void text_files_rescaled_give_each_line_once(void **state) {
    (void)state;
    write_file("a", "0\n1\n2\n3\n", 8);
    write_file("b", "4\r\n5\r\n6", 7);
    write_file("c", "", 0);
    gzFile gz = gzopen(in_folder("d.gz"), "wb");
    assert_int_equal(gzwrite(gz, "7\n8\n9\n10\n11\n12\n", 15), 15);
    assert_int_equal(gzclose(gz), Z_OK);
    leat_value item = leat_string(folder), list = leat_list(&item, 1);
    leat_arg arg = leat_arg_list("paths", &list);
    each_record_comes_once(&(source){&leat_text_source_operator, &arg, 1, 13, false});
}

/* One file in ranges, with a line across their borders. */
static void ranges_of_a_file_rescaled_give_each_line_once(void **state) {
    (void)state;
    enum { LINES = 40, PADDING = 8000 };
    FILE *f = fopen(in_folder("a"), "wb");
    assert_non_null(f);
    for (int i = 0; i < LINES; i++) fprintf(f, "%d %0*d\n", i, i == 7 ? 150000 : PADDING, 0);
    fclose(f);
    leat_value item = leat_string(folder), list = leat_list(&item, 1);
    leat_arg arg = leat_arg_list("paths", &list);
    source s = {&leat_text_source_operator, &arg, 1, LINES, false};
    for (int room = 0; room < 14; room++)
        for (int after = 1; after <= MOST; after++) stop_and_go_on(&s, room, 3, after);
}

/* --- a function of a user's ------------------------------------------------------------------- */

typedef struct numbers {
    int64_t left[8];
    int at, count;
} numbers;

/* Those that are the subtask's when they are dealt out in turn. */
static leat_status numbers_open(leat_context *ctx, void *arg, void **self) {
    numbers *n = calloc(1, sizeof *n);
    assert_non_null(n);
    for (int i = 0; i < *(int *)arg; i++)
        if (i % leat_context_parallelism(ctx) == leat_context_subtask(ctx)) n->left[n->count++] = i;
    *self = n;
    return LEAT_OK;
}

static void numbers_close(leat_context *ctx, void *self) {
    (void)ctx;
    free(self);
}

static leat_status numbers_call(leat_context *ctx, leat_emitter *out, void *self) {
    (void)ctx;
    numbers *n = self;
    if (n->at == n->count) return LEAT_DONE;
    leat_value v = leat_int(n->left[n->at++]);
    return leat_emitter_push(out, &v);
}

static leat_status numbers_snapshot(leat_context *ctx, leat_snapshot *out, void *self) {
    (void)ctx;
    leat_status status = LEAT_OK;
    const numbers *n = self;
    for (int i = n->at; i < n->count && status >= 0; i++)
        status = leat_snapshot_write(out, "number", LEAT_SPLIT_LIST, &n->left[i], sizeof(int64_t));
    return status;
}

static leat_status numbers_restore(leat_context *ctx, leat_snapshot *in, void *self) {
    (void)ctx;
    numbers *n = self;
    const void *bytes;
    size_t size;
    n->at = n->count = 0;
    while (leat_snapshot_read(in, "number", (size_t)n->count, &bytes, &size) == LEAT_OK)
        memcpy(&n->left[n->count++], bytes, sizeof(int64_t));
    return LEAT_OK;
}

static void function_rescaled_gives_each_number_once(void **state) {
    (void)state;
    int records = 7;
    leat_function f =
        leat_lasting_source_fn(numbers_call, numbers_snapshot, numbers_restore, &records);
    f.open = numbers_open;
    f.close = numbers_close;
    leat_arg arg = leat_arg_function("function", &f);
    each_record_comes_once(&(source){&leat_function_source_operator, &arg, 1, records, false});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequence_rescaled_gives_each_number_once),
        cmocka_unit_test(collection_restored_gives_each_value_once),
        WITH_FOLDER(text_files_rescaled_give_each_line_once),
        WITH_FOLDER(ranges_of_a_file_rescaled_give_each_line_once),
        cmocka_unit_test(function_rescaled_gives_each_number_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
