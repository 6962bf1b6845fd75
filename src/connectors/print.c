/* print.c: one line per record on stdout or stderr, in PyFlink's format: the value's text
   behind "N> " when there are several subtasks (N from 1), behind "id> " or "id:N> " when the
   sink has an identifier. Lines are written behind, but never later than when the task has
   nothing else to do. */
#include "connectors/line_writer.h"
#include "leat/operators.h"
#include "leat/stream.h"

#include "runtime/base/alloc.h"

#include <unistd.h>

typedef struct print_self {
    const char *identifier; /* NULL or "": none */
    int64_t to_stderr;
    char *prefix;
    leat_value before; /* the prefix */
    leati_line_writer *writer;
} print_self;

static const leat_param params[] = {
    {"identifier", LEAT_PARAM_STRING, false, offsetof(print_self, identifier), LEAT_ROLE_NONE},
    {"stderr", LEAT_PARAM_INT, false, offsetof(print_self, to_stderr), LEAT_ROLE_NONE},
    {0},
};

static char *prefix_of(leat_context *ctx, const char *identifier) {
    int subtask = leat_context_subtask(ctx) + 1;
    bool named = identifier && *identifier;
    if (leat_context_parallelism(ctx) == 1)
        return named ? leati_format("%s> ", identifier) : leati_strdup("");
    return named ? leati_format("%s:%d> ", identifier, subtask) : leati_format("%d> ", subtask);
}

static leat_status print_open(leat_context *ctx, void *self) {
    print_self *p = self;
    leati_line_target target = {
        .fd = p->to_stderr ? STDERR_FILENO : STDOUT_FILENO,
        .path = p->to_stderr ? "stderr" : "stdout",
    };
    p->prefix = prefix_of(ctx, p->identifier);
    p->writer = leati_line_writer_new(&target);
    if (!p->prefix || !p->writer) return LEAT_E_NOMEM;
    p->before = leat_string(p->prefix);
    return LEAT_OK;
}

static leat_status print_on_record(leat_context *ctx, void *self, unsigned input,
                                   const leat_record *in) {
    (void)input;
    print_self *p = self;
    char small[LEATI_LINE_SMALL];
    leat_value text;
    leat_status status = leati_line_text(ctx, &in->value, LEAT_TEXT_PRINT, small, &text);
    return status < 0 ? status : leati_line_writer_line(ctx, p->writer, p->before, text);
}

static leat_status print_on_drain(leat_context *ctx, void *self) {
    return leati_line_writer_flush(ctx, ((print_self *)self)->writer);
}

static leat_status print_on_end_of_data(leat_context *ctx, void *self, unsigned input) {
    (void)input;
    return leati_line_writer_finish(ctx, ((print_self *)self)->writer);
}

/* What was printed before a failure is worth reading. */
static void print_close(leat_context *ctx, void *self, bool failed) {
    print_self *p = self;
    if (failed && p->writer) leati_line_writer_flush(ctx, p->writer);
}

static void print_fini(void *self) {
    print_self *p = self;
    leati_line_writer_free(p->writer);
    leati_free(p->prefix);
}

const leat_operator leat_print_operator = {
    .size = sizeof(leat_operator),
    .name = "print",
    .flags = LEAT_OP_SINK | LEAT_OP_HOST | LEAT_OP_OBJECTS,
    .inputs = 1,
    .self_size = sizeof(print_self),
    .params = params,
    .on_record = print_on_record,
    .open = print_open,
    .on_end_of_data = print_on_end_of_data,
    .on_drain = print_on_drain,
    .close = print_close,
    .fini = print_fini,
};

leat_stream *leat_stream_print(leat_stream *s) {
    return leat_graph_add(NULL, &leat_print_operator, NULL, 0, &s, 1);
}
