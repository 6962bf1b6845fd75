/* Tests of params.c: what is refused, deep copies, filling, the way over the wire. */
#include "rig.h"

#include "runtime/base/alloc.h"

typedef struct self {
    int64_t number;
    double real;
    const char *text;
    leat_value bytes, list;
    leat_function function;
    void *pointer;
} self;

static const leat_param params[] = {
    {"number", LEAT_PARAM_INT, true, offsetof(self, number), LEAT_ROLE_NONE},
    {"real", LEAT_PARAM_DOUBLE, false, offsetof(self, real), LEAT_ROLE_NONE},
    {"text", LEAT_PARAM_STRING, false, offsetof(self, text), LEAT_ROLE_NONE},
    {"bytes", LEAT_PARAM_BYTES, false, offsetof(self, bytes), LEAT_ROLE_NONE},
    {"list", LEAT_PARAM_LIST, false, offsetof(self, list), LEAT_ROLE_NONE},
    {"function", LEAT_PARAM_FUNCTION, false, offsetof(self, function), LEAT_ROLE_MAP},
    {"pointer", LEAT_PARAM_POINTER, false, offsetof(self, pointer), LEAT_ROLE_NONE},
    {0},
};

static const leat_operator op = {
    .size = sizeof(leat_operator), .name = "op", .self_size = sizeof(self), .params = params};

static void refuse(const leat_arg *args, size_t count, const char *text) {
    leati_args out;
    leat_error err = {.text = ""};
    assert_int_equal(leati_args_init(&out, &op, args, count, &err), LEAT_E_ARGUMENT);
    assert_string_equal(err.text, text);
    assert_int_equal(out.count, 0);
}

static leat_status same(leat_context *ctx, const leat_record *in, leat_value *out, void *arg) {
    (void)ctx;
    (void)arg;
    *out = in->value;
    return LEAT_OK;
}

static leat_status keep(leat_context *ctx, const leat_record *in, bool *out, void *arg) {
    (void)ctx, (void)in, (void)arg;
    *out = true;
    return LEAT_OK;
}

static void arguments_that_do_not_fit_are_refused(void **state) {
    (void)state;
    leat_arg number = leat_arg_int("number", 1);
    refuse(NULL, 0, "parameter 'number' is missing");
    leat_arg unknown[] = {number, leat_arg_int("colour", 1)};
    refuse(unknown, 2, "there is no parameter 'colour'");
    leat_arg kind = leat_arg_string("number", "1");
    refuse(&kind, 1, "parameter 'number' was given in another kind than it has");
    leat_function filter = leat_filter_fn(keep, NULL), none = leat_map_fn(NULL, NULL);
    leat_arg role[] = {number, leat_arg_function("function", &filter)};
    refuse(role, 2, "a map function is needed and a filter function was given");
    leat_arg null[] = {number, leat_arg_function("function", NULL)};
    refuse(null, 2, "a map function is needed and a NULL function was given");
    leat_arg empty[] = {number, leat_arg_function("function", &none)};
    refuse(empty, 2, "a map function is needed and a map function was given");
}

static int freed;

static void count_free(void *arg) {
    (void)arg;
    freed++;
}

static void arguments_are_copied_and_filled_in(void **state) {
    (void)state;
    char text[] = "text", item[] = "item";
    leat_value items[2] = {leat_string(item), leat_int(2)}, list = leat_list(items, 2);
    leat_function map = leat_map_fn(same, &freed);
    map.free = count_free;
    freed = 0;
    leat_arg args[] = {
        leat_arg_int("number", -5),          leat_arg_of("real", LEAT_PARAM_DOUBLE),
        leat_arg_string("text", text),       leat_arg_list("list", &list),
        leat_arg_function("function", &map), leat_arg_of("pointer", LEAT_PARAM_POINTER)};
    args[1].as.d = 2.5;
    args[5].as.pointer = &freed;
    leati_args out;
    leat_error err;
    assert_int_equal(leati_args_init(&out, &op, args, 6, &err), LEAT_OK);
    memset(text, '?', 4);
    memset(item, '?', 4);
    memset(items, 0, sizeof items);
    memset(&map, 0, sizeof map);
    self s = {0};
    leati_arena arena;
    leati_arena_init(&arena);
    assert_int_equal(leati_args_fill(&out, &op, &s, 0, &arena), LEAT_OK);
    assert_int_equal(s.number, -5);
    assert_true(s.real == 2.5);
    assert_string_equal(s.text, "text");
    assert_int_equal(s.bytes.kind, LEAT_NULL);
    assert_int_equal(s.list.size, 2);
    assert_memory_equal(s.list.as.items[0].as.bytes, "item", 4);
    assert_ptr_equal(s.function.call.map, same);
    assert_ptr_equal(s.pointer, &freed);
    assert_true(leati_args_host_bound(&out));
    assert_true(leati_args_has_c_function(&out));
    assert_null(leati_args_language(&out));
    leati_args_fini(&out, true);
    assert_int_equal(freed, 1);
    leati_arena_fini(&arena);
}

static void arguments_travel_but_for_what_is_bound(void **state) {
    (void)state;
    leat_value bytes = leat_bytes("a\0b", 3);
    leat_function python = leat_python("module:name");
    leat_arg args[] = {leat_arg_int("number", INT64_MIN), leat_arg_string("text", NULL),
                       leat_arg_of("bytes", LEAT_PARAM_BYTES),
                       leat_arg_function("function", &python),
                       leat_arg_of("pointer", LEAT_PARAM_POINTER)};
    args[2].as.value = &bytes;
    args[4].as.pointer = &bytes;
    leati_args out, back;
    leat_error err;
    leati_buf wire;
    leati_buf_init(&wire);
    assert_int_equal(leati_args_init(&out, &op, args, 5, &err), LEAT_OK);
    assert_string_equal(leati_args_language(&out), "python");
    leati_args_encode(&out, &wire);
    leati_reader in = leati_reader_of(wire.bytes, wire.size);
    assert_int_equal(leati_args_decode(&back, &op, &in, &err), LEAT_OK);
    assert_int_equal(leati_reader_left(&in), 0);
    self s = {0};
    leati_arena arena;
    leati_arena_init(&arena);
    assert_int_equal(leati_args_fill(&back, &op, &s, 0, &arena), LEAT_OK);
    assert_true(s.number == INT64_MIN);
    assert_null(s.text);
    assert_null(s.pointer);
    assert_int_equal(s.bytes.size, 3);
    assert_memory_equal(s.bytes.as.bytes, "a\0b", 3);
    assert_int_equal(s.function.role, LEAT_ROLE_MAP);
    assert_int_equal(s.function.spec_size, python.spec_size);
    assert_memory_equal(s.function.spec, python.spec, python.spec_size);
    leati_args_fini(&back, false);
    for (size_t size = 0; size < wire.size; size++) {
        char *cut = leati_memdup(wire.bytes, size ? size : 1);
        in = leati_reader_of(cut, size);
        assert_true(leati_args_decode(&back, &op, &in, &err) < 0);
        leati_free(cut);
    }
    leati_args_fini(&out, true);
    leati_buf_fini(&wire);
    leati_arena_fini(&arena);
}

static void arguments_without_memory_leave_nothing(void **state) {
    (void)state;
    static char large[5000];
    leat_value items[40], list = leat_list(items, 40);
    for (int i = 0; i < 40; i++) items[i] = leat_string_n(large, 100);
    leat_arg args[] = {leat_arg_int("number", 1), leat_arg_list("list", &list)};
    leat_status status = LEAT_E_NOMEM;
    for (int64_t n = 1; status != LEAT_OK && n < 50; n++) {
        leati_args out;
        leat_error err;
        leati_alloc_fail_after(n);
        status = leati_args_init(&out, &op, args, 2, &err);
        leati_alloc_fail_after(-1);
        if (status == LEAT_OK)
            leati_args_fini(&out, true);
        else
            assert_int_equal(status, LEAT_E_NOMEM);
    }
    assert_int_equal(status, LEAT_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_that_do_not_fit_are_refused),
        cmocka_unit_test(arguments_are_copied_and_filled_in),
        cmocka_unit_test(arguments_travel_but_for_what_is_bound),
        cmocka_unit_test(arguments_without_memory_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
