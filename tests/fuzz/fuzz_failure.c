/* Fuzzes the failure that a worker reports. What was read must survive being encoded and decoded
   again. */
#include "runtime/flow/failure.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A text that holds a zero byte ends there, so the first copy may differ from the input, but not
   from the second. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    leati_reader in = leati_reader_of(data, size);
    leati_failure failure, copy;
    leati_buf first, second;
    if (leati_failure_decode(&in, &failure) < 0) return 0;
    leati_buf_init(&first);
    leati_buf_init(&second);
    leati_failure_encode(&failure, &first);
    in = leati_reader_of(first.bytes, first.size);
    if (leati_failure_decode(&in, &copy) < 0 || leati_reader_left(&in)) abort();
    leati_failure_encode(&copy, &second);
    if (first.size != second.size || memcmp(first.bytes, second.bytes, first.size) != 0) abort();
    leati_buf_fini(&first);
    leati_buf_fini(&second);
    leati_failure_fini(&failure);
    leati_failure_fini(&copy);
    return 0;
}
