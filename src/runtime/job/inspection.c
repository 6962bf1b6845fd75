/* inspection.c: leat_checkpoint_inspect and its list: what is in a checkpoint, as a text or as
   JSON. Everything comes from the manifest and the indexes of the files; of a section only its
   first number is looked at, which says how many there are. */
#include "leat/checkpoint.h"

#include <inttypes.h>
#include <time.h>

#include "runtime/base/alloc.h"
#include "runtime/base/file_path.h"
#include "runtime/flow/chain.h"
#include "runtime/job/checkpoint.h"
#include "runtime/state/store.h"

/* A state, the items of one name, the timers of a domain, or the log of an operator. */
typedef struct part {
    leati_row row; /* name and text are its own */
    uint64_t groups, entries, stored, size;
} part;

typedef struct operator_view {
    const leati_cp_operator *of;
    int parallelism, max_parallelism;
    int64_t watermark; /* the least of its subtasks */
    part *parts;
    int count;
} operator_view;

typedef struct inspection {
    char *folder;
    leati_manifest manifest;
    operator_view *operators;
    int count;
    uint64_t bytes; /* of all files */
} inspection;

static void inspection_fini(inspection *v) {
    for (int i = 0; i < v->count; i++) {
        operator_view *o = &v->operators[i];
        for (int k = 0; k < o->count; k++) {
            leati_free((char *)(uintptr_t)o->parts[k].row.name);
            leati_free((char *)(uintptr_t)o->parts[k].row.text);
        }
        leati_free(o->parts);
    }
    leati_free(v->operators);
    leati_manifest_fini(&v->manifest);
    leati_free(v->folder);
}

/* --- gathering -------------------------------------------------------------------------------- */

static bool is_same(const leati_row *a, const leati_row *b) {
    if (a->kind != b->kind || a->distribution != b->distribution || a->domain != b->domain)
        return false;
    if (a->kind == LEATI_ROW_TABLE && a->of_function != b->of_function) return false;
    return strcmp(a->name ? a->name : "", b->name ? b->name : "") == 0;
}

/* The part that the row is of; NULL when memory ran out. */
static part *part_of(operator_view *o, const leati_row *row) {
    for (int i = 0; i < o->count; i++)
        if (is_same(&o->parts[i].row, row)) return &o->parts[i];
    part *more = leati_resize(o->parts, (size_t)(o->count + 1) * sizeof *more);
    if (!more) return NULL;
    o->parts = more;
    part *p = &more[o->count++];
    memset(p, 0, sizeof *p);
    p->row = *row;
    p->row.name = leati_strdup(row->name ? row->name : "");
    p->row.text = leati_strdup(row->text ? row->text : "");
    return p->row.name && p->row.text ? p : NULL;
}

static leat_status add_section(part *p, leati_store *s, const leati_row *row, leat_error *err) {
    const void *bytes;
    size_t size;
    leat_status status = leati_store_read(s, row, &bytes, &size, err);
    if (status < 0) return status;
    leati_reader in = leati_reader_of(bytes, size);
    bool counted = row->kind == LEATI_ROW_CELLS || row->kind == LEATI_ROW_TIMERS;
    p->groups++;
    p->entries += counted ? leati_reader_varint(&in) : 1;
    p->stored += row->stored;
    p->size += row->size;
    return LEAT_OK;
}

static operator_view *view_of(inspection *v, const leati_cp_operator *of) {
    for (int i = 0; i < v->count; i++)
        if (strcmp(v->operators[i].of->id, of->id) == 0) return &v->operators[i];
    operator_view *o = &v->operators[v->count++];
    o->of = of;
    o->watermark = INT64_MAX;
    return o;
}

static leat_status no_memory(leat_error *err, const char *where) {
    return leat_error_set(err, LEAT_E_NOMEM, where, "no memory");
}

static leat_status add_rows(inspection *v, const leati_cp_file *f, leati_store *s,
                            leat_error *err) {
    const leati_row *rows;
    size_t count = leati_store_rows(s, &rows);
    int at = -1;
    part *table = NULL;
    leat_status status = LEAT_OK;
    for (size_t i = 0; i < count && status >= 0; i++) {
        const leati_row *row = &rows[i];
        if (row->kind == LEATI_ROW_OPERATOR) at++;
        operator_view *o = view_of(v, &f->operators[at < 0 ? 0 : at]);
        if (row->kind == LEATI_ROW_OPERATOR) {
            o->parallelism = row->parallelism;
            o->max_parallelism = row->max_parallelism;
            if (row->watermark < o->watermark) o->watermark = row->watermark;
            continue;
        }
        if (row->kind == LEATI_ROW_LOG) o = view_of(v, &f->operators[0]);
        part *p = row->kind == LEATI_ROW_CELLS ? table : part_of(o, row);
        if (row->kind == LEATI_ROW_TABLE) table = p;
        if (!p)
            status = no_memory(err, v->folder);
        else if (leati_row_is_section(row))
            status = add_section(p, s, row, err);
    }
    return status;
}

static leat_status add_file(inspection *v, const leati_cp_file *f, leat_error *err) {
    char *path = leati_format("%s/%s", v->folder, f->name);
    if (!path) return no_memory(err, v->folder);
    leati_store *s = leati_store_open(path, err);
    leat_status status = s ? add_rows(v, f, s, err) : err->status;
    leati_store_free(s);
    leati_free(path);
    v->bytes += f->size;
    return status;
}

static leat_status gather(inspection *v, const char *path, leat_error *err) {
    v->folder = leati_cp_named(path);
    if (!v->folder) return no_memory(err, path);
    leat_status status = leati_manifest_read(v->folder, &v->manifest, err);
    /* The user looks, and nothing starts from it: other users' files will do. */
    if (status >= 0) status = leati_cp_verify(v->folder, &v->manifest, true, NULL, err);
    int most = 0;
    for (int i = 0; i < v->manifest.file_count; i++) most += v->manifest.files[i].operator_count;
    if (status < 0) return status;
    v->operators = leati_zalloc((size_t)most * sizeof *v->operators + 1);
    if (!v->operators) return no_memory(err, path);
    for (int i = 0; i < v->manifest.file_count && status >= 0; i++)
        status = add_file(v, &v->manifest.files[i], err);
    return status;
}

/* --- words ------------------------------------------------------------------------------------ */

static const char *kind_of(const leati_manifest *m) {
    return m->flags & LEATI_CP_SAVEPOINT ? "savepoint" : "checkpoint";
}

static const char *distribution_name(leat_distribution d) {
    static const char *const names[] = {"key group", "split list", "union list", "broadcast"};
    return names[d];
}

static const char *domain_name(leat_time_domain d) {
    return d == LEAT_EVENT_TIME ? "event time" : "processing time";
}

static void put_time(leati_buf *out, int64_t ms) {
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    char text[40] = "";
    if (gmtime_r(&seconds, &tm)) strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    leati_buf_text(out, text);
}

/* --- as text ---------------------------------------------------------------------------------- */

static void put_plural(leati_buf *out, uint64_t n, const char *one, const char *more) {
    leati_buf_printf(out, "%" PRIu64 " %s", n, n == 1 ? one : more);
}

static void text_part(leati_buf *out, const part *p) {
    const leati_row *e = &p->row;
    const char *one = "entry", *more = "entries";
    leati_buf_text(out, "  ");
    switch (e->kind) {
    case LEATI_ROW_TABLE:
        leati_buf_printf(out, "state '%s': %s of %s%s, %s, %s: ", e->name,
                         leati_state_kind_name(e->state), *e->text ? e->text : "any object",
                         e->expiry == LEATI_EXPIRES ? ", which expires" : "",
                         e->of_function ? "a function's" : "the operator's own",
                         distribution_name(e->distribution));
        break;
    case LEATI_ROW_TIMERS:
        leati_buf_printf(out, "timers in %s: ", domain_name(e->domain));
        one = "timer", more = "timers";
        break;
    case LEATI_ROW_LOG:
        leati_buf_text(out, "records on their way round the loop: ");
        one = "part", more = "parts";
        break;
    default:
        leati_buf_printf(out, "item '%s', %s: ", e->name, distribution_name(e->distribution));
        one = "item", more = "items";
    }
    put_plural(out, p->entries, one, more);
    bool grouped = e->kind == LEATI_ROW_TIMERS ||
                   (e->kind == LEATI_ROW_TABLE && e->distribution == LEAT_BY_KEY_GROUP);
    if (grouped) {
        leati_buf_text(out, " in ");
        put_plural(out, p->groups, "key group", "key groups");
    }
    leati_buf_text(out, ", ");
    put_plural(out, p->size, "byte", "bytes");
    if (p->stored != p->size) leati_buf_printf(out, " (%" PRIu64 " compressed)", p->stored);
    leati_buf_text(out, "\n");
}

static void text_operator(leati_buf *out, const operator_view *o) {
    leati_buf_printf(out, "\n%s (%s), parallelism %d, maximum %d\n", o->of->id, o->of->name,
                     o->parallelism, o->max_parallelism);
    for (int i = 0; i < o->count; i++) text_part(out, &o->parts[i]);
    if (!o->count) leati_buf_text(out, "  remembers nothing\n");
}

static void put_text(leati_buf *out, const inspection *v) {
    const leati_manifest *m = &v->manifest;
    leati_buf_printf(out, "%s %" PRId64 " of job '%s' (%s), ", kind_of(m), m->number, m->job_name,
                     m->job_id);
    put_time(out, m->time);
    leati_buf_printf(out, ", attempt %d\n", m->attempt + 1);
    if (m->flags & LEATI_CP_FINISHED)
        leati_buf_text(out, "all data had ended: the job is finished\n");
    else if (m->flags & LEATI_CP_STOPPED)
        leati_buf_text(out, "the job was stopped with it\n");
    leati_buf_printf(out, "%s: %d files, %" PRIu64 " bytes, all checksums are right\n", v->folder,
                     m->file_count, v->bytes);
    for (int i = 0; i < v->count; i++) text_operator(out, &v->operators[i]);
}

/* --- as JSON ---------------------------------------------------------------------------------- */

static void json_text(leati_buf *out, const char *name, const char *text) {
    leati_buf_printf(out, "\"%s\": ", name);
    leati_json_string(out, text);
}

static void json_part(leati_buf *out, const part *p) {
    const leati_row *e = &p->row;
    static const char *const kinds[] = {[LEATI_ROW_TABLE] = "state",
                                        [LEATI_ROW_TIMERS] = "timers",
                                        [LEATI_ROW_ITEM] = "item",
                                        [LEATI_ROW_LOG] = "log"};
    leati_buf_text(out, "{");
    json_text(out, "part", kinds[e->kind]);
    if (e->kind == LEATI_ROW_TABLE || e->kind == LEATI_ROW_ITEM) {
        leati_buf_text(out, ", ");
        json_text(out, "name", e->name);
        leati_buf_text(out, ", ");
        json_text(out, "distribution", distribution_name(e->distribution));
    }
    if (e->kind == LEATI_ROW_TABLE) {
        leati_buf_text(out, ", ");
        json_text(out, "kind", leati_state_kind_name(e->state));
        leati_buf_text(out, ", ");
        if (*e->text)
            json_text(out, "type", e->text);
        else
            leati_buf_text(out, "\"type\": null");
        leati_buf_text(out, ", ");
        json_text(out, "of", e->of_function ? "function" : "operator");
        leati_buf_printf(out, ", \"expires\": %s", e->expiry == LEATI_EXPIRES ? "true" : "false");
    }
    if (e->kind == LEATI_ROW_TIMERS) {
        leati_buf_text(out, ", ");
        json_text(out, "domain", domain_name(e->domain));
    }
    leati_buf_printf(out,
                     ", \"entries\": %" PRIu64 ", \"sections\": %" PRIu64 ", \"bytes\": %" PRIu64
                     ", \"stored\": %" PRIu64 "}",
                     p->entries, p->groups, p->size, p->stored);
}

static void json_operator(leati_buf *out, const operator_view *o) {
    leati_buf_text(out, "\n  {");
    json_text(out, "id", o->of->id);
    leati_buf_text(out, ", ");
    json_text(out, "name", o->of->name);
    leati_buf_printf(out, ", \"parallelism\": %d, \"max_parallelism\": %d, \"parts\": [",
                     o->parallelism, o->max_parallelism);
    for (int i = 0; i < o->count; i++) {
        leati_buf_text(out, i ? ",\n    " : "\n    ");
        json_part(out, &o->parts[i]);
    }
    leati_buf_text(out, "]}");
}

/* What is known without the files, without the brace at its end. */
static void json_head(leati_buf *out, const char *folder, const leati_manifest *m) {
    leati_buf_text(out, "{");
    json_text(out, "path", folder);
    leati_buf_text(out, ", ");
    json_text(out, "job", m->job_name);
    leati_buf_text(out, ", ");
    json_text(out, "job_id", m->job_id);
    leati_buf_printf(out, ", \"number\": %" PRId64 ", \"time\": \"", m->number);
    put_time(out, m->time);
    leati_buf_printf(out, "\", \"time_ms\": %" PRId64 ", \"attempt\": %d, ", m->time, m->attempt);
    json_text(out, "kind", kind_of(m));
    leati_buf_printf(out, ", \"finished\": %s, \"stopped\": %s",
                     m->flags & LEATI_CP_FINISHED ? "true" : "false",
                     m->flags & LEATI_CP_STOPPED ? "true" : "false");
}

static void put_json(leati_buf *out, const inspection *v) {
    const leati_manifest *m = &v->manifest;
    json_head(out, v->folder, m);
    leati_buf_printf(out, ", \"bytes\": %" PRIu64 ",\n \"operators\": [", v->bytes);
    for (int i = 0; i < v->count; i++) {
        if (i) leati_buf_text(out, ",");
        json_operator(out, &v->operators[i]);
    }
    leati_buf_text(out, "],\n \"files\": [");
    for (int i = 0; i < m->file_count; i++) {
        leati_buf_text(out, i ? ",\n  {" : "\n  {");
        json_text(out, "name", m->files[i].name);
        leati_buf_printf(out, ", \"bytes\": %" PRIu64 ", \"subtask\": %d, \"parallelism\": %d}",
                         m->files[i].size, m->files[i].subtask, m->files[i].parallelism);
    }
    leati_buf_text(out, "]}\n");
}

char *leat_checkpoint_inspect(const char *path, bool json, leat_error *err) {
    inspection v = {0};
    leati_buf out;
    char *text = NULL;
    if (!path || !*path) {
        leat_error_set(err, LEAT_E_ARGUMENT, "leat_checkpoint_inspect", "path is empty");
        return NULL;
    }
    leati_buf_init(&out);
    leat_error own;
    if (gather(&v, path, &own) < 0) {
        leat_error_set(err, own.status, own.where, "%s", own.text);
    } else {
        if (json)
            put_json(&out, &v);
        else
            put_text(&out, &v);
        text = leati_buf_take(&out);
        if (!text) no_memory(err, path);
    }
    leati_buf_fini(&out);
    inspection_fini(&v);
    return text;
}

/* --- a list ----------------------------------------------------------------------------------- */

static void list_one(leati_buf *out, const char *folder, bool json) {
    leat_error err;
    leati_manifest m;
    bool whole = leati_manifest_read(folder, &m, &err) >= 0;
    bool known = whole;
    if (whole) whole = leati_cp_verify(folder, &m, true, NULL, &err) >= 0;
    uint64_t bytes = 0;
    for (int i = 0; i < m.file_count; i++) bytes += m.files[i].size;
    if (json) {
        if (known) {
            json_head(out, folder, &m);
        } else {
            leati_buf_text(out, "{");
            json_text(out, "path", folder);
        }
        leati_buf_printf(out, ", \"bytes\": %" PRIu64 ", \"damaged\": ", bytes);
        char *why = whole ? NULL : leati_format("%s: %s", err.where, err.text);
        if (why)
            leati_json_string(out, why);
        else
            leati_buf_text(out, "null");
        leati_free(why);
        leati_buf_text(out, "}");
    } else {
        leati_buf_text(out, folder);
        if (known) {
            leati_buf_text(out, "  ");
            put_time(out, m.time);
            leati_buf_printf(out, "  %" PRIu64 " bytes%s", bytes,
                             m.flags & LEATI_CP_FINISHED ? "  finished" : "");
        }
        if (!whole) leati_buf_printf(out, "  DAMAGED: %s: %s", err.where, err.text);
        leati_buf_text(out, "\n");
    }
    leati_manifest_fini(&m);
}

char *leat_checkpoint_list(const char *job_folder, bool json, leat_error *err) {
    int64_t *numbers, highest;
    leati_buf out;
    if (!job_folder || !*job_folder) {
        leat_error_set(err, LEAT_E_ARGUMENT, "leat_checkpoint_list", "job_folder is empty");
        return NULL;
    }
    const char *path = leati_file_path(job_folder);
    int count = leati_cp_list(path, &numbers, &highest, err);
    if (count < 0) return NULL;
    leati_buf_init(&out);
    if (json) leati_buf_text(&out, "[");
    for (int i = 0; i < count; i++) {
        char *folder = leati_cp_folder(path, numbers[i]);
        if (json && i) leati_buf_text(&out, ",\n ");
        if (folder)
            list_one(&out, folder, json);
        else
            out.failed = true;
        leati_free(folder);
    }
    leati_free(numbers);
    if (json) leati_buf_text(&out, "]\n");
    bool failed = out.failed;
    char *text = failed ? NULL : out.size ? leati_buf_take(&out) : leati_strdup("");
    leati_buf_fini(&out);
    if (!text) no_memory(err, path);
    return text;
}
