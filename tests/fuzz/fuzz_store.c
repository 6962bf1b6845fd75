/* Fuzzes a task's file of a checkpoint: any bytes are a store or are refused; the sections of one
   are inside it, and what they hold is read, or refused. The checksums of head, index and end are
   put right first, since nothing would pass them by luck. */
#include "runtime/base/compress.h"
#include "runtime/state/store.h"
#include "runtime/state/store_form.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_section(leati_store *s, const leati_row *e, size_t size) {
    leat_error err;
    const void *bytes;
    size_t got;
    if (e->offset > size || e->stored > size - e->offset) abort();
    if (leati_store_read(s, e, &bytes, &got, &err) < 0) return;
    if (got != e->size) abort();
    unsigned sum = 0;
    for (size_t i = 0; i < got; i++) sum += ((const unsigned char *)bytes)[i];
    if (sum > 255 * got) abort();
}

static void put_crc(unsigned char *at, const unsigned char *bytes, size_t size) {
    uint32_t crc = leati_crc32(0, bytes, size);
    for (int i = 0; i < 4; i++) at[i] = (unsigned char)(crc >> (8 * i));
}

static void put_right(unsigned char *bytes, size_t size) {
    if (size < LEATI_STORE_HEAD + LEATI_STORE_TAIL) return;
    unsigned char *tail = bytes + size - LEATI_STORE_TAIL;
    leati_reader in = leati_reader_of(tail, 16);
    uint64_t at = leati_reader_u64(&in), index = leati_reader_u64(&in);
    put_crc(bytes + LEATI_STORE_HEAD - 4, bytes, LEATI_STORE_HEAD - 4);
    if (at <= size && index <= size - at) put_crc(tail + 24, bytes + at, (size_t)index);
    put_crc(tail + 28, tail, 28);
}

static void read_all(const unsigned char *data, size_t size) {
    leat_error err;
    leati_store *s = leati_store_of(data, size, &err);
    if (!s) return;
    const leati_row *rows;
    size_t count = leati_store_rows(s, &rows);
    for (size_t i = 0; i < count; i++)
        if (leati_row_is_section(&rows[i])) read_section(s, &rows[i], size);
    leati_store_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    read_all(data, size);
    unsigned char *bytes = malloc(size + !size);
    if (!bytes) return 0;
    memcpy(bytes, data, size);
    put_right(bytes, size);
    read_all(bytes, size);
    free(bytes);
    return 0;
}
