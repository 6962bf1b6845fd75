/* worker_command.c: see worker_command.h. The form: `--worker=INDEX:FD,FD,...`, one descriptor per
   host; and `;FD` behind them for a lock. */
#include "runtime/job/worker_command.h"

#include <stdlib.h>

#include "runtime/base/alloc.h"
#include "runtime/job/python_path.h"

extern char **environ;

static size_t count_of(char *const *texts) {
    size_t count = 0;
    while (texts && texts[count]) count++;
    return count;
}

static void free_texts(char **texts) {
    for (size_t i = 0; texts && texts[i]; i++) leati_free(texts[i]);
    leati_free(texts);
}

void leati_worker_command_free(char **argv, char **envp) {
    free_texts(argv);
    free_texts(envp);
}

/* Room for `more` texts behind copies of `texts`; NULL when memory ran out. */
static char **copy_texts(char *const *texts, size_t more) {
    size_t count = count_of(texts);
    char **copy = leati_zalloc((count + more + 1) * sizeof *copy);
    for (size_t i = 0; copy && i < count; i++)
        if (!(copy[i] = leati_strdup(texts[i]))) {
            free_texts(copy);
            return NULL;
        }
    return copy;
}

/* --- the command of a host without an interpreter --------------------------------------------- */

/* argv[1] are the packages. Nothing but `leat` is in front of the standard library. */
static const char program[] =
    "import sys\n"
    "sys.path.insert(0, sys.argv[1] + '/python%d.%d' % sys.version_info[:2])\n"
    "try:\n"
    "    from leat.worker import main\n"
    "except ModuleNotFoundError as e:\n"
    "    sys.exit(f'{sys.executable}: {e}; install leat there, or set python.executable')\n"
    "sys.exit(main(sys.argv[2:]))\n";

/* PYTHON -P -c PROGRAM PACKAGES --module-path=... */
static char **default_argv(const leati_blueprint *b, size_t more) {
    enum { WORDS = 7 };
    char **argv = leati_zalloc((WORDS + more + 1) * sizeof *argv);
    if (!argv) return NULL;
    char *beside = leati_program_folder(), *working = leati_working_folder();
    argv[0] = leati_python_executable(b->config);
    argv[1] = leati_strdup("-P");
    argv[2] = leati_strdup("-c");
    argv[3] = leati_strdup(program);
    argv[4] = leati_python_packages();
    argv[5] = beside ? leati_format("--module-path=%s", beside) : NULL;
    argv[6] = working ? leati_format("--module-path=%s", working) : NULL;
    leati_free(beside);
    leati_free(working);
    if (count_of(argv) == WORDS) return argv;
    for (size_t i = 0; i < WORDS; i++) leati_free(argv[i]);
    leati_free(argv);
    return NULL;
}

char **leati_worker_argv(const leati_blueprint *b, const int *own, int hosts, int index, int lock,
                         leat_error *err) {
    char **argv = b->worker_argv ? copy_texts(b->worker_argv, 1) : default_argv(b, 1);
    leati_buf text;
    leati_buf_init(&text);
    leati_buf_printf(&text, "--worker=%d:", index);
    for (int i = 0; i < hosts; i++) leati_buf_printf(&text, "%s%d", i ? "," : "", own[i]);
    if (lock >= 0) leati_buf_printf(&text, ";%d", lock);
    char *last = leati_buf_take(&text);
    if (argv && last) {
        argv[count_of(argv)] = last;
        return argv;
    }
    leati_free(last);
    free_texts(argv);
    leat_error_set(err, LEAT_E_NOMEM, "worker", "no memory");
    return NULL;
}

char **leati_worker_envp(const leati_blueprint *b) {
    return copy_texts(b->worker_envp ? b->worker_envp : environ, 0);
}

/* --- the worker's side ------------------------------------------------------------------------ */

leat_status leati_worker_read_argv(int argc, char **argv, leati_worker_sockets *out) {
    const char *text = argc > 0 ? argv[argc - 1] : "";
    char *end;
    memset(out, 0, sizeof *out);
    if (strncmp(text, "--worker=", 9) != 0) return LEAT_E_ARGUMENT;
    out->index = (int)strtol(text + 9, &end, 10);
    if (*end != ':') return LEAT_E_ARGUMENT;
    do {
        if (out->hosts > LEATI_MAX_WORKERS) return LEAT_E_ARGUMENT;
        out->to[out->hosts++] = (int)strtol(end + 1, &end, 10);
    } while (*end == ',');
    out->lock = *end == ';' ? (int)strtol(end + 1, &end, 10) : -1;
    return !*end && out->index > 0 && out->index < out->hosts ? LEAT_OK : LEAT_E_ARGUMENT;
}
