/* py_interp.h: entering and leaving an interpreter from the engine's threads, objects that are
   dropped outside, and the collector's times. See py_interp.c. */
#ifndef LEATI_PY_INTERP_H
#define LEATI_PY_INTERP_H

#include "pybridge/py_module.h"
#include "runtime/bridge.h"

/* The interpreter that is running, ready for the engine; registers the bridge. NULL with an error
   set. */
py_interp *py_interp_new(py_state *state);
/* The module goes away: the bridge is unregistered, threads that still hold a seat give it up
   alone. */
void py_interp_free(py_interp *interp);

/* Objects of ours that may outlive the module, when the interpreter ends, hold a reference. */
py_interp *py_interp_ref(py_interp *interp);
void py_interp_unref(py_interp *interp);

/* The state of the interpreter that this thread is inside of. Only inside. */
py_state *py_interp_state(void);
uint16_t py_interp_domain(const py_interp *interp);
/* Where the event loop of this thread of the engine stands; NULL: it has none. Only inside. */
py_loop **py_interp_loop(void);
const leati_bridge *py_interp_bridge(const py_interp *interp);
bool py_interp_inside(void *interpreter);
void py_interp_release_later(void *interpreter, void *object);
/* Gives back what was dropped outside. With the GIL. */
void py_interp_drain(py_interp *interp);

/* A thread that holds the GIL already, such as one that called a method of ours, is inside between
   these two. */
void py_interp_hold(py_interp *interp);
void py_interp_unhold(py_interp *interp);

/* A method of ours lets go of the GIL for a call of the library that may wait, or may run steps on
   this very thread: those then run under the thread state that Python knows this thread by. */
typedef struct py_pause {
    PyThreadState *thread, *before;
    int depth;
    bool owned;
} py_pause;
void py_interp_pause(py_interp *interp, py_pause *pause);
void py_interp_resume(py_interp *interp, py_pause *pause);

#endif
