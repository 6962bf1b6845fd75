/* py_source.c: sources written in Python.

   A callable gives an iterable, which the runner's thread asks for one item per poll; it must not
   block. A SourceFunction's `run` may block, so it has a daemon thread of Python's own, which hands
   values over in a Collector: a queue of bounded size, whose ring is guarded by the GIL. When it is
   full, collect() waits on a condition without the GIL; when it was empty, the next value wakes the
   task by its mailbox. Either starts with the first poll or barrier, after a restore.

   A source that can say where it stands is asked on its own thread, before the next value is
   handed over; what it answers lies in the ring at that place, until the task has come there
   (py_source_place.c).

   At the end `cancel` is called, collect() raises SystemExit from then on, and the thread gets a
   moment to end; one that does not is left behind, as a daemon. What `run` raises before that fails
   the job. */
#include "pybridge/py_source.h"

#include "pybridge/py_error.h"
#include "runtime/base/alloc.h"
#include "runtime/base/deadline.h"

enum { ROOM = PY_COLLECTOR_ROOM, JOIN_SECONDS = 2 };

/* --- the source's thread ---------------------------------------------------------------------- */

static leat_status wake_task(leat_context *ctx, void *self, void *arg) {
    (void)self;
    (void)arg;
    leat_context_wake(ctx);
    return LEAT_OK;
}

static void tell_task(py_collector *k) {
    if (!k->waiting || !k->mailbox) return;
    k->waiting = false;
    leat_mailbox_post(k->mailbox, wake_task, NULL, NULL);
}

/* The time-out is for a wake-up that came between the look and the wait. */
static void wait_for_room(py_collector *k) {
    struct timespec until = leati_deadline_after(10);
    Py_BEGIN_ALLOW_THREADS pthread_mutex_lock(&k->lock);
    pthread_cond_timedwait(&k->room, &k->lock, &until);
    pthread_mutex_unlock(&k->lock);
    Py_END_ALLOW_THREADS
}

/* The values so far are what the place is behind. */
static bool take_place(py_collector *k) {
    PyObject *snapshot = Py_NewRef(k->snapshot); /* the task may end meanwhile */
    k->asked = false;
    k->taker = PyThread_get_thread_ident();
    bool ok = py_place_take(py_type_state(Py_TYPE(k)), snapshot, &k->ahead);
    k->taker = 0;
    k->before = k->count;
    Py_DECREF(snapshot);
    if (ok) tell_task(k);
    return ok;
}

static bool wants_place(const py_collector *k) {
    return k->asked && k->snapshot && !k->taker && !k->ahead.items;
}

/* Values of other threads wait until the place is known: it has to lie before or behind them. */
static PyObject *collector_collect(PyObject *self, PyObject *value) {
    py_collector *k = py_collector_of(self);
    if (LEAT_UNLIKELY(k->taker && k->taker == PyThread_get_thread_ident())) {
        PyErr_SetString(PyExc_RuntimeError, "snapshot() must not collect");
        return NULL;
    }
    while (!k->cancelled && (wants_place(k) || k->taker || k->count == ROOM)) {
        if (!wants_place(k))
            wait_for_room(k);
        else if (!take_place(k))
            return NULL;
    }
    if (k->cancelled) {
        PyErr_SetString(PyExc_SystemExit, "the source was cancelled");
        return NULL;
    }
    k->ring[(k->head + k->count++) % ROOM] = Py_NewRef(value);
    tell_task(k);
    Py_RETURN_NONE;
}

/* A `run` with a yield in it gives a generator. */
static bool collect_all(PyObject *self, PyObject *iterator) {
    PyObject *item;
    while ((item = PyIter_Next(iterator))) {
        PyObject *none = collector_collect(self, item);
        Py_DECREF(item);
        if (!none) return false;
        Py_DECREF(none);
    }
    return !PyErr_Occurred();
}

static PyObject *collector_run(PyObject *self, PyObject *run) {
    py_collector *k = py_collector_of(self);
    bool began = !k->snapshot || take_place(k);
    PyObject *result = began ? PyObject_CallOneArg(run, self) : NULL;
    bool ok = result && (!PyIter_Check(result) || collect_all(self, result));
    if (ok && wants_place(k)) ok = take_place(k);
    Py_XDECREF(result);
    if (!ok && !k->cancelled) {
        PyObject *type, *value, *traceback;
        PyErr_Fetch(&type, &value, &traceback);
        PyErr_NormalizeException(&type, &value, &traceback);
        if (traceback) PyException_SetTraceback(value, traceback);
        Py_XDECREF(type);
        Py_XDECREF(traceback);
        k->raised = value;
    }
    PyErr_Clear();
    k->ended = true;
    tell_task(k);
    Py_RETURN_NONE;
}

/* --- the type --------------------------------------------------------------------------------- */

static int collector_traverse(PyObject *self, visitproc visit, void *arg) {
    py_collector *k = py_collector_of(self);
    for (size_t i = 0; i < k->count; i++) Py_VISIT(k->ring[(k->head + i) % ROOM]);
    Py_VISIT(k->raised);
    Py_VISIT(k->thread);
    Py_VISIT(k->snapshot);
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static PyObject *pop(py_collector *k) {
    PyObject *item = k->ring[k->head];
    k->head = (k->head + 1) % ROOM;
    if (k->count-- == ROOM) {
        pthread_mutex_lock(&k->lock);
        pthread_cond_signal(&k->room);
        pthread_mutex_unlock(&k->lock);
    }
    return item;
}

static int collector_clear(PyObject *self) {
    py_collector *k = py_collector_of(self);
    while (k->count) Py_DECREF(pop(k));
    Py_CLEAR(k->raised);
    Py_CLEAR(k->thread);
    Py_CLEAR(k->snapshot);
    Py_CLEAR(k->ahead.items);
    return 0;
}

static void collector_dealloc(PyObject *self) {
    py_collector *k = py_collector_of(self);
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    collector_clear(self);
    leat_mailbox_unref(k->mailbox);
    pthread_mutex_destroy(&k->lock);
    pthread_cond_destroy(&k->room);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef collector_methods[] = {
    {"collect", collector_collect, METH_O,
     PyDoc_STR("Emit a value. Waits while the job cannot take more.")},
    {"_run", collector_run, METH_O, PyDoc_STR("What the source's thread does.")},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot collector_slots[] = {
    {Py_tp_doc, (void *)(uintptr_t) "What a SourceFunction's run emits with."},
    {Py_tp_methods, collector_methods},
    {Py_tp_traverse, (void *)collector_traverse},
    {Py_tp_clear, (void *)collector_clear},
    {Py_tp_dealloc, (void *)collector_dealloc},
    {0, NULL},
};

static PyType_Spec collector_spec = {
    .name = "leat._leat.Collector",
    .basicsize = sizeof(py_collector),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION |
             Py_TPFLAGS_IMMUTABLETYPE,
    .slots = collector_slots,
};

bool py_source_types_init(PyObject *module, py_state *state) {
    state->collector_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &collector_spec, NULL);
    return state->collector_type != NULL;
}

/* --- the task's side -------------------------------------------------------------------------- */

/* threading.Thread(target=collector._run, args=(run,), daemon=True), named after the operator. */
static PyObject *thread_new(py_call *c, leat_context *ctx, PyObject *collector, PyObject *run) {
    PyObject *type = py_known_get(c->state, PY_THREAD);
    PyObject *target = type ? PyObject_GetAttrString(collector, "_run") : NULL;
    PyObject *options = target ? Py_BuildValue("{sOs(O)sOss}", "target", target, "args", run,
                                               "daemon", Py_True, "name", leat_context_name(ctx))
                               : NULL;
    PyObject *empty = options ? PyTuple_New(0) : NULL;
    PyObject *thread = empty ? PyObject_Call(type, empty, options) : NULL;
    Py_XDECREF(target);
    Py_XDECREF(options);
    Py_XDECREF(empty);
    return thread;
}

static bool start_thread(py_call *c, leat_context *ctx) {
    PyTypeObject *type = c->state->collector_type;
    PyObject *collector = type->tp_alloc(type, 0);
    if (!collector) return false;
    py_collector *k = py_collector_of(collector);
    pthread_mutex_init(&k->lock, NULL);
    leati_deadline_cond_init(&k->room);
    c->source->collector = collector;
    k->snapshot = Py_XNewRef(c->source->snapshot);
    k->mailbox = leat_context_mailbox(ctx);
    k->thread = thread_new(c, ctx, collector, c->source->run);
    PyObject *none = k->thread ? PyObject_CallMethod(k->thread, "start", NULL) : NULL;
    Py_XDECREF(none);
    return none != NULL;
}

bool py_source_begin(py_call *c, leat_context *ctx) {
    py_source *s = c->source;
    if (LEAT_LIKELY(s->started)) return true;
    s->started = true;
    if (s->has_thread) return start_thread(c, ctx);
    PyObject *iterable = PyObject_CallNoArgs(s->run);
    s->iterator = iterable ? PyObject_GetIter(iterable) : NULL;
    Py_XDECREF(iterable);
    return s->iterator != NULL;
}

/* Answers whether the thread has ended; without the GIL while it waits. */
static void join_thread(py_collector *k) {
    PyObject *none =
        k->thread ? PyObject_CallMethod(k->thread, "join", "i", (int)JOIN_SECONDS) : NULL;
    Py_XDECREF(none);
    PyErr_Clear();
}

void py_source_stop(py_call *c, leat_context *ctx) {
    py_source *s = c->source;
    if (!s) return;
    Py_CLEAR(s->iterator);
    if (!s->collector) return;
    py_collector *k = py_collector_of(s->collector);
    bool running = !k->ended;
    k->cancelled = true;
    if (running) {
        PyObject *none = PyObject_CallMethod(c->function, "cancel", NULL);
        if (!none) py_error_user(c->state, ctx);
        Py_XDECREF(none);
        pthread_cond_broadcast(&k->room);
        join_thread(k);
    }
    leat_mailbox_unref(k->mailbox);
    k->mailbox = NULL;
    collector_clear(s->collector);
}

/* A value that was looked at already comes first. */
static leat_status poll_iterator(py_call *c, leat_context *ctx, leat_emitter *out) {
    py_source *s = c->source;
    PyObject *item = s->held ? s->held : PyIter_Next(s->iterator);
    s->held = NULL;
    s->since++;
    if (item) return py_result_push(c, ctx, out, item);
    s->finished = !PyErr_Occurred();
    return s->finished ? LEAT_DONE : py_error_user(c->state, ctx);
}

/* The next value of the ring that was not given out before the restart; NULL: none is there. */
static PyObject *next_value(py_source *s, py_collector *k) {
    while (k->count) {
        py_source_adopt_place(s);
        PyObject *item = pop(k);
        k->before -= k->ahead.items != NULL;
        s->since++;
        if (LEAT_LIKELY(!s->skip)) return item;
        s->skip--;
        Py_DECREF(item);
    }
    return NULL;
}

static leat_status source_poll(leat_context *ctx, leat_emitter *out, void *self) {
    py_call *c = self;
    py_source *s = c->source;
    if (s->finished) return LEAT_DONE;
    if (!py_source_begin(c, ctx)) return py_error_user(c->state, ctx);
    if (s->iterator) return poll_iterator(c, ctx, out);
    py_collector *k = py_collector_of(s->collector);
    PyObject *value = next_value(s, k);
    if (value) return py_result_push(c, ctx, out, value);
    if (k->raised) {
        PyErr_SetObject((PyObject *)Py_TYPE(k->raised), k->raised);
        Py_CLEAR(k->raised);
        return py_error_user(c->state, ctx);
    }
    s->finished = k->ended;
    k->waiting = true;
    return s->finished ? LEAT_DONE : LEAT_AGAIN;
}

/* --- the function ----------------------------------------------------------------------------- */

/* It can go back if it has both methods; with one alone it could not, and believes that it can. */
bool py_source_init(py_call *c) {
    c->source = leati_zalloc(sizeof *c->source);
    if (!c->source) return PyErr_NoMemory() != NULL;
    bool snapshot = PyObject_HasAttrString(c->function, "snapshot");
    bool restore = PyObject_HasAttrString(c->function, "restore");
    if (snapshot != restore)
        PyErr_Format(PyExc_TypeError,
                     "%s has a method '%s' and no '%s': a source needs both to go "
                     "on where it stood",
                     Py_TYPE(c->function)->tp_name, snapshot ? "snapshot" : "restore",
                     snapshot ? "restore" : "snapshot");
    if (snapshot && restore) c->source->snapshot = PyObject_GetAttrString(c->function, "snapshot");
    return !PyErr_Occurred();
}

bool py_source_open(py_call *c) {
    py_source *s = c->source;
    if (!s) return true;
    bool plain = !c->is_function && PyCallable_Check(c->function);
    s->has_thread = !plain;
    s->run = plain ? Py_NewRef(c->function) : PyObject_GetAttrString(c->function, "run");
    return s->run != NULL;
}

void py_source_fill(py_call *c, leat_function *fn) {
    fn->call.source = source_poll;
    if (!c->source->snapshot) return;
    fn->snapshot = py_source_snapshot;
    fn->restore = py_source_restore;
    fn->on_barrier = py_source_on_barrier;
}

void py_source_free(py_call *c, void (*drop)(py_call *c, PyObject *o)) {
    py_source *s = c->source;
    if (!s) return;
    drop(c, s->run);
    drop(c, s->snapshot);
    drop(c, s->iterator);
    drop(c, s->held);
    drop(c, s->collector);
    drop(c, s->place.items);
    leati_free(s);
}
