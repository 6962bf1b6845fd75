/* py_error.h: exceptions on their way to the engine, and the engine's failures on their way to
   Python. */
#ifndef LEATI_PY_ERROR_H
#define LEATI_PY_ERROR_H

#include "pybridge/py_module.h"

/* What a method without a result answers: a new reference to None, or NULL, with an error set. */
static inline PyObject *py_none_if(bool ok) {
    if (!ok) return NULL;
    Py_RETURN_NONE;
}

/* Takes the exception that is set, makes it the failure of the context's job, and answers
   LEAT_E_USER. */
leat_status py_error_user(py_state *state, leat_context *ctx);
/* The same; `place` (may be NULL) says more of where it happened, such as "while writing 'PATH'". */
leat_status py_error_user_at(py_state *state, leat_context *ctx, const char *place);
/* Takes the exception that is set and fails the hook with its text: the fault is in the data, not
   in the user's code. Answers `status`. */
leat_status py_error_fail(leat_context *ctx, leat_status status);
/* Takes the exception that is set and writes its text into `err`. Answers `status`. */
leat_status py_error_text(leat_error *err, leat_status status, const char *where);

/* Raises the exception that fits the error's status, with the text "<where>: <text>". Answers
   NULL. */
PyObject *py_error_raise(py_state *state, const leat_error *err);
/* Raises what an ended job failed with: a JobError whose cause is the user's exception, or a
   JobCancelled. */
PyObject *py_error_raise_job(py_state *state, leat_job *job);

#endif
