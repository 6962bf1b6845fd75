/* Fuzzes the manifest of a checkpoint. What was read must survive being encoded and decoded again.
   The checksum at its end is put right first, since nothing would pass it by luck. */
#include "runtime/base/alloc.h"
#include "runtime/base/compress.h"
#include "runtime/job/checkpoint.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const leati_manifest *m) {
    leat_error err;
    leati_manifest again;
    leati_buf first, second;
    leati_buf_init(&first);
    leati_buf_init(&second);
    leati_manifest_encode(m, &first);
    if (leati_manifest_decode(first.bytes, first.size, "fuzz", &again, &err) < 0) abort();
    leati_manifest_encode(&again, &second);
    if (first.size != second.size || memcmp(first.bytes, second.bytes, first.size) != 0) abort();
    leati_buf_fini(&first);
    leati_buf_fini(&second);
    leati_manifest_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    leat_error err;
    leati_manifest m;
    if (size < 4) return 0;
    unsigned char *bytes = malloc(size);
    if (!bytes) return 0;
    memcpy(bytes, data, size);
    uint32_t crc = leati_crc32(0, bytes, size - 4);
    for (int i = 0; i < 4; i++) bytes[size - 4 + (size_t)i] = (unsigned char)(crc >> (8 * i));
    if (leati_manifest_decode(bytes, size, "fuzz", &m, &err) >= 0) check(&m);
    leati_manifest_fini(&m);
    free(bytes);
    return 0;
}
