/* py_loop.h: the asyncio loop of a thread of the engine. One thread each: a runner's, inside. */
#ifndef LEATI_PY_LOOP_H
#define LEATI_PY_LOOP_H

#include "pybridge/py_module.h"
#include "runtime/bridge.h"

/* The loop of this thread, which is made for the first user. NULL with an error set. */
py_loop *py_loop_join(py_state *state);
/* The last user closes the loop: what is left in it is cancelled and cleans up. What that raises is
   reported by sys.unraisablehook. NULL is fine. */
void py_loop_leave(py_loop *loop);
/* A task for the coroutine, which is stolen; NULL with an error set, also for no coroutine. */
PyObject *py_loop_task(py_loop *loop, PyObject *coroutine);
/* Cancels a task of it. */
void py_loop_cancel(py_loop *loop, PyObject *task);
/* Runs the loop until these tasks, a list, have ended, for a while at most. */
void py_loop_settle(py_loop *loop, PyObject *tasks);

/* leati_bridge.turn */
void py_loop_turn(void *interpreter, bool due, leati_vigil *vigil);

#endif
