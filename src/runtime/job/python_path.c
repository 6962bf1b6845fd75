/* python_path.c: see python_path.h. */
#include "runtime/job/python_path.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/base/alloc.h"
#include "runtime/base/clock.h"
#include "runtime/job/spawn.h"

enum { PATIENCE_MS = 10000 };

extern char **environ;

/* --- folders ---------------------------------------------------------------------------------- */

/* Cuts the name of a file off its path. */
static char *folder_of(char *path) {
    char *slash = strrchr(path, '/');
    if (slash) *slash = 0;
    return path;
}

char *leati_python_executable(const leati_config *config) {
    const char *set = leati_config_get(config, "python.executable");
    const char *venv = getenv("VIRTUAL_ENV");
    if (set && *set) return leati_strdup(set);
    if (venv && *venv) return leati_format("%s/bin/python", venv);
#ifdef LEAT_BUILD_PYTHON
    if (access(LEAT_BUILD_PYTHON, X_OK) == 0) return leati_strdup(LEAT_BUILD_PYTHON);
#endif
    return leati_strdup("python3");
}

char *leati_python_packages(void) {
    Dl_info library;
    char file[PATH_MAX];
    if (!dladdr((void *)(uintptr_t)&leati_python_packages, &library) ||
        !realpath(library.dli_fname, file))
        return leati_strdup("");
    return leati_format("%s/leat", folder_of(file));
}

char *leati_program_folder(void) {
    char file[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", file, sizeof file - 1);
    if (size <= 0) return leati_strdup("");
    file[size] = 0;
    return leati_strdup(folder_of(file));
}

char *leati_working_folder(void) {
    char folder[PATH_MAX];
    return leati_strdup(getcwd(folder, sizeof folder) ? folder : "");
}

/* --- asking the executable -------------------------------------------------------------------- */

/* Prints "leat:" and executable, version, libpython, module, with tabs between; argv[1] are the
   packages. */
static const char question[] =
    "import importlib.util, os, sys, sysconfig\n"
    "get = sysconfig.get_config_var\n"
    "version = '%d.%d' % sys.version_info[:2]\n"
    "sys.path.insert(0, sys.argv[1] + '/python' + version)\n"
    "spec = importlib.util.find_spec('leat')\n"
    "folders = list(spec.submodule_search_locations or []) if spec else []\n"
    "modules = [os.path.join(f, '_leat' + get('EXT_SUFFIX')) for f in folders]\n"
    "lib = get('LIBDIR') or ''\n"
    "libs = [lib, os.path.join(lib, get('MULTIARCH') or ''), os.path.join(sys.base_prefix, 'lib')]\n"
    "name = 'libpython' + version + sys.abiflags + '.so.1.0'\n"
    "first = lambda paths: next(filter(os.path.exists, paths), '')\n"
    "found = [sys.executable, version, first([os.path.join(p, name) for p in libs]), first(modules)]\n"
    "print('leat:' + '\\t'.join(found))\n";

/* Reads until the other side closes; what does not fit is dropped. False when the time is over. */
static bool read_all(int fd, char *text, size_t room) {
    int64_t until = leati_clock_monotonic() + PATIENCE_MS * INT64_C(1000000), left;
    size_t size = 0;
    ssize_t got = 1;
    while (got > 0 && (left = (until - leati_clock_monotonic()) / 1000000) > 0) {
        char rest[256];
        bool full = size + 1 >= room;
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, (int)left) <= 0) continue;
        got = full ? read(fd, rest, sizeof rest) : read(fd, text + size, room - 1 - size);
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got > 0 && !full)
            size += (size_t)got;
    }
    text[size] = 0;
    return got <= 0;
}

static void end_process(leati_process *process) {
    char how[160];
    struct pollfd ended = {.fd = process->pidfd, .events = POLLIN};
    if (poll(&ended, 1, PATIENCE_MS) <= 0) leati_process_kill(process);
    leati_process_reap(process, how, sizeof how);
}

/* What it prints, on both streams. */
static leat_status run(const char *executable, const char *packages, char *text, size_t room,
                       leat_error *err) {
    const char *argv[] = {executable, "-P", "-c", question, packages, NULL};
    const int none = -1;
    int out[2];
    leati_process process = {0};
    if (pipe2(out, O_CLOEXEC))
        return leat_error_set(err, LEAT_E_IO, executable, "pipe: %s", strerror(errno));
    leat_status status = leati_process_start(&process, (char *const *)(uintptr_t)argv, environ,
                                             out[1], out[1], &none, err);
    close(out[1]);
    bool read = status >= 0 && read_all(out[0], text, room);
    close(out[0]);
    if (status < 0) return status;
    if (!read) leati_process_kill(&process);
    end_process(&process);
    return read ? LEAT_OK : leat_error_set(err, LEAT_E_TIMEOUT, executable, "it does not answer");
}

static const char *last_line(char *text) {
    size_t size = strlen(text);
    while (size && text[size - 1] == '\n') text[--size] = 0;
    const char *line = strrchr(text, '\n');
    return line ? line + 1 : text;
}

leat_status leati_python_ask(leati_python *out, const char *executable, leat_error *err) {
    char *packages = leati_python_packages(), *rest;
    if (!packages) return leat_error_set(err, LEAT_E_NOMEM, executable, "no memory");
    leat_status status = run(executable, packages, out->text, sizeof out->text, err);
    leati_free(packages);
    if (status < 0) return status;
    char *line = strstr(out->text, "\nleat:");
    if (line)
        line++;
    else if (strncmp(out->text, "leat:", 5) == 0)
        line = out->text;
    if (!line)
        return leat_error_set(err, LEAT_E_NOT_FOUND, executable,
                              "it is no Python 3.11 or newer: %s", last_line(out->text));
    line[strcspn(line, "\n")] = 0;
    rest = line + 5;
    out->executable = strsep(&rest, "\t");
    out->version = strsep(&rest, "\t");
    out->libpython = strsep(&rest, "\t");
    out->module = rest;
    return rest ? LEAT_OK : leat_error_set(err, LEAT_E_FORMAT, executable, "it answers nonsense");
}
