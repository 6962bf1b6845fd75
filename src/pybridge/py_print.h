/* py_print.h: the text of Python objects by PyFlink's rules. */
#ifndef LEATI_PY_PRINT_H
#define LEATI_PY_PRINT_H

#include "pybridge/py_module.h"
#include "runtime/base/buf.h"

/* Appends the text; false with an error set. Inside the interpreter. */
bool py_print(py_state *state, PyObject *o, const leat_type *type, leat_text_form form,
              leati_buf *out);

#endif
