/* config.c: the values that were set, as an array sorted by key, each with its source. A few dozen
   at most, looked up outside the hot path. Values are stored as they were written, but for
   enumerations and booleans, which get the table's spelling, so that readers can compare them. */
#include "runtime/job/config.h"

#include "runtime/base/alloc.h"
#include "runtime/base/log.h"
#include "runtime/job/config_keys.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <uv.h>

typedef struct entry {
    char *key, *value;
    leati_config_source source;
} entry;

struct leati_config {
    entry *entries;
    size_t count, room;
    char cores[12]; /* the text of LEATI_CONFIG_CORES on this machine */
};

leati_config *leati_config_new(void) {
    leati_config *config = leati_zalloc(sizeof *config);
    if (config) snprintf(config->cores, sizeof config->cores, "%u", uv_available_parallelism());
    return config;
}

static void clear(leati_config *config) {
    for (size_t i = 0; i < config->count; i++) {
        leati_free(config->entries[i].key);
        leati_free(config->entries[i].value);
    }
    config->count = 0;
}

void leati_config_free(leati_config *config) {
    if (!config) return;
    clear(config);
    leati_free(config->entries);
    leati_free(config);
}

/* The entry of `key`, or where it would have to stand. */
static size_t place_of(const leati_config *config, const char *key, bool *found) {
    size_t low = 0, high = config->count;
    *found = false;
    while (low < high && !*found) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(config->entries[middle].key, key);
        if (order == 0) *found = true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return *found ? high : low;
}

static const entry *entry_of(const leati_config *config, const char *key) {
    const leati_config_key *row = leati_config_key_find(key);
    bool found;
    size_t at = place_of(config, row ? row->key : key, &found);
    return found ? &config->entries[at] : NULL;
}

/* Puts a checked value in. `key` is the table's name. */
static leat_status put(leati_config *config, const char *key, const char *value,
                       leati_config_source source) {
    bool found;
    size_t at = place_of(config, key, &found);
    char *copy = leati_strdup(value);
    if (!copy) return LEAT_E_NOMEM;
    if (found) {
        leati_free(config->entries[at].value);
        config->entries[at].value = copy;
        config->entries[at].source = source;
        return LEAT_OK;
    }
    if (config->count == config->room) {
        size_t room = config->room ? 2 * config->room : 8;
        entry *entries = leati_resize(config->entries, room * sizeof *entries);
        if (!entries) {
            leati_free(copy);
            return LEAT_E_NOMEM;
        }
        config->entries = entries;
        config->room = room;
    }
    char *name = leati_strdup(key);
    if (!name) {
        leati_free(copy);
        return LEAT_E_NOMEM;
    }
    entry *e = &config->entries[at];
    memmove(e + 1, e, (config->count - at) * sizeof *e);
    *e = (entry){name, copy, source};
    config->count++;
    return LEAT_OK;
}

static leat_status no_memory(leat_error *err) {
    return leat_error_set(err, LEAT_E_NOMEM, "configuration", "out of memory");
}

leati_config *leati_config_copy(const leati_config *from) {
    leati_config *config = leati_config_new();
    for (size_t i = 0; config && i < from->count; i++) {
        const entry *e = &from->entries[i];
        if (put(config, e->key, e->value, e->source) < 0) {
            leati_config_free(config);
            return NULL;
        }
    }
    return config;
}

static leat_status unknown_key(const char *key, const char *where, leat_error *err) {
    const char *nearest = leati_config_nearest(key);
    if (nearest)
        return leat_error_set(err, LEAT_E_CONFIG, where,
                              "%s: no such configuration key; did you mean %s?", key, nearest);
    return leat_error_set(err, LEAT_E_CONFIG, where,
                          "%s: no such configuration key; `leat config` lists them", key);
}

/* Once per key: that it is known and changes nothing. A value that is Flink's default asks for
   nothing. */
static void say_accepted(const leati_config *config, const leati_config_key *row, const char *key,
                         const char *value) {
    bool found;
    place_of(config, key, &found);
    if (found || (row && row->fallback && strcasecmp(row->fallback, value) == 0)) return;
    leati_log(LEAT_LOG_WARNING, "configuration: %s changes nothing; %s", key,
              row && row->note ? row->note : "the key is Flink's and has no meaning in Leat");
}

leat_status leati_config_set_at(leati_config *config, const char *key, const char *value,
                                leati_config_source source, const char *where, leat_error *err) {
    const leati_config_key *row = leati_config_key_find(key);
    char canonical[40] = "";
    if (!row && !leati_config_flink_knows(key)) return unknown_key(key, where, err);
    if (row) {
        leat_status status = leati_config_check(row, value, where, canonical, err);
        if (status < 0) return status;
        key = row->key;
    }
    if (!row || row->status == LEATI_CONFIG_ACCEPTED) say_accepted(config, row, key, value);
    const entry *e = entry_of(config, key);
    if (e && e->source > source) return LEAT_OK;
    if (put(config, key, *canonical ? canonical : value, source) < 0) return no_memory(err);
    return LEAT_OK;
}

leat_status leati_config_set(leati_config *config, const char *key, const char *value,
                             leati_config_source source, leat_error *err) {
    if (!key || !value)
        return leat_error_set(err, LEAT_E_ARGUMENT, "configuration", "a key or its value is NULL");
    return leati_config_set_at(config, key, value, source, "configuration", err);
}

leat_status leati_config_unset(leati_config *config, const char *key, leat_error *err) {
    const leati_config_key *row = leati_config_key_find(key);
    bool found;
    if (!row && !leati_config_flink_knows(key)) return unknown_key(key, "configuration", err);
    size_t at = place_of(config, row ? row->key : key, &found);
    if (!found) return LEAT_OK;
    entry *e = &config->entries[at];
    leati_free(e->key);
    leati_free(e->value);
    memmove(e, e + 1, (--config->count - at) * sizeof *e);
    return LEAT_OK;
}

const char *leati_config_get(const leati_config *config, const char *key) {
    const entry *e = entry_of(config, key);
    if (e) return e->value;
    const leati_config_key *row = leati_config_key_find(key);
    if (!row || !row->fallback) return NULL;
    return strcmp(row->fallback, LEATI_CONFIG_CORES) == 0 ? config->cores : row->fallback;
}

leati_config_source leati_config_source_of(const leati_config *config, const char *key) {
    const entry *e = entry_of(config, key);
    return e ? e->source : LEATI_CONFIG_DEFAULT;
}

/* The effective text of a key that the caller knows to be of this kind. What it holds was checked
   when it was set, but "none" and the like stand for no value, which reads as 0. */
static const char *text_of(const leati_config *config, const char *key, leati_config_kind kind) {
    const leati_config_key *row = leati_config_key_find(key);
    assert(row && row->kind == kind);
    (void)row;
    (void)kind;
    const char *text = leati_config_get(config, key);
    return text ? text : "";
}

int64_t leati_config_int(const leati_config *config, const char *key) {
    int64_t x = 0;
    leati_config_read_int(text_of(config, key, LEATI_CONFIG_INT), &x);
    return x;
}

bool leati_config_bool(const leati_config *config, const char *key) {
    bool x = false;
    leati_config_read_bool(text_of(config, key, LEATI_CONFIG_BOOL), &x);
    return x;
}

int64_t leati_config_duration_ms(const leati_config *config, const char *key) {
    int64_t x = 0;
    leati_config_read_duration(text_of(config, key, LEATI_CONFIG_DURATION), &x);
    return x;
}

int64_t leati_config_bytes(const leati_config *config, const char *key) {
    int64_t x = 0;
    leati_config_read_bytes(text_of(config, key, LEATI_CONFIG_MEMORY), &x);
    return x;
}

double leati_config_double(const leati_config *config, const char *key) {
    double x = 0;
    leati_config_read_double(text_of(config, key, LEATI_CONFIG_DOUBLE), &x);
    return x;
}

bool leati_config_next(const leati_config *config, size_t *at, const char **key, const char **value,
                       leati_config_source *source) {
    if (*at >= config->count) return false;
    const entry *e = &config->entries[(*at)++];
    if (key) *key = e->key;
    if (value) *value = e->value;
    if (source) *source = e->source;
    return true;
}

void leati_config_encode(const leati_config *config, leati_buf *out) {
    leati_buf_varint(out, config->count);
    for (size_t i = 0; i < config->count; i++) {
        const entry *e = &config->entries[i];
        leati_buf_u8(out, (uint8_t)e->source);
        leati_buf_blob(out, e->key, strlen(e->key));
        leati_buf_blob(out, e->value, strlen(e->value));
    }
}

static leat_status decode_entry(leati_config *config, leati_reader *in) {
    size_t key_size, value_size;
    uint8_t source = leati_reader_u8(in);
    const char *key = leati_reader_blob(in, &key_size);
    const char *value = leati_reader_blob(in, &value_size);
    if (in->failed || source > LEATI_CONFIG_PROGRAM) return LEAT_E_FORMAT;
    char *name = leati_format("%.*s", (int)key_size, key);
    char *text = leati_format("%.*s", (int)value_size, value);
    leat_status status = name && text ? put(config, name, text, source) : LEAT_E_NOMEM;
    leati_free(name);
    leati_free(text);
    return status;
}

leat_status leati_config_decode(leati_config *config, const void *bytes, size_t size,
                                leat_error *err) {
    leati_reader in = leati_reader_of(bytes, size);
    leat_status status = LEAT_OK;
    uint64_t count = leati_reader_varint(&in);
    clear(config);
    for (uint64_t i = 0; i < count && status == LEAT_OK; i++) status = decode_entry(config, &in);
    if (status == LEAT_OK && (in.failed || leati_reader_left(&in))) status = LEAT_E_FORMAT;
    if (status == LEAT_E_NOMEM) return no_memory(err);
    if (status == LEAT_OK) return LEAT_OK;
    return leat_error_set(err, LEAT_E_FORMAT, "configuration", "its bytes are damaged");
}
