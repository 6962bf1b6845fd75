/* py_params.h: the arguments of an operator from a Python dict. */
#ifndef LEATI_PY_PARAMS_H
#define LEATI_PY_PARAMS_H

#include "pybridge/py_module.h"
#include "runtime/base/arena.h"

/* Lent to one leat_graph_add; everything is in the arena or in the dict. */
typedef struct py_params {
    leati_arena arena;
    leat_arg *items;
    size_t count;
} py_params;

/* By the operator's table of parameters. None counts as not given. False with an error set; fini in
   any case. */
bool py_params_init(py_params *params, py_state *state, const leat_operator *op, PyObject *dict);
void py_params_fini(py_params *params);

#endif
