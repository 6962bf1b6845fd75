/* py_print.c: see py_print.h. In a stream without a declared type an object is its str(). In a
   typed one it is written as the native value that it stands for, since Flink's runtime writes
   those; what has no native form is str() again. */
#include "pybridge/py_print.h"

#include "pybridge/py_convert.h"
#include "runtime/bridge.h"

static bool print_str(PyObject *o, leati_buf *out) {
    PyObject *text = PyObject_Str(o);
    PyObject *bytes = text ? PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace") : NULL;
    if (bytes) leati_buf_append(out, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes));
    Py_XDECREF(text);
    Py_XDECREF(bytes);
    return bytes != NULL;
}

static bool print_native(py_state *state, PyObject *o, const leat_type *type, leat_text_form form,
                         leati_buf *out) {
    leati_arena arena;
    leat_value v;
    leati_arena_init(&arena);
    bool ok = py_to_value(state, o, type, &arena, &v) >= 0;
    if (ok && v.kind == LEAT_OBJECT)
        ok = print_str(o, out);
    else if (ok)
        ok = leati_value_text(&v, type, form, out) >= 0;
    leati_arena_fini(&arena);
    if (!ok && !PyErr_Occurred()) PyErr_NoMemory();
    return ok;
}

bool py_print(py_state *state, PyObject *o, const leat_type *type, leat_text_form form,
              leati_buf *out) {
    bool typed = type && type->tag != LEAT_T_PICKLED;
    return typed ? print_native(state, o, type, form, out) : print_str(o, out);
}
