/* partition_custom.c: asks a function to which subtask of the next operator each record goes, and
   leaves the answer in the record's `hash`, where the partitioning LEAT_CUSTOM looks for it.

   The function gets a key and the number of targets. The key comes from `selector`, or without one
   from the item `field` of the value (see key_by.c). The record goes on without a key. */
#include "leat/operators.h"
#include "leat/stream.h"
#include "operators/field.h"

typedef struct partition_custom_self {
    leat_function function;
    leat_function selector;
    int64_t field;
} partition_custom_self;

static const leat_param params[] = {
    {"function", LEAT_PARAM_FUNCTION, true, offsetof(partition_custom_self, function),
     LEAT_ROLE_PARTITION},
    {"selector", LEAT_PARAM_FUNCTION, false, offsetof(partition_custom_self, selector),
     LEAT_ROLE_KEY},
    {"field", LEAT_PARAM_INT, false, offsetof(partition_custom_self, field), LEAT_ROLE_NONE},
    {0},
};

static leat_status partition_custom_on_record(leat_context *ctx, void *self, unsigned input,
                                              const leat_record *in) {
    (void)input;
    partition_custom_self *p = self;
    leat_value key = leat_null();
    leat_status status = p->selector.call.key
                             ? p->selector.call.key(ctx, in, &key, p->selector.arg)
                             : leati_field_take(ctx, &in->value, (int)p->field, &key);
    if (status < 0) return status;
    int targets = leat_context_targets(ctx), target = -1;
    status = p->function.call.partition(ctx, &key, targets, &target, p->function.arg);
    if (status < 0) return status;
    if (target < 0 || target >= targets)
        return leat_context_fail(ctx, LEAT_E_RANGE,
                                 "the partitioner gave %d; with %d targets it must be 0 to %d",
                                 target, targets, targets - 1);
    leat_record out = leat_record_of(in->value, in->time);
    out.hash = (uint64_t)target;
    return leat_emit(ctx, &out);
}

const leat_operator leat_partition_custom_operator = {
    .size = sizeof(leat_operator),
    .name = "partition_custom",
    .flags = LEAT_OP_OBJECTS | LEAT_OP_SAME_TYPE | LEAT_OP_SETS_TARGET,
    .inputs = 1,
    .self_size = sizeof(partition_custom_self),
    .params = params,
    .on_record = partition_custom_on_record,
};

leat_stream *leat_stream_partition_custom(leat_stream *s, leat_function partition,
                                          leat_function key) {
    int field;
    leat_arg args[] = {
        leat_arg_function("function", &partition),
        leati_field_index(&key, &field) ? leat_arg_int("field", field)
                                        : leat_arg_function("selector", &key),
    };
    return leat_graph_add(NULL, &leat_partition_custom_operator, args, 2, &s, 1);
}
