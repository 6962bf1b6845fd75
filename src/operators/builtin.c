/* builtin.c: functions that are a text: leat_python, the name of a Python function, and
   leat_builtin, the name of a function of Leat's own with its numbers.

   leat_function values are copied freely and never freed by the caller, so their texts are
   interned: equal ones are one block, which lives until the process ends. The list is short (one
   entry per distinct text in the program) and guarded by a lock. */
#include "operators/builtin.h"

#include "runtime/base/alloc.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

/* --- interning -------------------------------------------------------------------------------- */

typedef struct interned {
    struct interned *next;
    char text[]; /* 'M' or 'L', the text, 0 */
} interned;

/* NULL when memory ran out. */
static const char *intern(char kind, const char *text) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static interned *all;
    pthread_mutex_lock(&lock);
    interned *s = all;
    while (s && (s->text[0] != kind || strcmp(s->text + 1, text) != 0)) s = s->next;
    size_t size = strlen(text);
    if (!s && (s = leati_alloc(sizeof *s + size + 2))) {
        s->text[0] = kind;
        memcpy(s->text + 1, text, size + 1);
        s->next = all;
        all = s;
    }
    pthread_mutex_unlock(&lock);
    return s ? s->text : NULL;
}

leat_function leat_python(const char *module_and_name) {
    leat_function f = leat_function_of(LEAT_ROLE_NONE, NULL);
    f.language = "python";
    f.spec = intern('M', module_and_name ? module_and_name : "");
    f.spec_size = f.spec ? strlen(f.spec) : 0;
    f.name = f.spec ? (const char *)f.spec + 1 : NULL;
    return f;
}

leat_function leat_builtin(const char *name_and_numbers) {
    leat_function f = leat_function_of(LEAT_ROLE_NONE, NULL);
    const char *text = intern('L', name_and_numbers ? name_and_numbers : "");
    f.language = LEAT_BUILTIN;
    f.name = text ? text + 1 : NULL;
    f.spec = f.name;
    f.spec_size = text ? strlen(text + 1) : 0;
    return f;
}

/* --- making ----------------------------------------------------------------------------------- */

enum { LONGEST = 255 };

static bool is_named(const char *text, const char *name) {
    size_t size = strlen(name);
    return strncmp(text, name, size) == 0 && (text[size] == ' ' || text[size] == 0);
}

static const leati_builtin *find(const leati_builtin *const *tables, const char *text,
                                 leat_role role) {
    for (; *tables; tables++)
        for (const leati_builtin *b = *tables; b->name; b++)
            if (b->role == role && is_named(text, b->name)) return b;
    return NULL;
}

/* The numbers behind the name. */
static bool read_numbers(leati_builtin_spec *spec) {
    const char *at = spec->rest;
    for (;;) {
        while (*at == ' ') at++;
        if (!*at) return true;
        if (spec->count == LEATI_BUILTIN_NUMBERS) return false;
        char *end;
        errno = 0;
        spec->numbers[spec->count++] = strtoll(at, &end, 10);
        if (errno || end == at || (*end && *end != ' ')) return false;
        at = end;
    }
}

leat_status leati_builtin_refuse(const leati_builtin_spec *spec, leat_error *err,
                                 const char *reason) {
    return leat_error_set(err, LEAT_E_ARGUMENT, spec->text, "%s", reason);
}

leat_status leati_builtin_make(const leati_builtin *const *tables, leat_function *f,
                               leat_error *err) {
    char text[LONGEST + 1];
    if (!f->spec || f->spec_size > LONGEST)
        return leat_error_set(err, f->spec ? LEAT_E_ARGUMENT : LEAT_E_NOMEM, "leat_builtin",
                              "a name with numbers of at most %d bytes is needed", LONGEST);
    memcpy(text, f->spec, f->spec_size);
    text[f->spec_size] = 0;
    const leati_builtin *b = find(tables, text, f->role);
    if (!b)
        return leat_error_set(err, LEAT_E_NOT_FOUND, text,
                              "Leat has no %s of that name; docs/architecture.md lists what it has",
                              leat_role_name(f->role));
    leati_builtin_spec spec = {.text = text, .rest = text + strlen(b->name)};
    if (*spec.rest) spec.rest++;
    bool wrong = b->most != LEATI_BUILTIN_TEXT &&
                 (!read_numbers(&spec) || spec.count < b->least || spec.count > b->most);
    if (wrong)
        return leat_error_set(err, LEAT_E_ARGUMENT, text,
                              "%s takes %d to %d integers behind its name", b->name, b->least,
                              b->most);
    f->arg = NULL;
    f->open = NULL;
    f->close = NULL;
    f->free = leati_free;
    return b->make(&spec, f, err);
}

static void close_self(leat_context *ctx, void *self) {
    (void)ctx;
    leati_free(self);
}

void *leati_builtin_self(leat_function *f, size_t size) {
    f->arg = leati_zalloc(size);
    f->close = close_self;
    return f->arg;
}
