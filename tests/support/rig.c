/* rig.c: see rig.h. */
#include "rig.h"

#include <stdio.h>
#include <string.h>

#include "runtime/data/batch.h"

static void on_notice(void *arg) {
    atomic_fetch_add(&((rig *)arg)->notices, 1);
}

const leat_param rig_params[] = {
    {"rig", LEAT_PARAM_POINTER, true, offsetof(rig_self, r), LEAT_ROLE_NONE},
    {0},
};

void rig_init(rig *r, bool gate) {
    memset(r, 0, sizeof *r);
    leati_surroundings around = {.config = NULL};
    r->task = leati_task_new(&around, (leati_notice){on_notice, r});
    assert_non_null(r->task);
    r->task->flush_every = -1; /* how batches are cut is no question of the machine's speed */
    r->chain = r->task->chain;
    if (!gate) return;
    r->task->gate = leati_gate_new();
    assert_non_null(r->task->gate);
}

void rig_fini(rig *r) {
    leati_task_close(r->task, true);
    leati_task_free(r->task);
    for (int i = 0; i < r->ins; i++) leati_channel_unref(r->in[i]);
    for (int i = 0; i < r->outs; i++) leati_channel_unref(r->out[i]);
    for (int i = 0; i < r->count; i++) leati_args_fini(&r->args[i], false);
}

leat_context *rig_add(rig *r, const leat_operator *op, leat_context *parent, const char *tag) {
    leat_error err = {.text = ""};
    leat_arg arg = leat_arg_of("rig", LEAT_PARAM_POINTER);
    arg.as.pointer = r;
    int i = r->count++;
    assert_true(r->count <= RIG_MOST);
    if (leati_args_init(&r->args[i], op, &arg, op->params ? 1 : 0, &err) < 0)
        fail_msg("%s: %s", err.where, err.text);
    r->infos[i] = (leati_op_info){.op = op,
                                  .name = op->name,
                                  .node = i + 1,
                                  .parallelism = 2,
                                  .max_parallelism = 128,
                                  .args = &r->args[i]};
    leat_context *ctx = leati_chain_add(r->chain, &r->infos[i], 1, parent, tag);
    assert_non_null(ctx);
    return ctx;
}

leati_channel *rig_input(rig *r, unsigned input, size_t capacity) {
    leati_channel *c = leati_channel_new(capacity, SIZE_MAX / 2);
    assert_non_null(c);
    assert_true(r->ins < RIG_MOST);
    leati_channel_ref(c);
    assert_int_equal(leati_gate_add(r->task->gate, c, input), LEAT_OK);
    return r->in[r->ins++] = c;
}

void rig_output(rig *r, leat_context *ctx, const char *tag, leat_partitioning how, int targets,
                size_t capacity) {
    leati_channel **first = &r->out[r->outs];
    assert_true(r->outs + targets <= RIG_MOST);
    for (int i = 0; i < targets; i++) {
        leati_channel *c = leati_channel_new(capacity, SIZE_MAX / 2);
        assert_non_null(c);
        leati_channel_ref(c);
        r->out[r->outs++] = c;
    }
    leati_output *o =
        leati_output_new(r->chain, how, ctx->subtask, first, targets, NULL, 128, true);
    assert_non_null(o);
    assert_int_equal(leati_chain_add_output(r->chain, ctx, tag, o), LEAT_OK);
}

void rig_open(rig *r) {
    assert_int_equal(leati_task_open(r->task), LEAT_OK);
}

leati_task_state rig_step(rig *r) {
    return leati_task_step(r->task, 1 << 16);
}

leati_task_state rig_run(rig *r) {
    leati_task_state state;
    while ((state = rig_step(r)) == LEATI_TASK_READY) {}
    return state;
}

void rig_log(rig *r, const char *format, ...) {
    va_list list;
    va_start(list, format);
    char *at = r->log + r->logged;
    size_t room = sizeof r->log - r->logged;
    int size = snprintf(at, room, "%s", r->logged ? " " : "");
    size += vsnprintf(at + size, room - (size_t)size, format, list);
    va_end(list);
    r->logged += (size_t)size;
    assert_true(r->logged < sizeof r->log);
}

void rig_expect(rig *r, const char *words) {
    assert_string_equal(r->log, words);
    r->logged = 0;
    r->log[0] = 0;
}

/* --- channels --------------------------------------------------------------------------------- */

static void push_batch(leati_channel *c, leati_batch *batch) {
    leati_element e = {.kind = LEATI_BATCH, .as.batch = batch};
    assert_int_equal(leati_channel_push(c, &e, batch->count, batch->bytes), LEAT_OK);
}

void channel_push_ints(leati_channel *c, int64_t first, int64_t last) {
    leati_batch *batch = leati_batch_new((uint32_t)(last - first + 1));
    assert_non_null(batch);
    for (int64_t i = first; i <= last; i++) {
        leat_record record = leat_record_of(leat_int(i), LEAT_NO_TIME);
        assert_int_equal(leati_batch_append(batch, &record, NULL, true), LEAT_OK);
    }
    push_batch(c, batch);
}

void channel_push_record(leati_channel *c, const leat_record *record) {
    leati_batch *batch = leati_batch_new(1);
    assert_non_null(batch);
    assert_int_equal(leati_batch_append(batch, record, NULL, true), LEAT_OK);
    push_batch(c, batch);
}

void channel_push_signal(leati_channel *c, leati_element_kind kind, int64_t value) {
    leati_element e = leati_signal(kind, value);
    assert_int_equal(leati_channel_push(c, &e, 0, 0), LEAT_OK);
}

static void show_batch(leati_channel *c, leati_batch *batch, leati_buf *text) {
    leati_buf_text(text, "[");
    for (uint32_t i = 0; i < batch->count; i++) {
        char value[256];
        leat_value_format(&batch->records[i].value, value, sizeof value);
        leati_buf_printf(text, "%s%s", i ? " " : "", value);
    }
    leati_buf_text(text, "]");
    leati_channel_give_back(c, batch->count, batch->bytes);
    leati_batch_unref(batch);
}

static void show(leati_channel *c, const leati_element *e, leati_buf *text) {
    if (text->size) leati_buf_text(text, " ");
    switch (e->kind) {
    case LEATI_BATCH: show_batch(c, e->as.batch, text); break;
    case LEATI_WATERMARK:
        if (e->value == INT64_MAX)
            leati_buf_text(text, "wmax");
        else
            leati_buf_printf(text, "w%lld", (long long)e->value);
        break;
    case LEATI_BARRIER: leati_buf_printf(text, "b%lld", (long long)e->value); break;
    case LEATI_IDLE: leati_buf_text(text, "idle"); break;
    case LEATI_ACTIVE: leati_buf_text(text, "active"); break;
    case LEATI_END: leati_buf_text(text, "end"); break;
    default: fail_msg("a frame in a test's channel");
    }
}

const char *channel_read(leati_channel *c) {
    static char out[8192];
    leati_buf text;
    leati_element e;
    leati_buf_init(&text);
    while (leati_channel_pop(c, &e) == LEAT_OK) show(c, &e, &text);
    snprintf(out, sizeof out, "%s", text.size ? leati_buf_cstr(&text) : "");
    leati_buf_fini(&text);
    return out;
}
