/* object.h: what the runtime asks of objects of a host language. A language bridge registers one
   table per interpreter; `domain` of a LEAT_OBJECT value is its number, from 1. Calls are made
   inside the interpreter, but for `release_later`. Functions that give a new object give a new
   reference. On failure they return a status and set the interpreter's own error. */
#ifndef LEATI_OBJECT_H
#define LEATI_OBJECT_H

#include "leat/type.h"

typedef struct leat_context leat_context;
typedef struct leati_arena leati_arena;
typedef struct leati_buf leati_buf;

typedef struct leati_object_ops {
    void *interpreter;
    bool (*inside)(void *interpreter); /* is this thread inside? */
    void (*retain)(void *object);
    void (*release)(void *object);
    void (*release_later)(void *interpreter, void *object); /* any thread */
    /* Native value of the object by its type (NULL or PICKLED: by what it is); memory and nested
       objects go to the arena. Objects that have no native form come back as LEAT_OBJECT. */
    leat_status (*native)(void *object, const leat_type *type, leati_arena *arena, leat_value *out);
    /* Wire form (codec.h): one value appended to `out`. */
    leat_status (*encode)(void *object, const leat_type *type, leati_buf *out);
    /* The object that LEAT_W_OBJECT bytes stand for. */
    leat_status (*decode)(void *interpreter, const void *bytes, size_t size, leat_value *out);
    /* The canonical bytes of the object as a key (key.h). */
    leat_status (*canonical)(void *object, leati_buf *out);
    /* A copy that shares nothing mutable, or the object itself with one more reference: as such it
       stands in `out` already. */
    leat_status (*copy)(void *object, const leat_type *type, leat_value *out);
    /* Can nobody change it in place? May answer false where that takes long to find out. */
    bool (*immutable)(void *object);
    bool (*equal)(void *a, void *b);
    leat_status (*compare)(const leat_value *a, const leat_value *b, int *order);
    leat_status (*add)(const leat_value *a, const leat_value *b, leat_value *out);
    /* The short way of a running sum: `a` with item `index` being that of both together, where
       these are integers and so is the sum, from `low` to `high`. LEAT_AGAIN when it is not that
       simple. `a` is the caller's: when nobody else holds it, it is changed and comes back itself,
       and `owned` stays false. */
    leat_status (*add_item)(const leat_value *a, const leat_value *b, int index, int64_t low,
                            int64_t high, leat_value *out, bool *owned);
    leat_status (*field)(void *object, int index, const char *name, leat_value *out, bool *owned);
    leat_status (*with_field)(void *object, int index, const char *name, const leat_value *item,
                              leat_value *out);
    /* What print() shows, by PyFlink's rules. */
    leat_status (*print)(void *object, const leat_type *type, leat_text_form form, leati_buf *out);
    /* The same of a native value in a stream without a type: as the language shows its own. */
    leat_status (*print_value)(void *interpreter, const leat_value *v, leat_text_form form,
                               leati_buf *out);
    leat_status (*repr)(void *object, leati_buf *out);
    /* Any value in a message, by its type (may be NULL). Never fails, and leaves no error. */
    void (*show)(void *interpreter, const leat_value *v, const leat_type *type, leati_buf *out);
    /* Takes the interpreter's own error, which a call of this table left behind, and makes it the
       context's failure, unless there is none. Answers `status` or LEAT_E_USER. */
    leat_status (*fail)(leat_context *ctx, leat_status status);
} leati_object_ops;

/* Registers a table and answers its domain, 0 when there are too many. */
LEAT_API uint16_t leati_object_register(const leati_object_ops *ops);
LEAT_API void leati_object_unregister(uint16_t domain);
LEAT_API extern LEAT_API const leati_object_ops *leati_object_domains[256];

static inline const leati_object_ops *leati_object_ops_of(const leat_value *v) {
    return leati_object_domains[v->domain];
}
static inline void leati_object_retain(const leat_value *v) {
    leati_object_ops_of(v)->retain(v->as.object);
}
/* Is this thread inside the interpreter of the object? */
LEAT_API bool leati_object_is_inside(const leat_value *v);
/* Any thread: goes to the interpreter's release list when this thread is outside. */
LEAT_API void leati_object_release(const leat_value *v);

#endif
