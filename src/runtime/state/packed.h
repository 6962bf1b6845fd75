/* packed.h: what is in a cell of a table, in 20 bytes, so that a cell with a short key takes 40: a
   scalar, a tuple of one or two of them, or a pointer to a block. Other values take the way over a
   leati_content (content.h). One thread. */
#ifndef LEATI_PACKED_H
#define LEATI_PACKED_H

#include "runtime/state/content.h"

/* Forms beyond those of leat_kind. */
enum {
    LEATI_PACKED_TUPLE = 0x80, /* `flags` items, whose kinds are the bytes of `extra`; no block */
    LEATI_PACKED_GROWN,        /* `first` is a leati_grown */
    LEATI_PACKED_MAP           /* `first` is a leati_map */
};

typedef struct leati_packed {
    uint32_t first[2];  /* what `as` of the value is, or of the first item */
    uint32_t second[2]; /* size of the value and of its block; or `as` of the second item */
    uint8_t form, flags;
    uint16_t extra; /* the value's domain */
} leati_packed;

_Static_assert(sizeof(leati_packed) == 20, "the size of a cell");

enum { LEATI_PACKED_ITEMS = 2 };

/* The value, lent until the cell changes; of a tuple that stands in the cell until `items` do. A
   map is given as an empty one. */
static inline leat_value leati_packed_value(const leati_packed *p, leat_value *items) {
    leat_value v;
    if (LEAT_LIKELY(p->form == LEATI_PACKED_TUPLE)) {
        items[0] = items[1] = leat_null();
        items[0].kind = (uint8_t)p->extra;
        items[1].kind = (uint8_t)(p->extra >> 8);
        memcpy(&items[0].as, p->first, sizeof items[0].as);
        memcpy(&items[1].as, p->second, sizeof items[1].as);
        return leat_tuple(items, p->flags);
    }
    v.kind = p->form;
    v.flags = p->flags;
    v.domain = p->extra;
    v.size = p->second[0];
    memcpy(&v.as, p->first, sizeof v.as);
    return v;
}

/* Is it in one of the two forms that leati_packed_value does not know? */
static inline bool leati_packed_is_special(const leati_packed *p) {
    return p->form > LEATI_PACKED_TUPLE;
}

/* The same as a content, to be changed and packed again; it has the memory then. */
leati_content leati_packed_open(const leati_packed *p, leat_value *items);
/* Packs what leati_packed_open gave, changed or not. */
void leati_packed_close(leati_packed *p, const leati_content *c);
/* Copies the value in, as leati_content_store. */
leat_status leati_packed_store(leati_packed *p, const leat_value *value);
/* Gives back what was in a cell that nobody can reach any more. */
void leati_packed_drop(const leati_packed *p);

#endif
