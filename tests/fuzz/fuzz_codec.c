/* fuzz_codec.c: any bytes decode to a value or are refused; a value that came out is written, read
   and is itself again, has a text, and is a key whose bytes match it. */
#include "runtime/base/alloc.h"
#include "runtime/data/batch.h"
#include "runtime/data/codec.h"
#include "runtime/data/key.h"
#include "runtime/data/text.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds) abort();
}

static void check_key(const leat_value *v) {
    leati_buf key;
    leati_buf_init(&key);
    leat_status status = leati_key_write(v, &key);
    if (status >= 0) require(leati_key_matches(v, key.bytes, key.size));
    leati_buf_fini(&key);
}

static void check_value(const leat_value *v, leati_arena *arena) {
    leati_buf first, second, text;
    leati_buf_init(&first);
    leati_buf_init(&second);
    leati_buf_init(&text);
    require(leati_value_encode(v, NULL, &first) == LEAT_OK);
    leati_reader in = leati_reader_of(first.bytes, first.size);
    leat_value again, copy;
    require(leati_value_decode(&in, 0, arena, &again) == LEAT_OK);
    require(leati_reader_left(&in) == 0);
    require(leati_value_encode(&again, NULL, &second) == LEAT_OK);
    require(first.size == second.size && memcmp(first.bytes, second.bytes, first.size) == 0);
    require(leati_value_copy(v, arena, &copy) == LEAT_OK);
    if (first.size < 4096) require(leat_value_equal(v, &again) && leat_value_equal(v, &copy));
    require(leati_value_text(v, NULL, LEAT_TEXT_PRINT, &text) == LEAT_OK);
    check_key(v);
    leati_buf_fini(&first);
    leati_buf_fini(&second);
    leati_buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    leati_arena arena;
    leati_arena_init(&arena);
    leati_reader in = leati_reader_of(data, size);
    leat_value v;
    if (leati_value_decode(&in, 0, &arena, &v) == LEAT_OK) check_value(&v, &arena);
    leati_arena_fini(&arena);
    leati_batch *batch = NULL;
    if (leati_batch_decode(leati_memdup(data, size), size, 0, &batch) == LEAT_OK)
        leati_batch_unref(batch);
    return 0;
}
