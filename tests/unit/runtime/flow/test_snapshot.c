/* Tests of snapshot.c: an operator's own blobs, its tables, timers and watermarks come back;
   damaged bytes are refused. */
#include "rig.h"

#include "runtime/base/alloc.h"
#include "runtime/data/key.h"

typedef struct self {
    rig_self base; /* first */
    leat_state *first, *second;
    int blobs;
} self;

static const leat_state_decl states[] = {
    {"first", LEAT_VALUE_STATE, LEAT_BY_KEY_GROUP, offsetof(self, first)},
    {"second", LEAT_VALUE_STATE, LEAT_BY_KEY_GROUP, offsetof(self, second)},
    {0},
};

/* Adds up per key in `first`, keeps the last text in `second`, sets a timer in both times. */
static leat_status on_record(leat_context *ctx, void *arg, unsigned input, const leat_record *in) {
    (void)input;
    self *s = arg;
    leat_namespace ns = {"window", 6};
    leat_value sum = leat_int(0), text = leat_string("a text that needs a block");
    leat_timer event = {LEAT_EVENT_TIME, 100 + in->value.as.i, ns};
    leat_timer processing = {LEAT_PROCESSING_TIME, INT64_MAX - in->value.as.i, {NULL, 0}};
    leat_status status = leat_state_get(ctx, s->first, ns, &sum);
    sum = leat_int(sum.as.i + in->value.as.i);
    if (status >= 0) status = leat_state_put(ctx, s->first, ns, &sum);
    if (status >= 0) status = leat_state_put(ctx, s->second, (leat_namespace){NULL, 0}, &text);
    if (status >= 0) status = leat_timer_set(ctx, &event);
    if (status >= 0) status = leat_timer_set(ctx, &processing);
    rig_log(rig_of(arg), "%d=%d", (int)in->key.as.i, (int)sum.as.i);
    return status;
}

static leat_status on_timer(leat_context *ctx, void *arg, const leat_timer *timer) {
    (void)ctx;
    rig_log(rig_of(arg), "timer%d", (int)timer->time);
    return LEAT_OK;
}

static leat_status hold_watermark(leat_context *ctx, void *arg, int64_t *watermark) {
    (void)ctx;
    (void)arg;
    return *watermark > 5 ? LEAT_AGAIN : LEAT_OK;
}

static leat_status write_own(leat_context *ctx, void *arg, leat_snapshot *out) {
    (void)ctx;
    (void)arg;
    leat_status status = leat_snapshot_write(out, "split", LEAT_SPLIT_LIST, "one", 3);
    if (status >= 0) status = leat_snapshot_write(out, "union", LEAT_UNION_LIST, NULL, 0);
    if (status >= 0) status = leat_snapshot_write(out, "split", LEAT_SPLIT_LIST, "two", 3);
    return status;
}

static leat_status read_own(leat_context *ctx, void *arg, leat_snapshot *in) {
    (void)ctx;
    const void *bytes;
    size_t size;
    leat_status status = LEAT_OK;
    self *s = arg;
    for (size_t i = 0; status == LEAT_OK; i++) {
        status = leat_snapshot_read(in, "split", i, &bytes, &size);
        if (status == LEAT_OK) rig_log(rig_of(arg), "%.*s", (int)size, (const char *)bytes);
        s->blobs += status == LEAT_OK;
    }
    if (status >= 0) status = leat_snapshot_read(in, "union", 0, &bytes, &size);
    if (status == LEAT_OK) rig_log(rig_of(arg), "union%d", (int)size);
    if (leat_snapshot_read(in, "union", 1, &bytes, &size) != LEAT_DONE) return LEAT_E_STATE;
    if (leat_snapshot_read(in, "none", 0, &bytes, &size) != LEAT_DONE) return LEAT_E_STATE;
    return status < 0 ? status : LEAT_OK;
}

static const leat_operator keeper_operator = {
    .size = sizeof(leat_operator),
    .name = "keeper",
    .flags = LEAT_OP_KEYED,
    .inputs = 1,
    .self_size = sizeof(self),
    .params = rig_params,
    .states = states,
    .on_record = on_record,
    .on_timer = on_timer,
    .on_watermark = hold_watermark,
    .snapshot = write_own,
    .restore = read_own,
};

static void set_up(rig *r) {
    rig_init(r, true);
    rig_input(r, 0, 100);
    leat_context *k = rig_add(r, &keeper_operator, NULL, NULL);
    rig_output(r, k, NULL, LEAT_FORWARD, 1, 100);
    rig_open(r);
}

static void push(rig *r, int64_t key, int64_t i) {
    leat_record record = leat_record_of(leat_int(i), LEAT_NO_TIME);
    record.key = leat_int(key);
    assert_int_equal(leati_key_hash(&record.key, &record.hash), LEAT_OK);
    channel_push_record(r->in[0], &record);
}

/* Some state of many keys, at watermark 8, of which 3 was passed on. */
static void fill(rig *r, leati_buf *out) {
    set_up(r);
    for (int64_t key = 0; key < 20; key++) push(r, key, key + 1);
    push(r, 3, 10);
    channel_push_signal(r->in[0], LEATI_WATERMARK, 3);
    channel_push_signal(r->in[0], LEATI_WATERMARK, 8);
    assert_int_equal(rig_run(r), LEATI_TASK_WAITING);
    assert_int_equal(leati_context_snapshot(r->chain->contexts[0], out), LEAT_OK);
    r->logged = 0;
    rig_fini(r);
}

static void snapshot_of_everything_comes_back(void **state) {
    (void)state;
    rig r;
    leati_buf bytes;
    leati_buf_init(&bytes);
    fill(&r, &bytes);
    set_up(&r);
    leat_context *ctx = r.chain->contexts[0];
    assert_int_equal(leati_context_restore_bytes(ctx, bytes.bytes, bytes.size), LEAT_OK);
    rig_expect(&r, "one two union0");
    assert_int_equal(leat_context_watermark(ctx), 8);
    assert_int_equal(ctx->forwarded, 3); /* what it held back is still held */
    assert_int_equal(leati_timers_count(ctx->timers[LEAT_EVENT_TIME]), 21);
    assert_int_equal(leati_timers_count(ctx->timers[LEAT_PROCESSING_TIME]), 21);
    push(&r, 3, 5);
    push(&r, 19, 1);
    push(&r, 77, 1);
    channel_push_signal(r.in[0], LEATI_WATERMARK, 102);
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    rig_expect(&r, "3=19 19=21 77=1 timer101 timer101 timer101 timer102");
    rig_fini(&r);
    leati_buf_fini(&bytes);
}

static void snapshot_is_the_same_twice(void **state) {
    (void)state;
    rig r;
    leati_buf first, second;
    leati_buf_init(&first);
    leati_buf_init(&second);
    fill(&r, &first);
    set_up(&r);
    leat_context *ctx = r.chain->contexts[0];
    assert_int_equal(leati_context_restore_bytes(ctx, first.bytes, first.size), LEAT_OK);
    assert_int_equal(leati_context_snapshot(r.chain->contexts[0], &second), LEAT_OK);
    assert_int_equal(first.size, second.size);
    rig_fini(&r);
    leati_buf_fini(&first);
    leati_buf_fini(&second);
}

static void snapshot_cut_short_is_refused(void **state) {
    (void)state;
    rig r;
    leati_buf bytes;
    leati_buf_init(&bytes);
    fill(&r, &bytes);
    for (size_t size = 0; size < bytes.size; size++) {
        set_up(&r);
        char *cut = leati_memdup(bytes.bytes, size ? size : 1);
        assert_true(leati_context_restore_bytes(r.chain->contexts[0], cut, size) < 0);
        leati_free(cut);
        rig_fini(&r);
    }
    leati_buf_fini(&bytes);
}

static void snapshot_with_a_flipped_byte_is_refused(void **state) {
    (void)state;
    rig r;
    leati_buf bytes;
    leati_buf_init(&bytes);
    fill(&r, &bytes);
    for (size_t at = 0; at < bytes.size; at++) {
        set_up(&r);
        bytes.bytes[at] = (char)(bytes.bytes[at] ^ 0x55);
        leat_context *ctx = r.chain->contexts[0];
        assert_true(leati_context_restore_bytes(ctx, bytes.bytes, bytes.size) < 0);
        bytes.bytes[at] = (char)(bytes.bytes[at] ^ 0x55);
        rig_fini(&r);
    }
    leati_buf_fini(&bytes);
}

/* As fill, with keys of this type (NULL: not known) and values that expire or do not; then what
   restoring it answers where both are otherwise. */
static leat_status restored_as(const char *keys, int64_t ms, const char *keys_now, int64_t ms_now) {
    rig r;
    leat_error err;
    leati_buf bytes;
    leat_ttl then = {.ms = ms}, now = {.ms = ms_now};
    leati_buf_init(&bytes);
    set_up(&r);
    r.infos[0].key_type = keys ? leat_type_parse(keys, &err) : NULL;
    assert_int_equal(leat_state_expires(r.chain->contexts[0]->tables[0], &then), LEAT_OK);
    push(&r, 3, 10);
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    assert_int_equal(leati_context_snapshot(r.chain->contexts[0], &bytes), LEAT_OK);
    rig_fini(&r);
    set_up(&r);
    r.infos[0].key_type = keys_now ? leat_type_parse(keys_now, &err) : NULL;
    leat_context *ctx = r.chain->contexts[0];
    assert_int_equal(leat_state_expires(ctx->tables[0], &now), LEAT_OK);
    leat_status status = leati_context_restore_bytes(ctx, bytes.bytes, bytes.size);
    rig_fini(&r);
    leati_buf_fini(&bytes);
    return status;
}

static void keys_of_another_type_are_refused(void **state) {
    (void)state;
    assert_int_equal(restored_as("LONG", 0, "STRING", 0), LEAT_E_STATE);
    assert_int_equal(restored_as("LONG", 0, "DOUBLE", 0), LEAT_E_STATE);
    assert_int_equal(restored_as("LONG", 0, "INT", 0), LEAT_OK);
    assert_int_equal(restored_as("LONG", 0, NULL, 0), LEAT_OK);
    assert_int_equal(restored_as(NULL, 0, "STRING", 0), LEAT_OK);
}

static void state_that_expires_now_or_no_more_is_refused(void **state) {
    (void)state;
    assert_int_equal(restored_as(NULL, 100, NULL, 200), LEAT_OK);
    assert_int_equal(restored_as(NULL, 100, NULL, 0), LEAT_E_STATE);
    assert_int_equal(restored_as(NULL, 0, NULL, 100), LEAT_E_STATE);
}

static void snapshot_without_memory_fails(void **state) {
    (void)state;
    rig r;
    leati_buf bytes;
    set_up(&r);
    for (int64_t key = 0; key < 20; key++) push(&r, key, key + 1);
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    leat_status status = LEAT_E_NOMEM;
    for (int64_t n = 1; status != LEAT_OK && n < 1000; n++) {
        leati_buf_init(&bytes);
        leati_alloc_fail_after(n);
        status = leati_context_snapshot(r.chain->contexts[0], &bytes);
        leati_alloc_fail_after(-1);
        if (status != LEAT_OK) assert_int_equal(status, LEAT_E_NOMEM);
        leati_buf_fini(&bytes);
    }
    assert_int_equal(status, LEAT_OK);
    rig_fini(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snapshot_of_everything_comes_back),
        cmocka_unit_test(snapshot_is_the_same_twice),
        cmocka_unit_test(snapshot_cut_short_is_refused),
        cmocka_unit_test(snapshot_with_a_flipped_byte_is_refused),
        cmocka_unit_test(keys_of_another_type_are_refused),
        cmocka_unit_test(state_that_expires_now_or_no_more_is_refused),
        cmocka_unit_test(snapshot_without_memory_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
