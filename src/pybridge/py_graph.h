/* py_graph.h: leat._leat.Env, a graph that is being built and its settings. */
#ifndef LEATI_PY_GRAPH_H
#define LEATI_PY_GRAPH_H

#include "pybridge/py_module.h"

bool py_graph_type_init(PyObject *module, py_state *state);

#endif
