/* py_job.c: see py_job.h. Whatever waits, waits without the GIL and in slices of a tenth of a
   second, between which Python's signals are looked at: Ctrl-C raises KeyboardInterrupt out
   of wait() and take(). The Job keeps its Env alive, because the library wants jobs to be
   freed first. */
#include "pybridge/py_job.h"

#include "pybridge/py_accumulators.h"
#include "pybridge/py_convert.h"
#include "pybridge/py_error.h"
#include "pybridge/py_interp.h"
#include "pybridge/py_log.h"
#include "runtime/base/alloc.h"
#include "runtime/base/clock.h"

enum { SLICE_MS = 100 };

typedef struct py_job {
    PyObject ob_base;
    py_interp *interp;
    PyObject *env;
    leat_job *job;
    py_collect *collects;
    size_t collect_count;
    bool heard, cancelled; /* somebody was told how it ended; asked it to end */
} py_job;

static py_job *job_of(PyObject *o) {
    return (py_job *)(void *)o;
}

static py_interp *interp_of(PyObject *self) {
    return job_of(self)->interp;
}

/* --- life ------------------------------------------------------------------------------------- */

static void free_collects(py_interp *interp, py_collect *collects, size_t count) {
    py_interp_hold(interp);
    for (size_t i = 0; i < count; i++)
        if (collects[i].batch) leati_batch_unref(collects[i].batch);
    py_interp_unhold(interp);
    leati_free(collects);
}

static void free_job(py_interp *interp, leat_job *job) {
    py_pause pause;
    py_interp_pause(interp, &pause);
    leat_job_free(job);
    py_interp_resume(interp, &pause);
    py_interp_drain(interp);
}

PyObject *py_job_new(py_state *state, PyObject *env, leat_job *job, py_collect *collects,
                     size_t count) {
    PyObject *self = state->job_type->tp_alloc(state->job_type, 0);
    if (!self) {
        free_collects(state->interp, collects, count);
        free_job(state->interp, job);
        return NULL;
    }
    py_job *j = job_of(self);
    j->interp = py_interp_ref(state->interp);
    j->env = Py_NewRef(env);
    j->job = job;
    j->collects = collects;
    j->collect_count = count;
    return self;
}

static int job_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(job_of(self)->env);
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static void job_dealloc(PyObject *self) {
    py_job *j = job_of(self);
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (j->job) {
        free_collects(interp_of(self), j->collects, j->collect_count);
        free_job(interp_of(self), j->job);
    }
    Py_CLEAR(j->env);
    py_interp_unref(j->interp);
    type->tp_free(self);
    Py_DECREF(type);
}

/* --- waiting ---------------------------------------------------------------------------------- */

/* Milliseconds until `end`, a slice at most. */
static int slice_until(int64_t end) {
    int64_t left = (end - leati_clock_monotonic() + 999999) / 1000000;
    return left < 0 ? 0 : left > SLICE_MS ? SLICE_MS : (int)left;
}

static int64_t end_of(double seconds) {
    if (!(seconds > 0)) return leati_clock_monotonic();
    if (seconds > 1e9) seconds = 1e9;
    return leati_clock_monotonic() + (int64_t)(seconds * 1e9);
}

static PyObject *job_wait(PyObject *self, PyObject *timeout) {
    py_interp *interp = interp_of(self);
    double seconds = PyFloat_AsDouble(timeout);
    if (seconds == -1.0 && PyErr_Occurred()) return NULL;
    for (int64_t end = end_of(seconds);;) {
        int slice = slice_until(end);
        py_pause pause;
        py_interp_pause(interp, &pause);
        leat_status status = leat_job_wait(job_of(self)->job, slice);
        py_interp_resume(interp, &pause);
        if (!py_log_check(py_type_state(Py_TYPE(self)))) return NULL;
        if (status != LEAT_AGAIN) Py_RETURN_TRUE;
        if (slice < SLICE_MS && slice_until(end) == 0) Py_RETURN_FALSE;
    }
}

/* What C wrote may be cut within a character. */
static PyObject *text_of(const char *utf8) {
    return PyUnicode_DecodeUTF8(utf8, (Py_ssize_t)strlen(utf8), "replace");
}

/* Takes the path. */
static PyObject *path_or_error(PyObject *self, leat_status status, char *path,
                               const leat_error *err) {
    if (status < 0) return py_error_raise(py_type_state(Py_TYPE(self)), err);
    PyObject *text = PyUnicode_DecodeFSDefault(path);
    leat_text_free(path);
    return text;
}

static PyObject *job_metrics(PyObject *self, PyObject *unused) {
    (void)unused;
    leat_error err;
    py_interp *interp = interp_of(self);
    py_pause pause;
    py_interp_pause(interp, &pause);
    char *text = leat_job_metrics(job_of(self)->job, &err);
    py_interp_resume(interp, &pause);
    if (!text) return PyErr_Format(PyExc_RuntimeError, "%s: %s", err.where, err.text);
    PyObject *json = text_of(text);
    leat_text_free(text);
    return json;
}

static PyObject *job_checkpoints(PyObject *self, PyObject *unused) {
    (void)unused;
    leat_error err;
    char *text = leat_job_checkpoints(job_of(self)->job, &err);
    if (!text) return py_error_raise(py_type_state(Py_TYPE(self)), &err);
    PyObject *json = text_of(text);
    leat_text_free(text);
    return json;
}

static PyObject *attempt_dict(const leat_job *job, int attempt) {
    const leat_failure *f = leat_job_attempt_failure(job, attempt);
    if (!f) return Py_BuildValue("{sisO}", "attempt", attempt, "error", Py_None);
    return Py_BuildValue("{sisNsNsisisNsN}", "attempt", attempt, "error", text_of(f->text),
                         "operator", text_of(f->operator_name), "subtask", f->subtask,
                         "parallelism", f->parallelism, "record", text_of(f->record), "traceback",
                         text_of(f->traceback));
}

/* Those whose failures are still known, and the last one. */
static PyObject *job_attempts(PyObject *self, PyObject *unused) {
    (void)unused;
    const leat_job *job = job_of(self)->job;
    int count = leat_job_attempts(job), first = count - 1;
    while (first > 0 && leat_job_attempt_failure(job, first - 1)) first--;
    PyObject *list = PyList_New(0);
    for (int i = first; list && i < count; i++) {
        PyObject *attempt = attempt_dict(job, i);
        if (!attempt || PyList_Append(list, attempt) < 0) Py_CLEAR(list);
        Py_XDECREF(attempt);
    }
    return list;
}

static PyObject *job_accumulators(PyObject *self, PyObject *unused) {
    (void)unused;
    return py_accumulators_of(py_type_state(Py_TYPE(self)), job_of(self)->job);
}

/* Waits as long as it takes: who calls has a thread for it. */
static PyObject *job_savepoint(PyObject *self, PyObject *args) {
    const char *dir;
    char *path = NULL;
    leat_error err;
    py_pause pause;
    if (!PyArg_ParseTuple(args, "z", &dir)) return NULL;
    py_interp_pause(interp_of(self), &pause);
    leat_status status = leat_job_savepoint(job_of(self)->job, dir, -1, &path, &err);
    py_interp_resume(interp_of(self), &pause);
    return path_or_error(self, status, path, &err);
}

static PyObject *job_stop(PyObject *self, PyObject *args) {
    const char *dir;
    int drain;
    char *path = NULL;
    leat_error err;
    py_pause pause;
    if (!PyArg_ParseTuple(args, "zp", &dir, &drain)) return NULL;
    py_interp_pause(interp_of(self), &pause);
    leat_status status = leat_job_stop(job_of(self)->job, dir, drain, -1, &path, &err);
    py_interp_resume(interp_of(self), &pause);
    return path_or_error(self, status, path, &err);
}

static PyObject *job_cancel(PyObject *self, PyObject *unused) {
    (void)unused;
    py_pause pause;
    job_of(self)->cancelled = true;
    py_interp_pause(interp_of(self), &pause);
    leat_job_cancel(job_of(self)->job);
    py_interp_resume(interp_of(self), &pause);
    Py_RETURN_NONE;
}

static PyObject *job_status(PyObject *self, PyObject *unused) {
    static const char *const names[] = {
        [LEAT_JOB_CREATED] = "CREATED",       [LEAT_JOB_RUNNING] = "RUNNING",
        [LEAT_JOB_FAILING] = "FAILING",       [LEAT_JOB_FAILED] = "FAILED",
        [LEAT_JOB_CANCELLING] = "CANCELLING", [LEAT_JOB_CANCELED] = "CANCELED",
        [LEAT_JOB_FINISHED] = "FINISHED",     [LEAT_JOB_RESTARTING] = "RESTARTING",
    };
    (void)unused;
    return PyUnicode_FromString(names[leat_job_status(job_of(self)->job)]);
}

static PyObject *job_result(PyObject *self, PyObject *unused) {
    (void)unused;
    leat_job *job = job_of(self)->job;
    leat_error err;
    if (leat_job_wait(job, 0) == LEAT_AGAIN) {
        PyErr_SetString(PyExc_RuntimeError, "the job has not ended; wait() for it");
        return NULL;
    }
    job_of(self)->heard = true;
    if (leat_job_result(job, &err) < 0)
        return py_error_raise_job(py_type_state(Py_TYPE(self)), job);
    return Py_BuildValue("{sL}", "runtime_ms", (long long)leat_job_runtime(job));
}

/* --- collecting ------------------------------------------------------------------------------- */

/* Up to `max` records of the batch that is at hand. */
static PyObject *take_records(py_state *state, py_collect *c, Py_ssize_t max) {
    const leat_record *records;
    size_t count = leati_batch_records(c->batch, &records), left = count - c->at;
    size_t size = max > 0 && (size_t)max < left ? (size_t)max : left;
    PyObject *list = PyList_New((Py_ssize_t)size);
    for (size_t i = 0; list && i < size; i++) {
        PyObject *item = py_from_value(state, &records[c->at + i].value, c->type);
        if (!item) {
            Py_DECREF(list);
            return NULL;
        }
        PyList_SET_ITEM(list, (Py_ssize_t)i, item);
    }
    if (!list) return NULL;
    c->at += size;
    if (c->at < count) return list;
    py_interp_hold(state->interp);
    leati_batch_unref(c->batch);
    py_interp_unhold(state->interp);
    c->batch = NULL;
    return list;
}

/* LEAT_AGAIN after the time-out; a failure with an error set when a signal raised. */
static leat_status next_batch(PyObject *self, py_collect *c, double seconds) {
    py_interp *interp = interp_of(self);
    for (int64_t end = end_of(seconds);;) {
        int slice = slice_until(end);
        py_pause pause;
        py_interp_pause(interp, &pause);
        leat_status status = leati_job_collect(job_of(self)->job, c->id, slice, &c->batch);
        py_interp_resume(interp, &pause);
        if (!py_log_check(py_type_state(Py_TYPE(self)))) return LEAT_E_USER;
        c->at = 0;
        if (status != LEAT_AGAIN) return status;
        if (slice < SLICE_MS && slice_until(end) == 0) return LEAT_AGAIN;
    }
}

static py_collect *find_collect(py_job *j, int stream) {
    for (size_t i = 0; i < j->collect_count; i++)
        if (j->collects[i].stream == stream) return &j->collects[i];
    PyErr_Format(PyExc_ValueError, "stream %d is no collect sink of this job", stream);
    return NULL;
}

/* After a failure the records end; result() says why. */
static PyObject *job_take(PyObject *self, PyObject *args) {
    int stream;
    Py_ssize_t max;
    double seconds;
    if (!PyArg_ParseTuple(args, "ind", &stream, &max, &seconds)) return NULL;
    py_collect *c = find_collect(job_of(self), stream);
    if (!c) return NULL;
    leat_status status = c->batch ? LEAT_OK : next_batch(self, c, seconds);
    if (PyErr_Occurred()) return NULL;
    if (status == LEAT_AGAIN) return PyList_New(0);
    if (status != LEAT_OK || !c->batch) Py_RETURN_NONE;
    return take_records(py_type_state(Py_TYPE(self)), c, max);
}

static PyObject *job_id(PyObject *self, void *unused) {
    (void)unused;
    return PyUnicode_FromString(leat_job_id(job_of(self)->job));
}

static PyObject *job_heard(PyObject *self, void *unused) {
    (void)unused;
    return PyBool_FromLong(job_of(self)->heard);
}

static PyObject *job_cancelled(PyObject *self, void *unused) {
    (void)unused;
    return PyBool_FromLong(job_of(self)->cancelled);
}

/* --- the type --------------------------------------------------------------------------------- */

static PyMethodDef job_methods[] = {
    {"status", job_status, METH_NOARGS, PyDoc_STR("The name of a JobStatus.")},
    {"wait", job_wait, METH_O,
     PyDoc_STR("Wait so many seconds; True when it has ended. Raises what Python's signals "
               "raise.")},
    {"metrics", job_metrics, METH_NOARGS, PyDoc_STR("The metrics as JSON.")},
    {"checkpoints", job_checkpoints, METH_NOARGS,
     PyDoc_STR("What has become of its checkpoints, as JSON.")},
    {"attempts", job_attempts, METH_NOARGS,
     PyDoc_STR("A dict for each attempt that is still known: its number, and why it failed.")},
    {"accumulators", job_accumulators, METH_NOARGS, PyDoc_STR("The accumulators: a dict by name.")},
    {"cancel", job_cancel, METH_NOARGS,
     PyDoc_STR("Ask it to end. Does not wait; harmless when it has ended.")},
    {"savepoint", job_savepoint, METH_VARARGS,
     PyDoc_STR("Make a savepoint in a folder, None is the configured one; waits, answers its "
               "folder.")},
    {"stop", job_stop, METH_VARARGS,
     PyDoc_STR("The same, and end the job with it; True as the second argument drains it.")},
    {"result", job_result, METH_NOARGS,
     PyDoc_STR("`runtime_ms` of an ended job, or its JobError or JobCancelled.")},
    {"take", job_take, METH_VARARGS,
     PyDoc_STR("The next records of a collect sink; [] after the time-out, None at the end.")},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef job_getset[] = {
    {"id", job_id, NULL, PyDoc_STR("32 hexadecimal digits."), NULL},
    {"heard", job_heard, NULL, PyDoc_STR("Whether result() has told how it ended."), NULL},
    {"cancelled", job_cancelled, NULL, PyDoc_STR("Whether cancel() was called."), NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot job_slots[] = {
    {Py_tp_doc, (void *)(uintptr_t) "A job that was started."},
    {Py_tp_methods, job_methods},
    {Py_tp_getset, job_getset},
    {Py_tp_traverse, (void *)job_traverse},
    {Py_tp_dealloc, (void *)job_dealloc},
    {0, NULL},
};

static PyType_Spec job_spec = {
    .name = "leat._leat.Job",
    .basicsize = sizeof(py_job),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION |
             Py_TPFLAGS_IMMUTABLETYPE,
    .slots = job_slots,
};

bool py_job_type_init(PyObject *module, py_state *state) {
    state->job_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &job_spec, NULL);
    return state->job_type && PyModule_AddType(module, state->job_type) == 0;
}
