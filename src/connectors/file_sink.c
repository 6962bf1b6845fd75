/* file_sink.c: lines in part files that are hidden while they grow and get their name when the job
   ends, so that a reader of the folder sees whole files only.

   Each subtask draws an id. Its parts are PATH[/BUCKET]/PREFIX-ID-COUNTER SUFFIX, and while they
   grow .PREFIX-ID-COUNTER SUFFIX.inprogress.ATTEMPT in the same folder. Without a bucket there is
   one part; the bucket "date" is a folder for each hour of the system's time, yyyy-MM-dd--HH, and
   with each new hour the part is closed and another one begun. A subtask without records makes no
   file, and a job that fails leaves hidden ones only. */
#include "connectors/line_writer.h"
#include "leat/operators.h"
#include "runtime/base/alloc.h"

#include <stdio.h>
#include <sys/random.h>
#include <time.h>

enum { BUCKET_STEP = 60 * 1000, ID_SIZE = 37, BUCKET_SIZE = 64 };

typedef struct file_sink_self {
    const char *path, *prefix, *suffix, *bucket;
    leati_line_writer **parts; /* the last one grows */
    size_t count, room;
    char id[ID_SIZE];
    bool dated;
    int64_t next_look; /* when the hour may have changed */
    char folder[BUCKET_SIZE];
} file_sink_self;

static const leat_param params[] = {
    {"path", LEAT_PARAM_STRING, true, offsetof(file_sink_self, path), LEAT_ROLE_NONE},
    {"prefix", LEAT_PARAM_STRING, false, offsetof(file_sink_self, prefix), LEAT_ROLE_NONE},
    {"suffix", LEAT_PARAM_STRING, false, offsetof(file_sink_self, suffix), LEAT_ROLE_NONE},
    {"bucket", LEAT_PARAM_STRING, false, offsetof(file_sink_self, bucket), LEAT_ROLE_NONE},
    {0},
};

/* A random UUID. */
static bool draw_id(char out[ID_SIZE]) {
    unsigned char b[16];
    if (getrandom(b, sizeof b, 0) != sizeof b) return false;
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    char *to = out;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *to++ = '-';
        to += snprintf(to, 3, "%02x", b[i]);
    }
    return true;
}

static leat_status file_sink_open(leat_context *ctx, void *self) {
    file_sink_self *f = self;
    f->dated = f->bucket && strcmp(f->bucket, "date") == 0;
    if (f->bucket && *f->bucket && !f->dated)
        return leat_context_fail(ctx, LEAT_E_ARGUMENT, "no buckets are called '%s'; 'date' are",
                                 f->bucket);
    if (!f->prefix) f->prefix = "part";
    if (!f->suffix) f->suffix = "";
    f->next_look = INT64_MIN;
    return draw_id(f->id) ? LEAT_OK : leat_context_fail(ctx, LEAT_E_IO, "no random numbers");
}

/* --- parts ------------------------------------------------------------------------------------ */

static leat_status add_part(leat_context *ctx, file_sink_self *f) {
    if (f->count == f->room) {
        size_t room = f->room ? 2 * f->room : 4;
        leati_line_writer **parts = leati_resize(f->parts, room * sizeof *parts);
        if (!parts) return LEAT_E_NOMEM;
        f->parts = parts;
        f->room = room;
    }
    const char *slash = f->dated ? "/" : "";
    char *hidden = leati_format("%s%s%s/.%s-%s-%zu%s.inprogress.%d", f->path, slash, f->folder,
                                f->prefix, f->id, f->count, f->suffix, leat_context_attempt(ctx));
    char *final = leati_format("%s%s%s/%s-%s-%zu%s", f->path, slash, f->folder, f->prefix, f->id,
                               f->count, f->suffix);
    leati_line_target target = {.fd = -1, .path = hidden, .final_path = final, .folders = true};
    leati_line_writer *part = hidden && final ? leati_line_writer_new(&target) : NULL;
    leati_free(hidden);
    leati_free(final);
    if (!part) return LEAT_E_NOMEM;
    f->parts[f->count++] = part;
    return leati_line_writer_open(ctx, part);
}

/* Once a minute: has the hour changed? */
static bool bucket_changes(leat_context *ctx, file_sink_self *f) {
    int64_t now = leat_context_now(ctx);
    if (now < f->next_look) return false;
    f->next_look = (now / BUCKET_STEP + 1) * BUCKET_STEP;
    time_t seconds = (time_t)(now / 1000);
    struct tm local;
    char folder[BUCKET_SIZE] = "";
    if (localtime_r(&seconds, &local)) strftime(folder, sizeof folder, "%Y-%m-%d--%H", &local);
    if (strcmp(folder, f->folder) == 0) return false;
    memcpy(f->folder, folder, sizeof folder);
    return true;
}

static leat_status next_part(leat_context *ctx, file_sink_self *f) {
    leat_status status = LEAT_OK;
    if (f->count > 0) status = leati_line_writer_finish(ctx, f->parts[f->count - 1], false);
    return status < 0 ? status : add_part(ctx, f);
}

static leat_status file_sink_on_record(leat_context *ctx, void *self, unsigned input,
                                       const leat_record *in) {
    (void)input;
    file_sink_self *f = self;
    leat_status status = LEAT_OK;
    bool changes = f->dated && bucket_changes(ctx, f);
    if (changes || f->count == 0) status = next_part(ctx, f);
    char small[LEATI_LINE_SMALL];
    leat_value text;
    if (status >= 0) status = leati_line_text(ctx, &in->value, LEAT_TEXT_STRING, small, &text);
    if (status < 0) return status;
    return leati_line_writer_line(ctx, f->parts[f->count - 1], leat_string(""), text);
}

static leat_status file_sink_on_end_of_data(leat_context *ctx, void *self, unsigned input) {
    (void)input;
    file_sink_self *f = self;
    leat_status all = LEAT_OK;
    for (size_t i = 0; i < f->count; i++) {
        leat_status status = leati_line_writer_finish(ctx, f->parts[i], true);
        if (status < 0) return status;
        if (status == LEAT_AGAIN) all = LEAT_AGAIN;
    }
    return all;
}

static void file_sink_fini(void *self) {
    file_sink_self *f = self;
    for (size_t i = 0; i < f->count; i++) leati_line_writer_free(f->parts[i]);
    leati_free(f->parts);
}

/* --- the operator ----------------------------------------------------------------------------- */

const leat_operator leat_file_sink_operator = {
    .size = sizeof(leat_operator),
    .name = "file_sink",
    .flags = LEAT_OP_SINK | LEAT_OP_OBJECTS,
    .inputs = 1,
    .self_size = sizeof(file_sink_self),
    .params = params,
    .on_record = file_sink_on_record,
    .open = file_sink_open,
    .on_end_of_data = file_sink_on_end_of_data,
    .fini = file_sink_fini,
};
