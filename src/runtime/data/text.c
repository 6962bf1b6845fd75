/* text.c: values as text, in three styles: as the JVM's toString of what the value would be there,
   as Python's str() (items of printed rows), and as Python's repr() (what stands inside those). The
   style of a container gives that of its items. */
#include "runtime/data/text.h"

#include "runtime/base/object.h"
#include "runtime/data/double_text.h"

#include <inttypes.h>
#include <stdio.h>

typedef enum text_style { STYLE_JVM, STYLE_STR, STYLE_REPR } text_style;

static leat_status value_text(const leat_value *v, const leat_type *type, text_style style,
                              leati_buf *out);

/* --- Strings and bytes ------------------------------------------------------------------------ */

/* One byte of a Python literal. Characters beyond ASCII stand for themselves in strings. */
static void put_escaped(uint8_t c, char quote, bool bytes, leati_buf *out) {
    if (c == (uint8_t)quote || c == '\\')
        leati_buf_printf(out, "\\%c", c);
    else if (c == '\n')
        leati_buf_text(out, "\\n");
    else if (c == '\r')
        leati_buf_text(out, "\\r");
    else if (c == '\t')
        leati_buf_text(out, "\\t");
    else if (c < 0x20 || c == 0x7f || (bytes && c > 0x7f))
        leati_buf_printf(out, "\\x%02x", c);
    else
        leati_buf_u8(out, c);
}

static void put_literal(const leat_value *v, leati_buf *out) {
    bool bytes = v->kind == LEAT_BYTES;
    bool single = v->size && memchr(v->as.bytes, '\'', v->size);
    char quote = single && !memchr(v->as.bytes, '"', v->size) ? '"' : '\'';
    if (bytes) leati_buf_u8(out, 'b');
    leati_buf_u8(out, (uint8_t)quote);
    for (uint32_t i = 0; i < v->size; i++) put_escaped((uint8_t)v->as.bytes[i], quote, bytes, out);
    leati_buf_u8(out, (uint8_t)quote);
}

/* Java's bytes have a sign. */
static void put_byte_numbers(const leat_value *v, leati_buf *out) {
    leati_buf_u8(out, '[');
    for (uint32_t i = 0; i < v->size; i++)
        leati_buf_printf(out, i ? ", %d" : "%d", (signed char)v->as.bytes[i]);
    leati_buf_u8(out, ']');
}

/* --- Decimals, dates and times ---------------------------------------------------------------- */

/* The digits of a 128-bit magnitude, by dividing it by ten to the ninth. */
static size_t magnitude_digits(uint64_t high, uint64_t low, char *digits) {
    uint32_t limbs[4] = {(uint32_t)(high >> 32), (uint32_t)high, (uint32_t)(low >> 32),
                         (uint32_t)low};
    char reversed[48];
    size_t count = 0;
    while (limbs[0] | limbs[1] | limbs[2] | limbs[3]) {
        uint64_t rest = 0;
        for (int i = 0; i < 4; i++) {
            rest = rest << 32 | limbs[i];
            limbs[i] = (uint32_t)(rest / 1000000000);
            rest %= 1000000000;
        }
        for (int i = 0; i < 9; i++, rest /= 10) reversed[count++] = (char)('0' + rest % 10);
    }
    while (count > 1 && reversed[count - 1] == '0') count--;
    if (count == 0) reversed[count++] = '0';
    for (size_t i = 0; i < count; i++) digits[i] = reversed[count - 1 - i];
    return count;
}

/* BigDecimal's toString: plain while the scale is not negative and the exponent is -6 or more. */
static void put_decimal(const leat_value *v, leati_buf *out) {
    uint64_t low = v->as.decimal->low, high = (uint64_t)v->as.decimal->high;
    int64_t scale = (int32_t)v->size;
    if (v->as.decimal->high < 0) {
        leati_buf_u8(out, '-');
        low = ~low + 1;
        high = ~high + (low == 0);
    }
    char digits[48];
    int64_t count = (int64_t)magnitude_digits(high, low, digits);
    int64_t exponent = count - 1 - scale;
    if (scale < 0 || exponent < -6) {
        leati_buf_u8(out, (uint8_t)digits[0]);
        if (count > 1) leati_buf_u8(out, '.');
        leati_buf_append(out, digits + 1, (size_t)count - 1);
        leati_buf_printf(out, "E%+" PRId64, exponent);
        return;
    }
    if (count <= scale) leati_buf_text(out, "0.");
    for (int64_t i = count; i < scale; i++) leati_buf_u8(out, '0');
    for (int64_t i = 0; i < count; i++) {
        if (i > 0 && i == count - scale) leati_buf_u8(out, '.');
        leati_buf_u8(out, (uint8_t)digits[i]);
    }
}

/* Days since 1970-01-01 as a date of the Gregorian calendar, counted in eras of 400 years that
   begin with a March, so that the leap day is the last of its year. */
static void put_date(int64_t days, leati_buf *out) {
    const int64_t era_days = 146097;
    int64_t era = days / era_days, day = days % era_days + 719468;
    era += day / era_days;
    day %= era_days;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t of_year = day - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    int64_t of_month = of_year - (153 * month + 2) / 5 + 1;
    month = month < 10 ? month + 3 : month - 9;
    year += 400 * era + (month <= 2);
    leati_buf_printf(out, "%04" PRId64 "-%02" PRId64 "-%02" PRId64, year, month, of_month);
}

static void put_clock(int64_t seconds, leati_buf *out) {
    leati_buf_printf(out, "%02d:%02d:%02d", (int)(seconds / 3600 % 24), (int)(seconds / 60 % 60),
                     (int)(seconds % 60));
}

/* java.sql.Timestamp shows one digit at least; Python all six or none. */
static void put_fraction(int nanos, text_style style, leati_buf *out) {
    char digits[16];
    int count = snprintf(digits, sizeof digits, "%09d", nanos);
    if (style == STYLE_JVM) {
        while (count > 1 && digits[count - 1] == '0') count--;
    } else {
        count = nanos / 1000 ? 6 : 0;
    }
    if (count == 0) return;
    leati_buf_u8(out, '.');
    leati_buf_append(out, digits, (size_t)count);
}

static void put_timestamp(const leat_value *v, text_style style, leati_buf *out) {
    const int64_t day = 86400000;
    int64_t days = v->as.i / day, millis = v->as.i % day;
    if (millis < 0) {
        millis += day;
        days--;
    }
    put_date(days, out);
    leati_buf_u8(out, ' ');
    put_clock(millis / 1000, out);
    put_fraction((int)(millis % 1000) * 1000000 + (int)v->size, style, out);
}

/* java.time.Instant: in UTC, the fraction in groups of three digits, none where it is zero. */
static void put_instant(const leat_value *v, leati_buf *out) {
    const int64_t day = 86400000, year_10000 = 2932897;
    int64_t days = v->as.i / day - (v->as.i % day < 0), millis = v->as.i - days * day;
    int nanos = (int)(millis % 1000) * 1000000 + (int)v->size;
    if (days >= year_10000) leati_buf_u8(out, '+');
    put_date(days, out);
    leati_buf_u8(out, 'T');
    put_clock(millis / 1000, out);
    if (nanos % 1000)
        leati_buf_printf(out, ".%09d", nanos);
    else if (nanos % 1000000)
        leati_buf_printf(out, ".%06d", nanos / 1000);
    else if (nanos)
        leati_buf_printf(out, ".%03d", nanos / 1000000);
    leati_buf_u8(out, 'Z');
}

static void put_time(const leat_value *v, text_style style, leati_buf *out) {
    int64_t nanos = v->as.i < 0 ? 0 : v->as.i;
    put_clock(nanos / 1000000000, out);
    if (style != STYLE_JVM) put_fraction((int)(nanos % 1000000000), style, out);
}

/* --- Containers ------------------------------------------------------------------------------- */

/* Of a container's item; NULL when it is not known. */
static const leat_type *item_type(const leat_type *type, size_t i) {
    if (!type || !type->size) return NULL;
    if (type->tag == LEAT_T_TUPLE || type->tag == LEAT_T_ROW || type->tag == LEAT_T_MAP)
        return i < type->size ? type->items[i] : NULL;
    return type->items[0];
}

static leat_status put_items(const leat_value *items, size_t count, const leat_type *type,
                             const char *between, text_style style, leati_buf *out) {
    leat_status status = LEAT_OK;
    for (size_t i = 0; i < count && status >= 0; i++) {
        if (i) leati_buf_text(out, between);
        status = value_text(&items[i], item_type(type, i), style, out);
    }
    return status;
}

static leat_status put_tuple(const leat_value *v, const leat_type *type, text_style style,
                             leati_buf *out) {
    bool jvm = style == STYLE_JVM;
    leati_buf_u8(out, '(');
    leat_status status =
        put_items(v->as.items, v->size, type, jvm ? "," : ", ", jvm ? style : STYLE_REPR, out);
    leati_buf_text(out, !jvm && v->size == 1 ? ",)" : ")");
    return status;
}

static leat_status put_map(const leat_value *v, const leat_type *type, text_style style,
                           leati_buf *out) {
    bool jvm = style == STYLE_JVM;
    leat_status status = LEAT_OK;
    leati_buf_u8(out, '{');
    for (uint32_t i = 0; i < v->size && status >= 0; i++) {
        if (i) leati_buf_text(out, ", ");
        status = put_items(v->as.items + 2 * (size_t)i, 2, type, jvm ? "=" : ": ",
                           jvm ? style : STYLE_REPR, out);
    }
    leati_buf_u8(out, '}');
    return status;
}

static leat_status put_row(const leat_value *v, const leat_type *type, const char *between,
                           text_style style, leati_buf *out) {
    static const char *const kinds[] = {"+I", "-U", "+U", "-D"};
    leati_buf_text(out, kinds[v->flags & 3]);
    leati_buf_u8(out, '[');
    leat_status status = put_items(v->as.row->items, v->size, type, between, style, out);
    leati_buf_u8(out, ']');
    return status;
}

/* A row inside of what Python shows: Row(a=1, b='x') with names, <Row(1, 'x')> without. */
static leat_status put_python_row(const leat_value *v, leati_buf *out) {
    const leat_schema *schema = v->as.row->schema;
    leat_status status = LEAT_OK;
    leati_buf_text(out, schema ? "Row(" : "<Row(");
    for (uint32_t i = 0; i < v->size && status >= 0; i++) {
        if (i) leati_buf_text(out, ", ");
        if (schema) leati_buf_printf(out, "%s=", schema->names[i]);
        status = value_text(&v->as.row->items[i], NULL, STYLE_REPR, out);
    }
    leati_buf_text(out, schema ? ")" : ")>");
    return status;
}

static leat_status put_object(const leat_value *v, const leat_type *type, leat_text_form form,
                              text_style style, leati_buf *out) {
    const leati_object_ops *ops = leati_object_ops_of(v);
    if (!ops || !ops->inside(ops->interpreter)) {
        leati_buf_text(out, "<object>");
        return LEAT_OK;
    }
    if (style == STYLE_REPR) return ops->repr(v->as.object, out);
    return ops->print(v->as.object, type, form, out);
}

/* --- All of them ------------------------------------------------------------------------------ */

static void put_word(const leat_value *v, text_style style, leati_buf *out) {
    static const char *const words[3][2] = {{"null", "None"}, {"false", "False"}, {"true", "True"}};
    int word = v->kind == LEAT_NULL ? 0 : v->as.b ? 2 : 1;
    leati_buf_text(out, words[word][style != STYLE_JVM]);
}

static void put_double(const leat_value *v, const leat_type *type, text_style style,
                       leati_buf *out) {
    bool single = type && type->tag == LEAT_T_FLOAT;
    if (style != STYLE_JVM)
        leati_double_repr(v->as.d, out);
    else
        (single ? leati_float_text : leati_double_text)(v->as.d, out);
}

static leat_status value_text(const leat_value *v, const leat_type *type, text_style style,
                              leati_buf *out) {
    bool jvm = style == STYLE_JVM;
    switch ((leat_kind)v->kind) {
    case LEAT_NULL:
    case LEAT_BOOL: put_word(v, style, out); break;
    case LEAT_INT: leati_buf_printf(out, "%" PRId64, v->as.i); break;
    case LEAT_DOUBLE: put_double(v, type, style, out); break;
    case LEAT_STRING:
        if (style == STYLE_REPR)
            put_literal(v, out);
        else
            leati_buf_append(out, v->as.bytes, v->size);
        break;
    case LEAT_BYTES: (jvm ? put_byte_numbers : put_literal)(v, out); break;
    case LEAT_TUPLE: return put_tuple(v, type, style, out);
    case LEAT_ROW: return jvm ? put_row(v, type, ", ", style, out) : put_python_row(v, out);
    case LEAT_LIST: {
        leati_buf_u8(out, '[');
        leat_status status =
            put_items(v->as.items, v->size, type, ", ", jvm ? style : STYLE_REPR, out);
        leati_buf_u8(out, ']');
        return status;
    }
    case LEAT_MAP: return put_map(v, type, style, out);
    case LEAT_DECIMAL: put_decimal(v, out); break;
    case LEAT_DATE: put_date(v->as.i, out); break;
    case LEAT_TIME: put_time(v, style, out); break;
    case LEAT_TIMESTAMP:
        if (jvm && type && type->tag == LEAT_T_INSTANT)
            put_instant(v, out);
        else
            put_timestamp(v, style, out);
        break;
    case LEAT_OBJECT: return put_object(v, NULL, LEAT_TEXT_PRINT, style, out);
    }
    return LEAT_OK;
}

leat_status leati_value_text(const leat_value *v, const leat_type *type, leat_text_form form,
                             leati_buf *out) {
    leat_status status;
    if (v->kind == LEAT_OBJECT)
        status = put_object(v, type, form, STYLE_JVM, out);
    else if (v->kind == LEAT_ROW && form == LEAT_TEXT_PRINT)
        status = put_row(v, type, ",", STYLE_STR, out);
    else
        status = value_text(v, type, STYLE_JVM, out);
    return status < 0 ? status : out->failed ? LEAT_E_NOMEM : LEAT_OK;
}

size_t leat_value_format(const leat_value *v, char *out, size_t size) {
    leati_buf text;
    leati_buf_init(&text);
    leati_value_text(v, NULL, LEAT_TEXT_PRINT, &text);
    size_t length = text.size, shown = length < size ? length : size ? size - 1 : 0;
    if (shown) memcpy(out, text.bytes, shown);
    if (size) out[shown] = 0;
    leati_buf_fini(&text);
    return length;
}
