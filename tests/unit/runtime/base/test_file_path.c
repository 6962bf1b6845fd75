/* Tests of file_path.c: what is a file of this machine, and what is not. */
#include "runtime/base/file_path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void uris_of_files_become_paths(void **state) {
    (void)state;
    assert_null(leati_file_path(NULL));
    assert_string_equal(leati_file_path("file:///a/b"), "/a/b");
    assert_string_equal(leati_file_path("file:/a/b"), "/a/b");
    assert_string_equal(leati_file_path("file:a"), "a");
    assert_string_equal(leati_file_path("a/b"), "a/b");
    assert_string_equal(leati_file_path("files/a"), "files/a");
}

static void paths_of_this_machine_are_accepted(void **state) {
    (void)state;
    static const char *const paths[] = {"",       "/",         "a",         "file:///a", "file:/a",
                                        "file:a", "./s3://a",  "/a/s3://b", "a:b/c",     "a:/b/c",
                                        "://a",   "1st://two", "a b://c"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        assert_int_equal(leati_file_path_check(paths[i], NULL), LEAT_OK);
}

static void other_schemes_and_hosts_are_refused(void **state) {
    (void)state;
    leat_error err;
    assert_int_equal(leati_file_path_check("s3://bucket/a", &err), LEAT_E_UNSUPPORTED);
    assert_string_equal(err.where, "s3://bucket/a");
    assert_non_null(strstr(err.text, "not 's3://'"));
    assert_int_equal(leati_file_path_check("abfs+x.1-2://c", &err), LEAT_E_UNSUPPORTED);
    assert_int_equal(leati_file_path_check("files://c", &err), LEAT_E_UNSUPPORTED);
    assert_int_equal(leati_file_path_check("file://host/a", &err), LEAT_E_UNSUPPORTED);
    assert_non_null(strstr(err.text, "it names a host"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uris_of_files_become_paths),
        cmocka_unit_test(paths_of_this_machine_are_accepted),
        cmocka_unit_test(other_schemes_and_hosts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
