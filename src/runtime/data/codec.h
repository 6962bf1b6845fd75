/* codec.h: values as bytes: in frames between processes, in snapshots, in job descriptions. Format
   in docs/formats/values.md. Self-describing: one tag byte, then the content. Reading checks every
   length and depth; what it gives points into the bytes read, and into the arena. */
#ifndef LEATI_CODEC_H
#define LEATI_CODEC_H

#include "leat/record.h"
#include "leat/type.h"
#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/base/wire.h"

/* Appends the value; `type` (may be NULL) is what the objects in it were declared as. */
leat_status leati_value_encode(const leat_value *v, const leat_type *type, leati_buf *out);
/* Reads one value. `domain` (0: none) is the interpreter that reads LEAT_W_OBJECT; without one they
   become LEAT_BYTES with the blob (and LEATI_OBJECT_BYTES). LEAT_E_FORMAT when damaged. */
LEAT_API leat_status leati_value_decode(leati_reader *in, uint16_t domain, leati_arena *arena,
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
LEAT_API leat_status leati_value_text(const leat_value *v, const leat_type *type,
                                      leat_text_form form, leati_buf *out);

#endif
