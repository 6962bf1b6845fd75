/* Fuzzes what the configuration reads: the bytes that a worker gets, and the text of a file. What
   was read must survive being encoded and decoded again. The first byte chooses: 't' text, other:
   bytes. */
#include "runtime/job/config.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(leat_log_level level, const char *line, void *arg) {
    (void)level;
    (void)line;
    (void)arg;
}

static void read_text(leati_config *config, const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    leat_error err;
    if (!text) return;
    memcpy(text, data, size);
    text[size] = '\0';
    leati_config_read_text(config, "fuzz", text, &err);
    free(text);
}

/* Aborts when a copy by bytes differs. */
static void compare_copy(const leati_config *config) {
    leati_buf bytes;
    leat_error err;
    leati_buf_init(&bytes);
    leati_config_encode(config, &bytes);
    leati_config *copy = leati_config_new();
    if (leati_config_decode(copy, bytes.bytes, bytes.size, &err) < 0) abort();
    const char *key, *value;
    for (size_t at = 0; leati_config_next(config, &at, &key, &value, NULL);)
        if (strcmp(leati_config_get(copy, key), value) != 0) abort();
    leati_config_free(copy);
    leati_buf_fini(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    leat_log_set(ignore, NULL, LEAT_LOG_OFF);
    leat_error err;
    leati_config *config = leati_config_new();
    if (data[0] == 't') {
        read_text(config, data + 1, size - 1);
        compare_copy(config);
    } else if (leati_config_decode(config, data + 1, size - 1, &err) == LEAT_OK) {
        compare_copy(config);
    }
    leati_config_free(config);
    return 0;
}
