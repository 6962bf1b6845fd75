/* py_error.c: see py_error.h.

   A user's exception travels whole: its type and text, the last lines that Python shows, the
   traceback without the frames of the package, and a pickle of the exception itself, which is tried
   here so that the client is sure to read it; what its own constructor can't make again travels in
   parts. What can't be pickled or read back at all is replaced by an exception of its nearest
   built-in base with the same text. BaseExceptions such as SystemExit are
   user errors like others.

   In the client the exception is the cause of a JobError; its own cause is a RemoteTraceback, which
   shows the text of the traceback where it happened. */
#include "pybridge/py_error.h"

#include "runtime/bridge.h"

/* Takes the exception that is set. */
static PyObject *error_take(void) {
#if PY_VERSION_HEX >= 0x030C0000
    return PyErr_GetRaisedException();
#else
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback && value) PyException_SetTraceback(value, traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return value;
#endif
}

static const char *utf8_or(PyObject *text, const char *fallback) {
    const char *bytes = text ? PyUnicode_AsUTF8(text) : NULL;
    if (!bytes) PyErr_Clear();
    return bytes ? bytes : fallback;
}

/* "ValueError: odd", as the last line of a traceback has it. */
static PyObject *exception_text(PyObject *exception) {
    PyObject *name = PyObject_GetAttrString((PyObject *)Py_TYPE(exception), "__qualname__");
    PyObject *said = name ? PyObject_Str(exception) : NULL;
    if (!said) PyErr_Clear();
    bool silent = !said || PyUnicode_GET_LENGTH(said) == 0;
    PyObject *text = !name    ? NULL
                     : silent ? Py_NewRef(name)
                              : PyUnicode_FromFormat("%U: %U", name, said);
    Py_XDECREF(name);
    Py_XDECREF(said);
    if (!text) PyErr_Clear();
    return text;
}

/* --- tracebacks ------------------------------------------------------------------------------- */

static PyObject *join_lines(PyObject *lines) {
    PyObject *empty = lines ? PyUnicode_FromString("") : NULL;
    PyObject *text = empty ? PyUnicode_Join(empty, lines) : NULL;
    Py_XDECREF(empty);
    Py_XDECREF(lines);
    if (!text) PyErr_Clear();
    return text;
}

static PyObject *format_traceback(py_state *state, PyObject *exception) {
    PyObject *format = py_known_get(state, PY_FORMAT_EXCEPTION);
    return join_lines(format ? PyObject_CallOneArg(format, exception) : NULL);
}

static PyObject *format_last(py_state *state, PyObject *exception) {
    PyObject *format = py_known_get(state, PY_FORMAT_EXCEPTION_ONLY);
    return join_lines(format ? PyObject_CallOneArg(format, exception) : NULL);
}

/* --- the exception itself --------------------------------------------------------------------- */

/* Its pickle, which was tried; NULL without an error otherwise. */
static PyObject *pickle_tried(py_state *state, PyObject *exception) {
    PyObject *dumps = py_known_get(state, PY_DUMPS_EXCEPTION);
    PyObject *bytes = dumps ? PyObject_CallOneArg(dumps, exception) : NULL;
    PyErr_Clear();
    if (bytes && !PyBytes_Check(bytes)) Py_CLEAR(bytes);
    return bytes;
}

static PyObject *builtin_base(PyObject *exception) {
    PyObject *bases = Py_TYPE(exception)->tp_mro;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(bases, i);
        if (!(base->tp_flags & Py_TPFLAGS_HEAPTYPE) && PyExceptionClass_Check((PyObject *)base))
            return (PyObject *)base;
    }
    return PyExc_Exception;
}

static PyObject *stand_in(PyObject *exception, PyObject *text) {
    PyObject *said = text ? Py_NewRef(text) : PyUnicode_FromString("an exception without a text");
    PyObject *made = said ? PyObject_CallOneArg(builtin_base(exception), said) : NULL;
    if (!made && said) {
        PyErr_Clear();
        made = PyObject_CallOneArg(PyExc_Exception, said);
    }
    Py_XDECREF(said);
    return made;
}

static PyObject *payload_of(py_state *state, PyObject *exception, PyObject *text) {
    PyObject *bytes = pickle_tried(state, exception);
    if (bytes) return bytes;
    PyObject *other = stand_in(exception, text);
    bytes = other ? pickle_tried(state, other) : NULL;
    Py_XDECREF(other);
    PyErr_Clear();
    return bytes;
}

/* Says more of where it happened: behind the text, and as a note of the exception. */
static void add_place(PyObject *exception, PyObject **text, const char *place) {
    PyObject *note = place ? PyUnicode_FromString(place) : NULL;
    PyObject *none = note ? PyObject_CallMethod(exception, "add_note", "O", note) : NULL;
    PyObject *whole = note && *text ? PyUnicode_FromFormat("%U (%U)", *text, note) : NULL;
    if (whole) Py_XSETREF(*text, whole);
    Py_XDECREF(none);
    Py_XDECREF(note);
    PyErr_Clear();
}

leat_status py_error_user_at(py_state *state, leat_context *ctx, const char *place) {
    PyObject *exception = error_take();
    if (!exception) return leat_context_fail(ctx, LEAT_E_INTERNAL, "a call failed without a word");
    PyObject *text = exception_text(exception);
    add_place(exception, &text, place);
    PyObject *last = format_last(state, exception);
    PyObject *traceback = format_traceback(state, exception);
    PyObject *payload = payload_of(state, exception, text);
    leati_user_error error = {.text = utf8_or(text, Py_TYPE(exception)->tp_name),
                              .cause = utf8_or(last, NULL),
                              .traceback = utf8_or(traceback, NULL)};
    if (payload) {
        error.payload = PyBytes_AS_STRING(payload);
        error.payload_size = (size_t)PyBytes_GET_SIZE(payload);
    }
    leat_status status = leati_context_user_error(ctx, &error);
    Py_XDECREF(text);
    Py_XDECREF(last);
    Py_XDECREF(traceback);
    Py_XDECREF(payload);
    /* Its frames may hold the records; they go now and not with the collector. */
    PyException_SetTraceback(exception, Py_None);
    Py_DECREF(exception);
    return status;
}

leat_status py_error_user(py_state *state, leat_context *ctx) {
    return py_error_user_at(state, ctx, NULL);
}

leat_status py_error_fail(leat_context *ctx, leat_status status) {
    PyObject *exception = error_take(), *said = exception ? PyObject_Str(exception) : NULL;
    leat_context_fail(ctx, status, "%s", utf8_or(said, "the value has no such form"));
    Py_XDECREF(said);
    Py_XDECREF(exception);
    return status;
}

leat_status py_error_text(leat_error *err, leat_status status, const char *where) {
    PyObject *exception = error_take(), *said = exception ? exception_text(exception) : NULL;
    leat_error_set(err, status, where, "%s", utf8_or(said, "an exception without a text"));
    Py_XDECREF(said);
    Py_XDECREF(exception);
    return status;
}

/* --- raising in the client -------------------------------------------------------------------- */

static PyObject *class_for(py_state *state, leat_status status) {
    switch (status) {
    case LEAT_E_CONFIG:
    case LEAT_E_ARGUMENT: return PyExc_ValueError;
    case LEAT_E_TYPE: return PyExc_TypeError;
    case LEAT_E_RANGE: return PyExc_OverflowError;
    case LEAT_E_NOT_FOUND: return PyExc_FileNotFoundError;
    case LEAT_E_IO: return PyExc_OSError; /* what the system refused; errno is in the text */
    case LEAT_E_NOMEM: return PyExc_MemoryError;
    case LEAT_E_UNSUPPORTED: return py_known_get(state, PY_NOT_SUPPORTED);
    case LEAT_E_CANCELLED: return py_known_get(state, PY_JOB_CANCELLED);
    case LEAT_E_RESTORE: return py_known_get(state, PY_RESTORE_ERROR);
    default: return PyExc_RuntimeError;
    }
}

static PyObject *error_message(const leat_error *err) {
    return err->where[0] ? PyUnicode_FromFormat("%s: %s", err->where, err->text)
                         : PyUnicode_FromString(err->text);
}

PyObject *py_error_raise(py_state *state, const leat_error *err) {
    PyObject *type = class_for(state, err->status), *text = type ? error_message(err) : NULL;
    if (text) PyErr_SetObject(type, text);
    Py_XDECREF(text);
    return NULL;
}

/* What the user's function raised, or NULL; its cause shows the traceback of where it happened,
   unless there is nothing to see: a function in C has no frames. */
static PyObject *job_cause(py_state *state, leat_job *job, const leat_failure *failure) {
    size_t size = 0;
    const char *bytes = leati_job_payload(job, &size);
    if (!bytes || !size) return NULL;
    PyObject *loads = py_known_get(state, PY_LOADS);
    PyObject *pickle = loads ? PyBytes_FromStringAndSize(bytes, (Py_ssize_t)size) : NULL;
    PyObject *cause = pickle ? PyObject_CallOneArg(loads, pickle) : NULL;
    Py_XDECREF(pickle);
    if (!cause || !PyExceptionInstance_Check(cause)) {
        PyErr_Clear();
        Py_CLEAR(cause);
    }
    const char *shown =
        failure && strstr(failure->traceback, "  File \"") ? failure->traceback : NULL;
    PyObject *remote =
        cause && shown ? PyObject_CallFunction(state->remote_traceback, "s", shown) : NULL;
    if (remote) PyException_SetCause(cause, remote);
    PyErr_Clear();
    return cause;
}

/* The text of the cause belongs into the message, for those who look for it there; and the
   record. */
static PyObject *job_message(const leat_error *err, const leat_failure *failure) {
    PyObject *text = error_message(err);
    if (!text || !failure) return text;
    bool said = !failure->text[0] || strstr(err->text, failure->text);
    bool timer = strncmp(failure->record, "timer ", 6) == 0; /* not in quotes */
    const char *parts[] = {said ? "" : ": ",
                           said ? "" : failure->text,
                           !failure->record[0] ? ""
                           : timer             ? "; it was the "
                                               : "; the record was ",
                           failure->record,
                           failure->key[0] ? ", its key " : "",
                           failure->key};
    PyObject *whole = PyUnicode_FromFormat("%U%s%s%s%s%s%s", text, parts[0], parts[1], parts[2],
                                           parts[3], parts[4], parts[5]);
    Py_DECREF(text);
    return whole;
}

PyObject *py_error_raise_job(py_state *state, leat_job *job) {
    leat_error err = {.status = LEAT_E_INTERNAL, .text = "the job failed and did not say why"};
    leat_status status = leat_job_result(job, &err);
    const leat_failure *failure = leat_job_failure(job);
    PyObject *type = py_known_get(state, status == LEAT_E_CANCELLED ? PY_JOB_CANCELLED
                                         : status == LEAT_E_RESTORE ? PY_RESTORE_ERROR
                                                                    : PY_JOB_ERROR);
    PyObject *text = type ? job_message(&err, failure) : NULL;
    PyObject *error = text ? PyObject_CallOneArg(type, text) : NULL;
    Py_XDECREF(text);
    if (!error) return NULL;
    PyObject *cause = status == LEAT_E_CANCELLED ? NULL : job_cause(state, job, failure);
    if (cause) PyException_SetCause(error, cause);
    PyErr_SetObject(type, error);
    Py_DECREF(error);
    return NULL;
}
