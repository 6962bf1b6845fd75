/* Tests of object.c: domains, and where objects are released. */
#include "runtime/base/object.h"

#include "fake_object.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void object_released_outside_goes_to_the_list(void **state) {
    (void)state;
    leat_value inside = fake_new(1), outside = fake_new(2);
    leati_object_release(&inside);
    assert_int_equal(fake_released_later(), 0);
    fake_set_inside(false);
    leati_object_release(&outside);
    fake_set_inside(true);
    assert_int_equal(fake_released_later(), 1);
    assert_int_equal(fake_alive(), 0);
}

static void object_domains_run_out_after_255(void **state) {
    (void)state;
    fake_domain();
    const leati_object_ops none = {0};
    uint16_t taken[256];
    int count = 0;
    while ((taken[count] = leati_object_register(&none)) != 0) count++;
    assert_int_equal(count, 254);
    leati_object_unregister(taken[100]);
    assert_int_equal(leati_object_register(&none), taken[100]);
    for (int i = 0; i < count; i++) leati_object_unregister(taken[i]);
    leati_object_unregister(0);
    leati_object_unregister(999);
}

static void object_of_an_ended_interpreter_is_left_alone(void **state) {
    (void)state;
    leat_value v = leat_null();
    v.kind = LEAT_OBJECT;
    v.domain = 200;
    leati_object_release(&v);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(object_released_outside_goes_to_the_list),
        cmocka_unit_test(object_domains_run_out_after_255),
        cmocka_unit_test(object_of_an_ended_interpreter_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
