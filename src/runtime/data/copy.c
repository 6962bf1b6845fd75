/* copy.c: deep copies. A value is measured first and then placed in one piece of memory, so that a
   copy is one allocation; objects are counted on the way and handled in a walk of their own, which
   values without objects never take. */
#include "runtime/data/copy.h"

#include "runtime/base/object.h"
#include "runtime/data/codec.h"

static size_t aligned(size_t bytes) {
    return (bytes + 7) & ~(size_t)7;
}

static size_t item_count(const leat_value *v) {
    return v->kind == LEAT_MAP ? 2 * (size_t)v->size : v->size;
}

static void extent_add(const leat_value *v, leati_extent *e) {
    if (leati_kind_is_scalar(v->kind)) return;
    switch ((leat_kind)v->kind) {
    case LEAT_STRING:
    case LEAT_BYTES: e->bytes += aligned(v->size); return;
    case LEAT_DECIMAL: e->bytes += sizeof(leat_decimal); return;
    case LEAT_OBJECT: e->objects++; return;
    case LEAT_ROW: e->bytes += sizeof(leat_row); break;
    default: break;
    }
    const leat_value *items = leat_value_items(v);
    size_t count = item_count(v);
    e->bytes += count * sizeof *items;
    for (size_t i = 0; i < count; i++) extent_add(&items[i], e);
}

leati_extent leati_value_extent(const leat_value *v) {
    leati_extent e = {0, 0};
    extent_add(v, &e);
    return e;
}

static const leat_value *items_place(const leat_value *items, size_t count, char **at);

static leat_value value_place(const leat_value *v, char **at) {
    leat_value copy = *v;
    char *to = *at;
    switch ((leat_kind)v->kind) {
    case LEAT_STRING:
    case LEAT_BYTES:
        if (v->size) memcpy(to, v->as.bytes, v->size);
        copy.as.bytes = to;
        *at += aligned(v->size);
        break;
    case LEAT_DECIMAL:
        copy.as.decimal = memcpy(to, v->as.decimal, sizeof *v->as.decimal);
        *at += sizeof *v->as.decimal;
        break;
    case LEAT_ROW: {
        leat_row *row = memcpy(to, v->as.row, sizeof *row);
        *at += sizeof *row;
        row->items = items_place(v->as.row->items, v->size, at);
        copy.as.row = row;
        break;
    }
    case LEAT_TUPLE:
    case LEAT_LIST:
    case LEAT_MAP: copy.as.items = items_place(v->as.items, item_count(v), at); break;
    default: break;
    }
    return copy;
}

static const leat_value *items_place(const leat_value *items, size_t count, char **at) {
    leat_value *copies = (leat_value *)(void *)*at;
    *at += count * sizeof *copies;
    for (size_t i = 0; i < count; i++) copies[i] = value_place(&items[i], at);
    return copies;
}

leat_value leati_value_place(const leat_value *v, void *memory) {
    static char nothing[8]; /* where empty strings and tuples are */
    char *at = memory ? memory : nothing;
    return value_place(v, &at);
}

static void each_object(const leat_value *v, void (*act)(const leat_value *object)) {
    if (v->kind == LEAT_OBJECT) act(v);
    const leat_value *items = leat_value_items(v);
    if (!items) return;
    for (size_t i = 0; i < item_count(v); i++) each_object(&items[i], act);
}

void leati_value_retain(const leat_value *v) {
    each_object(v, leati_object_retain);
}

void leati_value_release(const leat_value *v) {
    each_object(v, leati_object_release);
}

bool leati_value_points_into(const leat_value *v, const void *memory, size_t bytes) {
    if (leati_kind_is_scalar(v->kind) || v->kind == LEAT_OBJECT) return false;
    uintptr_t start = (uintptr_t)memory, at = (uintptr_t)v->as.bytes;
    if (at >= start && at < start + bytes) return true;
    const leat_value *items = leat_value_items(v);
    if (!items) return false;
    at = (uintptr_t)items; /* of rows */
    if (at >= start && at < start + bytes) return true;
    for (size_t i = 0; i < item_count(v); i++) {
        if (leati_value_points_into(&items[i], memory, bytes)) return true;
    }
    return false;
}

/* --- Into arenas ------------------------------------------------------------------------------ */

/* What an item of a value of this type was declared as; NULL when unknown. */
static const leat_type *item_type(const leat_type *type, uint8_t kind, size_t i) {
    if (!type || type->size == 0) return NULL;
    if (kind == LEAT_LIST) return type->items[0];
    if (kind == LEAT_MAP) i &= 1;
    return i < type->size ? type->items[i] : NULL;
}

/* One new reference in *v: of a copy that shares nothing mutable, or of the object itself. */
static leat_status object_cut(leat_value *v, const leat_type *type, leati_arena *arena) {
    leat_value copy = *v;
    leat_status status = leati_object_ops_of(v)->copy(v->as.object, type, &copy);
    if (status < 0) return status;
    *v = copy;
    return copy.kind == LEAT_OBJECT ? leati_arena_keep(arena, &copy) : LEAT_OK;
}

/* Gives the objects in a placed copy their references; `type` NULL and `cut` false: they stay. */
static leat_status objects_adopt(leat_value *v, const leat_type *type, leati_arena *arena,
                                 bool cut) {
    if (v->kind == LEAT_OBJECT) {
        if (cut) return object_cut(v, type, arena);
        leati_object_retain(v);
        return leati_arena_keep(arena, v);
    }
    /* The items are this copy's own. */
    leat_value *items = (leat_value *)(uintptr_t)leat_value_items(v);
    for (size_t i = 0; items && i < item_count(v); i++) {
        leat_status status =
            objects_adopt(&items[i], cut ? item_type(type, v->kind, i) : NULL, arena, cut);
        if (status < 0) return status;
    }
    return LEAT_OK;
}

static leat_status copy_into(const leat_value *v, const leat_type *type, leati_arena *arena,
                             bool cut, leat_value *out) {
    if (leati_kind_is_scalar(v->kind)) {
        *out = *v;
        return LEAT_OK;
    }
    leati_extent e = leati_value_extent(v);
    void *memory = e.bytes ? leati_arena_alloc(arena, e.bytes) : NULL;
    if (e.bytes && !memory) return LEAT_E_NOMEM;
    leat_value copy = leati_value_place(v, memory);
    leat_status status = e.objects ? objects_adopt(&copy, type, arena, cut) : LEAT_OK;
    if (status >= 0) *out = copy;
    return status;
}

leat_status leati_value_copy(const leat_value *v, leati_arena *arena, leat_value *out) {
    return copy_into(v, NULL, arena, false, out);
}

leat_status leati_value_cut(const leat_value *v, const leat_type *type, leati_arena *arena,
                            leat_value *out) {
    return copy_into(v, type, arena, true, out);
}
