/* manifest.c: the manifest of a checkpoint as bytes; see checkpoint.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/alloc.h"
#include "runtime/base/compress.h"
#include "runtime/job/checkpoint.h"

#define MAGIC "LEATMANI"
enum { MAGIC_SIZE = 8, VERSION = 2, MOST = 1 << 28, LEAST_FILE = 5, LEAST_OPERATOR = 2 };

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

static void put_file(leati_buf *b, const leati_cp_file *f) {
    leati_buf_blob_text(b, f->name);
    leati_buf_varint(b, f->size);
    leati_buf_u32(b, f->crc);
    leati_buf_varint(b, (uint64_t)f->subtask);
    leati_buf_varint(b, (uint64_t)f->parallelism);
    leati_buf_varint(b, (uint64_t)f->operator_count);
    for (int i = 0; i < f->operator_count; i++) {
        leati_buf_blob_text(b, f->operators[i].id);
        leati_buf_blob_text(b, f->operators[i].name);
    }
}

void leati_manifest_encode(const leati_manifest *m, leati_buf *out) {
    size_t begin = out->size;
    leati_buf_append(out, MAGIC, MAGIC_SIZE);
    leati_buf_u32(out, VERSION);
    leati_buf_blob_text(out, m->job_name);
    leati_buf_blob_text(out, m->job_id);
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
                                    const leati_cp_seal *seals) {
    leat_status status = LEAT_OK;
    m->files = leati_zalloc((size_t)plan->task_count * sizeof *m->files + 1);
    if (!m->files) return LEAT_E_NOMEM;
    for (int i = 0; i < plan->task_count && status >= 0; i++) {
        m->file_count++;
        m->files[i].size = seals[i].size;
        m->files[i].crc = seals[i].crc;
        m->files[i].sealed = true;
        status = describe_file(&m->files[i], plan, i);
    }
    return status;
}

/* --- reading ---------------------------------------------------------------------------------- */

typedef struct reading {
    leati_reader in;
    uint32_t version;
    bool no_memory; /* and the reader has failed */
} reading;

static void *get_room(reading *r, size_t size) {
    void *room = leati_zalloc(size);
    if (!room) r->no_memory = r->in.failed = true;
    return room;
}

/* NULL when the reader has failed. */
static char *get_text(reading *r) {
    size_t size;
    const char *text = leati_reader_blob(&r->in, &size);
    if (!text || memchr(text, 0, size)) {
        r->in.failed = true;
        return NULL;
    }
    char *copy = get_room(r, size + 1);
    if (copy) memcpy(copy, text, size);
    return copy;
}

static int get_int(reading *r) {
    uint64_t x = leati_reader_varint(&r->in);
    if (x > INT32_MAX) r->in.failed = true;
    return (int)(x & INT32_MAX);
}

/* A count of things that have so many bytes at least; 0 when there cannot be so many. */
static int get_count(reading *r, size_t least) {
    int count = get_int(r);
    if ((size_t)count <= leati_reader_left(&r->in) / least) return r->in.failed ? 0 : count;
    r->in.failed = true;
    return 0;
}

/* Names are of this folder: nobody is led elsewhere. */
static bool is_plain(const char *name) {
    return *name && *name != '.' && !strchr(name, '/');
}

static void get_file(reading *r, leati_cp_file *f) {
    f->name = get_text(r);
    f->size = leati_reader_varint(&r->in);
    f->sealed = r->version > 1;
    if (f->sealed) f->crc = leati_reader_u32(&r->in);
    f->subtask = get_int(r);
    f->parallelism = get_int(r);
    int count = get_count(r, LEAST_OPERATOR);
    if (f->name && !is_plain(f->name)) r->in.failed = true;
    if (f->subtask >= f->parallelism) r->in.failed = true;
    f->operators = get_room(r, (size_t)count * sizeof *f->operators + 1);
    for (int i = 0; i < count && !r->in.failed; i++) {
        leati_cp_operator *o = &f->operators[f->operator_count++];
        o->id = get_text(r);
        o->name = get_text(r);
    }
}

static void get_all(reading *r, leati_manifest *m) {
    m->job_name = get_text(r);
    m->job_id = get_text(r);
    uint64_t number = leati_reader_varint(&r->in);
    m->number = number <= LEATI_CP_MOST ? (int64_t)number : 0;
    r->in.failed |= number > LEATI_CP_MOST;
    m->time = leati_reader_zigzag(&r->in);
    m->attempt = get_int(r);
    m->flags = (uint32_t)get_int(r);
    int count = get_count(r, LEAST_FILE);
    m->files = get_room(r, (size_t)count * sizeof *m->files + 1);
    for (; m->file_count < count && !r->in.failed; m->file_count++)
        get_file(r, &m->files[m->file_count]);
}

/* --- does it contradict itself? --------------------------------------------------------------- */

static int times_in(const leati_cp_file *f, const char *id) {
    int times = 0;
    for (int i = 0; i < f->operator_count; i++) times += strcmp(f->operators[i].id, id) == 0;
    return times;
}

/* Are all subtasks of the operator there, each once? `seen` has room for as many as there are
   files. */
static bool has_all_of(const leati_manifest *m, const char *id, int parallelism, bool *seen) {
    int count = 0;
    memset(seen, 0, (size_t)m->file_count * sizeof *seen);
    for (int i = 0; i < m->file_count; i++) {
        const leati_cp_file *f = &m->files[i];
        int times = times_in(f, id);
        if (!times) continue;
        if (times > 1 || f->parallelism != parallelism || parallelism > m->file_count ||
            seen[f->subtask])
            return false;
        seen[f->subtask] = true;
        count++;
    }
    return count == parallelism;
}

/* Every operator has all its subtasks; those that have no first one are not counted. */
static bool is_consistent(const leati_manifest *m, bool *seen) {
    int64_t places = 0, complete = 0;
    for (int i = 0; i < m->file_count; i++) {
        const leati_cp_file *f = &m->files[i];
        places += f->operator_count;
        for (int k = 0; k < i; k++)
            if (strcmp(m->files[k].name, f->name) == 0) return false;
        for (int k = 0; k < f->operator_count && f->subtask == 0; k++) {
            if (!has_all_of(m, f->operators[k].id, f->parallelism, seen)) return false;
            complete += f->parallelism;
        }
    }
    return complete == places;
}

static leat_status get_checked(reading *r, const char *where, leati_manifest *out,
                               leat_error *err) {
    get_all(r, out);
    if (r->no_memory) return leat_error_set(err, LEAT_E_NOMEM, where, "no memory");
    if (r->in.failed || leati_reader_left(&r->in))
        return leat_error_set(err, LEAT_E_FORMAT, where, "it is damaged");
    bool *seen = leati_zalloc((size_t)out->file_count + 1);
    if (!seen) return leat_error_set(err, LEAT_E_NOMEM, where, "no memory");
    bool consistent = is_consistent(out, seen);
    leati_free(seen);
    return consistent ? LEAT_OK
                      : leat_error_set(err, LEAT_E_FORMAT, where, "it contradicts itself");
}

leat_status leati_manifest_decode(const void *bytes, size_t size, const char *where,
                                  leati_manifest *out, leat_error *err) {
    memset(out, 0, sizeof *out);
    if (size < MAGIC_SIZE + 8 || memcmp(bytes, MAGIC, MAGIC_SIZE) != 0)
        return leat_error_set(err, LEAT_E_FORMAT, where, "it is no manifest of a checkpoint");
    reading r = {.in = leati_reader_of(bytes, size - 4)};
    leati_reader crc = leati_reader_of((const char *)bytes + size - 4, 4);
    if (leati_reader_u32(&crc) != leati_crc32(0, bytes, size - 4))
        return leat_error_set(err, LEAT_E_FORMAT, where, "it is damaged, or cut off");
    leati_reader_bytes(&r.in, MAGIC_SIZE);
    r.version = leati_reader_u32(&r.in);
    if (r.version < 1 || r.version > VERSION)
        return leat_error_set(err, LEAT_E_FORMAT, where,
                              "it has format %u, and this Leat reads formats 1 to %d", r.version,
                              VERSION);
    leat_status status = get_checked(&r, where, out, err);
    if (status < 0) leati_manifest_fini(out);
    return status;
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

/* Says what a user may have meant. */
static leat_status cannot_open(const char *folder, const char *path, leat_error *err) {
    struct stat st;
    int why = errno;
    leat_error unread;
    if (why != ENOENT && why != ENOTDIR)
        return leat_error_set(err, LEAT_E_IO, path, "cannot be opened: %s", strerror(why));
    if (stat(folder, &st) < 0)
        return leat_error_set(err, LEAT_E_NOT_FOUND, folder,
                              "there is no such folder of a checkpoint or savepoint");
    if (!S_ISDIR(st.st_mode))
        return leat_error_set(err, LEAT_E_NOT_FOUND, folder,
                              "it is a file, and not the folder of a checkpoint or savepoint");
    int64_t *numbers, highest;
    int count = leati_cp_list(folder, &numbers, &highest, &unread);
    leat_status status =
        count > 0 ? leat_error_set(err, LEAT_E_NOT_FOUND, folder,
                                   "it is the folder of a job; its newest checkpoint is "
                                   "%s/chk-%" PRId64,
                                   folder, numbers[0])
                  : leat_error_set(err, LEAT_E_NOT_FOUND, folder,
                                   "it is no complete checkpoint or savepoint: it has no file "
                                   "'" LEATI_MANIFEST "'");
    leati_free(numbers);
    return status;
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
        status = cannot_open(folder, path, err);
    else
        status = read_all(fd, path, &bytes, err);
    if (status >= 0) status = leati_manifest_decode(bytes.bytes, bytes.size, path, out, err);
    if (fd >= 0) close(fd);
    leati_buf_fini(&bytes);
    leati_free(path);
    return status;
}
