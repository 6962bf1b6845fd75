/* frozen.c: a buffer per key group, begun with its first item. */
#include "runtime/state/frozen.h"

#include "runtime/base/alloc.h"

leati_frozen *leati_frozen_new(int groups) {
    leati_frozen *f = leati_zalloc(sizeof *f + (size_t)groups * sizeof *f->group);
    if (f) f->groups = groups;
    return f;
}

void leati_frozen_free(leati_frozen *f) {
    if (!f) return;
    for (int i = 0; i < f->groups; i++) leati_buf_fini(&f->group[i].bytes);
    leati_buf_fini(&f->pairs);
    leati_free(f);
}

void leati_frozen_expect(leati_frozen *f, int group, size_t count) {
    f->group[group].left = count;
    f->left += count;
}

leati_buf *leati_frozen_begin(leati_frozen *f, int group) {
    leati_frozen_group *g = &f->group[group];
    if (!g->bytes.size) leati_buf_varint(&g->bytes, g->left);
    f->item = g->bytes.size;
    return &g->bytes;
}

leat_status leati_frozen_end(leati_frozen *f, int group, leat_status status) {
    leati_frozen_group *g = &f->group[group];
    if (status >= 0 && g->bytes.failed) status = LEAT_E_NOMEM;
    if (status < 0) {
        g->bytes.size = f->item;
        g->bytes.failed = false;
        return status;
    }
    g->left--;
    f->left--;
    return LEAT_OK;
}

int leati_frozen_sweep(leati_frozen *f) {
    for (; !f->group[f->sweeps].left; f->sweeps++) f->at = 0;
    return f->sweeps;
}

leat_status leati_frozen_take(leati_frozen *f, int *group, leati_buf *out) {
    while (f->taken < f->groups && !f->group[f->taken].left && !f->group[f->taken].bytes.size)
        f->taken++;
    if (f->taken == f->groups) return LEAT_DONE;
    leati_frozen_group *g = &f->group[f->taken];
    if (g->left) return LEAT_AGAIN;
    *group = f->taken++;
    leati_buf_fini(out);
    *out = g->bytes;
    leati_buf_init(&g->bytes);
    return LEAT_OK;
}
