/* params.h: the arguments of one operator in a graph: checked against its table, copied, written
   into the private struct of each subtask, and sent to workers. */
#ifndef LEATI_PARAMS_H
#define LEATI_PARAMS_H

#include "leat/operator.h"
#include "runtime/base/arena.h"
#include "runtime/base/buf.h"

typedef struct leati_args {
    leati_arena arena; /* all that `items` point to */
    leat_arg *items;
    size_t count;
} leati_args;

/* Deep copy. Refuses unknown names, wrong kinds, functions in the wrong role, missing ones. `out`
   is empty after a failure. */
leat_status leati_args_init(leati_args *out, const leat_operator *op, const leat_arg *args,
                            size_t count, leat_error *err);
/* Calls `free` of functions, too, when `functions` (the client's side). */
void leati_args_fini(leati_args *args, bool functions);
/* Writes the arguments into a zeroed private struct. Lists given as bytes are decoded into
   `arena`. */
leat_status leati_args_fill(const leati_args *args, const leat_operator *op, void *self,
                            uint16_t domain, leati_arena *arena);
/* Does an argument bind the operator to the main process: a pointer, or a function in C? */
bool leati_args_host_bound(const leati_args *args);
/* The string that was given for a parameter; NULL when there is none. */
const char *leati_args_string(const leati_args *args, const char *name);
/* The language of the first function that is neither in C nor one of Leat's own; NULL when there is
   none. */
const char *leati_args_language(const leati_args *args);
bool leati_args_has_c_function(const leati_args *args);
void leati_args_encode(const leati_args *args, leati_buf *out);
leat_status leati_args_decode(leati_args *out, const leat_operator *op, leati_reader *in,
                              leat_error *err);

#endif
