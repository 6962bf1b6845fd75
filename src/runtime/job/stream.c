/* stream.c: leat_graph_add and the verbs that do not add an operator: union, side outputs,
   partitioning, options. A failed stream has no parts; everything that gets one gives one. */
#include <stdio.h>
#include <stdlib.h>

#include "runtime/base/alloc.h"
#include "runtime/job/env.h"

static leat_stream *failed(leat_env *env) {
    return env ? leati_stream_new(env, NULL, 0) : NULL;
}

static bool is_failed(const leat_stream *s) {
    return !s || !s->part_count;
}

static leati_node *node_of(const leat_stream *s, size_t part) {
    return leati_graph_node(&s->env->blue->graph, s->parts[part].node);
}

/* --- adding operators ------------------------------------------------------------------------- */

static leat_status add_inputs(leati_node *n, leat_stream *const *inputs, size_t count) {
    size_t total = 0;
    for (size_t i = 0; i < count; i++) total += inputs[i]->part_count;
    n->inputs = leati_zalloc((total + 1) * sizeof *n->inputs);
    if (!n->inputs) return LEAT_E_NOMEM;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < inputs[i]->part_count; k++) {
            const leati_part *part = &inputs[i]->parts[k];
            n->inputs[n->input_count++] =
                (leati_edge){.from = part->node,
                             .tag = part->tag,
                             .tag_type = part->tag_type,
                             .partitioning = part->partitioning,
                             .input = n->op->inputs > 1 ? (unsigned)i : 0};
        }
    return LEAT_OK;
}

static const leat_type *type_of(const leat_stream *s) {
    if (is_failed(s)) return NULL;
    return s->parts[0].tag ? s->parts[0].tag_type : node_of(s, 0)->output_type;
}

static leati_node *node_new(leat_env *env, const leat_operator *op, const leat_arg *args,
                            size_t arg_count, leat_stream *const *inputs, size_t input_count) {
    leati_graph *g = &env->blue->graph;
    leati_node **nodes = leati_resize(g->nodes, (g->count + 1) * sizeof *nodes);
    if (nodes) g->nodes = nodes;
    leati_node *n = nodes ? leati_node_new(op) : NULL;
    leat_error err = {.status = LEAT_E_NOMEM, .text = "no memory"};
    leat_status status = n ? LEAT_OK : LEAT_E_NOMEM;
    if (n) {
        n->id = (int)g->count + 1;
        n->name = leati_strdup(op->name);
        n->bounded = op->flags & LEAT_OP_BOUNDED;
        if (input_count && op->flags & LEAT_OP_SAME_TYPE) n->output_type = type_of(inputs[0]);
        status = leati_args_init(&n->shared->args, op, args, arg_count, &err);
        n->bound = status >= 0 && leati_args_host_bound(&n->shared->args);
    }
    if (status >= 0) status = add_inputs(n, inputs, input_count);
    if (status >= 0) return g->nodes[g->count++] = n;
    leati_env_fail(env, status, err.where[0] ? err.where : op->name, "%s", err.text);
    leati_node_free(n);
    return NULL;
}

bool leat_stream_is_keyed(const leat_stream *s) {
    bool keyed = !is_failed(s);
    for (size_t i = 0; keyed && i < s->part_count; i++)
        keyed = s->parts[i].partitioning == LEAT_HASH;
    return keyed;
}

static bool is_broadcast(const leat_stream *s) {
    for (size_t i = 0; i < s->part_count; i++)
        if (s->parts[i].partitioning != LEAT_BROADCAST) return false;
    return true;
}

/* What leat_operator_register refuses, too; a caller may add what was never registered. */
static const char *flaw(const leat_operator *op) {
    if (op->size != sizeof *op || !op->name) return "the operator has no name, or no size";
    if (op->inputs > 2) return "an operator reads two streams at most";
    if (op->inputs ? !op->on_record : !op->poll) return "the operator lacks on_record or poll";
    if (op->flags & LEAT_OP_BROADCAST && op->inputs != 2)
        return "an operator with a broadcast input reads two streams";
    return NULL;
}

static leat_status check_shape(leat_env *env, const leat_operator *op, leat_stream *const *inputs,
                               size_t count) {
    if (flaw(op)) {
        leati_env_fail(env, LEAT_E_ARGUMENT, op->name, "%s", flaw(op));
        return LEAT_E_ARGUMENT;
    }
    bool right = op->inputs == 0 ? count == 0 : op->inputs == 1 ? count >= 1 : count == op->inputs;
    if (!right) {
        leati_env_fail(env, LEAT_E_ARGUMENT, op->name, "it reads %u streams and %zu were given",
                       op->inputs, count);
        return LEAT_E_ARGUMENT;
    }
    for (size_t i = 0; i < count; i++) {
        if (inputs[i]->env != env) {
            leati_env_fail(env, LEAT_E_ARGUMENT, op->name, "a stream of another environment");
            return LEAT_E_ARGUMENT;
        }
        if (node_of(inputs[i], 0)->op->flags & LEAT_OP_SINK) {
            leati_env_fail(env, LEAT_E_ARGUMENT, op->name, "a sink has no output to read");
            return LEAT_E_ARGUMENT;
        }
        bool broadcast = i == 1 && op->flags & LEAT_OP_BROADCAST;
        if (broadcast && !is_broadcast(inputs[i])) {
            leati_env_fail(env, LEAT_E_STATE, op->name,
                           "its second stream must be a broadcast one; call broadcast first");
            return LEAT_E_STATE;
        }
        if (!(op->flags & LEAT_OP_KEYED) || broadcast || leat_stream_is_keyed(inputs[i])) continue;
        leati_env_fail(env, LEAT_E_STATE, op->name,
                       "it works on keyed streams only; call key_by first");
        return LEAT_E_STATE;
    }
    return LEAT_OK;
}

leat_stream *leat_graph_add(leat_env *env, const leat_operator *op, const leat_arg *args,
                            size_t arg_count, leat_stream *const *inputs, size_t input_count) {
    for (size_t i = 0; i < input_count; i++) {
        if (!env && inputs[i]) env = inputs[i]->env;
        if (is_failed(inputs[i])) return failed(env);
    }
    if (!env) return NULL;
    if (!op) return leati_env_fail(env, LEAT_E_ARGUMENT, "leat_graph_add", "the operator is NULL");
    if (check_shape(env, op, inputs, input_count) < 0) return failed(env);
    leati_node *n = node_new(env, op, args, arg_count, inputs, input_count);
    if (!n) return failed(env);
    leati_part part = {.node = n->id};
    if (op->flags & LEAT_OP_SETS_KEY) part.partitioning = LEAT_HASH;
    if (op->flags & LEAT_OP_SETS_TARGET) part.partitioning = LEAT_CUSTOM;
    return leati_stream_new(env, &part, 1);
}

/* --- streams from streams --------------------------------------------------------------------- */

leat_stream *leat_stream_union(leat_stream *a, leat_stream *b) {
    leat_env *env = a ? a->env : b ? b->env : NULL;
    if (is_failed(a) || is_failed(b)) return failed(env);
    if (a->env != b->env)
        return leati_env_fail(env, LEAT_E_ARGUMENT, "union", "a stream of another environment");
    size_t count = a->part_count + b->part_count;
    leati_part *parts = leati_alloc(count * sizeof *parts);
    if (!parts) return leati_env_fail(env, LEAT_E_NOMEM, "union", "no memory");
    memcpy(parts, a->parts, a->part_count * sizeof *parts);
    memcpy(parts + a->part_count, b->parts, b->part_count * sizeof *parts);
    /* As in Flink a union has no key, whatever its parts have. */
    for (size_t i = 0; i < count; i++)
        if (parts[i].partitioning == LEAT_HASH) parts[i].partitioning = LEAT_FORWARD_OR_REBALANCE;
    leat_stream *s = leati_stream_new(env, parts, count);
    leati_free(parts);
    return s;
}

leat_stream *leat_stream_side_output(leat_stream *s, const char *tag) {
    if (is_failed(s)) return failed(s ? s->env : NULL);
    if (!tag || !*tag || s->part_count > 1 || s->parts[0].tag)
        return leati_env_fail(s->env, LEAT_E_ARGUMENT, "side_output",
                              "a tag and the stream of one operator are needed");
    leati_part part = {.node = s->parts[0].node, .tag = leati_graph_tag(&s->env->blue->graph, tag)};
    if (!part.tag) return leati_env_fail(s->env, LEAT_E_NOMEM, "side_output", "no memory");
    return leati_stream_new(s->env, &part, 1);
}

static leat_stream *partitioned(leat_stream *s, leat_partitioning how, const char *verb) {
    if (is_failed(s)) return failed(s ? s->env : NULL);
    if (leat_stream_is_keyed(s))
        return leati_env_fail(s->env, LEAT_E_STATE, verb,
                              "the partitioning of a keyed stream can't be changed");
    leat_stream *out = leati_stream_new(s->env, s->parts, s->part_count);
    for (size_t i = 0; out && i < out->part_count; i++) out->parts[i].partitioning = how;
    return out;
}

leat_stream *leat_stream_forward(leat_stream *s) {
    return partitioned(s, LEAT_FORWARD, "forward");
}
leat_stream *leat_stream_rebalance(leat_stream *s) {
    return partitioned(s, LEAT_REBALANCE, "rebalance");
}
leat_stream *leat_stream_rescale(leat_stream *s) {
    return partitioned(s, LEAT_RESCALE, "rescale");
}
leat_stream *leat_stream_shuffle(leat_stream *s) {
    return partitioned(s, LEAT_SHUFFLE, "shuffle");
}
leat_stream *leat_stream_broadcast(leat_stream *s) {
    return partitioned(s, LEAT_BROADCAST, "broadcast");
}
leat_stream *leat_stream_global(leat_stream *s) {
    return partitioned(s, LEAT_GLOBAL, "global");
}

/* --- options ---------------------------------------------------------------------------------- */

static leat_status set_text(char **at, const char *text) {
    char *copy = leati_strdup(text);
    if (!copy) return LEAT_E_NOMEM;
    leati_free(*at);
    *at = copy;
    return LEAT_OK;
}

static leat_status set_number(leati_node *n, const char *option, const char *value, long low,
                              long high, long *out, leat_error *err) {
    char *end;
    long number = strtol(value, &end, 10);
    if (*value && !*end && number >= low && number <= high) {
        *out = number;
        return LEAT_OK;
    }
    return leat_error_set(err, LEAT_E_ARGUMENT, n->name,
                          "%s must be a number from %ld to %ld and is '%s'", option, low, high,
                          value);
}

enum { MAX_PARALLELISM = 32767 };

static leat_status set_parallelism(leati_node *n, const char *value, leat_error *err) {
    long number = 0;
    leat_status status = set_number(n, "parallelism", value, 1, MAX_PARALLELISM, &number, err);
    if (status < 0) return status;
    if (number > 1 && n->op->flags & LEAT_OP_SINGLE)
        return leat_error_set(err, LEAT_E_ARGUMENT, n->name,
                              "its parallelism is 1 and can't be changed to %ld", number);
    n->parallelism = (int)number;
    return LEAT_OK;
}

static leat_status set_chaining(leati_node *n, const char *value, leat_error *err) {
    static const char *const names[] = {"always", "head", "never"};
    for (int i = 0; i < 3; i++)
        if (strcmp(value, names[i]) == 0) {
            n->chaining = (leati_chaining)i;
            return LEAT_OK;
        }
    return leat_error_set(err, LEAT_E_ARGUMENT, n->name,
                          "chaining is 'always', 'head' or 'never', not '%s'", value);
}

static leat_status set_boundedness(leati_node *n, const char *value, leat_error *err) {
    bool bounded = strcmp(value, "bounded") == 0;
    if (!bounded && strcmp(value, "unbounded") != 0)
        return leat_error_set(err, LEAT_E_ARGUMENT, n->name,
                              "boundedness is 'bounded' or 'unbounded', not '%s'", value);
    if (n->op->inputs)
        return leat_error_set(err, LEAT_E_ARGUMENT, n->name,
                              "it is no source; boundedness is that of sources");
    n->bounded = bounded;
    return LEAT_OK;
}

static leat_status set_option(leati_node *n, const char *option, const char *value,
                              leat_error *err) {
    long number = 0;
    leat_status status;
    if (strcmp(option, "name") == 0) return set_text(&n->name, value);
    if (strcmp(option, "uid") == 0) return set_text(&n->uid, value);
    if (strcmp(option, "description") == 0) return set_text(&n->description, value);
    if (strcmp(option, "slot_sharing_group") == 0) return set_text(&n->slot_group, value);
    if (strcmp(option, "chaining") == 0) return set_chaining(n, value, err);
    if (strcmp(option, "boundedness") == 0) return set_boundedness(n, value, err);
    if (strcmp(option, "parallelism") == 0) return set_parallelism(n, value, err);
    if (strcmp(option, "max_parallelism") == 0) {
        status = set_number(n, option, value, 1, MAX_PARALLELISM, &number, err);
        if (status >= 0) n->max_parallelism = (int)number;
        return status;
    }
    if (strcmp(option, "buffer_timeout") == 0) {
        status = set_number(n, option, value, -1, INT32_MAX, &number, err);
        if (status >= 0) n->buffer_timeout = number;
        return status;
    }
    return leat_error_set(err, LEAT_E_ARGUMENT, n->name, "there is no option '%s'", option);
}

leat_stream *leat_stream_option(leat_stream *s, const char *option, const char *value) {
    if (is_failed(s)) return failed(s ? s->env : NULL);
    leat_error err = {.status = LEAT_E_NOMEM, .where = "option", .text = "no memory"};
    if (!option || !value)
        return leati_env_fail(s->env, LEAT_E_ARGUMENT, "option", "name or value is NULL");
    for (size_t i = 0; i < s->part_count; i++)
        if (set_option(node_of(s, i), option, value, &err) < 0)
            return leati_env_fail(s->env, err.status, err.where, "%s", err.text);
    return s;
}

leat_stream *leat_stream_name(leat_stream *s, const char *name) {
    return leat_stream_option(s, "name", name);
}

leat_stream *leat_stream_uid(leat_stream *s, const char *uid) {
    return leat_stream_option(s, "uid", uid);
}

leat_stream *leat_stream_parallelism(leat_stream *s, int parallelism) {
    char text[24];
    snprintf(text, sizeof text, "%d", parallelism);
    return leat_stream_option(s, "parallelism", text);
}

leat_stream *leat_stream_returns(leat_stream *s, const char *type) {
    if (is_failed(s)) return failed(s ? s->env : NULL);
    leat_error err;
    const leat_type *parsed = leat_type_parse(type ? type : "", &err);
    if (!parsed) return leati_env_fail(s->env, err.status, node_of(s, 0)->name, "%s", err.text);
    for (size_t i = 0; i < s->part_count; i++) {
        if (s->parts[i].tag)
            s->parts[i].tag_type = parsed;
        else
            node_of(s, i)->output_type = parsed;
    }
    return s;
}

int leati_stream_id(const leat_stream *s) {
    return is_failed(s) ? 0 : s->parts[0].node;
}
