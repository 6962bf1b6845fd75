/* Tests of chain.c: opening from the last to the first, closing what was opened, failures that stay
   the first ones, forks that get copies. */
#include "rig.h"

#include "runtime/base/alloc.h"

#include <stdio.h>
#include <stdlib.h>

static const char *fails_in;

static leat_status note_open(leat_context *ctx, void *self) {
    rig_log(rig_of(self), "open-%s", leat_context_name(ctx));
    bool fails = fails_in && strcmp(fails_in, leat_context_name(ctx)) == 0;
    return fails ? leat_context_fail(ctx, LEAT_E_IO, "%s stays shut", leat_context_name(ctx))
                 : LEAT_OK;
}

static leat_status pass(leat_context *ctx, void *self, unsigned input, const leat_record *in) {
    (void)self;
    (void)input;
    return leat_emit(ctx, in);
}

static void note_close(leat_context *ctx, void *self, bool failed) {
    rig_log(rig_of(self), "close-%s%s", leat_context_name(ctx), failed ? "!" : "");
}

static int finis;

static void note_fini(void *self) {
    (void)self;
    finis++;
}

#define OPERATOR(variable, op_name)         \
    static const leat_operator variable = { \
        .size = sizeof(leat_operator),      \
        .name = op_name,                    \
        .inputs = 1,                        \
        .self_size = sizeof(rig_self),      \
        .params = rig_params,               \
        .open = note_open,                  \
        .on_record = pass,                  \
        .close = note_close,                \
        .fini = note_fini,                  \
    }

OPERATOR(a_operator, "a");
OPERATOR(b_operator, "b");
OPERATOR(c_operator, "c");

static void set_up(rig *r, const char *failing) {
    fails_in = failing;
    finis = 0;
    rig_init(r, true);
    rig_input(r, 0, 10);
    leat_context *a = rig_add(r, &a_operator, NULL, NULL);
    leat_context *b = rig_add(r, &b_operator, a, NULL);
    rig_add(r, &c_operator, b, NULL);
}

static void chain_opens_from_the_last_and_closes_from_the_first(void **state) {
    (void)state;
    rig r;
    set_up(&r, NULL);
    rig_open(&r);
    rig_expect(&r, "open-c open-b open-a");
    leati_task_close(r.task, false);
    rig_expect(&r, "close-a close-b close-c");
    assert_int_equal(finis, 3);
    leati_chain_close(r.chain, true); /* again closes nothing */
    rig_expect(&r, "");
    rig_fini(&r);
}

static void chain_that_fails_to_open_closes_what_it_tried(void **state) {
    (void)state;
    rig r;
    set_up(&r, "b");
    assert_int_equal(leati_task_open(r.task), LEAT_E_IO);
    rig_expect(&r, "open-c open-b");
    assert_string_equal(r.chain->failure.operator_name, "b");
    assert_string_equal(r.chain->failure.text, "b stays shut");
    leati_task_close(r.task, true);
    rig_expect(&r, "close-b! close-c!"); /* also after a failed open, not after a missing one */
    assert_int_equal(finis, 3);
    rig_fini(&r);
}

static void first_failure_stays(void **state) {
    (void)state;
    rig r;
    set_up(&r, NULL);
    rig_open(&r);
    leat_context *const *c = r.chain->contexts;
    assert_int_equal(leat_context_fail(c[1], LEAT_E_RANGE, "first %d", 1), LEAT_E_RANGE);
    assert_int_equal(leat_context_fail(c[0], LEAT_E_IO, "second"), LEAT_E_IO);
    leati_user_error user = {.text = "third"};
    assert_int_equal(leati_context_user_error(c[2], &user), LEAT_E_USER);
    const leati_failure *f = &r.chain->failure;
    assert_string_equal(f->text, "first 1");
    assert_string_equal(f->operator_name, "b");
    assert_int_equal(f->status, LEAT_E_RANGE);
    rig_fini(&r);
}

static void users_error_is_kept_whole(void **state) {
    (void)state;
    rig r;
    set_up(&r, NULL);
    rig_open(&r);
    leati_user_error user = {"ValueError: odd", "ValueError: odd\n", "File x, line 1", "\0\1", 2};
    assert_int_equal(leati_context_user_error(r.chain->contexts[2], &user), LEAT_E_USER);
    const leati_failure *f = &r.chain->failure;
    assert_string_equal(f->text, user.text);
    assert_string_equal(f->cause, user.cause);
    assert_string_equal(f->traceback, user.traceback);
    assert_int_equal(f->payload_size, 2);
    assert_memory_equal(f->payload, "\0\1", 2);
    leati_buf wire;
    leati_failure back;
    leati_buf_init(&wire);
    leati_failure_encode(f, &wire);
    leati_reader in = leati_reader_of(wire.bytes, wire.size);
    assert_int_equal(leati_failure_decode(&in, &back), LEAT_OK);
    leat_failure view = leati_failure_view(&back);
    assert_string_equal(view.text, user.text);
    assert_string_equal(view.traceback, user.traceback);
    assert_string_equal(view.operator_name, "c");
    assert_string_equal(view.record, "");
    assert_int_equal(view.subtask, 1);
    leati_failure_fini(&back);
    for (size_t size = 0; size < wire.size; size++) {
        char *cut = leati_memdup(wire.bytes, size ? size : 1);
        in = leati_reader_of(cut, size);
        assert_int_equal(leati_failure_decode(&in, &back), LEAT_E_FORMAT);
        leati_free(cut);
    }
    leati_buf_fini(&wire);
    rig_fini(&r);
}

/* --- functions of the subtasks ---------------------------------------------------------------- */

static char life[100];

static leat_status fn_open(leat_context *ctx, void *arg, void **self) {
    (void)ctx;
    strcat(life, "open ");
    *self = strcmp(arg, "refuse") == 0 ? NULL : life;
    return *self ? LEAT_OK : leat_context_fail(ctx, LEAT_E_USER, "no");
}

static void fn_close(leat_context *ctx, void *self) {
    (void)ctx;
    assert_ptr_equal(self, life);
    strcat(life, "close ");
}

static leat_status fn_call(leat_context *ctx, const leat_record *in, leat_value *out, void *self) {
    (void)ctx;
    assert_ptr_equal(self, life);
    strcat(life, "call ");
    *out = in->value;
    return LEAT_OK;
}

static leat_status run_map(rig *r, char *arg, leati_args *args, leati_op_info *info) {
    leat_function f = leat_map_fn(fn_call, arg);
    f.open = fn_open;
    f.close = fn_close;
    leat_arg a = leat_arg_function("function", &f);
    leat_error err;
    life[0] = 0;
    rig_init(r, true);
    rig_input(r, 0, 10);
    assert_int_equal(leati_args_init(args, &leat_map_operator, &a, 1, &err), LEAT_OK);
    *info = (leati_op_info){.op = &leat_map_operator,
                            .name = "map",
                            .parallelism = 1,
                            .max_parallelism = 1,
                            .args = args};
    assert_non_null(leati_chain_add(r->chain, info, 0, NULL, NULL));
    return leati_task_open(r->task);
}

static void function_has_a_self_between_open_and_close(void **state) {
    (void)state;
    rig r;
    leati_args args;
    leati_op_info info;
    char arg[] = "good";
    assert_int_equal(run_map(&r, arg, &args, &info), LEAT_OK);
    channel_push_ints(r.in[0], 1, 2);
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    rig_fini(&r);
    assert_string_equal(life, "open call call close ");
    leati_args_fini(&args, false);
}

static void function_that_fails_to_open_is_not_closed(void **state) {
    (void)state;
    rig r;
    leati_args args;
    leati_op_info info;
    char arg[] = "refuse";
    assert_int_equal(run_map(&r, arg, &args, &info), LEAT_E_USER);
    assert_string_equal(r.chain->failure.text, "no");
    rig_fini(&r);
    assert_string_equal(life, "open ");
    leati_args_fini(&args, false);
}

static void function_of_an_absent_language_is_refused(void **state) {
    (void)state;
    rig r;
    leati_args args;
    leat_error err;
    leat_function f = leat_python("module:name");
    leat_arg a = leat_arg_function("function", &f);
    rig_init(&r, true);
    assert_int_equal(leati_args_init(&args, &leat_map_operator, &a, 1, &err), LEAT_OK);
    leati_op_info info = {
        .op = &leat_map_operator, .name = "map", .max_parallelism = 1, .args = &args};
    assert_non_null(leati_chain_add(r.chain, &info, 0, NULL, NULL));
    assert_int_equal(leati_task_open(r.task), LEAT_E_UNSUPPORTED);
    assert_string_equal(r.chain->failure.text,
                        "no python interpreter in this process; run the job from Python, or set "
                        "python.execution-mode to process");
    rig_fini(&r);
    leati_args_fini(&args, false);
}

/* --- sources that can't go back --------------------------------------------------------------- */

static const char *interval, *mode;

static const char *read_config(void *arg, const char *key) {
    (void)arg;
    return strcmp(key, "execution.checkpointing.mode") == 0 ? mode : interval;
}

static int64_t read_ms(void *arg, const char *key) {
    (void)arg;
    (void)key;
    return interval ? atoi(interval) : -1;
}

static char said[1024];

static void listen(leat_log_level level, const char *text, void *arg) {
    (void)arg;
    if (level == LEAT_LOG_WARNING) snprintf(said, sizeof said, "%s", text);
}

static leat_status dry(leat_context *ctx, void *self, leat_emitter *out) {
    (void)ctx;
    (void)self;
    (void)out;
    return LEAT_DONE;
}

static leat_status save(leat_context *ctx, void *self, leat_snapshot *out) {
    (void)ctx;
    (void)self;
    (void)out;
    return LEAT_OK;
}

static bool way_back;

static bool goes_back(leat_context *ctx, void *self) {
    (void)ctx;
    (void)self;
    return way_back;
}

/* What is said when it opens. */
static const char *open_source(const leat_operator *op, int attempt, const char *every,
                               const char *how) {
    rig r;
    said[0] = 0;
    interval = every;
    mode = how;
    rig_init(&r, false);
    r.chain->around.config = read_config;
    r.chain->around.config_ms = read_ms;
    r.chain->around.attempt = attempt;
    rig_add(&r, op, NULL, NULL)->subtask = 0;
    leat_log_set(listen, NULL, LEAT_LOG_WARNING);
    rig_open(&r);
    leat_log_set(NULL, NULL, LEAT_LOG_WARNING);
    rig_fini(&r);
    return said;
}

static void source_without_a_way_back_is_named_once_where_it_matters(void **state) {
    (void)state;
    leat_operator op = {.size = sizeof op,
                        .name = "socket",
                        .self_size = sizeof(rig_self),
                        .params = rig_params,
                        .poll = dry};
    assert_string_equal(open_source(&op, 0, NULL, NULL), "");
    assert_string_equal(open_source(&op, 0, "1000", "AT_LEAST_ONCE"), "");
    assert_string_equal(open_source(&op, 1, "1000", "EXACTLY_ONCE"), "");
    assert_non_null(strstr(open_source(&op, 0, "1000", NULL), "socket: this source can't go back"));
    op.snapshot = save;
    assert_string_equal(open_source(&op, 0, "1000", "exactly_once"), "");
    op.goes_back = goes_back;
    assert_non_null(strstr(open_source(&op, 0, "1000", "exactly_once"), "can't go back"));
    way_back = true;
    assert_string_equal(open_source(&op, 0, "1000", "exactly_once"), "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chain_opens_from_the_last_and_closes_from_the_first),
        cmocka_unit_test(chain_that_fails_to_open_closes_what_it_tried),
        cmocka_unit_test(first_failure_stays),
        cmocka_unit_test(users_error_is_kept_whole),
        cmocka_unit_test(function_has_a_self_between_open_and_close),
        cmocka_unit_test(function_that_fails_to_open_is_not_closed),
        cmocka_unit_test(function_of_an_absent_language_is_refused),
        cmocka_unit_test(source_without_a_way_back_is_named_once_where_it_matters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
