/* job_folder.c: see job_folder.h. The lock is flock's, on a file that says who has it; it goes when
   the last process that has it open is gone. Parts that nobody will finish are removed once it is
   held, but for the newest: no number is used twice, and it is what tells which have been. */
#include "runtime/job/job_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "runtime/base/alloc.h"
#include "runtime/base/clock.h"
#include "runtime/base/file_path.h"
#include "runtime/base/log.h"
#include "runtime/job/spawn.h"

int64_t leati_job_folder_patience_ms = 10000;

static leat_status no_memory(leat_error *err) {
    return leat_error_set(err, LEAT_E_NOMEM, "checkpoints", "no memory");
}

/* --- its name --------------------------------------------------------------------------------- */

static char *temporary_path(const leati_config *config, const char *job_id) {
    const char *tmp = leati_config_get(config, "io.tmp.dirs");
    if (!tmp || !*tmp) tmp = getenv("TMPDIR");
    if (!tmp || !*tmp) tmp = "/tmp";
    return leati_format("%.*s/leat-%s", (int)strcspn(tmp, ",|:"), tmp, job_id);
}

static leat_status find(leati_job_folder *f, const leati_config *config, const char *job_name,
                        const char *job_id, leat_error *err) {
    const char *key = "execution.checkpointing.dir", *written = leati_config_get(config, key);
    if (written && leati_file_path_check(written, err) < 0) return err->status;
    const char *dir = leati_file_path(written);
    f->temporary = !dir || !*dir;
    f->path = f->temporary ? temporary_path(config, job_id) : leati_cp_job_folder(dir, job_name);
    if (!f->path) return no_memory(err);
    leat_error own;
    if (f->temporary || leati_cp_make_lasting(f->path, &own) >= 0) return LEAT_OK;
    return leat_error_set(err, own.status, own.where, "%s (%s)", own.text, key);
}

/* --- its lock --------------------------------------------------------------------------------- */

static void sign(const leati_job_folder *f, const char *job_id) {
    char *text = leati_format("%d %s\n", (int)getpid(), job_id);
    if (text && ftruncate(f->lock, 0) == 0 && pwrite(f->lock, text, strlen(text), 0) < 0)
        leati_log(LEAT_LOG_WARNING, "%s/lock: cannot be written: %s", f->path, strerror(errno));
    leati_free(text);
}

/* Who signed last: the process, 0 when nobody did, and the job. */
static int read_owner(const leati_job_folder *f, char job[64]) {
    char owner[96] = "";
    ssize_t n = pread(f->lock, owner, sizeof owner - 1, 0);
    const char *space = n > 0 ? strchr(owner, ' ') : NULL;
    owner[strcspn(owner, "\n")] = 0;
    snprintf(job, 64, "%.63s", space ? space + 1 : "unknown");
    return n > 0 ? atoi(owner) : 0;
}

static leat_status refuse(const leati_job_folder *f, leat_error *err) {
    char job[64];
    int pid = read_owner(f, job);
    if (pid > 0 && kill(pid, 0) < 0 && errno == ESRCH)
        return leat_error_set(err, LEAT_E_STATE, f->path,
                              "process %d, whose job %s had its checkpoints there, is gone, but "
                              "workers of it are not; end them",
                              pid, job);
    return leat_error_set(err, LEAT_E_STATE, f->path,
                          "the checkpoints there are in use by process %d (job %s); end that job, "
                          "or give this one another name or folder",
                          pid, job);
}

/* A job of this process will not end because another one waits. */
static bool is_own(const leati_job_folder *f) {
    char job[64];
    return read_owner(f, job) == (int)getpid();
}

/* A job that was killed a moment ago may have workers that end just now. */
static void wait_a_little(const leati_job_folder *f, bool *said) {
    enum { LOOK_US = 50000 };
    char job[64];
    if (!*said)
        leati_log(
            LEAT_LOG_WARNING,
            "%s: the checkpoints there are in use by process %d; waiting for its end, %d s at "
            "most",
            f->path, read_owner(f, job), (int)(leati_job_folder_patience_ms / 1000));
    *said = true;
    usleep(LOOK_US);
}

static leat_status lock(leati_job_folder *f, const char *job_id, leat_error *err) {
    char *path = leati_format("%s/lock", f->path);
    if (!path) return no_memory(err);
    f->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    leat_status status = LEAT_OK;
    if (f->lock >= 0) f->lock = leati_fd_above_stdio(f->lock); /* workers inherit it */
    if (f->lock < 0)
        status = leat_error_set(err, LEAT_E_IO, path, "cannot be opened: %s", strerror(errno));
    leati_free(path);
    int64_t until = leati_clock_monotonic() + leati_job_folder_patience_ms * 1000000;
    bool said = false;
    while (status >= 0 && flock(f->lock, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            status =
                leat_error_set(err, LEAT_E_IO, f->path, "cannot be locked: %s", strerror(errno));
        else if (leati_clock_monotonic() > until || is_own(f))
            status = refuse(f, err);
        else
            wait_a_little(f, &said);
    }
    if (status >= 0) sign(f, job_id);
    return status;
}

/* --- the whole -------------------------------------------------------------------------------- */

leat_status leati_job_folder_init(leati_job_folder *f, const leati_config *config,
                                  const char *job_name, const char *job_id, leat_error *err) {
    memset(f, 0, sizeof *f);
    f->lock = -1;
    leat_status status = find(f, config, job_name, job_id, err);
    if (status < 0 || f->temporary) return status;
    status = lock(f, job_id, err);
    if (status >= 0) leati_cp_remove_parts(f->path, false);
    return status;
}

void leati_job_folder_clear(leati_job_folder *f) {
    const char *path = f->path;
    leat_error err;
    int64_t *numbers, highest;
    int count = leati_cp_list(path, &numbers, &highest, &err);
    for (int i = 0; i < count; i++) {
        char *folder = leati_cp_folder(path, numbers[i]);
        if (folder) leati_cp_remove(folder);
        leati_free(folder);
    }
    leati_free(numbers);
    leati_cp_remove_parts(path, true);
}

void leati_job_folder_fini(leati_job_folder *f) {
    if (!f->path) return;
    if (f->temporary) leati_job_folder_clear(f);
    if (f->temporary) leati_cp_remove(f->path);
    if (f->lock >= 0) close(f->lock);
    leati_free(f->path);
    memset(f, 0, sizeof *f);
}
