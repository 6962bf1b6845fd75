/* wire.h: the tags of values as bytes, for runtime/data/codec.c, which writes native values, and for the
   language bridges, which write their objects in the same form. Format in docs/formats/values.md. */
#ifndef LEATI_WIRE_H
#define LEATI_WIRE_H

/* Tags of the wire. Stable: snapshots keep them. */
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

/* In `flags` of a LEAT_BYTES value: these are the bytes of a LEAT_W_OBJECT, read where its language is
   not. Written again, they are that object again. */
enum { LEATI_OBJECT_BYTES = 1 };

#endif
