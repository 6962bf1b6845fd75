/* Fuzzes what the two ends of a job's socket read: requests ('r' first) and answers. What is JSON
   is walked as the client does. */
#include "runtime/base/alloc.h"
#include "runtime/job/control.h"
#include "runtime/job/json_reader.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_request(const uint8_t *data, size_t size) {
    leati_request request;
    char *line = malloc(size + 1); /* exactly as large as it may be read */
    if (!line) return;
    memcpy(line, data, size);
    if (leati_request_read(line, size, &request) &&
        (!*request.verb || strlen(request.verb) + strlen(request.argument) >= size))
        abort();
    free(line);
}

static void walk(leati_json value, int depth) {
    leati_json part;
    const char *at = NULL;
    leati_free(leati_json_text(value));
    leati_json_int(value);
    while (leati_json_item(value, &at, &part))
        if (depth < 3) walk(part, depth + 1);
    if (leati_json_member(value, "job", &part) && depth < 3) walk(part, depth + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    leati_json whole;
    if (size == 0) return 0;
    if (data[0] == 'r') {
        read_request(data + 1, size - 1);
        return 0;
    }
    char *text = malloc(size);
    if (!text) return 0;
    memcpy(text, data, size);
    if (leati_json_read(text, size, &whole)) walk(whole, 0);
    free(text);
    return 0;
}
