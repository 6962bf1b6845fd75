/* builtin.h: functions of Leat's own that travel by their name and numbers, as the files see them
   that make some: leat_builtin("count 3") is the text "count 3", and becomes calls where the
   function runs. Each such file exports one table, which src/leat.c knows. */
#ifndef LEATI_BUILTIN_H
#define LEATI_BUILTIN_H

#include "leat/operator.h"

enum { LEATI_BUILTIN_NUMBERS = 3, LEATI_BUILTIN_TEXT = 255 };

/* What was asked for, taken apart; lent for the call. */
typedef struct leati_builtin_spec {
    const char *text; /* "sliding_event_time 60000 1000" */
    const char *rest; /* what follows the name and a space; "" when nothing does */
    int64_t numbers[LEATI_BUILTIN_NUMBERS]; /* 0 for those not given */
    unsigned count;
} leati_builtin_spec;

/* One row of a table. A name may come in several roles. */
typedef struct leati_builtin {
    const char *name; /* NULL ends the table */
    leat_role role;
    /* How many numbers it takes; `most` LEATI_BUILTIN_TEXT: `make` reads the rest itself. */
    uint8_t least, most;
    /* Fills in call, arg, open and close of `f`; nothing is held after a failure. */
    leat_status (*make)(const leati_builtin_spec *spec, leat_function *f, leat_error *err);
} leati_builtin;

/* The tables. */
extern const leati_builtin leati_key_builtins[];
extern const leati_builtin leati_assigner_builtins[];
extern const leati_builtin leati_trigger_builtins[];
extern const leati_builtin leati_evictor_builtins[];
extern const leati_builtin leati_fold_builtins[];

/* Looks for the name in the tables (NULL-terminated) and makes the function. */
leat_status leati_builtin_make(const leati_builtin *const *tables, leat_function *f,
                               leat_error *err);

/* For `make`: LEAT_E_ARGUMENT with the text and the reason. */
leat_status leati_builtin_refuse(const leati_builtin_spec *spec, leat_error *err,
                                 const char *reason);
/* For `make`: gives `f` a zeroed struct as `arg`, which ends with the function; NULL when memory
   ran out. */
void *leati_builtin_self(leat_function *f, size_t size);

#endif
