/* py_control.c: see py_control.h. Whoever waits for another process waits without the GIL. */
#include "pybridge/py_control.h"

#include "leat/control.h"
#include "pybridge/py_interp.h"
#include "runtime/base/status_line.h"

static PyObject *answer_of(char *text, const leat_error *err) {
    if (!text) return PyErr_Format(PyExc_RuntimeError, "%s: %s", err->where, err->text);
    PyObject *answer = PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
    leat_text_free(text);
    return answer;
}

PyObject *py_control_list(PyObject *module, PyObject *json) {
    leat_error err;
    py_pause pause;
    py_interp *interp = py_module_state(module)->interp;
    int as_json = PyObject_IsTrue(json);
    if (as_json < 0) return NULL;
    py_interp_pause(interp, &pause);
    char *text = leat_control_list(as_json != 0, &err);
    py_interp_resume(interp, &pause);
    return answer_of(text, &err);
}

PyObject *py_control_ask(PyObject *module, PyObject *args) {
    const char *job, *request;
    int json, timeout_ms;
    leat_error err;
    py_pause pause;
    py_interp *interp = py_module_state(module)->interp;
    if (!PyArg_ParseTuple(args, "sspi:control_ask", &job, &request, &json, &timeout_ms))
        return NULL;
    py_interp_pause(interp, &pause);
    char *text = leat_control_ask(job, request, json != 0, timeout_ms, &err);
    py_interp_resume(interp, &pause);
    return answer_of(text, &err);
}

PyObject *py_clear_status_line(PyObject *module, PyObject *fd) {
    (void)module;
    long n = PyLong_AsLong(fd);
    if (n == -1 && PyErr_Occurred()) return NULL;
    leati_status_line_clear((int)n);
    Py_RETURN_NONE;
}
