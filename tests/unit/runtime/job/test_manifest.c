/* Tests of manifest.c: what was written is read; damage, lies and contradictions are refused. */
#include "damage.h"

#include "runtime/base/alloc.h"
#include "runtime/base/compress.h"
#include "runtime/job/checkpoint.h"

/* Two operators in a chain of two subtasks, and a third one alone. */
static char a[] = "a", b[] = "b", c[] = "c", op_name[] = "Sink";
static char names[3][8] = {"task-0", "task-1", "task-2"};
static leati_cp_operator chain[2] = {{a, op_name, false}, {b, op_name, false}};
static leati_cp_operator sink[1] = {{c, op_name, false}};
static const leati_cp_file files[3] = {{names[0], 100, 0, 2, chain, 2, true, 0xfedcba98},
                                       {names[1], 1u << 31, 1, 2, chain, 2, true, 0},
                                       {names[2], 0, 0, 1, sink, 1, true, 1}};

static leati_manifest sample(leati_cp_file *own) {
    memcpy(own, files, sizeof files);
    return (leati_manifest){.job_name = op_name,
                            .job_id = a,
                            .number = 7,
                            .time = -5,
                            .attempt = 2,
                            .flags = LEATI_CP_SAVEPOINT | LEATI_CP_STOPPED,
                            .files = own,
                            .file_count = 3};
}

static leat_status decode(const char *bytes, size_t size, leat_error *err) {
    leati_manifest got;
    leat_status status = leati_manifest_decode(bytes, size, "m", &got, err);
    if (status < 0) assert_true(!got.files && !got.job_name && !got.file_count);
    leati_manifest_fini(&got);
    return status;
}

static bool reads(const char *bytes, size_t size) {
    leat_error err = {.text = ""};
    leat_status status = decode(bytes, size, &err);
    if (status < 0) assert_int_equal(status, LEAT_E_FORMAT);
    return status >= 0;
}

static void manifest_gives_back_what_was_written(void **state) {
    (void)state;
    leat_error err;
    leati_cp_file own[3];
    leati_manifest m = sample(own), got;
    leati_buf out;
    leati_buf_init(&out);
    leati_manifest_encode(&m, &out);
    assert_int_equal(leati_manifest_decode(out.bytes, out.size, "m", &got, &err), LEAT_OK);
    assert_string_equal(got.job_name, "Sink");
    assert_string_equal(got.job_id, "a");
    assert_true(got.number == 7 && got.time == -5 && got.attempt == 2);
    assert_int_equal(got.flags, LEATI_CP_SAVEPOINT | LEATI_CP_STOPPED);
    assert_int_equal(got.file_count, 3);
    assert_string_equal(got.files[1].name, "task-1");
    assert_int_equal(got.files[1].size, 1u << 31);
    assert_true(got.files[0].sealed && got.files[0].crc == 0xfedcba98);
    assert_true(got.files[1].subtask == 1 && got.files[1].parallelism == 2);
    assert_int_equal(got.files[1].operator_count, 2);
    assert_string_equal(got.files[1].operators[1].id, "b");
    assert_string_equal(got.files[2].operators[0].name, "Sink");
    leati_manifest_fini(&got);
    leati_buf_fini(&out);
}

static void every_damage_is_refused(void **state) {
    (void)state;
    leati_cp_file own[3];
    leati_manifest m = sample(own);
    leati_buf out;
    leati_buf_init(&out);
    leati_manifest_encode(&m, &out);
    expect_every_damage_refused(reads, out.bytes, out.size);
    leati_buf_u8(&out, 0);
    assert_false(reads(out.bytes, out.size));
    leati_buf_fini(&out);
}

/* With right checksums. */
static void expect_refused(const leati_manifest *m, const char *why) {
    leati_buf out;
    leat_error err = {.text = ""};
    leati_buf_init(&out);
    leati_manifest_encode(m, &out);
    assert_int_equal(decode(out.bytes, out.size, &err), LEAT_E_FORMAT);
    assert_string_equal(err.where, "m");
    assert_string_equal(err.text, why);
    leati_buf_fini(&out);
}

static void contradictions_are_refused(void **state) {
    (void)state;
    static const char contradicts[] = "it contradicts itself";
    leati_cp_file own[3];
    leati_manifest m = sample(own);
    own[1].subtask = 0; /* twice the first */
    expect_refused(&m, contradicts);
    m = sample(own);
    own[1].parallelism = 3;
    expect_refused(&m, contradicts);
    m = sample(own);
    own[1].operator_count = 1; /* one of an operator is missing */
    expect_refused(&m, contradicts);
    m = sample(own);
    m.file_count = 1; /* the second one is */
    expect_refused(&m, contradicts);
    m = sample(own);
    own[0] = own[1]; /* the first one is */
    own[0].name = names[0];
    own[1].operators = sink;
    own[1].operator_count = 0;
    expect_refused(&m, contradicts);
    m = sample(own);
    own[1].name = own[0].name;
    expect_refused(&m, contradicts);
    m = sample(own);
    own[2].parallelism = INT32_MAX;
    expect_refused(&m, contradicts);
    leati_cp_operator twice[2] = {{c, op_name, false}, {c, op_name, false}};
    m = sample(own);
    own[2].operators = twice;
    own[2].operator_count = 2;
    expect_refused(&m, contradicts);
}

static void names_that_lead_elsewhere_are_refused(void **state) {
    (void)state;
    static char bad[][16] = {"../task-0", "a/b", "", "..", ".x", "/etc/passwd"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        leati_cp_file own[3];
        leati_manifest m = sample(own);
        own[0].name = bad[i];
        expect_refused(&m, "it is damaged");
    }
}

static void counts_that_lie_are_refused(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        leati_buf out;
        leati_buf_init(&out);
        leati_buf_append(&out, "LEATMANI", 8);
        leati_buf_u32(&out, 1);
        leati_buf_blob(&out, "j", 1);
        leati_buf_blob(&out, "i", 1);
        for (int k = 0; k < 4; k++) leati_buf_varint(&out, 1);
        leati_buf_varint(&out, i ? INT32_MAX : UINT64_MAX); /* files */
        leati_buf_u32(&out, leati_crc32(0, out.bytes, out.size));
        assert_false(reads(out.bytes, out.size));
        leati_buf_fini(&out);
    }
}

static void memory_may_run_out_anywhere(void **state) {
    (void)state;
    leati_cp_file own[3];
    leati_manifest m = sample(own);
    leati_buf out;
    leati_buf_init(&out);
    leati_manifest_encode(&m, &out);
    leat_status status = LEAT_E_NOMEM;
    for (int n = 0; status != LEAT_OK; n++) {
        leat_error err;
        leati_alloc_fail_after(n);
        status = decode(out.bytes, out.size, &err);
        leati_alloc_fail_after(-1);
        assert_true(status == LEAT_OK || status == LEAT_E_NOMEM);
    }
    leati_buf_fini(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(manifest_gives_back_what_was_written),
        cmocka_unit_test(every_damage_is_refused),
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(names_that_lead_elsewhere_are_refused),
        cmocka_unit_test(counts_that_lie_are_refused),
        cmocka_unit_test(memory_may_run_out_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
