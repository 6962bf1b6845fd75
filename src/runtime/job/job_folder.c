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
#include <sys/stat.h>
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

/* Whoever owns it may put other checkpoints into the place of this job's. */
static leat_status check_owner(const leati_job_folder *f, const leati_config *config,
                               leat_error *err) {
    struct stat st;
    if (stat(f->path, &st) < 0)
        return leat_error_set(err, LEAT_E_IO, f->path, "cannot be looked at: %s", strerror(errno));
    if (st.st_uid == geteuid() ||
        leati_config_bool(config, "execution.state-recovery.allow-other-owner"))
        return LEAT_OK;
    return leat_error_set(
        err, LEAT_E_STATE, f->path,
        "the folder belongs to another user (%u, and this process is of %u); name "
        "another one (execution.checkpointing.dir), or set "
        "execution.state-recovery.allow-other-owner if you trust it",
        (unsigned)st.st_uid, (unsigned)geteuid());
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
    if (f->temporary) return LEAT_OK;
    if (leati_cp_make_lasting(f->path, &own) >= 0) return check_owner(f, config, err);
    return leat_error_set(err, own.status, own.where, "%s (%s)", own.text, key);
}

/* --- its lock --------------------------------------------------------------------------------- */

static void sign(const leati_job_folder *f, const char *job_id) {
    char *text = leati_format("%d %s\n", (int)getpid(), job_id);
    if (text && ftruncate(f->lock, 0) == 0 && pwrite(f->lock, text, strlen(text), 0) < 0)
        leati_log(LEAT_LOG_WARNING, "%s/lock: cannot be written: %s", f->path, strerror(errno));
    leati_free(text);
}

typedef struct owner {
    int pid;       /* 0: nobody has signed */
    char job[64];  /* its id */
    char name[96]; /* "process 7 (job 0123)" */
} owner;

/* Whoever has the lock signs it at once, unless its disk is full. */
static owner read_owner(const leati_job_folder *f) {
    char line[96] = "";
    owner o = {.name = "a process that has not said which it is"};
    ssize_t n = pread(f->lock, line, sizeof line - 1, 0);
    line[strcspn(line, "\n")] = 0;
    const char *space = strchr(line, ' ');
    o.pid = n > 0 ? atoi(line) : 0;
    snprintf(o.job, sizeof o.job, "%.63s", space ? space + 1 : "unknown");
    if (o.pid > 0) snprintf(o.name, sizeof o.name, "process %d (job %s)", o.pid, o.job);
    return o;
}

static leat_status refuse(const leati_job_folder *f, leat_error *err) {
    owner o = read_owner(f);
    if (o.pid > 0 && kill(o.pid, 0) < 0 && errno == ESRCH)
        return leat_error_set(err, LEAT_E_STATE, f->path,
                              "process %d, whose job %s had its checkpoints there, is gone, but "
                              "workers of it are not; end them",
                              o.pid, o.job);
    return leat_error_set(err, LEAT_E_STATE, f->path,
                          "the checkpoints there are in use by %s; end that job, or give this one "
                          "another name or folder",
                          o.name);
}

static leat_status open_lock(leati_job_folder *f, leat_error *err) {
    char *path = leati_format("%s/lock", f->path);
    if (!path) return no_memory(err);
    f->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    leat_status status = LEAT_OK;
    if (f->lock >= 0) f->lock = leati_fd_above_stdio(f->lock); /* workers inherit it */
    if (f->lock < 0)
        status = leat_error_set(err, LEAT_E_IO, path, "cannot be opened: %s", strerror(errno));
    leati_free(path);
    return status;
}

/* LEAT_AGAIN: somebody has it. */
static leat_status try_lock(leati_job_folder *f, const char *job_id, leat_error *err) {
    int failed;
    do failed = flock(f->lock, LOCK_EX | LOCK_NB);
    while (failed && errno == EINTR);
    f->held = !failed;
    if (f->held) sign(f, job_id);
    if (f->held) return LEAT_OK;
    if (errno == EWOULDBLOCK) return LEAT_AGAIN;
    return leat_error_set(err, LEAT_E_IO, f->path, "cannot be locked: %s", strerror(errno));
}

leat_status leati_job_folder_await(leati_job_folder *f, const char *job_id,
                                   const leati_abort *abort, leat_error *err) {
    enum { LOOK_US = 50000 };
    if (f->temporary) return LEAT_OK;
    int64_t until = leati_clock_monotonic() + leati_job_folder_patience_ms * 1000000;
    leat_status status = f->held ? LEAT_OK : try_lock(f, job_id, err);
    if (status == LEAT_AGAIN)
        leati_log(LEAT_LOG_WARNING,
                  "%s: the checkpoints there are in use by %s; waiting for its end, %d s at most",
                  f->path, read_owner(f).name, (int)(leati_job_folder_patience_ms / 1000));
    while (status == LEAT_AGAIN) {
        if (leati_abort_wanted(abort))
            return leat_error_set(err, LEAT_E_CANCELLED, f->path, "nobody waits for it any more");
        if (leati_clock_monotonic() > until) return refuse(f, err);
        usleep(LOOK_US);
        status = try_lock(f, job_id, err);
    }
    if (status >= 0) leati_cp_remove_parts(f->path, false);
    return status;
}

/* --- the whole -------------------------------------------------------------------------------- */

/* A job of this process will not end because another one waits. */
leat_status leati_job_folder_init(leati_job_folder *f, const leati_config *config,
                                  const char *job_name, const char *job_id, leat_error *err) {
    memset(f, 0, sizeof *f);
    f->lock = -1;
    leat_status status = find(f, config, job_name, job_id, err);
    if (status >= 0 && !f->temporary) status = open_lock(f, err);
    if (status < 0 || f->temporary) return status;
    status = try_lock(f, job_id, err);
    if (status == LEAT_AGAIN && read_owner(f).pid == (int)getpid()) status = refuse(f, err);
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
