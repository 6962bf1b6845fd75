/* py_loop.c: see py_loop.h. The loop itself is Python's (leat/event_loop.py). Here is when it is
   stepped: when calls were begun since the last time, or when the runner has seen that its
   descriptor is readable or its timer due. The struct hangs on the thread's seat (py_interp.c) as
   long as it has users. */
#include "pybridge/py_loop.h"

#include "pybridge/py_interp.h"
#include "runtime/base/alloc.h"
#include "runtime/base/clock.h"

struct py_loop {
    PyObject *driver; /* a leat.event_loop.EventLoop */
    PyObject *step, *create_task;
    int users;
    bool begun; /* tasks were made since the last step */
    leati_vigil vigil;
};

static void loop_free(py_loop *loop) {
    Py_XDECREF(loop->step);
    Py_XDECREF(loop->create_task);
    Py_XDECREF(loop->driver);
    leati_free(loop);
}

static bool loop_init(py_loop *loop, py_state *state) {
    PyObject *type = py_known_get(state, PY_EVENT_LOOP);
    loop->driver = type ? PyObject_CallNoArgs(type) : NULL;
    loop->step = loop->driver ? PyObject_GetAttrString(loop->driver, "step") : NULL;
    loop->create_task = loop->step ? PyObject_GetAttrString(loop->driver, "create_task") : NULL;
    loop->vigil.at = INT64_MAX;
    loop->vigil.fd = loop->create_task ? PyObject_AsFileDescriptor(loop->driver) : -1;
    return loop->vigil.fd >= 0;
}

py_loop *py_loop_join(py_state *state) {
    py_loop **here = py_interp_loop();
    if (!*here) {
        py_loop *loop = leati_zalloc(sizeof *loop);
        if (!loop) {
            PyErr_NoMemory();
            return NULL;
        }
        if (!loop_init(loop, state)) {
            loop_free(loop);
            return NULL;
        }
        *here = loop;
    }
    (*here)->users++;
    return *here;
}

/* Calls a method of the driver for what it does; its failure is nobody's. */
static void tell(py_loop *loop, const char *method, PyObject *arg) {
    PyObject *none = arg ? PyObject_CallMethod(loop->driver, method, "O", arg)
                         : PyObject_CallMethod(loop->driver, method, NULL);
    if (!none) PyErr_WriteUnraisable(loop->driver);
    Py_XDECREF(none);
}

void py_loop_leave(py_loop *loop) {
    if (!loop || --loop->users) return;
    *py_interp_loop() = NULL;
    tell(loop, "close", NULL);
    loop_free(loop);
}

PyObject *py_loop_task(py_loop *loop, PyObject *coroutine) {
    PyObject *task = coroutine ? PyObject_CallOneArg(loop->create_task, coroutine) : NULL;
    Py_XDECREF(coroutine);
    loop->begun |= task != NULL;
    return task;
}

void py_loop_cancel(py_loop *loop, PyObject *task) {
    PyObject *truth = PyObject_CallMethod(task, "cancel", NULL);
    if (!truth) PyErr_WriteUnraisable(task);
    Py_XDECREF(truth);
    loop->begun = true;
}

void py_loop_settle(py_loop *loop, PyObject *tasks) {
    if (PyList_GET_SIZE(tasks)) tell(loop, "settle", tasks);
}

/* What step answers, as a time to step again. */
static int64_t next_time(PyObject *seconds) {
    double wait = PyFloat_AsDouble(seconds);
    if (wait < 0) return INT64_MAX;
    return wait > 0 ? leati_clock_monotonic() + (int64_t)(wait * 1e9) : 0;
}

/* A task that raises SystemExit, or the interrupt of a stuck one, comes out of the step; asyncio
   has told the task already. */
static void step(py_loop *loop) {
    loop->begun = false;
    PyObject *seconds = PyObject_CallNoArgs(loop->step);
    loop->vigil.at = seconds ? next_time(seconds) : 0;
    Py_XDECREF(seconds);
    if (PyErr_Occurred()) PyErr_WriteUnraisable(loop->step);
}

void py_loop_turn(void *interpreter, bool due, leati_vigil *vigil) {
    (void)interpreter;
    py_loop *loop = *py_interp_loop();
    if (!loop) {
        *vigil = (leati_vigil){.fd = -1, .at = INT64_MAX};
        return;
    }
    if (due || loop->begun) step(loop);
    *vigil = loop->vigil;
}
