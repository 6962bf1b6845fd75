/* py_job.h: leat._leat.Job, a job that was started. */
#ifndef LEATI_PY_JOB_H
#define LEATI_PY_JOB_H

#include "pybridge/py_module.h"
#include "runtime/bridge.h"

/* A collect sink of the job, and what is left of its last batch. */
typedef struct py_collect {
    int stream; /* its number in the Env */
    int id;     /* its number in the library */
    const leat_type *type;
    leati_batch *batch;
    size_t at;
} py_collect;

/* Adopts the job, and `collects`, memory of leati_alloc; also on failure. Keeps `env` alive. */
PyObject *py_job_new(py_state *state, PyObject *env, leat_job *job, py_collect *collects,
                     size_t count);

bool py_job_type_init(PyObject *module, py_state *state);

#endif
