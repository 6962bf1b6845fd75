/* codec.c: values and records as bytes, and back. The format is in docs/formats/values.md.

   Reading trusts nothing. Depth is limited; a count is checked against the bytes that are left,
   less one for every item that outer values still wait for, so all that a frame can make us
   allocate is a small multiple of its size. */
#include "runtime/data/codec.h"

#include "runtime/base/object.h"
#include "runtime/data/schema.h"

/* --- Writing ---------------------------------------------------------------------------------- */

static leat_status value_encode(const leat_value *v, const leat_type *type, leati_buf *out,
                                int depth);

static void put_tagged(leati_buf *out, uint8_t tag, uint64_t x) {
    if (!leati_buf_reserve(out, 11)) return;
    out->bytes[out->size++] = (char)tag;
    leati_buf_varint(out, x);
}

static uint64_t zigzag(int64_t x) {
    return ((uint64_t)x << 1) ^ (x < 0 ? UINT64_MAX : 0);
}

static void put_u64(leati_buf *out, uint64_t x) {
    if (!leati_buf_reserve(out, 8)) return;
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)(x >> 8 * i);
    memcpy(out->bytes + out->size, bytes, 8);
    out->size += 8;
}

static void put_double(leati_buf *out, double d) {
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    leati_buf_u8(out, LEAT_W_DOUBLE);
    put_u64(out, bits);
}

static leat_status put_items(const leat_value *items, size_t count, const leat_type *type,
                             leati_buf *out, int depth) {
    if (depth >= LEATI_CODEC_DEPTH) return LEAT_E_TYPE;
    for (size_t i = 0; i < count; i++) {
        const leat_type *of = type && i < type->size ? type->items[i] : NULL;
        leat_status status = value_encode(&items[i], of, out, depth + 1);
        if (status < 0) return status;
    }
    return LEAT_OK;
}

static leat_status put_row(const leat_value *v, const leat_type *type, leati_buf *out, int depth) {
    const leat_schema *schema = v->as.row->schema;
    leati_buf_u8(out, schema ? LEAT_W_ROW_NAMED : LEAT_W_ROW);
    leati_buf_u8(out, v->flags);
    leati_buf_varint(out, v->size);
    for (uint32_t i = 0; schema && i < v->size; i++)
        leati_buf_blob(out, schema->names[i], strlen(schema->names[i]));
    return put_items(v->as.row->items, v->size, type, out, depth);
}

static leat_status put_list(const leat_value *v, const leat_type *type, leati_buf *out, int depth) {
    if (depth >= LEATI_CODEC_DEPTH) return LEAT_E_TYPE;
    const leat_type *of = type && type->size ? type->items[0] : NULL;
    put_tagged(out, LEAT_W_LIST, v->size);
    for (uint32_t i = 0; i < v->size; i++) {
        leat_status status = value_encode(&v->as.items[i], of, out, depth + 1);
        if (status < 0) return status;
    }
    return LEAT_OK;
}

static leat_status put_map(const leat_value *v, const leat_type *type, leati_buf *out, int depth) {
    const leat_type *pair = type && type->size == 2 ? type : NULL;
    put_tagged(out, LEAT_W_MAP, v->size);
    leat_status status = LEAT_OK;
    for (uint32_t i = 0; i < v->size && status >= 0; i++)
        status = put_items(v->as.items + 2 * (size_t)i, 2, pair, out, depth);
    return status;
}

static void put_decimal(const leat_value *v, leati_buf *out) {
    put_tagged(out, LEAT_W_DECIMAL, zigzag((int32_t)v->size));
    put_u64(out, v->as.decimal->low);
    put_u64(out, (uint64_t)v->as.decimal->high);
}

static leat_status put_bytes(const leat_value *v, uint8_t tag, leati_buf *out) {
    size_t size = v->size;
    if (!leati_buf_reserve(out, size + 11)) return LEAT_E_NOMEM;
    put_tagged(out, tag, size);
    leati_buf_append(out, v->as.bytes, size);
    return LEAT_OK;
}

static leat_status value_encode(const leat_value *v, const leat_type *type, leati_buf *out,
                                int depth) {
    switch ((leat_kind)v->kind) {
    case LEAT_NULL: leati_buf_u8(out, LEAT_W_NULL); return LEAT_OK;
    case LEAT_BOOL: leati_buf_u8(out, v->as.b ? LEAT_W_TRUE : LEAT_W_FALSE); return LEAT_OK;
    case LEAT_INT: put_tagged(out, LEAT_W_INT, zigzag(v->as.i)); return LEAT_OK;
    case LEAT_DOUBLE: put_double(out, v->as.d); return LEAT_OK;
    case LEAT_STRING: return put_bytes(v, LEAT_W_STRING, out);
    case LEAT_BYTES:
        return put_bytes(v, v->flags & LEATI_OBJECT_BYTES ? LEAT_W_OBJECT : LEAT_W_BYTES, out);
    case LEAT_TUPLE:
        put_tagged(out, LEAT_W_TUPLE, v->size);
        return put_items(v->as.items, v->size, type, out, depth);
    case LEAT_ROW: return put_row(v, type, out, depth);
    case LEAT_LIST: return put_list(v, type, out, depth);
    case LEAT_MAP: return put_map(v, type, out, depth);
    case LEAT_DECIMAL: put_decimal(v, out); return LEAT_OK;
    case LEAT_DATE: put_tagged(out, LEAT_W_DATE, zigzag(v->as.i)); return LEAT_OK;
    case LEAT_TIME: put_tagged(out, LEAT_W_TIME, zigzag(v->as.i)); return LEAT_OK;
    case LEAT_TIMESTAMP:
        put_tagged(out, LEAT_W_TIMESTAMP, zigzag(v->as.i));
        leati_buf_varint(out, v->size);
        return LEAT_OK;
    case LEAT_OBJECT: return leati_object_ops_of(v)->encode(v->as.object, type, out);
    }
    return LEAT_E_TYPE;
}

leat_status leati_value_encode(const leat_value *v, const leat_type *type, leati_buf *out) {
    leat_status status = value_encode(v, type, out, 0);
    return status < 0 ? status : out->failed ? LEAT_E_NOMEM : LEAT_OK;
}

/* --- Reading ---------------------------------------------------------------------------------- */

typedef struct decoder {
    leati_reader *in;
    leati_arena *arena;
    size_t awaited; /* items that begun values still wait for: a byte each at least */
    int depth;
    uint16_t domain;
} decoder;

static leat_status value_decode(decoder *d, leat_value *out);

static leat_status get_bytes(decoder *d, leat_kind kind, leat_value *out) {
    size_t size = 0;
    const char *bytes = leati_reader_blob(d->in, &size);
    if (!bytes || size > UINT32_MAX) return LEAT_E_FORMAT;
    *out = leat_string_n(bytes, size);
    out->kind = (uint8_t)kind;
    return LEAT_OK;
}

/* A count of values of at least `each` bytes each. */
static leat_status get_count(decoder *d, size_t each, uint32_t *count) {
    uint64_t n = leati_reader_varint(d->in);
    size_t left = leati_reader_left(d->in);
    if (d->in->failed || left < d->awaited || n > (left - d->awaited) / each || n > UINT32_MAX / 2)
        return LEAT_E_FORMAT;
    *count = (uint32_t)n;
    return LEAT_OK;
}

static leat_status get_items(decoder *d, size_t count, const leat_value **out) {
    if (d->depth >= LEATI_CODEC_DEPTH) return LEAT_E_FORMAT;
    if (count == 0) return LEAT_OK;
    leat_value *items = leati_arena_alloc(d->arena, count * sizeof *items);
    if (!items) return LEAT_E_NOMEM;
    d->depth++;
    d->awaited += count;
    for (size_t i = 0; i < count; i++) {
        d->awaited--;
        leat_status status = value_decode(d, &items[i]);
        if (status < 0) return status;
    }
    d->depth--;
    *out = items;
    return LEAT_OK;
}

static leat_status get_sequence(decoder *d, leat_kind kind, leat_value *out) {
    uint32_t count = 0;
    const leat_value *items = NULL;
    size_t each = kind == LEAT_MAP ? 2 : 1;
    leat_status status = get_count(d, each, &count);
    if (status >= 0) status = get_items(d, each * count, &items);
    if (status < 0) return status;
    *out = leat_tuple(items, count);
    out->kind = (uint8_t)kind;
    return LEAT_OK;
}

/* Rows of one stream have one schema: the last one of this thread is tried before the table. */
static leat_status get_schema(decoder *d, uint32_t count, const leat_schema **out) {
    static _Thread_local const leat_schema *recent;
    leati_reader ahead = *d->in;
    bool same = recent && recent->size == count;
    for (uint32_t i = 0; i < count; i++) {
        size_t size = 0;
        const char *name = leati_reader_blob(&ahead, &size);
        if (!name || memchr(name, 0, size)) return LEAT_E_FORMAT;
        same =
            same && strlen(recent->names[i]) == size && memcmp(recent->names[i], name, size) == 0;
    }
    if (!same) {
        const leat_schema *found =
            leati_schema_intern(d->in->at, (size_t)(ahead.at - d->in->at), count);
        if (!found) return LEAT_E_NOMEM;
        recent = found;
    }
    d->in->at = ahead.at;
    *out = recent;
    return LEAT_OK;
}

static leat_status get_row(decoder *d, bool named, leat_value *out) {
    uint8_t kind = leati_reader_u8(d->in);
    uint32_t count = 0;
    leat_status status = kind > LEAT_DELETE ? LEAT_E_FORMAT : get_count(d, 1, &count);
    if (status < 0) return status;
    leat_row *row = leati_arena_alloc(d->arena, sizeof *row);
    if (!row) return LEAT_E_NOMEM;
    memset(row, 0, sizeof *row);
    if (named) status = get_schema(d, count, &row->schema);
    if (status >= 0 && leati_reader_left(d->in) < d->awaited + count) status = LEAT_E_FORMAT;
    if (status >= 0) status = get_items(d, count, &row->items);
    if (status >= 0) *out = leat_row_value(row, count, (leat_row_kind)kind);
    return status;
}

static leat_status get_decimal(decoder *d, leat_value *out) {
    int64_t scale = leati_reader_zigzag(d->in);
    if (scale < INT32_MIN || scale > INT32_MAX) return LEAT_E_FORMAT;
    leat_decimal *decimal = leati_arena_alloc(d->arena, sizeof *decimal);
    if (!decimal) return LEAT_E_NOMEM;
    decimal->low = leati_reader_u64(d->in);
    decimal->high = (int64_t)leati_reader_u64(d->in);
    *out = leat_null();
    out->kind = LEAT_DECIMAL;
    out->size = (uint32_t)(int32_t)scale;
    out->as.decimal = decimal;
    return LEAT_OK;
}

static leat_status get_timestamp(decoder *d, leat_value *out) {
    *out = leat_int(leati_reader_zigzag(d->in));
    uint64_t nanos = leati_reader_varint(d->in);
    if (nanos > 999999) return LEAT_E_FORMAT;
    out->kind = LEAT_TIMESTAMP;
    out->size = (uint32_t)nanos;
    return LEAT_OK;
}

static leat_status get_object(decoder *d, leat_value *out) {
    leat_value blob;
    leat_status status = get_bytes(d, LEAT_BYTES, &blob);
    if (status < 0) return status;
    const leati_object_ops *ops =
        d->domain > 0 && d->domain < 256 ? leati_object_domains[d->domain] : NULL;
    if (!ops) {
        *out = blob;
        out->flags = LEATI_OBJECT_BYTES;
        return LEAT_OK;
    }
    leat_value object;
    status = ops->decode(ops->interpreter, blob.as.bytes, blob.size, &object);
    if (status < 0) return status;
    if (object.kind == LEAT_OBJECT) status = leati_arena_keep(d->arena, &object);
    if (status >= 0) *out = object;
    return status;
}

static leat_value get_scalar(decoder *d, leat_kind kind) {
    leat_value v = leat_int(leati_reader_zigzag(d->in));
    v.kind = (uint8_t)kind;
    return v;
}

static leat_value get_double(decoder *d) {
    uint64_t bits = leati_reader_u64(d->in);
    leat_value v = leat_double(0);
    memcpy(&v.as.d, &bits, sizeof bits);
    return v;
}

static leat_status value_decode(decoder *d, leat_value *out) {
    switch (leati_reader_u8(d->in)) {
    case LEAT_W_NULL: *out = leat_null(); break;
    case LEAT_W_FALSE: *out = leat_bool(false); break;
    case LEAT_W_TRUE: *out = leat_bool(true); break;
    case LEAT_W_INT: *out = get_scalar(d, LEAT_INT); break;
    case LEAT_W_DOUBLE: *out = get_double(d); break;
    case LEAT_W_STRING: return get_bytes(d, LEAT_STRING, out);
    case LEAT_W_BYTES: return get_bytes(d, LEAT_BYTES, out);
    case LEAT_W_TUPLE: return get_sequence(d, LEAT_TUPLE, out);
    case LEAT_W_ROW: return get_row(d, false, out);
    case LEAT_W_ROW_NAMED: return get_row(d, true, out);
    case LEAT_W_LIST: return get_sequence(d, LEAT_LIST, out);
    case LEAT_W_MAP: return get_sequence(d, LEAT_MAP, out);
    case LEAT_W_DECIMAL: return get_decimal(d, out);
    case LEAT_W_DATE: *out = get_scalar(d, LEAT_DATE); break;
    case LEAT_W_TIME: *out = get_scalar(d, LEAT_TIME); break;
    case LEAT_W_TIMESTAMP: return get_timestamp(d, out);
    case LEAT_W_OBJECT: return get_object(d, out);
    default: return LEAT_E_FORMAT;
    }
    return LEAT_OK;
}

/* Callers' outputs stay untouched on failure. */
leat_status leati_value_decode(leati_reader *in, uint16_t domain, leati_arena *arena,
                               leat_value *out) {
    decoder d = {in, arena, 0, 0, domain};
    leat_value v;
    leat_status status = value_decode(&d, &v);
    if (status < 0 || in->failed) return status < 0 ? status : LEAT_E_FORMAT;
    *out = v;
    return LEAT_OK;
}

/* --- Records ---------------------------------------------------------------------------------- */

enum { HAS_KEY = 1, HAS_TIME = 2, HAS_HASH = 4 };

leat_status leati_record_encode(const leat_record *r, const leat_type *type, leati_buf *out) {
    int flags = (r->key.kind ? HAS_KEY : 0) | (r->time != LEAT_NO_TIME ? HAS_TIME : 0) |
                (r->hash ? HAS_HASH : 0);
    leati_buf_u8(out, (uint8_t)flags);
    leat_status status = value_encode(&r->value, type, out, 0);
    if (status >= 0 && flags & HAS_KEY) status = value_encode(&r->key, NULL, out, 0);
    if (status < 0) return status;
    if (flags & HAS_TIME) leati_buf_zigzag(out, r->time);
    if (flags & HAS_HASH) put_u64(out, r->hash);
    return out->failed ? LEAT_E_NOMEM : LEAT_OK;
}

leat_status leati_record_decode(leati_reader *in, uint16_t domain, leati_arena *arena,
                                leat_record *out) {
    int flags = leati_reader_u8(in);
    if (flags > (HAS_KEY | HAS_TIME | HAS_HASH)) return LEAT_E_FORMAT;
    leat_record r = leat_record_of(leat_null(), LEAT_NO_TIME);
    leat_status status = leati_value_decode(in, domain, arena, &r.value);
    if (status >= 0 && flags & HAS_KEY) status = leati_value_decode(in, domain, arena, &r.key);
    if (status < 0) return status;
    if (flags & HAS_TIME) r.time = leati_reader_zigzag(in);
    if (flags & HAS_HASH) r.hash = leati_reader_u64(in);
    if (in->failed) return LEAT_E_FORMAT;
    *out = r;
    return LEAT_OK;
}
