/* py_signal.c: see py_signal.h. A process that the launcher's script forks inherits its handlers,
   and CPython forgets a signal that arrives while it sets the new process up: multiprocessing's
   pools, which end their processes by SIGTERM, would wait for ever. So C decides whose signal it
   is. */
#include "pybridge/py_signal.h"

#include <signal.h>
#include <unistd.h>

static pid_t owner;

/* Raised here, the signal is delivered when the handler returns. */
static void on_signal(int number) {
    if (getpid() == owner) {
        PyErr_SetInterruptEx(number);
    } else {
        signal(number, SIG_DFL);
        raise(number);
    }
}

PyObject *py_own_sigterm(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    struct sigaction action = {.sa_handler = on_signal};
    owner = getpid();
    if (sigaction(SIGTERM, &action, NULL) < 0) return PyErr_SetFromErrno(PyExc_OSError);
    Py_RETURN_NONE;
}
