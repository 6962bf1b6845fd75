/* order.c: bytes that keep the order. Canonical bytes of keys (key.c) do so for scalars only, since
   strings, tuples and lists begin with their sizes there. Here they end with a zero byte instead:
   every tag is one higher, so that none is zero, and a zero in a string is followed by 0xff, which
   no tag is. */
#include "runtime/data/order.h"

#include "runtime/base/wire.h"
#include "runtime/data/key.h"

static const uint8_t END = 0, ZERO_INSIDE = 0xff;

static void bytes_write(const leat_value *v, leati_buf *out) {
    const char *at = v->as.bytes, *end = at + v->size;
    while (at < end) {
        const char *zero = memchr(at, 0, (size_t)(end - at));
        const char *stop = zero ? zero + 1 : end;
        leati_buf_append(out, at, (size_t)(stop - at));
        if (zero) leati_buf_u8(out, ZERO_INSIDE);
        at = stop;
    }
    leati_buf_u8(out, END);
}

static leat_status order_write(const leat_value *v, leati_buf *out, int depth);

static leat_status items_write(const leat_value *v, leati_buf *out, int depth) {
    const leat_value *items = leat_value_items(v);
    if (depth >= LEATI_CODEC_DEPTH) return LEAT_E_TYPE;
    for (uint32_t i = 0; i < v->size; i++) {
        leat_status status = order_write(&items[i], out, depth + 1);
        if (status < 0) return status;
    }
    leati_buf_u8(out, END);
    return LEAT_OK;
}

/* Scalars and decimals have their canonical bytes behind the tag. */
static leat_status canonical_write(const leat_value *v, leati_buf *out) {
    size_t tag = out->size;
    leat_status status = leati_key_write(v, out);
    if (status >= 0) out->bytes[tag]++;
    return status;
}

static leat_status order_write(const leat_value *v, leati_buf *out, int depth) {
    switch ((leat_kind)v->kind) {
    case LEAT_STRING:
    case LEAT_BYTES:
        leati_buf_u8(out, (v->kind == LEAT_STRING ? LEATI_K_STRING : LEATI_K_BYTES) + 1);
        bytes_write(v, out);
        return LEAT_OK;
    case LEAT_TUPLE:
    case LEAT_LIST:
        leati_buf_u8(out, (v->kind == LEAT_TUPLE ? LEATI_K_TUPLE : LEATI_K_LIST) + 1);
        return items_write(v, out, depth);
    case LEAT_ROW:
        leati_buf_u8(out, LEATI_K_ROW + 1);
        leati_buf_u8(out, v->flags);
        return items_write(v, out, depth);
    case LEAT_MAP:
    case LEAT_OBJECT: return LEAT_E_TYPE;
    default: return canonical_write(v, out);
    }
}

leat_status leati_order_write(const leat_value *v, leati_buf *out) {
    leat_status status = order_write(v, out, 0);
    return status < 0 ? status : out->failed ? LEAT_E_NOMEM : LEAT_OK;
}
