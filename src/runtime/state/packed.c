/* packed.c: cells of 20 bytes. A content's block begins where its value points to, so one pointer
   stands for both; a value without a block has a room of 0. */
#include "runtime/state/packed.h"

#include "runtime/data/copy.h"
#include "runtime/state/grown.h"
#include "runtime/state/mapping.h"

/* The pointer in `first`. */
static void *pointer_of(const leati_packed *p) {
    void *pointer;
    memcpy(&pointer, p->first, sizeof pointer);
    return pointer;
}

leati_content leati_packed_open(const leati_packed *p, leat_value *items) {
    leati_content c = {.value = leat_null()};
    if (p->form == LEATI_PACKED_GROWN) {
        c.block = pointer_of(p);
        c.room = LEATI_GROWS;
        c.value = leati_grown_current(pointer_of(p));
    } else if (p->form == LEATI_PACKED_MAP) {
        c.block = pointer_of(p);
        c.room = LEATI_MAPS;
        c.value = leat_map_value(NULL, 0);
    } else {
        c.value = leati_packed_value(p, items);
        if (p->form != LEATI_PACKED_TUPLE) c.room = p->second[1];
        if (c.room) c.block = pointer_of(p);
    }
    return c;
}

/* Can an item stand in a cell without its `size`? */
static bool item_fits(const leat_value *item) {
    return leati_kind_is_scalar(item->kind) && item->kind != LEAT_TIMESTAMP;
}

static bool tuple_fits(const leat_value *v) {
    if (v->kind != LEAT_TUPLE || v->size - 1u >= LEATI_PACKED_ITEMS) return false;
    return item_fits(&v->as.items[0]) && item_fits(&v->as.items[v->size - 1]);
}

static void pack_tuple(leati_packed *p, const leat_value *v) {
    leat_value a = v->as.items[0], b = v->size > 1 ? v->as.items[1] : leat_null();
    memcpy(p->first, &a.as, sizeof p->first);
    memcpy(p->second, &b.as, sizeof p->second);
    p->form = LEATI_PACKED_TUPLE;
    p->flags = (uint8_t)v->size;
    p->extra = (uint16_t)(a.kind | b.kind << 8);
}

void leati_packed_close(leati_packed *p, const leati_content *c) {
    const leat_value *v = &c->value;
    if (!c->block && tuple_fits(v)) {
        pack_tuple(p, v);
        return;
    }
    memcpy(p->first, &v->as, sizeof p->first);
    p->second[0] = v->size;
    p->second[1] = c->room;
    p->form = v->kind;
    p->flags = v->flags;
    p->extra = v->domain;
    if (c->room <= LEATI_LARGEST_BLOCK) return;
    memcpy(p->first, &c->block, sizeof c->block);
    p->form = c->room == LEATI_GROWS ? LEATI_PACKED_GROWN : LEATI_PACKED_MAP;
}

/* Is there anything to give back? */
static bool holds_nothing(const leati_packed *p) {
    return p->form == LEATI_PACKED_TUPLE || leati_kind_is_scalar(p->form);
}

leat_status leati_packed_store(leati_packed *p, const leat_value *value) {
    leat_value items[LEATI_PACKED_ITEMS];
    if (LEAT_LIKELY(tuple_fits(value))) {
        leati_packed old = *p;
        pack_tuple(p, value);
        if (LEAT_UNLIKELY(!holds_nothing(&old))) leati_packed_drop(&old);
        return LEAT_OK;
    }
    leati_content c = leati_packed_open(p, items), gone;
    leat_status status = leati_content_replace(&c, value, &gone);
    if (status < 0) return status;
    leati_packed_close(p, &c);
    leati_content_drop(&gone);
    return LEAT_OK;
}

void leati_packed_drop(const leati_packed *p) {
    leat_value items[LEATI_PACKED_ITEMS];
    leati_content c = leati_packed_open(p, items);
    leati_content_drop(&c);
}
