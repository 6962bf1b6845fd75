/* text_sink.c: one line per record. A single subtask writes `path`, subtask i of several writes the
   file i + 1 in the folder `path`. Files are there from the start and begin anew. */
#include "connectors/line_writer.h"
#include "leat/operators.h"
#include "leat/stream.h"
#include "runtime/base/alloc.h"
#include "runtime/base/file_path.h"

typedef struct text_sink_self {
    const char *path;
    leati_line_writer *writer;
} text_sink_self;

static const leat_param params[] = {
    {"path", LEAT_PARAM_STRING, true, offsetof(text_sink_self, path), LEAT_ROLE_NONE},
    {0},
};

static leat_status text_sink_check(void *self, leat_error *err) {
    const text_sink_self *t = self;
    return leati_file_path_check(t->path, err);
}

static leat_status text_sink_open(leat_context *ctx, void *self) {
    text_sink_self *t = self;
    char *path = leat_context_parallelism(ctx) == 1
                     ? leati_strdup(t->path)
                     : leati_format("%s/%d", t->path, leat_context_subtask(ctx) + 1);
    if (!path) return LEAT_E_NOMEM;
    leati_line_target target = {.fd = -1, .path = path, .folders = true};
    t->writer = leati_line_writer_new(&target);
    leati_free(path);
    return t->writer ? leati_line_writer_open(ctx, t->writer) : LEAT_E_NOMEM;
}

static leat_status text_sink_on_record(leat_context *ctx, void *self, unsigned input,
                                       const leat_record *in) {
    (void)input;
    text_sink_self *t = self;
    char small[LEATI_LINE_SMALL];
    leat_value text;
    leat_status status = leati_line_text(ctx, &in->value, LEAT_TEXT_STRING, small, &text);
    return status < 0 ? status : leati_line_writer_line(ctx, t->writer, leat_string(""), text);
}

static leat_status text_sink_on_drain(leat_context *ctx, void *self) {
    return leati_line_writer_flush(ctx, ((text_sink_self *)self)->writer);
}

static leat_status text_sink_on_end_of_data(leat_context *ctx, void *self, unsigned input) {
    (void)input;
    return leati_line_writer_finish(ctx, ((text_sink_self *)self)->writer);
}

static void text_sink_fini(void *self) {
    leati_line_writer_free(((text_sink_self *)self)->writer);
}

const leat_operator leat_text_sink_operator = {
    .size = sizeof(leat_operator),
    .name = "text_sink",
    .flags = LEAT_OP_SINK | LEAT_OP_OBJECTS,
    .inputs = 1,
    .self_size = sizeof(text_sink_self),
    .params = params,
    .on_record = text_sink_on_record,
    .check = text_sink_check,
    .open = text_sink_open,
    .on_end_of_data = text_sink_on_end_of_data,
    .on_drain = text_sink_on_drain,
    .fini = text_sink_fini,
};

leat_stream *leat_stream_write_text(leat_stream *s, const char *path) {
    leat_arg arg = leat_arg_string("path", path);
    return leat_graph_add(NULL, &leat_text_sink_operator, &arg, 1, &s, 1);
}
