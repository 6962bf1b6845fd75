/* tally.c: see tally.h. As bytes: u8 kind, varint count, then by kind: zigzag the integer; u64 the
   bits of the number; of a histogram varint bins and zigzag value, varint count of each; of a list
   its values as a blob. */
#include "runtime/flow/tally.h"

#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/data/codec.h"

const char *leati_tally_kind_name(int kind) {
    static const char *const names[LEATI_TALLY_KINDS] = {
        "sum of integers", "minimum of integers", "maximum of integers",
        "sum of numbers",  "minimum of numbers",  "maximum of numbers",
        "average",         "histogram",           "list"};
    return kind >= 0 && kind < LEATI_TALLY_KINDS ? names[kind] : "accumulator";
}

void leati_tally_init(leati_tally *t, leat_accumulator_kind kind) {
    memset(t, 0, sizeof *t);
    t->kind = kind;
}

void leati_tally_fini(leati_tally *t) {
    leati_free(t->bins);
    leati_buf_fini(&t->items);
    leati_tally_init(t, t->kind);
}

/* --- adding ----------------------------------------------------------------------------------- */

/* `count` times the integer, or what so many have come to. */
static leat_status add_int(leati_tally *t, int64_t i, int64_t count) {
    bool first = t->count == 0;
    if (t->kind == LEAT_ACCUMULATOR_INT_SUM) {
        int64_t sum;
        if (__builtin_add_overflow(t->i, i, &sum)) return LEAT_E_RANGE;
        t->i = sum;
    } else if (first || (t->kind == LEAT_ACCUMULATOR_INT_MIN ? i < t->i : i > t->i)) {
        t->i = i;
    }
    t->count += count;
    return LEAT_OK;
}

/* NaN is passed on by sums, and is no extreme unless it is the first. */
static void add_double(leati_tally *t, double d, int64_t count) {
    bool first = t->count == 0;
    if (t->kind == LEAT_ACCUMULATOR_DOUBLE_SUM || t->kind == LEAT_ACCUMULATOR_AVERAGE)
        t->d += d;
    else if (first || (t->kind == LEAT_ACCUMULATOR_DOUBLE_MIN ? d < t->d : d > t->d))
        t->d = d;
    t->count += count;
}

static size_t bin_of(const leati_tally *t, int64_t value) {
    size_t low = 0, high = t->bin_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (t->bins[middle].value < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static leat_status add_bin(leati_tally *t, int64_t value, int64_t count) {
    size_t at = bin_of(t, value);
    if (at == t->bin_count || t->bins[at].value != value) {
        if (t->bin_count == t->bin_room) {
            size_t room = t->bin_room ? 2 * t->bin_room : 16;
            leati_bin *grown = leati_resize(t->bins, room * sizeof *grown);
            if (!grown) return LEAT_E_NOMEM;
            t->bins = grown;
            t->bin_room = room;
        }
        memmove(t->bins + at + 1, t->bins + at, (t->bin_count - at) * sizeof *t->bins);
        t->bins[at] = (leati_bin){value, 0};
        t->bin_count++;
    }
    t->bins[at].count += count;
    t->count += count;
    return LEAT_OK;
}

static leat_status add_item(leati_tally *t, const leat_value *value) {
    size_t before = t->items.size;
    leat_status status = leati_value_encode(value, NULL, &t->items);
    if (status >= 0 && t->items.failed) status = LEAT_E_NOMEM;
    if (status >= 0) t->count++;
    if (status >= 0) return status;
    t->items.size = before;
    t->items.failed = false;
    return status;
}

leat_status leati_tally_add(leati_tally *t, const leat_value *value) {
    bool is_int = value->kind == LEAT_INT, is_number = is_int || value->kind == LEAT_DOUBLE;
    switch (t->kind) {
    case LEAT_ACCUMULATOR_INT_SUM:
    case LEAT_ACCUMULATOR_INT_MIN:
    case LEAT_ACCUMULATOR_INT_MAX: return is_int ? add_int(t, value->as.i, 1) : LEAT_E_TYPE;
    case LEAT_ACCUMULATOR_HISTOGRAM: return is_int ? add_bin(t, value->as.i, 1) : LEAT_E_TYPE;
    case LEAT_ACCUMULATOR_LIST: return add_item(t, value);
    default: break;
    }
    if (!is_number) return LEAT_E_TYPE;
    add_double(t, is_int ? (double)value->as.i : value->as.d, 1);
    return LEAT_OK;
}

/* --- bytes ------------------------------------------------------------------------------------ */

static bool holds_int(leat_accumulator_kind kind) {
    return kind <= LEAT_ACCUMULATOR_INT_MAX;
}

void leati_tally_write(const leati_tally *t, leati_buf *out) {
    uint64_t bits;
    leati_buf_u8(out, (uint8_t)t->kind);
    leati_buf_varint(out, (uint64_t)t->count);
    if (holds_int(t->kind)) {
        leati_buf_zigzag(out, t->i);
    } else if (t->kind == LEAT_ACCUMULATOR_HISTOGRAM) {
        leati_buf_varint(out, t->bin_count);
        for (size_t k = 0; k < t->bin_count; k++) {
            leati_buf_zigzag(out, t->bins[k].value);
            leati_buf_varint(out, (uint64_t)t->bins[k].count);
        }
    } else if (t->kind == LEAT_ACCUMULATOR_LIST) {
        leati_buf_blob(out, t->items.bytes, t->items.size);
    } else {
        memcpy(&bits, &t->d, sizeof bits);
        leati_buf_u64(out, bits);
    }
}

static leat_status merge_bins(leati_tally *t, leati_reader *in) {
    leat_status status = LEAT_OK;
    for (uint64_t n = leati_reader_varint(in); n && status >= 0 && !in->failed; n--) {
        int64_t value = leati_reader_zigzag(in), count = (int64_t)leati_reader_varint(in);
        if (in->failed || count < 0 || t->count > INT64_MAX - count) return LEAT_E_FORMAT;
        status = add_bin(t, value, count);
    }
    return status;
}

static leat_status merge_items(leati_tally *t, int64_t count, leati_reader *in) {
    size_t size;
    const char *bytes = leati_reader_blob(in, &size);
    if (bytes && (uint64_t)count > size) return LEAT_E_FORMAT; /* each takes a byte at least */
    if (bytes) leati_buf_append(&t->items, bytes, size);
    if (bytes) t->count += count;
    return t->items.failed ? LEAT_E_NOMEM : LEAT_OK;
}

leat_status leati_tally_merge(leati_tally *t, leati_reader *in) {
    int kind = leati_reader_u8(in);
    int64_t count = (int64_t)leati_reader_varint(in);
    leat_status status = LEAT_OK;
    if (in->failed || kind >= LEATI_TALLY_KINDS || count < 0 || t->count > INT64_MAX - count)
        return LEAT_E_FORMAT;
    if (t->count == 0) t->kind = (leat_accumulator_kind)kind;
    if ((int)t->kind != kind) return LEAT_E_TYPE;
    if (holds_int(t->kind)) {
        int64_t i = leati_reader_zigzag(in);
        if (count && !in->failed) status = add_int(t, i, count);
    } else if (t->kind == LEAT_ACCUMULATOR_HISTOGRAM) {
        status = merge_bins(t, in);
    } else if (t->kind == LEAT_ACCUMULATOR_LIST) {
        status = merge_items(t, count, in);
    } else {
        uint64_t bits = leati_reader_u64(in);
        double d;
        memcpy(&d, &bits, sizeof d);
        if (count && !in->failed) add_double(t, d, count);
    }
    return in->failed ? LEAT_E_FORMAT : status;
}

/* --- the result ------------------------------------------------------------------------------- */

static leat_status bins_value(const leati_tally *t, leati_arena *arena, leat_value *out) {
    leat_value *pairs = leati_arena_alloc(arena, (2 * t->bin_count + 1) * sizeof *pairs);
    if (!pairs) return LEAT_E_NOMEM;
    for (size_t k = 0; k < t->bin_count; k++) {
        pairs[2 * k] = leat_int(t->bins[k].value);
        pairs[2 * k + 1] = leat_int(t->bins[k].count);
    }
    *out = leat_map_value(pairs, t->bin_count);
    return LEAT_OK;
}

/* The bytes are those of the tally, which therefore has to live as long as the value. */
static leat_status items_value(const leati_tally *t, uint16_t domain, leati_arena *arena,
                               leat_value *out) {
    leati_reader in = leati_reader_of(t->items.bytes, t->items.size);
    leat_value *items = leati_arena_alloc(arena, ((size_t)t->count + 1) * sizeof *items);
    leat_status status = items ? LEAT_OK : LEAT_E_NOMEM;
    for (int64_t k = 0; k < t->count && status >= 0; k++)
        status = leati_value_decode(&in, domain, arena, &items[k]);
    if (status >= 0) *out = leat_list(items, (size_t)t->count);
    return status;
}

leat_status leati_tally_value(const leati_tally *t, uint16_t domain, leati_arena *arena,
                              leat_value *out) {
    switch (t->kind) {
    case LEAT_ACCUMULATOR_INT_SUM: *out = leat_int(t->i); return LEAT_OK;
    case LEAT_ACCUMULATOR_DOUBLE_SUM: *out = leat_double(t->d); return LEAT_OK;
    case LEAT_ACCUMULATOR_INT_MIN:
    case LEAT_ACCUMULATOR_INT_MAX: *out = t->count ? leat_int(t->i) : leat_null(); return LEAT_OK;
    case LEAT_ACCUMULATOR_DOUBLE_MIN:
    case LEAT_ACCUMULATOR_DOUBLE_MAX:
        *out = t->count ? leat_double(t->d) : leat_null();
        return LEAT_OK;
    case LEAT_ACCUMULATOR_AVERAGE:
        *out = leat_double(t->count ? t->d / (double)t->count : 0.0);
        return LEAT_OK;
    case LEAT_ACCUMULATOR_HISTOGRAM: return bins_value(t, arena, out);
    case LEAT_ACCUMULATOR_LIST: return items_value(t, domain, arena, out);
    }
    return LEAT_E_INTERNAL;
}
