/* Language bridges of a process: found by language, refused when they are of another version. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/bridge.h"

static const leati_bridge bridge = {.size = sizeof bridge, .language = "cobol"};

static void bridge_that_registers_is_found(void **state) {
    (void)state;
    leat_error err;
    assert_null(leati_bridge_find("cobol"));
    assert_int_equal(leati_bridge_register(&bridge, LEAT_VERSION_STRING, &err), LEAT_OK);
    assert_ptr_equal(leati_bridge_find("cobol"), &bridge);
    assert_null(leati_bridge_find("python"));
    leati_bridge_unregister(&bridge);
    assert_null(leati_bridge_find("cobol"));
}

static void bridge_of_another_version_is_refused(void **state) {
    (void)state;
    leat_error err;
    assert_int_equal(leati_bridge_register(&bridge, "9.9.9", &err), LEAT_E_VERSION);
    assert_string_equal(err.where, "cobol");
    assert_string_equal(
        err.text,
        "the module is of Leat 9.9.9 and the library that is loaded of " LEAT_VERSION_STRING
        "; install one Leat only");
    assert_null(leati_bridge_find("cobol"));
}

static void too_many_bridges_are_refused(void **state) {
    (void)state;
    enum { MOST = 8 };
    static leati_bridge many[MOST + 1];
    leat_error err;
    for (int i = 0; i <= MOST; i++) {
        many[i] = bridge;
        leat_status status = leati_bridge_register(&many[i], LEAT_VERSION_STRING, &err);
        assert_int_equal(status, i < MOST ? LEAT_OK : LEAT_E_STATE);
    }
    for (int i = 0; i <= MOST; i++) leati_bridge_unregister(&many[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bridge_that_registers_is_found),
        cmocka_unit_test(bridge_of_another_version_is_refused),
        cmocka_unit_test(too_many_bridges_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
