/* py_interp.c: the one file that takes or drops the GIL for the engine.

   A thread of the engine sits down in an interpreter once: its `seat` keeps a PyThreadState until
   the thread ends. Entering restores that state, leaving saves it; both come per round of steps,
   not per record. `inside` looks at the seat alone: whether this thread holds the GIL by our doing.
   A thread that holds it for another reason (a method of ours was called from Python) says so with
   hold and unhold.

   Objects dropped outside go to a stack without locks, which `rest` empties. The collector is off
   while anybody is inside, so that it never starts in the middle of a batch. `rest` runs it by
   CPython's own thresholds: the youngest generations when they ask, which is later than in a
   program of one thing after the other, since the records on their way are young containers, by the
   thousand, that no collection would free; a full collection when the middle one overflowed or
   nothing else is to do, but never so often that it takes more than a twentieth of the time.

   The struct outlives the module as long as a seat, an Env or a Job points to it: when the
   interpreter ends, seats of threads that are still there find `alive` false and leave the thread
   state to CPython. */
#include "pybridge/py_interp.h"

#include <pthread.h>
#include <stdatomic.h>

#include "pybridge/py_function.h"
#include "pybridge/py_loop.h"
#include "pybridge/py_object.h"
#include "pybridge/py_pools.h"
#include "runtime/base/alloc.h"
#include "runtime/base/clock.h"

typedef struct py_drop {
    struct py_drop *next;
    PyObject *object;
} py_drop;

struct py_interp {
    PyInterpreterState *is;
    py_state *state;
    leati_bridge bridge;
    leati_object_ops ops;
    uint16_t domain;
    atomic_int refs;
    atomic_bool alive;
    _Atomic(py_drop *) drops;
    /* With the GIL only. */
    int entered;
    int collector_was;
    int64_t full_end, full_cost; /* of the last full collection, nanoseconds */
    py_pools pools;
};

typedef struct py_seat {
    py_interp *interp;
    PyThreadState *thread; /* NULL while the thread came from Python */
    int depth;
    bool owned; /* `thread` is ours to delete */
    py_loop *loop;
} py_seat;

/* One seat per thread: a runner serves one interpreter for life. */
static _Thread_local py_seat here;
static pthread_key_t seat_key;
static pthread_once_t seat_once = PTHREAD_ONCE_INIT;

static bool is_finalizing(void) {
#if PY_VERSION_HEX >= 0x030D0000
    return Py_IsFinalizing();
#else
    return _Py_IsFinalizing();
#endif
}

py_interp *py_interp_ref(py_interp *interp) {
    atomic_fetch_add(&interp->refs, 1);
    return interp;
}

void py_interp_unref(py_interp *interp) {
    if (interp && atomic_fetch_sub(&interp->refs, 1) == 1) leati_free(interp);
}

/* A thread of the engine ends. The seat's memory is the thread's own, so it comes as the key's
   value. CPython's own note of which state this thread has is gone by now; what asks for it, such
   as a finalizer by PyGILState_Ensure, finds that of a second state, made for this. */
static void seat_leave(void *arg) {
    py_seat *seat = arg;
    py_interp *interp = seat->interp;
    if (seat->owned && atomic_load(&interp->alive) && !is_finalizing()) {
        PyThreadState *last = PyThreadState_New(interp->is);
        PyEval_RestoreThread(last);
        PyThreadState_Clear(seat->thread);
        PyThreadState_Clear(last);
        PyThreadState_Delete(seat->thread);
        PyThreadState_DeleteCurrent();
    }
    py_interp_unref(interp);
    memset(seat, 0, sizeof *seat);
}

static void seat_key_make(void) {
    pthread_key_create(&seat_key, seat_leave);
}

static bool seat_take(py_interp *interp) {
    if (here.interp == interp) return true;
    if (here.interp) seat_leave(&here);
    pthread_once(&seat_once, seat_key_make);
    here.interp = py_interp_ref(interp);
    return pthread_setspecific(seat_key, &here) == 0;
}

/* The engine's steps follow; with the GIL. */
static void collector_off(py_interp *interp) {
    if (interp->entered++ == 0) interp->collector_was = PyGC_Disable();
}

static void collector_back(py_interp *interp) {
    if (--interp->entered == 0 && interp->collector_was) PyGC_Enable();
}

static void interp_enter(void *interpreter, void **token) {
    py_interp *interp = interpreter;
    *token = NULL;
    seat_take(interp);
    if (here.depth++ > 0) return;
    if (!here.thread) {
        here.thread = PyThreadState_New(interp->is);
        here.owned = true;
    }
    PyEval_RestoreThread(here.thread);
    collector_off(interp);
}

static void interp_leave(void *interpreter, void *token) {
    (void)token;
    py_interp *interp = interpreter;
    if (--here.depth > 0) return;
    collector_back(interp);
    PyEval_SaveThread();
}

void py_interp_hold(py_interp *interp) {
    seat_take(interp);
    here.depth++;
}

void py_interp_unhold(py_interp *interp) {
    (void)interp;
    here.depth--;
}

void py_interp_pause(py_interp *interp, py_pause *pause) {
    seat_take(interp);
    *pause =
        (py_pause){.before = here.thread, .depth = here.depth, .owned = here.owned, .thread = NULL};
    pause->thread = PyEval_SaveThread();
    here.thread = pause->thread;
    here.owned = false;
    here.depth = 0;
}

void py_interp_resume(py_interp *interp, py_pause *pause) {
    (void)interp;
    PyEval_RestoreThread(pause->thread);
    here.thread = pause->before;
    here.owned = pause->owned;
    here.depth = pause->depth;
}

bool py_interp_inside(void *interpreter) {
    return here.depth > 0 && here.interp == interpreter;
}

py_state *py_interp_state(void) {
    return here.interp->state;
}

py_loop **py_interp_loop(void) {
    return &here.loop;
}

uint16_t py_interp_domain(const py_interp *interp) {
    return interp->domain;
}

const leati_bridge *py_interp_bridge(const py_interp *interp) {
    return &interp->bridge;
}

/* Without memory for the note the object stays: a leak is better than a crash. */
void py_interp_release_later(void *interpreter, void *object) {
    py_interp *interp = interpreter;
    py_drop *drop = leati_alloc(sizeof *drop);
    if (!drop) return;
    drop->object = object;
    drop->next = atomic_load_explicit(&interp->drops, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&interp->drops, &drop->next, drop,
                                                  memory_order_release, memory_order_relaxed)) {}
}

void py_interp_drain(py_interp *interp) {
    if (!atomic_load_explicit(&interp->drops, memory_order_relaxed)) return;
    py_drop *drop = atomic_exchange_explicit(&interp->drops, NULL, memory_order_acquire);
    while (drop) {
        py_drop *next = drop->next;
        Py_DECREF(drop->object);
        leati_free(drop);
        drop = next;
    }
}

/* --- the collector ---------------------------------------------------------------------------- */

/* Three numbers of gc.get_count or gc.get_threshold. */
static bool read_three(py_state *state, py_known id, long out[3]) {
    PyObject *call = py_known_get(state, id);
    PyObject *three = call ? PyObject_CallNoArgs(call) : NULL;
    bool ok = three && PyTuple_Check(three) && PyTuple_GET_SIZE(three) >= 3;
    for (int i = 0; ok && i < 3; i++) out[i] = PyLong_AsLong(PyTuple_GET_ITEM(three, i));
    Py_XDECREF(three);
    if (PyErr_Occurred()) PyErr_Clear();
    return ok;
}

static void collect(py_interp *interp, int generation) {
    int64_t begin = leati_clock_monotonic();
    PyObject *call = py_known_get(interp->state, PY_GC_COLLECT);
    PyObject *found = call ? PyObject_CallFunction(call, "i", generation) : NULL;
    Py_XDECREF(found);
    if (!found) PyErr_Clear();
    if (generation < 2) return;
    interp->full_end = leati_clock_monotonic();
    interp->full_cost = interp->full_end - begin;
}

static bool full_is_affordable(const py_interp *interp) {
    int64_t since = leati_clock_monotonic() - interp->full_end;
    return since > 20 * interp->full_cost && since > 100000000;
}

enum { ON_THEIR_WAY = 8 };

static void collect_when_due(py_interp *interp, bool idle) {
    long count[3], limit[3];
    if (!read_three(interp->state, PY_GC_COUNT, count)) return;
    if (!read_three(interp->state, PY_GC_THRESHOLD, limit)) return;
    if (limit[0] <= 0) return;
    bool middle = count[1] > limit[1], old = count[2] > limit[2];
    if ((idle ? count[2] > 0 : middle && old) && full_is_affordable(interp))
        collect(interp, 2);
    else if (count[0] > ON_THEIR_WAY * limit[0])
        collect(interp, middle ? 1 : 0);
}

static void interp_rest(void *interpreter, bool idle) {
    py_interp *interp = interpreter;
    py_interp_drain(interp);
    if (interp->collector_was) collect_when_due(interp, idle);
    if (!idle) py_pools_look(&interp->pools);
}

/* --- the rest of the bridge ------------------------------------------------------------------- */

/* SystemExit passes `except Exception`, and ends no thread of ours. */
static void interp_interrupt(void *interpreter, unsigned long thread_id) {
    void *token;
    interp_enter(interpreter, &token);
    PyThreadState_SetAsyncExc(thread_id, PyExc_SystemExit);
    interp_leave(interpreter, token);
}

static leat_status interp_resolve(leat_context *ctx, leat_function *fn) {
    return py_function_resolve(py_interp_state(), ctx, fn);
}

py_interp *py_interp_new(py_state *state) {
    py_interp *interp = leati_zalloc(sizeof *interp);
    if (!interp) {
        PyErr_NoMemory();
        return NULL;
    }
    atomic_init(&interp->refs, 1);
    atomic_init(&interp->alive, true);
    interp->is = PyInterpreterState_Get();
    interp->state = state;
    py_object_ops_init(&interp->ops, interp);
    interp->domain = leati_object_register(&interp->ops);
    interp->bridge = (leati_bridge){.size = sizeof interp->bridge,
                                    .language = "python",
                                    .domain = interp->domain,
                                    .interpreter = interp,
                                    .enter = interp_enter,
                                    .leave = interp_leave,
                                    .rest = interp_rest,
                                    .turn = py_loop_turn,
                                    .resolve = interp_resolve,
                                    .interrupt = interp_interrupt};
    leat_error err = {.text = "there are too many interpreters"};
    if (!interp->domain || leati_bridge_register(&interp->bridge, LEAT_VERSION_STRING, &err) < 0) {
        PyErr_Format(PyExc_ImportError, "leat._leat: %s", err.text);
        if (interp->domain) leati_object_unregister(interp->domain);
        leati_free(interp);
        return NULL;
    }
    return interp;
}

void py_interp_free(py_interp *interp) {
    if (!interp) return;
    leati_bridge_unregister(&interp->bridge);
    py_interp_drain(interp);
    py_pools_fini(&interp->pools);
    atomic_store(&interp->alive, false);
    leati_object_unregister(interp->domain);
    py_interp_unref(interp);
}
