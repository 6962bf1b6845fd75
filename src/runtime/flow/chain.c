/* chain.c: building, opening and closing a chain, and what the task asks of it; see chain.h. The
   way of a record is in emit.c, the way of a signal in signal.c. */
#include "runtime/flow/chain.h"

#include "runtime/base/alloc.h"
#include "runtime/base/clock.h"
#include "runtime/base/log.h"
#include "runtime/flow/output.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

leati_chain *leati_chain_new(const leati_surroundings *around, leati_inbox *inbox) {
    leati_chain *c = leati_zalloc(sizeof *c);
    if (!c) return NULL;
    c->around = *around;
    c->inbox = inbox;
    leati_arena_init(&c->arena);
    return c;
}

/* Operators that can't read objects see native values. The converted value lives in the chain's
   arena. */
static leat_status native_first(leat_context *ctx, void *self, unsigned input,
                                const leat_record *in) {
    if (in->value.kind != LEAT_OBJECT) return ctx->info->op->on_record(ctx, self, input, in);
    leat_record native = *in;
    leat_status status =
        leat_value_native(ctx, &in->value, ctx->info->input_types[input], &native.value);
    return status < 0 ? status : ctx->info->op->on_record(ctx, self, input, &native);
}

/* Operators with a broadcast input: state and timers must know whose turn it is. */
static leat_status turn_first(leat_context *ctx, void *self, unsigned input,
                              const leat_record *in) {
    ctx->broadcast = input == 1;
    return ctx->info->op->on_record(ctx, self, input, in);
}

static leat_status turn_native_first(leat_context *ctx, void *self, unsigned input,
                                     const leat_record *in) {
    ctx->broadcast = input == 1;
    return native_first(ctx, self, input, in);
}

static leati_record_hook first_hook(const leati_op_info *info) {
    bool objects = (info->op->flags & LEAT_OP_OBJECTS) && !leati_args_has_c_function(info->args);
    if (info->op->flags & LEAT_OP_BROADCAST) return objects ? turn_first : turn_native_first;
    return objects ? info->op->on_record : native_first;
}

static leat_status add_listener(leat_context *ctx, const char *tag, leat_context *child,
                                leati_output *output) {
    size_t count = ctx->listener_count;
    leati_listener *l = leati_resize(ctx->listeners, (count + 1) * sizeof *l);
    if (!l) return LEAT_E_NOMEM;
    ctx->listeners = l;
    l[count] = (leati_listener){.tag = tag, .child = child, .output = output};
    ctx->listener_count++;
    int mains = 0;
    for (size_t i = 0; i <= count; i++) mains += !l[i].tag;
    ctx->next = NULL;
    ctx->out = NULL;
    for (size_t i = 0; i <= count && mains == 1; i++) {
        if (l[i].tag) continue;
        ctx->next = l[i].child;
        ctx->out = l[i].output;
    }
    return LEAT_OK;
}

/* Nobody can change an object of this type: a scalar, or a tuple of such. */
static bool is_immutable(const leat_type *type) {
    if (!type || type->tag != LEAT_T_TUPLE)
        return type && type->tag != LEAT_T_PICKLED && type->tag < LEAT_T_TUPLE;
    for (uint32_t i = 0; i < type->size; i++)
        if (!is_immutable(type->items[i])) return false;
    return true;
}

/* A function of a language with objects can change in place what comes to it. */
static void expose_to(const leat_context *ctx) {
    if (ctx->chain->around.object_reuse || !leati_args_language(ctx->info->args)) return;
    for (leat_context *before = ctx->parent; before; before = before->parent)
        before->exposes = !is_immutable(before->info->output_type);
}

leat_context *leati_chain_add(leati_chain *c, const leati_op_info *info, int subtask,
                              leat_context *parent, const char *tag) {
    leat_context **all = leati_resize(c->contexts, (size_t)(c->count + 1) * sizeof *all);
    if (!all) return NULL;
    c->contexts = all;
    leat_context *ctx = leati_zalloc(sizeof *ctx);
    if (!ctx) return NULL;
    ctx->self = leati_zalloc(info->op->self_size ? info->op->self_size : 1);
    if (!ctx->self || (parent && add_listener(parent, tag, ctx, NULL) < 0)) {
        leati_free(ctx->self);
        leati_free(ctx);
        return NULL;
    }
    ctx->chain = c;
    ctx->info = info;
    ctx->parent = parent;
    ctx->index = c->count;
    ctx->subtask = subtask;
    ctx->targets = info->parallelism;
    ctx->keyed = info->keyed || (info->op->flags & LEAT_OP_KEYED);
    ctx->watermark = ctx->forwarded = ctx->sent = INT64_MIN;
    ctx->wake_at = INT64_MAX;
    ctx->native_hook = first_hook(info);
    ctx->on_record = ctx->native_hook;
    leati_arena_init(&ctx->arena);
    c->drains |= info->op->on_drain != NULL;
    expose_to(ctx);
    c->contexts[c->count++] = ctx;
    return ctx;
}

leat_status leati_chain_add_output(leati_chain *c, leat_context *ctx, const char *tag,
                                   leati_output *output) {
    leati_output **all = leati_resize(c->outputs, (size_t)(c->output_count + 1) * sizeof *all);
    if (all) c->outputs = all;
    if (!all || add_listener(ctx, tag, NULL, output) < 0) {
        leati_output_free(output);
        return LEAT_E_NOMEM;
    }
    c->outputs[c->output_count++] = output;
    return LEAT_OK;
}

/* --- opening ---------------------------------------------------------------------------------- */

/* Makes calls of the spec of a function that is not in C. */
static leat_status resolve_function(leat_context *ctx, leat_function *f) {
    if (!f->language) return LEAT_OK;
    if (strcmp(f->language, LEAT_BUILTIN) == 0) {
        leat_error err;
        leat_status status = leat_builtin_resolve(f, &err);
        return status < 0 ? leat_context_fail(ctx, status, "%s: %s", err.where, err.text) : status;
    }
    const leati_bridge *bridge = ctx->chain->around.bridge;
    if (!bridge || strcmp(bridge->language, f->language) != 0)
        return leat_context_fail(ctx, LEAT_E_UNSUPPORTED,
                                 "no %s interpreter in this process; run the job from Python, or "
                                 "set python.execution-mode to process",
                                 f->language);
    return bridge->resolve(ctx, f);
}

static leat_status open_function(leat_context *ctx, leat_function *f, uint32_t bit) {
    leat_status status = resolve_function(ctx, f);
    if (status < 0) return status;
    void *self = f->arg;
    if (f->open) status = f->open(ctx, f->arg, &self);
    if (status < 0) {
        if (f->language && f->free) f->free(f->arg);
        return status;
    }
    /* From here on `arg` is the subtask's self; what a bridge made is freed with it. */
    if (f->language && f->free && f->arg != self) f->free(f->arg);
    f->arg = self;
    ctx->functions_open |= bit;
    return LEAT_OK;
}

static leat_status open_functions(leat_context *ctx) {
    const leat_param *p = ctx->info->op->params;
    leat_status status = LEAT_OK;
    for (uint32_t i = 0; p && p[i].name && status >= 0; i++) {
        if (p[i].kind != LEAT_PARAM_FUNCTION) continue;
        leat_function *f = (leat_function *)(void *)((char *)ctx->self + p[i].offset);
        if (f->role != LEAT_ROLE_NONE) status = open_function(ctx, f, 1u << i);
    }
    return status;
}

static void close_functions(leat_context *ctx) {
    const leat_param *p = ctx->info->op->params;
    for (uint32_t i = 0; p && p[i].name; i++) {
        if (!(ctx->functions_open & (1u << i))) continue;
        leat_function *f = (leat_function *)(void *)((char *)ctx->self + p[i].offset);
        if (f->close) f->close(ctx, f->arg);
    }
    ctx->functions_open = 0;
}

static leat_status open_tables(leat_context *ctx) {
    const leat_state_decl *d = ctx->info->op->states;
    size_t count = 0;
    while (d && d[count].name) count++;
    if (!count) return LEAT_OK;
    ctx->tables = leati_zalloc(count * sizeof *ctx->tables);
    if (!ctx->tables) return LEAT_E_NOMEM;
    for (size_t i = 0; i < count; i++) {
        ctx->tables[i] = leati_table_new(leati_context_groups(ctx, d[i].distribution), &d[i], NULL);
        if (!ctx->tables[i]) return LEAT_E_NOMEM;
        ctx->table_count++;
        memcpy((char *)ctx->self + d[i].offset, &ctx->tables[i], sizeof ctx->tables[i]);
    }
    return LEAT_OK;
}

static leat_status open_context(leat_context *ctx) {
    leati_chain *c = ctx->chain;
    const leat_operator *op = ctx->info->op;
    uint16_t domain = c->around.bridge ? c->around.bridge->domain : 0;
    leat_status status = leati_args_fill(ctx->info->args, op, ctx->self, domain, &ctx->arena);
    if (status >= 0) status = open_tables(ctx);
    if (status >= 0) status = open_functions(ctx);
    if (status < 0) return status;
    ctx->opened = true; /* `close` and `fini` come also after a failed open */
    return op->open ? op->open(ctx, ctx->self) : LEAT_OK;
}

/* Once per job: what comes after a failure is then not what would have come without one. */
static void name_source_without_a_way_back(leat_context *ctx) {
    const leat_operator *op = ctx->info->op;
    if (op->inputs || ctx->subtask || ctx->chain->around.attempt) return;
    const char *mode = leat_context_config(ctx, "execution.checkpointing.mode");
    bool exact = !mode || strcasecmp(mode, "EXACTLY_ONCE") == 0;
    if (!exact || leat_context_config_ms(ctx, "execution.checkpointing.interval", -1) <= 0) return;
    if (op->goes_back ? op->goes_back(ctx, ctx->self) : op->snapshot != NULL) return;
    leati_log(
        LEAT_LOG_WARNING,
        "%s: this source can't go back to a checkpoint, so that records are lost when the job "
        "restarts, although execution.checkpointing.mode is EXACTLY_ONCE; give it a way back "
        "(docs/sources.md), or set the mode to AT_LEAST_ONCE to say that this is fine",
        ctx->info->name);
}

leat_status leati_chain_open(leati_chain *c) {
    leat_status status = LEAT_OK;
    if (c->around.bridge) c->arena.inside = c->around.bridge->domain; /* until it is closed */
    for (int i = c->count; i-- > 0 && status >= 0;) {
        status = open_context(c->contexts[i]);
        if (status < 0) leati_chain_blame(c->contexts[i], status);
    }
    if (status >= 0) name_source_without_a_way_back(c->contexts[0]);
    for (int i = 0; c->around.restore && i < c->count && status >= 0; i++) {
        status = c->around.restore(c->around.restore_arg, c->contexts[i]);
        if (status < 0) leati_chain_blame(c->contexts[i], status);
    }
    if (status >= 0) leati_arena_reset(&c->arena);
    return status;
}

/* --- closing ---------------------------------------------------------------------------------- */

static void close_context(leat_context *ctx, bool failed) {
    const leat_operator *op = ctx->info->op;
    if (ctx->mailbox) leati_mailbox_close(ctx->mailbox);
    ctx->current = NULL;
    if (ctx->opened && op->close) op->close(ctx, ctx->self, failed);
    close_functions(ctx);
    if (op->fini) op->fini(ctx->self);
    ctx->opened = false;
}

/* Gauges are asked once more, while their functions are open. */
static void last_metrics(leat_context *ctx, bool failed) {
    ctx->current = NULL;
    if (!failed && ctx->opened) leati_metrics_refresh(ctx, &ctx->metrics, leati_clock_monotonic());
    leati_metrics_close(&ctx->metrics);
}

void leati_chain_close(leati_chain *c, bool failed) {
    while (c->depth) leati_chain_close_top(c);
    for (int i = 0; i < c->count; i++) last_metrics(c->contexts[i], failed);
    for (int i = 0; i < c->count; i++) close_context(c->contexts[i], failed);
    leati_arena_reset(&c->arena);
    c->arena.inside = 0;
}

static void free_context(leat_context *ctx) {
    for (size_t i = 0; i < ctx->table_count; i++) leati_table_free(ctx->tables[i]);
    leati_free(ctx->tables);
    for (int i = 0; i < 2; i++) leati_timers_free(ctx->timers[i]);
    if (ctx->mailbox) leat_mailbox_unref(ctx->mailbox);
    leati_metrics_free(&ctx->metrics);
    leati_accumulators_free(&ctx->accumulators);
    leati_arena_fini(&ctx->arena);
    leati_free(ctx->listeners);
    leati_free(ctx->self);
    leati_free(ctx);
}

void leati_chain_free(leati_chain *c) {
    if (!c) return;
    for (int i = 0; i < c->output_count; i++) leati_output_free(c->outputs[i]);
    for (int i = 0; i < c->count; i++) free_context(c->contexts[i]);
    for (uint32_t i = 0; i < c->depth_room; i++) leati_free(c->stack[i]);
    leati_free(c->stack);
    leati_free(c->contexts);
    leati_free(c->outputs);
    leati_arena_fini(&c->arena);
    leati_buf_fini(&c->text);
    leati_failure_fini(&c->failure);
    leati_free(c);
}

/* --- failures --------------------------------------------------------------------------------- */

/* Ends a text behind its first characters, not amid one. */
static void cut_text(char *text, size_t characters) {
    for (; *text; text++) {
        bool begins = ((unsigned char)*text & 0xc0) != 0x80;
        if (begins && characters-- == 0) *text = 0;
        if (!*text) return;
    }
}

/* A value of the record that a context was working on, at most 200 characters of it. */
static char *show(leat_context *ctx, const leat_value *v, const leat_type *type) {
    enum { SHOWN = 200 };
    uint16_t domain = v->kind == LEAT_OBJECT ? v->domain : leati_context_domain(ctx);
    const leati_object_ops *ops = leati_object_domains[domain];
    leati_buf text;
    leati_buf_init(&text);
    if (ops && ops->show && ops->inside(ops->interpreter))
        ops->show(ops->interpreter, v, type, &text);
    else
        leati_value_text(v, type, LEAT_TEXT_PRINT, &text);
    char *out = text.failed ? NULL : leati_strdup(leati_buf_cstr(&text));
    leati_buf_fini(&text);
    if (out) cut_text(out, SHOWN);
    return out;
}

/* What an object of a language left behind as its error says more than the status. */
static leat_status ask_language(leat_context *ctx, leat_status status) {
    const leati_object_ops *ops = leati_object_domains[leati_context_domain(ctx)];
    if (!ops || !ops->fail || !ops->inside(ops->interpreter)) return status;
    return ops->fail(ctx, status);
}

leat_status leati_chain_blame(leat_context *ctx, leat_status status) {
    leati_chain *c = ctx->chain;
    leati_failure *f = &c->failure;
    if (!c->blamed) status = ask_language(ctx, status);
    if (c->blamed) return status;
    c->blamed = ctx;
    f->status = status;
    f->subtask = ctx->subtask;
    f->parallelism = ctx->info->parallelism;
    f->operator_name = leati_strdup(ctx->info->name);
    if (!f->text) f->text = leati_strdup(leat_status_name(status));
    if (ctx->current) {
        const leat_type *type = ctx->info->op->inputs == 1 ? ctx->info->input_types[0] : NULL;
        bool timer =
            (ctx->sweeps[0].open || ctx->sweeps[1].open) && ctx->current->value.kind == LEAT_NULL;
        f->record = timer ? leati_format("timer at %lld", (long long)ctx->current->time)
                          : show(ctx, &ctx->current->value, type);
        if (ctx->current->key.kind != LEAT_NULL)
            f->key = show(ctx, &ctx->current->key, ctx->info->key_type);
    }
    return status;
}

leat_status(leat_context_fail)(leat_context *ctx, leat_status status, const char *format, ...) {
    leati_chain *c = ctx->chain;
    if (c->blamed || c->failure.text) return status;
    char text[1024];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    c->failure.text = leati_strdup(text);
    return leati_chain_blame(ctx, status);
}

leat_status leati_context_user_error(leat_context *ctx, const leati_user_error *error) {
    leati_failure *f = &ctx->chain->failure;
    if (ctx->chain->blamed) return LEAT_E_USER;
    leati_free(f->text);
    f->text = leati_strdup(error->text ? error->text : "the function failed");
    f->cause = leati_strdup(error->cause);
    f->traceback = leati_strdup(error->traceback);
    if (error->payload) f->payload = leati_memdup(error->payload, error->payload_size);
    f->payload_size = f->payload ? error->payload_size : 0;
    return leati_chain_blame(ctx, LEAT_E_USER);
}

char *leati_chain_forgive(leati_chain *c, const char *what) {
    leati_failure *f = &c->failure;
    char *text = leati_format("%s (%d/%d): %s%s", f->operator_name ? f->operator_name : "",
                              f->subtask + 1, f->parallelism, what, f->text ? f->text : "");
    leati_failure_fini(f);
    c->blamed = NULL;
    return text;
}

/* --- outputs ---------------------------------------------------------------------------------- */

bool leati_chain_has_room(leati_chain *c) {
    for (int i = 0; i < c->output_count && c->full; i++) leati_output_has_room(c->outputs[i]);
    return c->full == 0;
}

leat_status leati_chain_flush(leati_chain *c) {
    leat_status status = LEAT_OK;
    for (int i = 0; i < c->output_count && status >= 0; i++)
        status = leati_output_flush(c->outputs[i]);
    return status;
}
