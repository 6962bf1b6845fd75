/* project.c: a tuple of some items of the value, in the given order. An index may come twice. */
#include "leat/operators.h"
#include "leat/stream.h"
#include "operators/field.h"
#include "runtime/base/alloc.h"

typedef struct project_self {
    leat_value fields; /* a list of integers */
} project_self;

static const leat_param params[] = {
    {"fields", LEAT_PARAM_LIST, true, offsetof(project_self, fields), LEAT_ROLE_NONE},
    {0},
};

static leat_status project_open(leat_context *ctx, void *self) {
    project_self *p = self;
    for (uint32_t i = 0; i < p->fields.size; i++) {
        const leat_value *field = &p->fields.as.items[i];
        if (field->kind != LEAT_INT || field->as.i < 0 || field->as.i > INT32_MAX)
            return leat_context_fail(ctx, LEAT_E_ARGUMENT,
                                     "field %u is no index; give integers from 0", i);
    }
    return LEAT_OK;
}

static leat_status project_on_record(leat_context *ctx, void *self, unsigned input,
                                     const leat_record *in) {
    (void)input;
    const leat_value *fields = &((project_self *)self)->fields;
    leat_value *items = leat_context_alloc(ctx, fields->size * sizeof *items + 1);
    if (!items) return LEAT_E_NOMEM;
    for (uint32_t i = 0; i < fields->size; i++) {
        leat_status status =
            leati_field_take(ctx, &in->value, (int)fields->as.items[i].as.i, &items[i]);
        if (status < 0) return status;
    }
    leat_record out = leat_record_of(leat_tuple(items, fields->size), in->time);
    return leat_emit(ctx, &out);
}

const leat_operator leat_project_operator = {
    .size = sizeof(leat_operator),
    .name = "project",
    .flags = LEAT_OP_OBJECTS,
    .inputs = 1,
    .self_size = sizeof(project_self),
    .params = params,
    .on_record = project_on_record,
    .open = project_open,
};

leat_stream *leat_stream_project(leat_stream *s, const int *fields, size_t count) {
    leat_value *items = fields ? leati_alloc((count + 1) * sizeof *items) : NULL;
    for (size_t i = 0; items && i < count; i++) items[i] = leat_int(fields[i]);
    leat_value list = leat_list(items, count);
    leat_arg arg = leat_arg_list("fields", &list);
    leat_stream *out = leat_graph_add(NULL, &leat_project_operator, &arg, items ? 1 : 0, &s, 1);
    leati_free(items);
    return out;
}
