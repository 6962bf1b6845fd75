/* py_broadcast.h: the contexts of broadcast process functions, and the broadcast state that they
   give. */
#ifndef LEATI_PY_BROADCAST_H
#define LEATI_PY_BROADCAST_H

#include "pybridge/py_module.h"

/* The contexts of both sides of a broadcast process function, as py_context_new: of the side whose
   state is read only, and of the broadcast side. They refuse states whose names are not in
   `declared`, a tuple; NULL: none. */
PyObject *py_broadcast_reader_new(py_state *state, leat_context *ctx, PyObject *declared);
PyObject *py_broadcast_writer_new(py_state *state, leat_context *ctx, PyObject *declared);
/* The states that a context gave (a dict, or NULL) refuse from now on. */
void py_broadcast_end(PyObject *states);

bool py_broadcast_types_init(PyObject *module, py_state *state);

#endif
