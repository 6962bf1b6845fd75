/* manifest.c: the manifest of a checkpoint as bytes; see checkpoint.h. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/alloc.h"
#include "runtime/base/compress.h"
#include "runtime/job/checkpoint.h"

#define MAGIC "LEATMANI"
enum { MAGIC_SIZE = 8, VERSION = 1, MOST = 1 << 28, LEAST_FILE = 5, LEAST_OPERATOR = 2 };

static void fini_file(leati_cp_file *f) {
    for (int i = 0; i < f->operator_count; i++) {
        leati_free(f->operators[i].id);
        leati_free(f->operators[i].name);
    }
    leati_free(f->operators);
    leati_free(f->name);
}

void leati_manifest_fini(leati_manifest *m) {
    for (int i = 0; i < m->file_count; i++) fini_file(&m->files[i]);
    leati_free(m->files);
    leati_free(m->job_name);
    leati_free(m->job_id);
    memset(m, 0, sizeof *m);
}

/* --- writing ---------------------------------------------------------------------------------- */

static void put_text(leati_buf *b, const char *text) {
    leati_buf_blob(b, text, strlen(text));
}

static void put_file(leati_buf *b, const leati_cp_file *f) {
    put_text(b, f->name);
    leati_buf_varint(b, f->size);
    leati_buf_varint(b, (uint64_t)f->subtask);
    leati_buf_varint(b, (uint64_t)f->parallelism);
    leati_buf_varint(b, (uint64_t)f->operator_count);
    for (int i = 0; i < f->operator_count; i++) {
        put_text(b, f->operators[i].id);
        put_text(b, f->operators[i].name);
    }
}

void leati_manifest_encode(const leati_manifest *m, leati_buf *out) {
    size_t begin = out->size;
    leati_buf_append(out, MAGIC, MAGIC_SIZE);
    leati_buf_u32(out, VERSION);
    put_text(out, m->job_name);
    put_text(out, m->job_id);
    leati_buf_varint(out, (uint64_t)m->number);
    leati_buf_zigzag(out, m->time);
    leati_buf_varint(out, (uint64_t)m->attempt);
    leati_buf_varint(out, m->flags);
    leati_buf_varint(out, (uint64_t)m->file_count);
    for (int i = 0; i < m->file_count; i++) put_file(out, &m->files[i]);
    if (!out->failed) leati_buf_u32(out, leati_crc32(0, out->bytes + begin, out->size - begin));
}

static leat_status describe_file(leati_cp_file *f, const leati_plan *plan, int task) {
    const leati_placement *at = &plan->tasks[task];
    const leati_vertex *v = &plan->vertices[at->vertex];
    f->name = leati_format("task-%d", task);
    f->subtask = at->subtask;
    f->parallelism = v->parallelism;
    f->operators = leati_zalloc((size_t)v->count * sizeof *f->operators);
    if (!f->name || !f->operators) return LEAT_E_NOMEM;
    for (int i = 0; i < v->count; i++) {
        const leati_op_info *info = &plan->infos[v->nodes[i]];
        leati_cp_operator *o = &f->operators[f->operator_count++];
        o->id = leati_strdup(info->id);
        o->name = leati_strdup(info->name);
        if (!o->id || !o->name) return LEAT_E_NOMEM;
    }
    return LEAT_OK;
}

leat_status leati_manifest_describe(leati_manifest *m, const leati_plan *plan,
                                    const uint64_t *sizes) {
    leat_status status = LEAT_OK;
    m->files = leati_zalloc((size_t)plan->task_count * sizeof *m->files + 1);
    if (!m->files) return LEAT_E_NOMEM;
    for (int i = 0; i < plan->task_count && status >= 0; i++) {
        m->file_count++;
        m->files[i].size = sizes[i];
        status = describe_file(&m->files[i], plan, i);
    }
    return status;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* "" when memory ran out, which fails the reader, too. */
static char *get_text(leati_reader *in) {
    size_t size;
    const char *text = leati_reader_blob(in, &size);
    char *copy = text && !memchr(text, 0, size) ? leati_zalloc(size + 1) : NULL;
    if (copy)
        memcpy(copy, text, size);
    else
        in->failed = true;
    return copy;
}

static int get_int(leati_reader *in) {
    uint64_t x = leati_reader_varint(in);
    if (x > INT32_MAX) in->failed = true;
    return (int)(x & INT32_MAX);
}

/* A count of things that have so many bytes at least; 0 when there cannot be so many. */
static int get_count(leati_reader *in, size_t least) {
    int count = get_int(in);
    if ((size_t)count <= leati_reader_left(in) / least) return in->failed ? 0 : count;
    in->failed = true;
    return 0;
}

/* Names are of this folder: nobody is led elsewhere. */
static bool is_plain(const char *name) {
    return *name && *name != '.' && !strchr(name, '/');
}

static void get_file(leati_reader *in, leati_cp_file *f) {
    f->name = get_text(in);
    f->size = leati_reader_varint(in);
    f->subtask = get_int(in);
    f->parallelism = get_int(in);
    int count = get_count(in, LEAST_OPERATOR);
    if (f->name && !is_plain(f->name)) in->failed = true;
    if (f->subtask >= f->parallelism) in->failed = true;
    f->operators = leati_zalloc((size_t)count * sizeof *f->operators + 1);
    if (!f->operators) in->failed = true;
    for (int i = 0; i < count && !in->failed; i++) {
        leati_cp_operator *o = &f->operators[f->operator_count++];
        o->id = get_text(in);
        o->name = get_text(in);
    }
}

static void get_all(leati_reader *in, leati_manifest *m) {
    m->job_name = get_text(in);
    m->job_id = get_text(in);
    m->number = (int64_t)(leati_reader_varint(in) & INT64_MAX);
    m->time = leati_reader_zigzag(in);
    m->attempt = get_int(in);
    m->flags = (uint32_t)get_int(in);
    int count = get_count(in, LEAST_FILE);
    m->files = leati_zalloc((size_t)count * sizeof *m->files + 1);
    if (!m->files) in->failed = true;
    for (; m->file_count < count && !in->failed; m->file_count++)
        get_file(in, &m->files[m->file_count]);
}

leat_status leati_manifest_decode(const void *bytes, size_t size, const char *where,
                                  leati_manifest *out, leat_error *err) {
    memset(out, 0, sizeof *out);
    if (size < MAGIC_SIZE + 8 || memcmp(bytes, MAGIC, MAGIC_SIZE) != 0)
        return leat_error_set(err, LEAT_E_FORMAT, where, "it is no manifest of a checkpoint");
    leati_reader in = leati_reader_of(bytes, size - 4);
    leati_reader crc = leati_reader_of((const char *)bytes + size - 4, 4);
    if (leati_reader_u32(&crc) != leati_crc32(0, bytes, size - 4))
        return leat_error_set(err, LEAT_E_FORMAT, where, "it is damaged, or cut off");
    leati_reader_bytes(&in, MAGIC_SIZE);
    uint32_t version = leati_reader_u32(&in);
    if (version != VERSION)
        return leat_error_set(err, LEAT_E_FORMAT, where,
                              "it has format %u, and this Leat reads format %d", version, VERSION);
    get_all(&in, out);
    if (!in.failed && !leati_reader_left(&in)) return LEAT_OK;
    leati_manifest_fini(out);
    return leat_error_set(err, LEAT_E_FORMAT, where, "it is damaged, or memory ran out");
}

static leat_status read_all(int fd, const char *path, leati_buf *out, leat_error *err) {
    struct stat st;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > MOST)
        return leat_error_set(err, LEAT_E_FORMAT, path, "it is no manifest of a checkpoint");
    if (!leati_buf_reserve(out, (size_t)st.st_size + 1))
        return leat_error_set(err, LEAT_E_NOMEM, path, "no memory");
    while (out->size < (size_t)st.st_size) {
        ssize_t n = read(fd, out->bytes + out->size, (size_t)st.st_size - out->size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0)
            return leat_error_set(err, LEAT_E_IO, path, "cannot be read: %s", strerror(errno));
        if (n == 0) break;
        out->size += (size_t)n;
    }
    return LEAT_OK;
}

leat_status leati_manifest_read(const char *folder, leati_manifest *out, leat_error *err) {
    leati_buf bytes;
    char *path = leati_format("%s/" LEATI_MANIFEST, folder);
    memset(out, 0, sizeof *out);
    if (!path) return leat_error_set(err, LEAT_E_NOMEM, folder, "no memory");
    leati_buf_init(&bytes);
    leat_status status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        status =
            leat_error_set(err, errno == ENOENT || errno == ENOTDIR ? LEAT_E_NOT_FOUND : LEAT_E_IO,
                           path, "cannot be opened: %s", strerror(errno));
    else
        status = read_all(fd, path, &bytes, err);
    if (status >= 0) status = leati_manifest_decode(bytes.bytes, bytes.size, path, out, err);
    if (fd >= 0) close(fd);
    leati_buf_fini(&bytes);
    leati_free(path);
    return status;
}
