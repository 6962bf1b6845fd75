/* py_calendar.c: decimals, dates, times and instants between Python's classes and native parts.

   Through attributes and not through datetime's C interface, which an interpreter with a GIL of its
   own does not have. Datetimes are wall clock: a naive one is taken as if it were UTC, and comes
   back the same in every time zone. What has no native form (a zone, more than 38 digits, NaN, -0,
   positive exponents) stays an object. */
#include "pybridge/py_convert.h"

enum { EPOCH_ORDINAL = 719163, DECIMAL_DIGITS = 38 };

static int read_long(PyObject *o, const char *name, int64_t *out) {
    PyObject *item = PyObject_GetAttrString(o, name);
    if (!item) return -1;
    int overflow = 0;
    *out = PyLong_AsLongLongAndOverflow(item, &overflow);
    Py_DECREF(item);
    if (PyErr_Occurred()) return -1;
    return overflow ? 0 : 1;
}

/* 1 when the attribute is None. */
static int is_none(PyObject *o, const char *name) {
    PyObject *item = PyObject_GetAttrString(o, name);
    if (!item) return -1;
    int none = item == Py_None;
    Py_DECREF(item);
    return none;
}

/* --- decimals --------------------------------------------------------------------------------- */

/* high:low = high:low * 10 + digit */
static void times_ten(uint64_t *high, uint64_t *low, uint64_t figure) {
    uint64_t a = (*low & 0xffffffffu) * 10 + figure, b = (*low >> 32) * 10 + (a >> 32);
    *low = (b << 32) | (a & 0xffffffffu);
    *high = *high * 10 + (b >> 32);
}

static int digits_read(PyObject *digits, bool negative, leat_decimal *out) {
    Py_ssize_t count = PyTuple_GET_SIZE(digits);
    uint64_t high = 0, low = 0;
    if (count > DECIMAL_DIGITS) return 0;
    for (Py_ssize_t i = 0; i < count; i++)
        times_ten(&high, &low, (uint64_t)PyLong_AsLong(PyTuple_GET_ITEM(digits, i)));
    if (negative && !(high | low)) return 0;
    if (negative) {
        low = ~low + 1;
        high = ~high + (low == 0);
    }
    out->low = low;
    out->high = (int64_t)high;
    return 1;
}

int py_decimal_read(PyObject *o, leat_decimal *digits, int32_t *scale) {
    PyObject *parts = PyObject_CallMethod(o, "as_tuple", NULL);
    if (!parts) return -1;
    int done = 0;
    if (PyTuple_Check(parts) && PyTuple_GET_SIZE(parts) == 3 &&
        PyLong_Check(PyTuple_GET_ITEM(parts, 2)) && PyTuple_Check(PyTuple_GET_ITEM(parts, 1))) {
        long exponent = PyLong_AsLong(PyTuple_GET_ITEM(parts, 2));
        bool negative = PyLong_AsLong(PyTuple_GET_ITEM(parts, 0)) == 1;
        if (exponent <= 0 && exponent > -INT32_MAX) {
            *scale = (int32_t)-exponent;
            done = digits_read(PyTuple_GET_ITEM(parts, 1), negative, digits);
        }
    }
    Py_DECREF(parts);
    return PyErr_Occurred() ? -1 : done;
}

static PyObject *long_of_128(const leat_decimal *digits) {
    PyObject *high = PyLong_FromLongLong(digits->high), *bits = PyLong_FromLong(64);
    PyObject *shifted = high && bits ? PyNumber_Lshift(high, bits) : NULL;
    PyObject *low = PyLong_FromUnsignedLongLong(digits->low);
    PyObject *all = shifted && low ? PyNumber_Add(shifted, low) : NULL;
    Py_XDECREF(high);
    Py_XDECREF(bits);
    Py_XDECREF(shifted);
    Py_XDECREF(low);
    return all;
}

PyObject *py_decimal_new(py_state *state, const leat_decimal *digits, int32_t scale) {
    PyObject *type = py_known_get(state, PY_DECIMAL);
    PyObject *whole = type ? long_of_128(digits) : NULL;
    PyObject *text = whole ? PyUnicode_FromFormat("%SE%d", whole, (int)-scale) : NULL;
    PyObject *decimal = text ? PyObject_CallOneArg(type, text) : NULL;
    Py_XDECREF(whole);
    Py_XDECREF(text);
    return decimal;
}

/* --- dates and times -------------------------------------------------------------------------- */

int py_date_read(PyObject *o, int64_t *days) {
    PyObject *ordinal = PyObject_CallMethod(o, "toordinal", NULL);
    if (!ordinal) return -1;
    *days = PyLong_AsLong(ordinal) - EPOCH_ORDINAL;
    Py_DECREF(ordinal);
    return PyErr_Occurred() ? -1 : 1;
}

int py_time_read(PyObject *o, int64_t *nanoseconds) {
    int64_t hour, minute, second, micro;
    int naive = is_none(o, "tzinfo");
    if (naive <= 0) return naive;
    if (read_long(o, "hour", &hour) < 1 || read_long(o, "minute", &minute) < 1 ||
        read_long(o, "second", &second) < 1 || read_long(o, "microsecond", &micro) < 1)
        return PyErr_Occurred() ? -1 : 0;
    *nanoseconds = (((hour * 60 + minute) * 60 + second) * 1000000 + micro) * 1000;
    return 1;
}

int py_datetime_read(PyObject *o, int64_t *milliseconds, uint32_t *nanoseconds) {
    int64_t days, nanos;
    int done = py_time_read(o, &nanos);
    if (done < 1) return done;
    if (py_date_read(o, &days) < 0) return -1;
    *milliseconds = days * 86400000 + nanos / 1000000;
    *nanoseconds = (uint32_t)(nanos % 1000000);
    return 1;
}

int py_instant_read(PyObject *o, int64_t *milliseconds, uint32_t *nanoseconds) {
    int64_t seconds, nanos;
    int done = read_long(o, "seconds", &seconds);
    if (done < 1) return done;
    done = read_long(o, "nanos", &nanos);
    if (done < 1) return done;
    if (seconds > INT64_MAX / 1001 || seconds < -(INT64_MAX / 1001)) return 0;
    if (nanos < 0 || nanos > 999999999) return 0;
    *milliseconds = seconds * 1000 + nanos / 1000000;
    *nanoseconds = (uint32_t)(nanos % 1000000);
    return 1;
}

PyObject *py_date_new(py_state *state, int64_t days) {
    PyObject *type = py_known_get(state, PY_DATE);
    return type ? PyObject_CallMethod(type, "fromordinal", "L", (long long)days + EPOCH_ORDINAL)
                : NULL;
}

PyObject *py_time_new(py_state *state, int64_t nanoseconds) {
    PyObject *type = py_known_get(state, PY_TIME);
    int64_t micros = nanoseconds / 1000, seconds = micros / 1000000;
    return type ? PyObject_CallFunction(type, "LLLL", (long long)(seconds / 3600),
                                        (long long)(seconds / 60 % 60), (long long)(seconds % 60),
                                        (long long)(micros % 1000000))
                : NULL;
}

/* The civil calendar, from days since 1970-01-01: eras of 400 years, years that begin in March. */
static void civil_of(int64_t days, int64_t *year, int64_t *month, int64_t *day) {
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    *day = doy - (153 * mp + 2) / 5 + 1;
    *month = mp < 10 ? mp + 3 : mp - 9;
    *year = yoe + era * 400 + (*month <= 2);
}

PyObject *py_datetime_new(py_state *state, int64_t milliseconds, uint32_t nanoseconds) {
    PyObject *type = py_known_get(state, PY_DATETIME);
    if (!type) return NULL;
    int64_t rest = milliseconds % 86400000, days = milliseconds / 86400000, year, month, day;
    if (rest < 0) {
        rest += 86400000;
        days--;
    }
    civil_of(days, &year, &month, &day);
    return PyObject_CallFunction(type, "LLLLLLL", (long long)year, (long long)month, (long long)day,
                                 (long long)(rest / 3600000), (long long)(rest / 60000 % 60),
                                 (long long)(rest / 1000 % 60),
                                 (long long)(rest % 1000 * 1000 + nanoseconds / 1000));
}

PyObject *py_instant_new(py_state *state, int64_t milliseconds, uint32_t nanoseconds) {
    PyObject *type = py_known_get(state, PY_INSTANT);
    int64_t millis = milliseconds % 1000, seconds = milliseconds / 1000;
    if (millis < 0) {
        millis += 1000;
        seconds--;
    }
    return type ? PyObject_CallFunction(type, "LL", (long long)seconds,
                                        (long long)(millis * 1000000 + nanoseconds))
                : NULL;
}
