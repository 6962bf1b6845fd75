/* Tests of list state: what sources and sinks without keys keep by leat_snapshot_write, item by
   item, is there after a restore; a source with splits and a sink with parts, written as a user
   would. */
#include "expect.h"

#include <stdio.h>
#include <stdlib.h>

/* --- a source of splits: each is a number to begin with and how many are left ----------------- */

enum { SPLITS = 3 };

typedef struct split {
    int64_t next, left;
} split;

typedef struct splits_self {
    split splits[SPLITS];
    int turn, restored;
} splits_self;

static leat_status splits_open(leat_context *ctx, void *self) {
    (void)ctx;
    splits_self *s = self;
    for (int i = 0; i < SPLITS; i++) s->splits[i] = (split){100 * i, i + 1};
    return LEAT_OK;
}

static leat_status splits_poll(leat_context *ctx, void *self, leat_emitter *out) {
    (void)ctx;
    splits_self *s = self;
    for (int i = 0; i < SPLITS; i++) {
        split *at = &s->splits[s->turn];
        s->turn = (s->turn + 1) % SPLITS;
        if (!at->left) continue;
        at->left--;
        leat_value v = leat_int(at->next++);
        return leat_emitter_push(out, &v);
    }
    return LEAT_DONE;
}

/* Splits are dealt out anew: each an item of its own. Who comes next is every subtask's own, and
   the first of all that is found does. */
static leat_status splits_snapshot(leat_context *ctx, void *self, leat_snapshot *out) {
    (void)ctx;
    const splits_self *s = self;
    leat_status status = LEAT_OK;
    for (int i = 0; i < SPLITS && status >= 0; i++)
        if (s->splits[i].left)
            status =
                leat_snapshot_write(out, "split", LEAT_SPLIT_LIST, &s->splits[i], sizeof(split));
    return status < 0 ? status
                      : leat_snapshot_write(out, "turn", LEAT_UNION_LIST, &s->turn, sizeof s->turn);
}

static leat_status splits_restore(leat_context *ctx, void *self, leat_snapshot *in) {
    (void)ctx;
    splits_self *s = self;
    const void *bytes;
    size_t size;
    memset(s, 0, sizeof *s);
    while (leat_snapshot_read(in, "split", (size_t)s->restored, &bytes, &size) == LEAT_OK) {
        if (size != sizeof(split) || s->restored == SPLITS) return LEAT_E_FORMAT;
        memcpy(&s->splits[s->restored++], bytes, size);
    }
    assert_int_equal(leat_snapshot_read(in, "turn", 1, &bytes, &size), LEAT_DONE);
    assert_int_equal(leat_snapshot_read(in, "unknown", 0, &bytes, &size), LEAT_DONE);
    return leat_snapshot_read(in, "turn", 0, &bytes, &size);
}

static const leat_operator splits_operator = {
    .size = sizeof(leat_operator),
    .name = "splits",
    .self_size = sizeof(splits_self),
    .open = splits_open,
    .poll = splits_poll,
    .snapshot = splits_snapshot,
    .restore = splits_restore,
};

static int by_number(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void source_goes_on_with_its_splits(void **state) {
    harness *h = both_ways(state, harness_new(&splits_operator, NULL, 0, NULL));
    assert_int_equal(harness_poll(h), LEAT_DONE);
    char got[6][8];
    const char *order[6];
    for (int i = 0; i < 6; i++) {
        const char *line = harness_next(h);
        assert_non_null(line);
        snprintf(got[i], sizeof got[i], "%s", line);
        order[i] = got[i];
    }
    expect_nothing(h);
    qsort(order, 6, sizeof *order, by_number);
    static const char *const want[] = {"0", "100", "101", "200", "201", "202"};
    for (int i = 0; i < 6; i++) assert_string_equal(order[i], want[i]);
    harness_free(h);
}

/* --- a sink of parts: what came since the last checkpoint is one ------------------------------ */

enum { PARTS = 4 };

typedef struct parts_self {
    int64_t open, parts[PARTS]; /* sums */
    size_t count;
    int64_t *committed; /* outside: what a reader would see */
} parts_self;

static const leat_param params[] = {
    {"committed", LEAT_PARAM_POINTER, true, offsetof(parts_self, committed), LEAT_ROLE_NONE},
    {0},
};

static leat_status parts_on_record(leat_context *ctx, void *self, unsigned input,
                                   const leat_record *in) {
    (void)ctx, (void)input;
    ((parts_self *)self)->open += in->value.as.i;
    return LEAT_OK;
}

static leat_status parts_prepare(leat_context *ctx, void *self, int64_t checkpoint) {
    (void)ctx, (void)checkpoint;
    parts_self *s = self;
    if (s->count == PARTS || !s->open) return LEAT_OK;
    s->parts[s->count++] = s->open;
    s->open = 0;
    return LEAT_OK;
}

static leat_status parts_commit(leat_context *ctx, void *self, int64_t checkpoint) {
    (void)ctx, (void)checkpoint;
    parts_self *s = self;
    while (s->count) *s->committed += s->parts[--s->count];
    return LEAT_OK;
}

static leat_status parts_snapshot(leat_context *ctx, void *self, leat_snapshot *out) {
    (void)ctx;
    const parts_self *s = self;
    leat_status status = LEAT_OK;
    for (size_t i = 0; i < s->count && status >= 0; i++)
        status = leat_snapshot_write(out, "part", LEAT_SPLIT_LIST, &s->parts[i], sizeof(int64_t));
    return status;
}

static leat_status parts_restore(leat_context *ctx, void *self, leat_snapshot *in) {
    (void)ctx;
    parts_self *s = self;
    const void *bytes;
    size_t size;
    while (leat_snapshot_read(in, "part", s->count, &bytes, &size) == LEAT_OK) {
        if (size != sizeof(int64_t) || s->count == PARTS) return LEAT_E_FORMAT;
        memcpy(&s->parts[s->count++], bytes, size);
    }
    return LEAT_OK;
}

static const leat_operator parts_operator = {
    .size = sizeof(leat_operator),
    .name = "parts",
    .flags = LEAT_OP_SINK,
    .inputs = 1,
    .self_size = sizeof(parts_self),
    .params = params,
    .on_record = parts_on_record,
    .prepare = parts_prepare,
    .commit = parts_commit,
    .snapshot = parts_snapshot,
    .restore = parts_restore,
};

static void sink_commits_the_parts_it_had_prepared(void **state) {
    int64_t committed = 0;
    leat_arg arg = leat_arg_of("committed", LEAT_PARAM_POINTER);
    arg.as.pointer = &committed;
    harness *h = both_ways(state, harness_new(&parts_operator, &arg, 1, NULL));
    push_int(h, 0, 1);
    push_int(h, 0, 2);
    assert_int_equal(harness_barrier(h, 1), LEAT_OK);
    push_int(h, 0, 4);
    harness_revive(h); /* prepares what is open, as a barrier does */
    assert_int_equal(committed, 0);
    assert_int_equal(harness_complete(h, 1), LEAT_OK);
    assert_int_equal(committed, 7);
    harness_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(source_goes_on_with_its_splits),
        BOTH_WAYS(sink_commits_the_parts_it_had_prepared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
