/* doctor.c: `leat doctor`: what could go wrong on this machine, a line per check and a remedy for
   each that failed, and a job of three records for each way to run one; then `python -m leat
   doctor` looks at the Python half. What is wrong with the configuration comes first, since
   everything else reads it. */
#include "launcher.h"

#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FILES_WANTED = 256, FOUND = 1200 };

extern char **environ;

static bool report(bool ok, const char *name, const char *found, const char *remedy) {
    printf("%s  %s: %s%s%s\n", ok ? "ok    " : "FAILED", name, found, ok ? "" : "; ",
           ok ? "" : remedy);
    return ok;
}

/* The version that a library says of itself; it is loaded as part of libleat. */
static const char *version_of(const char *symbol) {
    void *address = dlsym(RTLD_DEFAULT, symbol);
    const char *(*version)(void);
    if (!address) return "built in";
    memcpy(&version, &address, sizeof version);
    return version();
}

static bool check_versions(void) {
    char found[200];
    bool same = strcmp(leat_version(), LEAT_VERSION_STRING) == 0;
    snprintf(found, sizeof found, "%s, libleat %s, libuv %s, zlib %s", LEAT_VERSION_STRING,
             leat_version(), version_of("uv_version_string"), version_of("zlibVersion"));
    return report(same, "leat", found, "two versions are installed; look at LD_LIBRARY_PATH");
}

static bool check_cores(void) {
    char found[64];
    cpu_set_t set;
    int cores = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    snprintf(found, sizeof found, "%d", cores);
    return report(true, "cores", found, "");
}

static bool check_limit(int resource, const char *name, rlim_t least, const char *remedy) {
    char found[64] = "no limit";
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0) return report(false, name, strerror(errno), remedy);
    if (limit.rlim_cur != RLIM_INFINITY)
        snprintf(found, sizeof found, "%llu", (unsigned long long)limit.rlim_cur);
    return report(limit.rlim_cur >= least, name, found, remedy);
}

/* Workers are watched by pidfd (Linux 5.3). */
static bool check_pidfd(void) {
    int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (fd >= 0) close(fd);
    return report(fd >= 0, "pidfd", fd >= 0 ? "there" : strerror(errno),
                  "use Linux 5.3 or newer, or run with -D python.execution-mode=thread");
}

static bool check_temporary(void) {
    const char *folder = getenv("TMPDIR");
    if (!folder || !*folder) folder = "/tmp";
    return report(access(folder, W_OK | X_OK) == 0, "temporary files", folder,
                  "let TMPDIR name a folder that you may write");
}

static leat_status count_record(leat_context *ctx, const leat_record *in, void *self) {
    (void)ctx;
    (void)in;
    atomic_fetch_add((atomic_int *)self, 1);
    return LEAT_OK;
}

/* Three records from a collection to a callback, through a Python function if one is named. */
static bool run_three(leat_env *env, const char *function, char *found, size_t size) {
    atomic_int seen = 0;
    leat_error err = {.status = LEAT_OK};
    const leat_value values[] = {leat_int(1), leat_int(2), leat_int(3)};
    leat_stream *s = leat_env_collection(env, values, 3);
    if (function) s = leat_stream_map(s, leat_python(function));
    leat_stream_sink(s, leat_sink_fn(count_record, &seen));
    leat_status status = leat_env_execute(env, "doctor", &err);
    snprintf(found, size, "%d of three records", atomic_load(&seen));
    if (status < 0) snprintf(found, size, "%s: %s", err.where, err.text);
    return status >= 0 && seen == 3;
}

static bool check_job(leat_env *env) {
    char found[FOUND];
    bool ok = run_three(env, NULL, found, sizeof found);
    return report(ok, "native job", found, "please report it, with the output of this command");
}

static void keep_line(leat_log_level level, const char *line, void *found) {
    (void)level;
    snprintf(found, FOUND, "%s", line);
}

/* A Python function in a C program, which this one is. Falling back to the other mode is no
   success. */
static bool check_mode(const command_line *line, const char *mode, const char *python,
                       const char *remedy) {
    leat_error err = {.status = LEAT_OK};
    char name[80], found[FOUND], warning[FOUND] = "";
    leat_env *env = launcher_env(line);
    if (!env) return false;
    leat_log_set(keep_line, warning, LEAT_LOG_WARNING);
    bool ok = leat_env_set(env, "python.execution-mode", mode, &err) >= 0 &&
              leat_env_set(env, "python.executable", python, &err) >= 0;
    snprintf(found, sizeof found, "%s: %s", err.where, err.text);
    ok = ok && run_three(env, "operator:neg", found, sizeof found) && !warning[0];
    leat_log_set(NULL, NULL, LEAT_LOG_WARNING);
    leat_env_free(env);
    snprintf(name, sizeof name, "Python function in a C program, %s mode", mode);
    return report(ok, name, warning[0] ? warning : found, remedy);
}

/* Runs a program and waits; its exit code, or 1. */
static int run_and_wait(char *const argv[]) {
    pid_t child;
    int answer = -1;
    fflush(NULL);
    int failed = posix_spawn(&child, argv[0], NULL, NULL, argv, environ);
    if (failed) say("%s: %s", argv[0], strerror(failed));
    if (failed || waitpid(child, &answer, 0) < 0) return EXIT_FAILED;
    return WIFEXITED(answer) ? WEXITSTATUS(answer) : EXIT_FAILED;
}

static bool check_python(const command_line *line) {
    char *python = python_find(line, true, NULL);
    if (!python)
        return report(false, "Python for scripts", "none",
                      "name a Python 3.11, 3.12 or 3.13 in LEAT_PYTHON");
    static char safe_path[] = "-P", dash_c[] = "-c";
    static char dash_m[] = "-m", module[] = "leat", command[] = "doctor";
    static char there[] = "import importlib.util as u, sys; sys.exit(not u.find_spec('leat'))";
    char *const look[] = {python, safe_path, dash_c, there, NULL};
    char *const ask[] = {python, safe_path, dash_m, module, command, NULL};
    bool ok = report(run_and_wait(look) == 0, "Python for scripts", python,
                     "it has no package leat: pip install leat, or name another in LEAT_PYTHON");
    if (ok) {
        ok = check_mode(line, "process", python, "see what the lines below say of this Python");
        ok &= check_mode(line, "thread", python, "C programs can use process mode");
        ok &= run_and_wait(ask) == 0;
    }
    free(python);
    return ok;
}

static bool check_machine(leat_env *env) {
    bool ok = check_versions();
    ok &= check_cores();
    ok &= check_limit(RLIMIT_NOFILE, "open files", FILES_WANTED, "ulimit -n 256");
    ok &= check_limit(RLIMIT_NPROC, "processes and threads", 64, "ulimit -u 64");
    ok &= check_limit(RLIMIT_AS, "address space", 1 << 28, "ulimit -v unlimited");
    ok &= check_pidfd();
    ok &= check_temporary();
    ok &= check_job(env);
    return ok;
}

int doctor(int argc, char **argv) {
    command_line line;
    int code = EXIT_USAGE;
    if (command_line_read(&line, argc, argv, 2, "")) {
        leat_env *env = launcher_env(&line);
        if (env) {
            bool ok = check_machine(env);
            leat_env_free(env);
            ok &= check_python(&line);
            code = ok ? EXIT_FINISHED : EXIT_FAILED;
        }
    }
    command_line_free(&line);
    return code;
}
