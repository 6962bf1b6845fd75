/* fake_object.c: the table of a language that has numbers only. One thread. */
#include "fake_object.h"

#include "runtime/base/buf.h"
#include "runtime/base/object.h"
#include "runtime/base/wire.h"

#include <stdlib.h>

static int alive, released_later;
static bool is_inside = true;
static leat_status next_failure = LEAT_OK;

static leat_status fake_status(void) {
    leat_status status = next_failure;
    next_failure = LEAT_OK;
    return status;
}

static bool fake_inside(void *interpreter) {
    (void)interpreter;
    return is_inside;
}

static void fake_retain(void *object) {
    ((fake_object *)object)->refs++;
}

static void fake_release(void *object) {
    fake_object *o = object;
    if (--o->refs > 0) return;
    free(o);
    alive--;
}

static void fake_release_later(void *interpreter, void *object) {
    (void)interpreter;
    released_later++;
    fake_release(object);
}

static leat_status fake_native(void *object, const leat_type *type, leati_arena *arena,
                               leat_value *out) {
    (void)type;
    (void)arena;
    *out = leat_int(((fake_object *)object)->number);
    return fake_status();
}

static leat_status fake_encode(void *object, const leat_type *type, leati_buf *out) {
    (void)type;
    char bytes[] = {'F', (char)((fake_object *)object)->number};
    leati_buf_u8(out, LEAT_W_OBJECT);
    leati_buf_blob(out, bytes, sizeof bytes);
    return fake_status();
}

static leat_status fake_decode(void *interpreter, const void *bytes, size_t size, leat_value *out) {
    (void)interpreter;
    const char *text = bytes;
    if (size != 2 || text[0] != 'F') return LEAT_E_FORMAT;
    leat_status status = fake_status();
    if (status >= 0) *out = fake_new(text[1]);
    return status;
}

static leat_status fake_canonical(void *object, leati_buf *out) {
    leati_buf_u8(out, LEATI_K_OBJECT);
    leati_buf_blob(out, "fake", 4);
    leati_buf_u8(out, (uint8_t)((fake_object *)object)->number);
    return fake_status();
}

static leat_status fake_copy(void *object, const leat_type *type, leat_value *out) {
    (void)type;
    leat_status status = fake_status();
    if (status >= 0) *out = fake_new(((fake_object *)object)->number);
    return status;
}

static bool fake_immutable(void *object) {
    return ((fake_object *)object)->number < 0;
}

static bool fake_equal(void *a, void *b) {
    return ((fake_object *)a)->number == ((fake_object *)b)->number;
}

static leat_status fake_print(void *object, const leat_type *type, leat_text_form form,
                              leati_buf *out) {
    (void)type;
    (void)form;
    leati_buf_printf(out, "fake %d", ((fake_object *)object)->number);
    return fake_status();
}

static leat_status fake_repr(void *object, leati_buf *out) {
    leati_buf_printf(out, "Fake(%d)", ((fake_object *)object)->number);
    return fake_status();
}

static const leati_object_ops fake_ops = {
    .inside = fake_inside,
    .retain = fake_retain,
    .release = fake_release,
    .release_later = fake_release_later,
    .native = fake_native,
    .encode = fake_encode,
    .decode = fake_decode,
    .canonical = fake_canonical,
    .copy = fake_copy,
    .immutable = fake_immutable,
    .equal = fake_equal,
    .print = fake_print,
    .repr = fake_repr,
};

uint16_t fake_domain(void) {
    static uint16_t domain;
    if (!domain) domain = leati_object_register(&fake_ops);
    return domain;
}

leat_value fake_new(int number) {
    fake_object *o = malloc(sizeof *o);
    if (!o) abort();
    o->refs = 1;
    o->number = number;
    alive++;
    leat_value v = leat_null();
    v.kind = LEAT_OBJECT;
    v.domain = fake_domain();
    v.as.object = o;
    return v;
}

int fake_number(const leat_value *v) {
    return ((fake_object *)v->as.object)->number;
}

int fake_alive(void) {
    return alive;
}

int fake_released_later(void) {
    return released_later;
}

void fake_set_inside(bool inside) {
    is_inside = inside;
}

void fake_fail_next(leat_status status) {
    next_failure = status;
}
