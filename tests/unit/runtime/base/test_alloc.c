/* Tests of alloc.c: counting down to a failure, and the setting of an allocator once Leat has
   allocated. */
#include "runtime/base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void alloc_nth_after_counting_fails(void **state) {
    (void)state;
    leati_alloc_fail_after(2);
    void *first = leati_alloc(1);
    assert_non_null(first);
    assert_null(leati_alloc(1));
    assert_null(leati_zalloc(1));
    leati_alloc_fail_after(-1);
    leati_free(first);
    first = leati_zalloc(0);
    assert_non_null(first);
    leati_free(first);
}

static void alloc_resize_when_it_fails_keeps_the_block(void **state) {
    (void)state;
    char *text = leati_strdup("kept");
    leati_alloc_fail_after(1);
    assert_null(leati_resize(text, 1000));
    leati_alloc_fail_after(-1);
    assert_string_equal(text, "kept");
    leati_free(text);
    leati_free(NULL);
}

static void alloc_copies_are_whole(void **state) {
    (void)state;
    assert_null(leati_strdup(NULL));
    char *copy = leati_memdup("a\0b", 3);
    assert_memory_equal(copy, "a\0b", 3);
    leati_free(copy);
    char *text = leati_format("%d-%s", 7, "x");
    assert_string_equal(text, "7-x");
    leati_free(text);
}

static void *odd_resize(void *block, size_t bytes, void *arg) {
    (void)block;
    (void)bytes;
    return arg;
}

static void odd_release(void *block, void *arg) {
    (void)block;
    (void)arg;
}

static void allocator_after_first_use_is_refused(void **state) {
    (void)state;
    leat_allocator odd = {odd_resize, odd_release, NULL};
    leati_free(leati_alloc(1));
    assert_int_equal(leat_allocator_set(&odd), LEAT_E_STATE);
    assert_int_equal(leat_allocator_set(NULL), LEAT_E_ARGUMENT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alloc_nth_after_counting_fails),
        cmocka_unit_test(alloc_resize_when_it_fails_keeps_the_block),
        cmocka_unit_test(alloc_copies_are_whole),
        cmocka_unit_test(allocator_after_first_use_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
