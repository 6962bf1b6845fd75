/* leat.c: the only file that knows everyone: the table of built-in operators, by which the graph,
   the bridges and the workers find them by name, beside it what programs register, and the tables
   of functions that go by a name. */
#include <pthread.h>

#include "leat.h"
#include "operators/builtin.h"

static const leat_operator *const builtin[] = {
    &leat_map_operator,
    &leat_flat_map_operator,
    &leat_filter_operator,
    &leat_key_by_operator,
    &leat_reduce_operator,
    &leat_sum_operator,
    &leat_min_operator,
    &leat_max_operator,
    &leat_min_by_operator,
    &leat_max_by_operator,
    &leat_project_operator,
    &leat_process_operator,
    &leat_keyed_process_operator,
    &leat_co_map_operator,
    &leat_co_flat_map_operator,
    &leat_co_process_operator,
    &leat_keyed_co_process_operator,
    &leat_broadcast_process_operator,
    &leat_keyed_broadcast_process_operator,
    &leat_partition_custom_operator,
    &leat_assign_timestamps_operator,
    &leat_window_operator,
    &leat_async_operator,
    &leat_interval_join_operator,
    &leat_window_join_operator,
    &leat_co_group_operator,
    &leat_iterate_operator,
    &leat_connected_iterate_operator,

    &leat_collection_operator,
    &leat_sequence_operator,
    &leat_text_source_operator,
    &leat_function_source_operator,
    &leat_push_source_operator,

    &leat_print_operator,
    &leat_text_sink_operator,
    &leat_file_sink_operator,
    &leat_function_sink_operator,
    &leat_callback_sink_operator,
    &leat_collect_operator,
    NULL,
};

enum { MAX_REGISTERED = 256 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const leat_operator *registered[MAX_REGISTERED];

/* Under the lock. */
static const leat_operator *find(const char *name) {
    for (size_t i = 0; builtin[i]; i++)
        if (strcmp(builtin[i]->name, name) == 0) return builtin[i];
    for (size_t i = 0; i < MAX_REGISTERED && registered[i]; i++)
        if (strcmp(registered[i]->name, name) == 0) return registered[i];
    return NULL;
}

const leat_operator *leat_operator_find(const char *name) {
    pthread_mutex_lock(&lock);
    const leat_operator *op = name ? find(name) : NULL;
    pthread_mutex_unlock(&lock);
    return op;
}

static const char *what_is_missing(const leat_operator *op) {
    if (op->size != sizeof *op) return "its size; set .size = sizeof(leat_operator)";
    if (op->inputs && !op->on_record) return "its on_record hook";
    if (!op->inputs && !op->poll) return "its poll hook";
    if (op->inputs && op->poll && !(op->flags & LEAT_OP_HEAD)) return "LEAT_OP_HEAD, for its poll";
    return NULL;
}

static leat_status add(const leat_operator *op, leat_error *err) {
    if (find(op->name))
        return leat_error_set(err, LEAT_E_STATE, op->name, "the name is taken; choose another");
    for (size_t i = 0; i < MAX_REGISTERED; i++) {
        if (registered[i]) continue;
        registered[i] = op;
        return LEAT_OK;
    }
    return leat_error_set(err, LEAT_E_NOMEM, op->name, "only %d operators can be registered",
                          MAX_REGISTERED);
}

leat_status leat_operator_register(const leat_operator *op, leat_error *err) {
    if (!op || !op->name)
        return leat_error_set(err, LEAT_E_ARGUMENT, "leat_operator_register",
                              "the operator, or its name, is NULL");
    const char *missing = what_is_missing(op);
    if (missing)
        return leat_error_set(err, LEAT_E_ARGUMENT, op->name, "the operator lacks %s", missing);
    pthread_mutex_lock(&lock);
    leat_status status = add(op, err);
    pthread_mutex_unlock(&lock);
    return status;
}

leat_status leat_builtin_resolve(leat_function *f, leat_error *err) {
    static const leati_builtin *const tables[] = {
        leati_key_builtins,     leati_assigner_builtins, leati_trigger_builtins,
        leati_evictor_builtins, leati_fold_builtins,     NULL,
    };
    return leati_builtin_make(tables, f, err);
}
