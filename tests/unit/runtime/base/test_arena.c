/* Tests of arena.c: alignment, growth, resets and marks, objects, memory of the caller. */
#include "runtime/base/arena.h"

#include "fake_object.h"
#include "runtime/base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void arena_many_sizes_are_aligned_and_apart(void **state) {
    (void)state;
    leati_arena a;
    leati_arena_init(&a);
    char *before[300];
    for (size_t i = 0; i < 300; i++) {
        before[i] = leati_arena_alloc(&a, i * 7 + 1);
        assert_non_null(before[i]);
        assert_int_equal((uintptr_t)before[i] % 8, 0);
        memset(before[i], (int)i, i * 7 + 1);
    }
    for (size_t i = 0; i < 300; i++) {
        assert_int_equal((unsigned char)before[i][0], i & 255);
        assert_int_equal((unsigned char)before[i][i * 7], i & 255);
    }
    leati_arena_fini(&a);
}

static void arena_reset_under_steady_load_allocates_nothing(void **state) {
    (void)state;
    leati_arena a;
    leati_arena_init(&a);
    for (int round = 0; round < 20; round++) {
        if (round == 10) leati_alloc_fail_after(1);
        for (int i = 0; i < 100; i++) assert_non_null(leati_arena_alloc(&a, 100));
        leati_arena_reset(&a);
        assert_int_equal(a.bytes, 0);
    }
    leati_alloc_fail_after(-1);
    leati_arena_fini(&a);
}

static void arena_without_memory_answers_null(void **state) {
    (void)state;
    leati_arena a;
    leati_arena_init(&a);
    leati_alloc_fail_after(1);
    assert_null(leati_arena_alloc(&a, 8));
    leati_alloc_fail_after(-1);
    assert_non_null(leati_arena_alloc(&a, 8));
    assert_non_null(leati_arena_alloc(&a, 1 << 20));
    leati_arena_fini(&a);
}

static void arena_with_memory_of_the_caller_uses_it_first(void **state) {
    (void)state;
    _Alignas(8) char memory[256];
    leati_arena a;
    leati_arena_init_with(&a, memory, sizeof memory);
    leati_alloc_fail_after(1);
    for (int round = 0; round < 3; round++) {
        char *p = leati_arena_alloc(&a, 100);
        assert_true(p >= memory && p + 100 <= memory + sizeof memory);
        assert_null(leati_arena_alloc(&a, 200));
        leati_arena_reset(&a);
    }
    leati_alloc_fail_after(-1);
    assert_non_null(leati_arena_alloc(&a, 100));
    assert_non_null(leati_arena_alloc(&a, 5000));
    leati_arena_reset(&a);
    char *p = leati_arena_alloc(&a, 8);
    assert_true(p >= memory && p < memory + sizeof memory);
    leati_arena_fini(&a);
}

static void arena_rewind_gives_back_what_came_after_the_mark(void **state) {
    (void)state;
    leati_arena a;
    leati_arena_init(&a);
    leati_arena_mark empty = leati_arena_mark_get(&a);
    char *first = leati_arena_alloc(&a, 16);
    leat_value object = fake_new(1), other = fake_new(2);
    assert_int_equal(leati_arena_keep(&a, &object), LEAT_OK);
    leati_arena_mark mark = leati_arena_mark_get(&a);
    assert_int_equal(leati_arena_keep(&a, &other), LEAT_OK);
    for (int i = 0; i < 100; i++) leati_arena_alloc(&a, 1000);
    leati_arena_rewind(&a, mark);
    assert_int_equal(fake_alive(), 1);
    assert_ptr_equal(leati_arena_alloc(&a, 16), first + 16);
    leati_arena_rewind(&a, empty);
    assert_int_equal(fake_alive(), 0);
    assert_int_equal(a.bytes, 0);
    assert_ptr_equal(leati_arena_alloc(&a, 16), first);
    leati_arena_fini(&a);
}

static void arena_many_objects_are_released_once(void **state) {
    (void)state;
    leati_arena a;
    leati_arena_init(&a);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 100; i++) {
            leat_value object = fake_new(i);
            assert_int_equal(leati_arena_keep(&a, &object), LEAT_OK);
        }
        assert_int_equal(fake_alive(), 100);
        leati_arena_reset(&a);
        assert_int_equal(fake_alive(), 0);
    }
    leati_arena_fini(&a);
}

static void arena_keep_without_memory_releases_the_object(void **state) {
    (void)state;
    leati_arena a;
    leati_arena_init(&a);
    leat_value object = fake_new(1);
    leati_alloc_fail_after(1);
    assert_int_equal(leati_arena_keep(&a, &object), LEAT_E_NOMEM);
    leati_alloc_fail_after(-1);
    assert_int_equal(fake_alive(), 0);
    leati_arena_fini(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_many_sizes_are_aligned_and_apart),
        cmocka_unit_test(arena_reset_under_steady_load_allocates_nothing),
        cmocka_unit_test(arena_without_memory_answers_null),
        cmocka_unit_test(arena_with_memory_of_the_caller_uses_it_first),
        cmocka_unit_test(arena_rewind_gives_back_what_came_after_the_mark),
        cmocka_unit_test(arena_many_objects_are_released_once),
        cmocka_unit_test(arena_keep_without_memory_releases_the_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
