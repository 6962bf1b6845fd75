/* py_encode.h: Python objects as bytes: on the wire, and as keys. All calls inside the
   interpreter. */
#ifndef LEATI_PY_ENCODE_H
#define LEATI_PY_ENCODE_H

#include "pybridge/py_module.h"
#include "runtime/base/buf.h"

/* Appends the object in its wire form (runtime/base/wire.h). False with an error set. */
bool py_encode(py_state *state, PyObject *o, const leat_type *type, leati_buf *out);
/* The object of a LEAT_W_OBJECT blob: a new reference, NULL with an error set. */
PyObject *py_decode_object(py_state *state, const char *bytes, size_t size);
/* Appends the object's canonical bytes as a key; see py_key.c. False with an error set. */
bool py_key_write(py_state *state, PyObject *o, leati_buf *out);

/* The object's pickle: a new reference to bytes. */
PyObject *py_pickle(py_state *state, PyObject *o);

#endif
