/* window_namespace.c: windows as namespaces of state and timers, and lists of windows. The form of
   a namespace is in window.h; with the sign bit turned over, bytes order as numbers do. */
#include "operators/windowing.h"
#include "runtime/base/alloc.h"

/* --- namespaces ------------------------------------------------------------------------------- */

static char *put_time(char *at, int64_t time) {
    uint64_t u = (uint64_t)time ^ (UINT64_C(1) << 63);
    for (int shift = 56; shift >= 0; shift -= 8) *at++ = (char)(u >> shift);
    return at;
}

static int64_t get_time(const char *at) {
    uint64_t u = 0;
    for (int i = 0; i < 8; i++) u = u << 8 | (unsigned char)at[i];
    return (int64_t)(u ^ (UINT64_C(1) << 63));
}

leat_namespace leati_window_write(const leat_window *w, char buffer[LEATI_WINDOW_BYTES]) {
    char *at = buffer;
    *at++ = (char)w->kind;
    if (w->kind != LEAT_WINDOW_GLOBAL)
        at = put_time(at, w->kind == LEAT_WINDOW_CUSTOM ? w->max_timestamp : w->start);
    if (w->kind == LEAT_WINDOW_TIME) at = put_time(at, w->end);
    leat_namespace ns = {buffer, (size_t)(at - buffer)};
    return ns;
}

leat_namespace leat_window_namespace(leat_context *ctx, const leat_window *w) {
    size_t size = w->kind == LEAT_WINDOW_CUSTOM ? w->size : 0;
    char *bytes = leat_context_alloc(ctx, LEATI_WINDOW_BYTES + size);
    leat_namespace ns = {NULL, 0};
    if (!bytes) return ns;
    ns = leati_window_write(w, bytes);
    if (size) memcpy(bytes + ns.size, w->bytes, size);
    ns.size += size;
    return ns;
}

leat_status leat_window_of_namespace(leat_namespace ns, leat_window *out) {
    static const size_t sizes[] = {1, LEATI_WINDOW_BYTES, 9, 9};
    const char *bytes = ns.bytes;
    if (ns.size == 0 || (unsigned char)bytes[0] > LEAT_WINDOW_CUSTOM) return LEAT_E_FORMAT;
    leat_window_kind kind = (leat_window_kind)bytes[0];
    bool custom = kind == LEAT_WINDOW_CUSTOM;
    if (custom ? ns.size < sizes[kind] : ns.size != sizes[kind]) return LEAT_E_FORMAT;
    switch (kind) {
    case LEAT_WINDOW_GLOBAL: *out = leat_global_window(); break;
    case LEAT_WINDOW_TIME: *out = leat_time_window(get_time(bytes + 1), get_time(bytes + 9)); break;
    case LEAT_WINDOW_COUNT: *out = leat_count_window(get_time(bytes + 1)); break;
    case LEAT_WINDOW_CUSTOM:
        *out = leat_global_window();
        out->kind = kind;
        out->max_timestamp = get_time(bytes + 1);
        out->bytes = bytes + sizes[kind];
        out->size = ns.size - sizes[kind];
    }
    return LEAT_OK;
}

bool leati_window_equal(const leat_window *a, const leat_window *b) {
    if (a->kind != b->kind) return false;
    if (a->kind != LEAT_WINDOW_CUSTOM) return a->start == b->start && a->end == b->end;
    return a->max_timestamp == b->max_timestamp && a->size == b->size &&
           (a->size == 0 || memcmp(a->bytes, b->bytes, a->size) == 0);
}

/* --- lists ------------------------------------------------------------------------------------ */

static leat_status grow(leat_windows *list) {
    size_t room = list->room ? 2 * list->room : 8;
    leat_window *items = leati_resize(list->items, room * sizeof *items);
    if (!items) return LEAT_E_NOMEM;
    list->items = items;
    list->room = room;
    return LEAT_OK;
}

leat_status leat_windows_add(leat_windows *list, const leat_window *w) {
    if (list->count == list->room && grow(list) < 0) return LEAT_E_NOMEM;
    leat_window *added = &list->items[list->count];
    *added = *w;
    if (w->kind == LEAT_WINDOW_CUSTOM && w->size) {
        void *copy = leat_context_alloc(list->ctx, w->size);
        if (!copy) return LEAT_E_NOMEM;
        memcpy(copy, w->bytes, w->size);
        added->bytes = copy;
    }
    list->count++;
    return LEAT_OK;
}

void leati_windows_fini(leat_windows *list) {
    leati_free(list->items);
}

void leati_merges_fini(leat_merges *merges) {
    leati_windows_fini(&merges->merged);
    leati_free(merges->items);
}

leat_status leat_merges_add(leat_merges *out, const leat_window *merged, size_t count,
                            const leat_window *result) {
    if (out->count == out->room) {
        size_t room = out->room ? 2 * out->room : 4;
        leati_merge *items = leati_resize(out->items, room * sizeof *items);
        if (!items) return LEAT_E_NOMEM;
        out->items = items;
        out->room = room;
    }
    leati_merge *m = &out->items[out->count];
    m->first = out->merged.count;
    m->count = count;
    leat_status status = LEAT_OK;
    for (size_t i = 0; i < count && status >= 0; i++)
        status = leat_windows_add(&out->merged, &merged[i]);
    if (status >= 0) status = leat_windows_add(&out->merged, result);
    if (status < 0) return status;
    m->result = out->merged.items[out->merged.count - 1];
    out->count++;
    return LEAT_OK;
}
