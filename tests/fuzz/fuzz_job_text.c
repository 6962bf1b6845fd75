/* Fuzzes the description of a job that a worker gets. */
#include "runtime/job/remote.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    leati_job_text text;
    leat_error err;
    leat_log_set(NULL, NULL, LEAT_LOG_ERROR);
    if (leati_job_decode((const char *)data, size, &text, &err) >= 0) leati_job_text_fini(&text);
    return 0;
}
