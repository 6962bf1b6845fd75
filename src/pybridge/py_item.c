/* py_item.c: recognises functions that do nothing but take an item of their first argument, such as
   `lambda pair: pair[0]`, the usual key selector, or a method extract_timestamp(self, value,
   record_timestamp) that returns value[1]. What it takes of a tuple can be lent at once, without a
   call and without anybody being able to tell: a tuple's items are there for all to see. For any
   other argument the function is called.

   A function or method is recognised by its bytecode: it is that of such a lambda, compiled here
   and now. */
#include "pybridge/py_item.h"

enum { UNUSUAL = CO_VARARGS | CO_VARKEYWORDS | CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR };

/* Its second constant, behind the docstring or None, when that is a small number; -1 otherwise. */
static Py_ssize_t number_in(PyObject *code) {
    PyObject *consts = PyObject_GetAttrString(code, "co_consts");
    Py_ssize_t number = -1;
    if (consts && PyTuple_CheckExact(consts) && PyTuple_GET_SIZE(consts) == 2) {
        PyObject *second = PyTuple_GET_ITEM(consts, 1);
        if (PyLong_CheckExact(second)) number = PyLong_AsSsize_t(second);
    }
    Py_XDECREF(consts);
    return number >= 0 && number < 1000 ? number : -1;
}

/* `lambda x: x[number]`, or with more arguments before and behind x. */
static PyObject *make_model(bool before, bool behind, Py_ssize_t number) {
    char text[64];
    snprintf(text, sizeof text, "lambda %sx%s: x[%zd]", before ? "a, " : "", behind ? ", b" : "",
             number);
    PyObject *globals = PyDict_New();
    PyObject *model = globals ? PyRun_String(text, Py_eval_input, globals, globals) : NULL;
    Py_XDECREF(globals);
    return model;
}

static bool same_code(PyObject *a, PyObject *b) {
    PyObject *x = PyCode_GetCode((PyCodeObject *)a), *y = PyCode_GetCode((PyCodeObject *)b);
    bool same = x && y && PyObject_RichCompareBool(x, y, Py_EQ) == 1;
    Py_XDECREF(x);
    Py_XDECREF(y);
    return same;
}

Py_ssize_t py_item_of(const py_target *target, int arguments) {
    PyObject *function = target->function;
    bool before = target->self != NULL;
    int count = before + arguments;
    if (arguments > 2 || !PyFunction_Check(function)) return -1;
    PyCodeObject *code = (PyCodeObject *)PyFunction_GET_CODE(function);
    if (code->co_argcount != count || code->co_kwonlyargcount || code->co_flags & UNUSUAL)
        return -1;
    Py_ssize_t number = number_in((PyObject *)code);
    PyObject *model = number < 0 ? NULL : make_model(before, arguments > 1, number);
    if (!model || !same_code((PyObject *)code, PyFunction_GET_CODE(model))) number = -1;
    Py_XDECREF(model);
    PyErr_Clear();
    return number;
}
