/* double_text.c: the shortest digits of a double, laid out as Java or Python do.

   A decimal number of 15 digits survives a double, so 15 digits, without the zeros at their end,
   are the shortest if they read back at all; else 16 or 17 are needed. Only subnormal numbers have
   fewer than 15 good digits and are tried from two up, which is also the fewest that Java writes.
   Of single precision 6 digits survive, and 9 are always enough. printf and strtod may use another
   decimal point than ours: only digits are taken from them. */
#include "runtime/data/double_text.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* d = 0.DIGITS * 10^point, for a positive finite d. */
typedef struct decimal_digits {
    char digits[20];
    int count, point;
} decimal_digits;

static bool reads_back(const char *text, double d, bool single) {
    return single ? strtof(text, NULL) == (float)d : strtod(text, NULL) == d;
}

static decimal_digits shortest_digits(double d, bool single) {
    char text[40];
    int most = single ? 9 : 17, good = single ? 6 : 15;
    int precision = d < (single ? (double)FLT_MIN : DBL_MIN) ? 2 : good;
    for (; precision <= most; precision++) {
        snprintf(text, sizeof text, "%.*e", precision - 1, d);
        if (reads_back(text, d, single)) break;
    }
    decimal_digits made = {.count = 0};
    const char *at = text;
    for (; *at && *at != 'e'; at++) {
        if (*at >= '0' && *at <= '9') made.digits[made.count++] = *at;
    }
    made.point = atoi(at + 1) + 1;
    while (made.count > 1 && made.digits[made.count - 1] == '0') made.count--;
    return made;
}

/* 0.001, 12.5, 1200.0 */
static void put_plain(const decimal_digits *x, leati_buf *out) {
    if (x->point <= 0) leati_buf_text(out, "0.");
    for (int i = x->point; i < 0; i++) leati_buf_u8(out, '0');
    for (int i = 0; i < x->count; i++) {
        if (i == x->point && i > 0) leati_buf_u8(out, '.');
        leati_buf_u8(out, (uint8_t)x->digits[i]);
    }
    for (int i = x->count; i < x->point; i++) leati_buf_u8(out, '0');
    if (x->count <= x->point) leati_buf_text(out, ".0");
}

static void put_mantissa(const decimal_digits *x, leati_buf *out) {
    leati_buf_u8(out, (uint8_t)x->digits[0]);
    if (x->count > 1) leati_buf_u8(out, '.');
    leati_buf_append(out, x->digits + 1, (size_t)x->count - 1);
}

static void java_text(double d, bool single, leati_buf *out) {
    if (isnan(d)) {
        leati_buf_text(out, "NaN");
        return;
    }
    if (signbit(d)) leati_buf_u8(out, '-');
    d = fabs(d);
    if (isinf(d)) {
        leati_buf_text(out, "Infinity");
    } else if (d == 0) {
        leati_buf_text(out, "0.0");
    } else {
        decimal_digits x = shortest_digits(d, single);
        if (d >= 1e-3 && d < 1e7) {
            put_plain(&x, out);
            return;
        }
        put_mantissa(&x, out);
        if (x.count == 1) leati_buf_text(out, ".0");
        leati_buf_printf(out, "E%d", x.point - 1);
    }
}

void leati_double_text(double d, leati_buf *out) {
    java_text(d, false, out);
}

void leati_float_text(double d, leati_buf *out) {
    java_text(d, true, out);
}

void leati_double_repr(double d, leati_buf *out) {
    if (isnan(d)) {
        leati_buf_text(out, "nan");
        return;
    }
    if (signbit(d)) leati_buf_u8(out, '-');
    d = fabs(d);
    if (isinf(d)) {
        leati_buf_text(out, "inf");
    } else if (d == 0) {
        leati_buf_text(out, "0.0");
    } else {
        decimal_digits x = shortest_digits(d, false);
        if (d < DBL_MIN && x.count == 2) { /* Python is content with one digit */
            decimal_digits one = x;
            char text[16];
            snprintf(text, sizeof text, "%.0e", d);
            one.digits[0] = text[0];
            one.count = 1;
            one.point = atoi(text + 2) + 1;
            if (strtod(text, NULL) == d) x = one;
        }
        if (d >= 1e-4 && d < 1e16) {
            put_plain(&x, out);
            return;
        }
        put_mantissa(&x, out);
        leati_buf_printf(out, "e%c%02d", x.point > 0 ? '+' : '-', abs(x.point - 1));
    }
}
