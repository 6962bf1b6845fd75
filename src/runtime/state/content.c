/* content.c: values in cells.

   Scalars stand in the cell. Other values have one block of memory, which the next value of the
   cell takes over where it fits, unless that value points into it. Objects have one reference each.
   They are released last, when the cell is whole again, since a release may run any code. A list
   that was appended to is a leati_grown (grown.h) in place of the block, and a map that was used as
   one a leati_map (mapping.h), until another value is stored. */
#include "runtime/state/content.h"

#include "runtime/base/alloc.h"
#include "runtime/base/object.h"
#include "runtime/data/copy.h"
#include "runtime/state/grown.h"
#include "runtime/state/mapping.h"

static leati_grown *grown_of(const leati_content *c) {
    return c->room == LEATI_GROWS ? (leati_grown *)(void *)c->block : NULL;
}

static leati_map *map_of(const leati_content *c) {
    return c->room == LEATI_MAPS ? (leati_map *)(void *)c->block : NULL;
}

void leati_content_drop(const leati_content *c) {
    if (!leati_kind_is_scalar(c->value.kind)) leati_value_release(&c->value);
    if (c->room == LEATI_GROWS)
        leati_grown_free(grown_of(c));
    else if (c->room == LEATI_MAPS)
        leati_map_free(map_of(c));
    else
        leati_free(c->block);
}

/* --- storing ---------------------------------------------------------------------------------- */

/* Puts a value that needs memory where the old one was, when it may. */
static bool content_reuse(leati_content *c, const leat_value *value, leati_extent e) {
    if (e.objects || !c->block || c->room > LEATI_LARGEST_BLOCK) return false;
    if (leati_kind_is_scalar(value->kind)) return false;
    if (e.bytes > c->room || c->room / 4 > e.bytes + 64) return false;
    if (leati_value_points_into(value, c->block, c->room)) return false;
    c->value = leati_value_place(value, c->block);
    return true;
}

/* A tuple of scalars goes where another one of the same size was; it may be that one. */
static bool content_refill(leati_content *c, const leat_value *value) {
    if (c->value.kind != LEAT_TUPLE || value->size != c->value.size) return false;
    leat_value *items = (leat_value *)(uintptr_t)c->value.as.items;
    for (uint32_t i = 0; i < value->size; i++)
        if (!leati_kind_is_scalar(value->as.items[i].kind) || !leati_kind_is_scalar(items[i].kind))
            return false;
    if (value->size) memmove(items, value->as.items, value->size * sizeof *items);
    return true;
}

leat_status leati_content_replace(leati_content *c, const leat_value *value, leati_content *gone) {
    memset(gone, 0, sizeof *gone);
    if (value->kind == LEAT_TUPLE && content_refill(c, value)) return LEAT_OK;
    bool scalar = leati_kind_is_scalar(value->kind);
    leati_extent e = scalar ? (leati_extent){0, 0} : leati_value_extent(value);
    if (e.bytes > LEATI_LARGEST_BLOCK) return LEAT_E_RANGE;
    leati_content old = *c;
    bool plain = leati_kind_is_scalar(old.value.kind);
    bool objects = !plain && leati_value_extent(&old.value).objects > 0;
    if (!objects && content_reuse(c, value, e)) return LEAT_OK;
    char *block = e.bytes ? leati_alloc(e.bytes) : NULL;
    if (e.bytes && !block) return LEAT_E_NOMEM;
    c->value = scalar ? *value : leati_value_place(value, block);
    c->block = block;
    c->room = (uint32_t)e.bytes;
    if (e.objects) leati_value_retain(&c->value);
    *gone = old;
    return LEAT_OK;
}

leat_status leati_content_store(leati_content *c, const leat_value *value) {
    leati_content gone;
    leat_status status = leati_content_replace(c, value, &gone);
    if (status >= 0) leati_content_drop(&gone);
    return status;
}

/* --- lists that grow -------------------------------------------------------------------------- */

/* What is there becomes a list that grows, if it is not one already. */
static leat_status content_grow(leati_content *c) {
    if (grown_of(c)) return LEAT_OK;
    const leat_value *list = leati_value_is_timed(&c->value) ? &c->value.as.items[1] : &c->value;
    if (list->kind != LEAT_LIST && list->kind != LEAT_NULL) return LEAT_E_TYPE;
    leati_grown *g = leati_grown_new(list, c->block);
    if (!g) return LEAT_E_NOMEM;
    c->block = (char *)g;
    c->room = LEATI_GROWS;
    return LEAT_OK;
}

leat_status leati_content_append(leati_content *c, const leat_value *items, size_t count,
                                 const int64_t *time) {
    leat_status status = content_grow(c);
    if (status < 0) return status;
    leati_grown *g = grown_of(c);
    status = leati_grown_append(g, items, count);
    bool was_timed = leati_value_is_timed(&c->value);
    int64_t last = was_timed ? c->value.as.items[0].as.i : 0;
    c->value = leati_grown_value(g, time || was_timed, time ? *time : last);
    return status;
}

/* --- maps ------------------------------------------------------------------------------------- */

leat_status leati_content_map(leati_content *c, bool ordered, leati_map **out) {
    *out = map_of(c);
    if (*out) return LEAT_OK;
    bool is_map = c->value.kind == LEAT_MAP;
    if (!is_map && c->value.kind != LEAT_NULL) return LEAT_E_TYPE;
    leati_map *made = leati_map_new(ordered);
    leat_status status = !made ? LEAT_E_NOMEM : is_map ? leati_map_fill(made, &c->value) : LEAT_OK;
    if (status < 0) {
        leati_map_free(made);
        return status;
    }
    leati_content old = *c;
    c->value = leat_map_value(NULL, 0);
    c->block = (char *)made;
    c->room = LEATI_MAPS;
    leati_content_drop(&old);
    *out = made;
    return LEAT_OK;
}

leat_status leati_content_view(const leati_content *c, leati_buf *buf, leat_value *out) {
    const leati_map *map = map_of(c);
    if (map) return leati_map_value(map, buf, out);
    *out = c->value;
    return LEAT_OK;
}
