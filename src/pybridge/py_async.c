/* py_async.c: the async role of Python functions. `begin` starts the coroutine `attend` of a
   leat.async_calls.AsyncCalls as a task of this thread's asyncio loop, and gives it an AsyncCall,
   by which it completes the call of the engine. The engine's call holds the AsyncCall, and that the
   task, because asyncio itself holds tasks weakly; all of it ends when the call is completed or
   cancelled. Cancelled tasks are kept until the function closes, so that it can wait for their
   clean-up. */
#include "pybridge/py_call.h"
#include "pybridge/py_error.h"
#include "pybridge/py_loop.h"

typedef struct py_async_call {
    PyObject ob_base;
    py_call *function;     /* valid as long as `call` is */
    leat_async_call *call; /* NULL: it was completed, or nobody waits any more */
    PyObject *task;        /* NULL: of a timeout */
} py_async_call;

static py_async_call *async_of(PyObject *o) {
    return (py_async_call *)(void *)o;
}

/* --- the type --------------------------------------------------------------------------------- */

static int async_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(async_of(self)->task);
    return 0;
}

static int async_clear(PyObject *self) {
    Py_CLEAR(async_of(self)->task);
    return 0;
}

static void async_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    async_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

/* The engine's call, which is to be completed now, and with it its hold on this object; the caller
   has another one. NULL: nobody waits. */
static leat_async_call *async_end(py_async_call *a) {
    leat_async_call *call = a->call;
    if (!call) return NULL;
    a->call = NULL;
    leat_async_set_data(call, NULL);
    Py_CLEAR(a->task);
    Py_DECREF((PyObject *)a);
    return call;
}

static void fail_nomem(leat_async_call *call) {
    leat_async_fail(call, LEAT_E_NOMEM, NULL);
}

/* The exception that is set becomes the call's failure. A result that does not fit its type is the
   fault of the data: its text says it all. */
static PyObject *fail_with_set(py_async_call *a) {
    PyObject *type, *error, *traceback;
    bool misfit = a->function->shape && PyErr_ExceptionMatches(PyExc_TypeError);
    PyErr_Fetch(&type, &error, &traceback);
    PyErr_NormalizeException(&type, &error, &traceback);
    if (traceback) PyException_SetTraceback(error, traceback);
    PyObject *said = misfit ? PyObject_Str(error) : NULL;
    Py_ssize_t size = 0;
    const char *text = said ? PyUnicode_AsUTF8AndSize(said, &size) : NULL;
    leat_value v = text ? leat_string_n(text, (size_t)size) : py_lend(a->function, error);
    leat_async_call *call = async_end(a);
    if (leat_async_fail(call, text ? LEAT_E_TYPE : LEAT_E_USER, &v) < 0) fail_nomem(call);
    PyErr_Clear();
    Py_XDECREF(said);
    Py_XDECREF(type);
    Py_XDECREF(error);
    Py_XDECREF(traceback);
    Py_RETURN_NONE;
}

/* The items in their declared form: a list of new ones where there is a shape. NULL with an error
   set. */
static PyObject *shaped(const py_call *c, PyObject *list) {
    if (!c->shape) return Py_NewRef(list);
    PyObject *items = PyList_GetSlice(list, 0, PyList_GET_SIZE(list));
    for (Py_ssize_t i = 0; items && i < PyList_GET_SIZE(items); i++) {
        PyObject *item = py_shape_apply(c->shape, Py_NewRef(PyList_GET_ITEM(items, i)));
        if (!item)
            Py_CLEAR(items);
        else
            PyList_SetItem(items, i, item);
    }
    return items;
}

static PyObject *async_complete(PyObject *self, PyObject *results) {
    enum { FEW = 16 };
    py_async_call *a = async_of(self);
    if (!PyList_Check(results)) return PyErr_Format(PyExc_TypeError, "complete() takes a list");
    if (!a->call) Py_RETURN_NONE;
    PyObject *items = shaped(a->function, results);
    if (!items) return fail_with_set(a);
    size_t count = (size_t)PyList_GET_SIZE(items);
    leat_value few[FEW], *values = count <= FEW ? few : PyMem_New(leat_value, count);
    for (size_t i = 0; values && i < count; i++)
        values[i] = py_lend(a->function, PyList_GET_ITEM(items, (Py_ssize_t)i));
    leat_async_call *call = async_end(a);
    if (!values || leat_async_complete(call, values, count) < 0) fail_nomem(call);
    if (values != few) PyMem_Free(values);
    Py_DECREF(items);
    Py_RETURN_NONE;
}

static PyObject *async_fail(PyObject *self, PyObject *error) {
    py_async_call *a = async_of(self);
    if (!PyExceptionInstance_Check(error))
        return PyErr_Format(PyExc_TypeError, "fail() takes an exception");
    if (!a->call) Py_RETURN_NONE;
    leat_value v = py_lend(a->function, error);
    leat_async_call *call = async_end(a);
    if (leat_async_fail(call, LEAT_E_USER, &v) < 0) fail_nomem(call);
    Py_RETURN_NONE;
}

static PyObject *async_retry(PyObject *self, PyObject *delay) {
    py_async_call *a = async_of(self);
    PyObject *index = PyNumber_Index(delay);
    long long ms = index ? PyLong_AsLongLong(index) : -1;
    Py_XDECREF(index);
    if (ms == -1 && PyErr_Occurred()) return NULL;
    if (a->call) leat_async_retry(async_end(a), ms);
    Py_RETURN_NONE;
}

static PyObject *async_waits(PyObject *self, void *unused) {
    (void)unused;
    return PyBool_FromLong(async_of(self)->call != NULL);
}

static PyObject *async_attempt(PyObject *self, void *unused) {
    (void)unused;
    const leat_async_call *call = async_of(self)->call;
    return PyLong_FromLong(call ? leat_async_attempt(call) : 0);
}

static PyMethodDef async_methods[] = {
    {"complete", async_complete, METH_O, PyDoc_STR("These are the results, a list.")},
    {"fail", async_fail, METH_O, PyDoc_STR("The job fails with this exception.")},
    {"retry", async_retry, METH_O, PyDoc_STR("Another attempt after so many milliseconds.")},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef async_getters[] = {
    {"waits", async_waits, NULL, PyDoc_STR("Whether anybody waits for the results."), NULL},
    {"attempt", async_attempt, NULL, PyDoc_STR("The number of this attempt, from 1."), NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot async_slots[] = {
    {Py_tp_doc, (void *)(uintptr_t) "A call of an asynchronous function that waits for results."},
    {Py_tp_methods, async_methods},
    {Py_tp_getset, async_getters},
    {Py_tp_traverse, (void *)async_traverse},
    {Py_tp_clear, (void *)async_clear},
    {Py_tp_dealloc, (void *)async_dealloc},
    {0, NULL},
};

static PyType_Spec async_spec = {
    .name = "leat._leat.AsyncCall",
    .basicsize = sizeof(py_async_call),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION |
             Py_TPFLAGS_IMMUTABLETYPE,
    .slots = async_slots,
};

bool py_async_types_init(PyObject *module, py_state *state) {
    state->async_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &async_spec, NULL);
    return state->async_type != NULL;
}

/* --- the role --------------------------------------------------------------------------------- */

/* Two references: one is the engine's call's. */
static py_async_call *async_new(py_call *c, leat_async_call *call) {
    PyTypeObject *type = c->state->async_type;
    PyObject *self = type->tp_alloc(type, 0);
    if (!self) return NULL;
    async_of(self)->function = c;
    async_of(self)->call = call;
    leat_async_set_data(call, Py_NewRef(self));
    return async_of(self);
}

/* A new reference. */
static PyObject *value_of(py_call *c, const leat_record *in) {
    PyObject *made, *value = py_argument(c, &in->value, c->in[0], &made);
    return made ? made : Py_XNewRef(value);
}

/* The value, or the list of those of a batch. */
static PyObject *argument_of(py_call *c, const leat_record *in, size_t count) {
    if (!c->batch) return value_of(c, in);
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t i = 0; list && i < count; i++) {
        PyObject *item = value_of(c, &in[i]);
        if (!item)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, (Py_ssize_t)i, item);
    }
    return list;
}

/* What `attend` (0) or `expire` (1) gives for the records; NULL with an error set. */
static PyObject *invoke(py_call *c, int target, py_async_call *a, const leat_record *in,
                        size_t count) {
    PyObject *value = a ? argument_of(c, in, count) : NULL;
    PyObject *given = value ? py_invoke_2(&c->targets[target], (PyObject *)a, value) : NULL;
    Py_XDECREF(value);
    return given;
}

static leat_status async_begin(leat_context *ctx, const leat_record *in, size_t count,
                               leat_async_call *call, void *self) {
    py_call *c = self;
    py_async_call *a = async_new(c, call);
    PyObject *task = py_loop_task(c->loop, invoke(c, 0, a, in, count));
    if (task)
        a->task = task;
    else if (a)
        async_end(a);
    Py_XDECREF((PyObject *)a);
    return task ? LEAT_OK : py_error_user(c->state, ctx);
}

/* `expire` has completed the call when it is back. */
static leat_status async_timeout(leat_context *ctx, const leat_record *in, size_t count,
                                 leat_async_call *call, void *self) {
    py_call *c = self;
    py_async_call *a = async_new(c, call);
    PyObject *none = invoke(c, 1, a, in, count);
    if (!none && a) async_end(a);
    Py_XDECREF((PyObject *)a);
    Py_XDECREF(none);
    return none ? LEAT_OK : py_error_user(c->state, ctx);
}

/* Those that have cleaned up need not be waited for. */
static void forget_ended(PyObject *tasks) {
    enum { MANY = 64 };
    for (Py_ssize_t i = PyList_GET_SIZE(tasks) < MANY ? 0 : PyList_GET_SIZE(tasks); i-- > 0;) {
        PyObject *done = PyObject_CallMethod(PyList_GET_ITEM(tasks, i), "done", NULL);
        if (done == Py_True) PySequence_DelItem(tasks, i);
        Py_XDECREF(done);
    }
}

static void async_cancel(leat_context *ctx, leat_async_call *call, void *self) {
    (void)ctx;
    py_call *c = self;
    py_async_call *a = leat_async_data(call);
    PyObject *task = a ? Py_XNewRef(a->task) : NULL;
    if (a) leat_async_complete(async_end(a), NULL, 0);
    if (!task) return;
    py_loop_cancel(c->loop, task);
    forget_ended(c->cancelled);
    if (PyErr_Occurred() || PyList_Append(c->cancelled, task) < 0) PyErr_Clear();
    Py_DECREF(task);
}

static leat_status async_failed(leat_context *ctx, const leat_record *in, size_t count,
                                const leat_value *error, void *self) {
    (void)in;
    (void)count;
    const py_call *c = self;
    PyObject *exception = error->as.object;
    PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
    return py_error_user(c->state, ctx);
}

const leat_async *py_async_table(void) {
    static const leat_async table = {.size = sizeof table,
                                     .begin = async_begin,
                                     .timeout = async_timeout,
                                     .cancel = async_cancel,
                                     .failed = async_failed};
    return &table;
}

/* --- life ------------------------------------------------------------------------------------- */

/* A C program may name the user's own function. */
static bool wrap(py_call *c) {
    PyObject *type = py_known_get(c->state, PY_ASYNC_CALLS);
    int is = type ? PyObject_IsInstance(c->function, type) : -1;
    PyObject *calls = is == 0 ? PyObject_CallOneArg(type, c->function) : NULL;
    if (calls) Py_SETREF(c->function, calls);
    return is > 0 || calls;
}

bool py_async_init(py_call *c) {
    PyObject *batch = wrap(c) ? PyObject_GetAttrString(c->function, "batch") : NULL;
    int truth = batch ? PyObject_IsTrue(batch) : -1;
    Py_XDECREF(batch);
    c->batch = truth > 0;
    c->cancelled = truth < 0 ? NULL : PyList_New(0);
    return c->cancelled != NULL;
}

bool py_async_open(py_call *c) {
    if (c->role != LEAT_ROLE_ASYNC) return true;
    c->loop = py_loop_join(c->state);
    return c->loop != NULL;
}

void py_async_settle(py_call *c) {
    if (c->loop) py_loop_settle(c->loop, c->cancelled);
}

void py_async_end(py_call *c) {
    py_loop *loop = c->loop;
    c->loop = NULL;
    py_loop_leave(loop);
}
