/* returns.c: see returns.h. Data are kept with the rounds between them, in the order in which they
   came. Frames are opened, since what is logged are records. */
#include "runtime/flow/returns.h"

#include "runtime/base/alloc.h"

struct leati_returns {
    leati_channel *kept;
    size_t count; /* of elements, in memory or not */
};

leati_returns *leati_returns_new(size_t max_records, size_t max_bytes, const leat_type *type,
                                 const char *dirs, leati_notice notice) {
    leati_returns *r = leati_zalloc(sizeof *r);
    if (r) r->kept = leati_channel_new(max_records, max_bytes);
    if (r && r->kept && leati_channel_spill(r->kept, type, dirs) >= 0) {
        r->kept->on_data = notice;
        return r;
    }
    leati_returns_free(r);
    return NULL;
}

void leati_returns_free(leati_returns *r) {
    if (!r) return;
    if (r->kept) leati_channel_abandon(r->kept);
    leati_channel_unref(r->kept);
    leati_free(r);
}

bool leati_returns_empty(const leati_returns *r) {
    return !r->count;
}

static leat_status keep(leati_returns *r, leati_element *e, size_t records, size_t bytes) {
    leat_status status = leati_channel_push(r->kept, e, records, bytes);
    if (status >= 0) r->count++;
    return status;
}

/* Adopts the element; the sender has its credit back. */
static leat_status keep_data(leati_returns *r, leati_element *e, leati_saving *s,
                             leat_context *head, leati_channel *from) {
    leati_element opened = {.kind = LEATI_BATCH};
    size_t records, bytes;
    leat_status status =
        leati_element_open(e, leati_context_domain(head), &opened.as.batch, &records, &bytes);
    if (status < 0) return leat_context_fail(head, status, "a frame of records is damaged");
    leati_channel_give_back(from, records, bytes);
    const leati_batch *batch = opened.as.batch;
    status = leati_saving_log(s, batch, head->info->input_types[1]);
    if (status >= 0) return keep(r, &opened, batch->count, batch->bytes);
    leati_element_drop(&opened);
    return status;
}

leat_status leati_returns_keep(leati_returns *r, leati_gate *g, leati_saving *s, leat_context *head,
                               leati_channel **from) {
    leati_element e;
    unsigned input;
    leat_status status = leati_gate_next_logged(g, &e, &input, from);
    if (status != LEAT_OK) return status;
    status = *from ? keep_data(r, &e, s, head, *from) : keep(r, &e, 0, 0);
    *from = r->kept;
    return status;
}

leat_status leati_returns_next(leati_returns *r, leati_element *out, unsigned *input,
                               leati_channel **from) {
    *from = NULL;
    leat_status status = leati_channel_pop(r->kept, out);
    if (status == LEAT_OK) r->count--;
    bool data = status == LEAT_OK && (out->kind == LEATI_BATCH || out->kind == LEATI_FRAME);
    if (data || status < 0) *from = r->kept;
    *input = data ? 1 : 0;
    return status;
}
