/* schema.c: the table of all schemas of the process. Entries are never removed: a program has as
   many as it has row types. */
#include "runtime/data/schema.h"

#include "runtime/base/alloc.h"
#include "runtime/base/buf.h"
#include "runtime/base/hash.h"
#include "runtime/base/hashmap.h"

#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* guards the table */
static leati_hashmap schemas;

/* One allocation: the schema, its pointers, the names. */
static leat_schema *schema_make(const char *bytes, size_t size, size_t count) {
    leat_schema *made = leati_alloc(sizeof *made + count * sizeof(char *) + size + 1);
    if (!made) return NULL;
    const char **names = (const char **)(void *)(made + 1);
    char *text = (char *)(names + count);
    leati_reader in = leati_reader_of(bytes, size);
    for (size_t i = 0; i < count; i++) {
        size_t length = 0;
        const char *name = leati_reader_blob(&in, &length);
        names[i] = text;
        if (length) memcpy(text, name, length);
        text += length;
        *text++ = 0;
    }
    made->size = (uint32_t)count;
    made->names = names;
    return made;
}

const leat_schema *leati_schema_intern(const char *bytes, size_t size, size_t count) {
    if (!bytes) bytes = "";
    uint64_t hash = leati_hash(bytes, size);
    pthread_mutex_lock(&mutex);
    if (!schemas.slot_size) leati_hashmap_init(&schemas, sizeof(leat_schema *));
    bool added;
    leat_schema **found = leati_hashmap_add(&schemas, hash, bytes, size, &added);
    if (found && added) {
        *found = schema_make(bytes, size, count);
        if (!*found) {
            leati_hashmap_remove(&schemas, found);
            found = NULL;
        }
    }
    const leat_schema *schema = found ? *found : NULL;
    pthread_mutex_unlock(&mutex);
    return schema;
}

const leat_schema *leat_schema_get(const char *const *names, size_t size) {
    leati_buf blobs;
    leati_buf_init(&blobs);
    for (size_t i = 0; i < size; i++) leati_buf_blob(&blobs, names[i], strlen(names[i]));
    const leat_schema *schema =
        blobs.failed ? NULL : leati_schema_intern(blobs.bytes, blobs.size, size);
    leati_buf_fini(&blobs);
    return schema;
}
