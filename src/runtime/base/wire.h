/* wire.h: the tags of values and of keys as bytes, for runtime/data (codec.c, key.c), which writes
   native values, and for the language bridges, which write their objects in the same form. Formats
   in docs/formats/values.md and key.md. */
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

/* In `flags` of a LEAT_BYTES value: these are the bytes of a LEAT_W_OBJECT, read where its language
   is not. Written again, they are that object again. */
enum { LEATI_OBJECT_BYTES = 1 };

/* Tags of canonical bytes. Stable: key groups and snapshots depend on them. */
enum {
    LEATI_K_NULL = 0,
    LEATI_K_FALSE = 1,
    LEATI_K_TRUE = 2,
    LEATI_K_INT = 3,        /* 8 bytes big endian, sign bit flipped */
    LEATI_K_DOUBLE = 4,     /* 8 bytes big endian, so changed that they sort as numbers */
    LEATI_K_STRING = 5,     /* varint size, bytes */
    LEATI_K_BYTES = 6,      /* varint size, bytes */
    LEATI_K_TUPLE = 7,      /* varint count, items */
    LEATI_K_ROW = 8,        /* u8 row kind, varint count, items */
    LEATI_K_LIST = 9,       /* varint count, items */
    LEATI_K_MAP = 10,       /* varint pairs, key, value ..., sorted */
    LEATI_K_DECIMAL = 11,   /* 4 bytes scale, 16 bytes unscaled, big endian, sign bits flipped */
    LEATI_K_DATE = 12,      /* as INT */
    LEATI_K_TIME = 13,      /* as INT */
    LEATI_K_TIMESTAMP = 14, /* as INT, then 4 bytes nanoseconds */
    LEATI_K_BIG_INT = 15,   /* integers beyond INT: varint size, two's complement big endian */
    LEATI_K_SET = 16,       /* varint count, items, sorted */
    LEATI_K_OBJECT = 17     /* blob: class name; then its reduced state, canonical */
};

#endif
