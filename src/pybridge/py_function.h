/* py_function.h: user functions written in Python, in every role. */
#ifndef LEATI_PY_FUNCTION_H
#define LEATI_PY_FUNCTION_H

#include "pybridge/py_module.h"

/* bridge.h's resolve: inside the interpreter. Spec: 'P' and a payload of leat.shipping, or 'M' and
   "module:name". */
leat_status py_function_resolve(py_state *state, leat_context *ctx, leat_function *fn);

#endif
