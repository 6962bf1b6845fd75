/* codec.h: values as bytes: in frames between processes, in snapshots, in job descriptions. Format in
   docs/formats/values.md. Self-describing: one tag byte, then the content. Reading checks every
   length and depth; what it gives points into the bytes read, and into the arena. */
#ifndef LEATI_CODEC_H
#define LEATI_CODEC_H

#include "leat/record.h"
#include "leat/type.h"
#include "runtime/base/arena.h"
#include "runtime/base/buf.h"

/* Tags of the wire. Stable: snapshots keep them. The bridge writes the same tags for objects. */
enum {
    LEAT_W_NULL = 0,
    LEAT_W_FALSE = 1,
    LEAT_W_TRUE = 2,
    LEAT_W_INT = 3,    /* zigzag varint */
    LEAT_W_DOUBLE = 4, /* 8 bytes little endian */
    LEAT_W_STRING = 5, /* varint size, bytes */
    LEAT_W_BYTES = 6,
    LEAT_W_TUPLE = 7,     /* varint count, values */
    LEAT_W_ROW = 8,       /* u8 row kind, varint count, values */
    LEAT_W_ROW_NAMED = 9, /* u8 row kind, varint count, names as blobs, values */
    LEAT_W_LIST = 10,
    LEAT_W_MAP = 11,       /* varint pairs, key, value ... */
    LEAT_W_DECIMAL = 12,   /* zigzag scale, 16 bytes little endian */
    LEAT_W_DATE = 13,      /* zigzag */
    LEAT_W_TIME = 14,      /* zigzag */
    LEAT_W_TIMESTAMP = 15, /* zigzag milliseconds, varint nanoseconds */
    LEAT_W_OBJECT =
        16 /* blob that only the language can read; first byte names the language: 'P' */
};

enum { LEATI_CODEC_DEPTH = 64 }; /* deeper values are refused */

/* Appends the value; `type` (may be NULL) is what the objects in it were declared as. */
leat_status leati_value_encode(const leat_value *v, const leat_type *type, leati_buf *out);
/* Reads one value. `domain` (0: none) is the interpreter that reads LEAT_W_OBJECT; without one they
   become LEAT_BYTES with the blob. LEAT_E_FORMAT when damaged. */
leat_status leati_value_decode(leati_reader *in, uint16_t domain, leati_arena *arena,
                               leat_value *out);

/* A record: u8 flags (1 has key, 2 has time, 4 has hash), value, key, zigzag time, u64 hash. */
leat_status leati_record_encode(const leat_record *r, const leat_type *type, leati_buf *out);
leat_status leati_record_decode(leati_reader *in, uint16_t domain, leati_arena *arena,
                                leat_record *out);

/* A deep copy into the arena; objects are retained, or copied when `cut` and mutable. */
leat_status leati_value_copy(const leat_value *v, leati_arena *arena, leat_value *out);
leat_status leati_value_cut(const leat_value *v, const leat_type *type, leati_arena *arena,
                            leat_value *out);

/* value.c: the text of a native value by PyFlink's rules for the stream's declared type. */
leat_status leati_value_text(const leat_value *v, const leat_type *type, leat_text_form form,
                             leati_buf *out);

#endif
