/* sample_values.c: the values, made on the first call. One thread. */
#include "sample_values.h"

#include <assert.h>
#include <math.h>

static leat_value of_kind(leat_kind kind, int64_t i, uint32_t size) {
    leat_value v = leat_int(i);
    v.kind = (uint8_t)kind;
    v.size = size;
    return v;
}

static leat_value decimal_of(const leat_decimal *d, int32_t scale) {
    leat_value v = leat_null();
    v.kind = LEAT_DECIMAL;
    v.size = (uint32_t)scale;
    v.as.decimal = d;
    return v;
}

static int scalars(leat_value *v) {
    static const leat_decimal cents = {12345, 0}, minus = {(uint64_t)-7, -1},
                              large = {0x0123456789abcdefu, 0x4b3b4ca85a86c47a};
    int n = 0;
    v[n++] = leat_null();
    v[n++] = leat_bool(false);
    v[n++] = leat_bool(true);
    v[n++] = leat_int(0);
    v[n++] = leat_int(1);
    v[n++] = leat_int(-1);
    v[n++] = leat_int(INT64_MAX);
    v[n++] = leat_int(INT64_MIN);
    v[n++] = leat_double(0);
    v[n++] = leat_double(1);
    v[n++] = leat_double(-1.5e300);
    v[n++] = leat_double(HUGE_VAL);
    v[n++] = leat_string("");
    v[n++] = leat_string("leat");
    v[n++] = leat_string(
        "a longer string that no slot or short buffer can hold, since it has more than a "
        "hundred and ten bytes in all");
    v[n++] = leat_bytes("\0\xff", 2);
    v[n++] = decimal_of(&cents, 2);
    v[n++] = decimal_of(&minus, 10);
    v[n++] = decimal_of(&large, -3);
    v[n++] = of_kind(LEAT_DATE, -1, 0);
    v[n++] = of_kind(LEAT_TIME, 45296000000001, 0);
    v[n++] = of_kind(LEAT_TIMESTAMP, 1610182800011, 999999);
    return n;
}

const leat_value *sample_values(void) {
    static leat_value v[SAMPLE_VALUES];
    static leat_value pair[2], items[3], deep[2], mixed[4];
    static leat_row plain, named;
    static bool made;
    if (made) return v;
    made = true;
    int n = scalars(v);
    pair[0] = leat_string("a");
    pair[1] = leat_int(1);
    v[n++] = leat_tuple(pair, 2);
    v[n++] = leat_tuple(NULL, 0);
    for (int i = 0; i < 3; i++) items[i] = leat_int(i);
    v[n++] = leat_list(items, 3);
    v[n++] = leat_map_value(pair, 1);
    plain.items = pair;
    v[n++] = leat_row_value(&plain, 2, LEAT_DELETE);
    static const char *const names[] = {"word", "count"};
    named.schema = leat_schema_get(names, 2);
    named.items = pair;
    v[n++] = leat_row_value(&named, 2, LEAT_INSERT);
    deep[0] = v[n - 1];
    deep[1] = leat_list(&v[n - 6], 5);
    v[n++] = leat_tuple(deep, 2);
    mixed[0] = leat_int(2), mixed[1] = leat_string("two");
    mixed[2] = leat_string("x"), mixed[3] = leat_tuple(pair, 1);
    v[n++] = leat_map_value(mixed, 2);
    assert(n == SAMPLE_VALUES);
    return v;
}
