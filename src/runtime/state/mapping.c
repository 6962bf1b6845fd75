/* mapping.c: the maps of map state, over one of two indexes: hashed.c and sorted.c, which find
   entries by their bytes and own none. What belongs to an entry, its key and value, is handled
   here. */
#include "runtime/state/mapping.h"

#include "runtime/base/alloc.h"
#include "runtime/base/hash.h"
#include "runtime/data/copy.h"
#include "runtime/data/key.h"
#include "runtime/data/order.h"
#include "runtime/state/hashed.h"
#include "runtime/state/sorted.h"

struct leati_map {
    bool ordered;
    int64_t latest;
    union {
        leati_hashed hashed;
        leati_sorted sorted;
    } by;
};

leati_map *leati_map_new(bool ordered) {
    leati_map *m = leati_zalloc(sizeof *m);
    if (!m) return NULL;
    m->ordered = ordered;
    m->latest = INT64_MIN;
    return m;
}

size_t leati_map_count(const leati_map *m) {
    return m->ordered ? m->by.sorted.count : m->by.hashed.count;
}

bool leati_map_is_ordered(const leati_map *m) {
    return m->ordered;
}

int64_t leati_map_latest(const leati_map *m) {
    return m->latest;
}

void leati_map_set_latest(leati_map *m, int64_t now) {
    if (now > m->latest) m->latest = now;
}

/* --- entries ---------------------------------------------------------------------------------- */

leat_status leati_map_key_of(bool ordered, const leat_value *key, leati_buf *buf,
                             leati_map_key *out) {
    buf->size = 0;
    buf->failed = false;
    leat_status status = ordered ? leati_order_write(key, buf) : leati_key_write(key, buf);
    if (status < 0) return status;
    if (buf->size > UINT32_MAX / 2) return LEAT_E_RANGE;
    *out = (leati_map_key){key, buf->bytes, buf->size, 0};
    if (!ordered) out->hash = leati_hash(buf->bytes, buf->size);
    return LEAT_OK;
}

static leati_entry *entry_new(const leati_map_key *key) {
    leati_extent e = leati_value_extent(key->value);
    size_t bytes = (sizeof(leati_entry) + key->size + 7) & ~(size_t)7;
    leati_entry *entry = leati_alloc(bytes + e.bytes);
    if (!entry) return NULL;
    memset(entry, 0, sizeof *entry);
    entry->hash = key->hash;
    entry->size = (uint32_t)key->size;
    memcpy(entry->bytes, key->bytes, key->size);
    entry->key = leati_value_place(key->value, e.bytes ? (char *)entry + bytes : NULL);
    if (e.objects) leati_value_retain(&entry->key);
    return entry;
}

static void entry_free(leati_entry *entry) {
    if (!leati_kind_is_scalar(entry->key.kind)) leati_value_release(&entry->key);
    leati_content_drop(&entry->content);
    leati_free(entry);
}

void leati_map_free(leati_map *m) {
    leati_entry *entry;
    if (!m) return;
    for (size_t at = 0; (entry = leati_map_at(m, &at)); at++) entry_free(entry);
    if (m->ordered)
        leati_sorted_fini(&m->by.sorted);
    else
        leati_hashed_fini(&m->by.hashed);
    leati_free(m);
}

leati_entry *leati_map_find(const leati_map *m, const leati_map_key *key, size_t *at) {
    if (!m->ordered) return leati_hashed_find(&m->by.hashed, key, at);
    bool is_it;
    *at = leati_sorted_seek(&m->by.sorted, key, &is_it);
    return is_it ? leati_sorted_at(&m->by.sorted, at) : NULL;
}

leati_entry *leati_map_made(leati_map *m, const leati_map_key *key, size_t *at, bool *is_new) {
    leati_entry *entry = leati_map_find(m, key, at);
    *is_new = !entry;
    if (entry) return entry;
    entry = entry_new(key);
    if (!entry) return NULL;
    bool added = m->ordered ? leati_sorted_add(&m->by.sorted, *at, entry)
                            : leati_hashed_add(&m->by.hashed, entry);
    if (added) return leati_map_find(m, key, at);
    entry_free(entry);
    return NULL;
}

void leati_map_remove(leati_map *m, size_t at) {
    leati_entry *entry = leati_map_at(m, &at);
    if (m->ordered)
        leati_sorted_remove(&m->by.sorted, at);
    else
        leati_hashed_remove(&m->by.hashed, at);
    entry_free(entry);
}

leati_entry *leati_map_at(const leati_map *m, size_t *at) {
    return m->ordered ? leati_sorted_at(&m->by.sorted, at) : leati_hashed_at(&m->by.hashed, at);
}

size_t leati_map_seek(const leati_map *m, const leati_map_key *key) {
    bool is_it;
    return leati_sorted_seek(&m->by.sorted, key, &is_it);
}

leati_entry *leati_map_last(const leati_map *m, size_t *at) {
    return leati_sorted_last(&m->by.sorted, at);
}

/* --- as values -------------------------------------------------------------------------------- */

static leat_status map_put(leati_map *m, const leat_value *pair, leati_buf *buf) {
    leati_map_key key;
    size_t at;
    bool is_new;
    leat_status status = leati_map_key_of(m->ordered, &pair[0], buf, &key);
    leati_entry *entry = status < 0 ? NULL : leati_map_made(m, &key, &at, &is_new);
    if (status < 0) return status;
    if (leati_value_is_timed(&pair[1])) leati_map_set_latest(m, pair[1].as.items[0].as.i);
    return entry ? leati_content_store(&entry->content, &pair[1]) : LEAT_E_NOMEM;
}

leat_status leati_map_fill(leati_map *m, const leat_value *pairs) {
    leati_buf buf;
    leat_status status = LEAT_OK;
    leati_buf_init(&buf);
    for (uint32_t i = 0; i < pairs->size && status >= 0; i++)
        status = map_put(m, pairs->as.items + 2 * (size_t)i, &buf);
    leati_buf_fini(&buf);
    return status;
}

leat_status leati_map_value(const leati_map *m, leati_buf *buf, leat_value *out) {
    const leati_entry *entry;
    size_t count = leati_map_count(m);
    buf->size = 0;
    buf->failed = false;
    if (count > UINT32_MAX / 2) return LEAT_E_RANGE;
    for (size_t at = 0; (entry = leati_map_at(m, &at)); at++) {
        leati_buf_append(buf, &entry->key, sizeof entry->key);
        leati_buf_append(buf, &entry->content.value, sizeof entry->content.value);
    }
    if (buf->failed) return LEAT_E_NOMEM;
    *out = leat_map_value((const leat_value *)(const void *)buf->bytes, count);
    return LEAT_OK;
}
