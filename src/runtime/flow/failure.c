/* failure.c: see failure.h. On the wire: status, subtask and parallelism as signed varints, six
   texts and the payload as blobs; an empty text stands for none. */
#include "runtime/flow/failure.h"

#include "runtime/base/alloc.h"

void leati_failure_fini(leati_failure *f) {
    leati_free(f->operator_name);
    leati_free(f->text);
    leati_free(f->cause);
    leati_free(f->traceback);
    leati_free(f->record);
    leati_free(f->key);
    leati_free(f->payload);
    memset(f, 0, sizeof *f);
}

static const char *or_empty(const char *text) {
    return text ? text : "";
}

leat_failure leati_failure_view(const leati_failure *f) {
    leat_failure v = {.status = f->status,
                      .operator_name = or_empty(f->operator_name),
                      .subtask = f->subtask,
                      .parallelism = f->parallelism,
                      .text = or_empty(f->text),
                      .cause = or_empty(f->cause),
                      .traceback = or_empty(f->traceback),
                      .record = or_empty(f->record),
                      .key = or_empty(f->key)};
    return v;
}

void leati_failure_encode(const leati_failure *f, leati_buf *out) {
    const char *texts[] = {f->operator_name, f->text, f->cause, f->traceback, f->record, f->key};
    leati_buf_zigzag(out, f->status);
    leati_buf_zigzag(out, f->subtask);
    leati_buf_zigzag(out, f->parallelism);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        leati_buf_blob(out, or_empty(texts[i]), strlen(or_empty(texts[i])));
    leati_buf_blob(out, f->payload, f->payload_size);
}

/* NULL for an empty text, or when memory ran out: then a message is shorter than it was. */
static char *read_text(leati_reader *in) {
    size_t size;
    const char *bytes = leati_reader_blob(in, &size);
    if (!bytes || !size) return NULL;
    char *text = leati_alloc(size + 1);
    if (!text) return NULL;
    memcpy(text, bytes, size);
    text[size] = 0;
    return text;
}

leat_status leati_failure_decode(leati_reader *in, leati_failure *out) {
    memset(out, 0, sizeof *out);
    out->status = (leat_status)leati_reader_zigzag(in);
    out->subtask = (int)leati_reader_zigzag(in);
    out->parallelism = (int)leati_reader_zigzag(in);
    char **texts[] = {&out->operator_name, &out->text,   &out->cause,
                      &out->traceback,     &out->record, &out->key};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) *texts[i] = read_text(in);
    size_t size;
    const char *payload = leati_reader_blob(in, &size);
    if (payload && size) out->payload = leati_memdup(payload, size);
    out->payload_size = out->payload ? size : 0;
    if (!in->failed) return LEAT_OK;
    leati_failure_fini(out);
    return LEAT_E_FORMAT;
}
