/* py_module.h: what the files of the bridge share: the state of one copy of the module, and
   the Python objects that it looks up once. Every interpreter that imports leat._leat has its
   own copy; nothing here is global, so that interpreters with a GIL of their own can live
   beside each other. */
#ifndef LEATI_PY_MODULE_H
#define LEATI_PY_MODULE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "leat.h"

typedef struct py_interp py_interp;
typedef struct py_loop py_loop;
typedef struct py_shape_entry py_shape_entry;

/* Objects of Python modules that the bridge needs; each is imported when it is first asked for. */
typedef enum py_known {
    PY_ROW,
    PY_INSTANT,
    PY_DECIMAL,
    PY_DATE,
    PY_TIME,
    PY_DATETIME,
    PY_FUNCTION,
    PY_OUTPUT_TAG,
    PY_RUNTIME_CONTEXT,
    PY_BROADCAST_OF,
    PY_TIME_DOMAIN,
    PY_WATERMARK_OUTPUT,
    PY_DUMPS,
    PY_DUMPS_ANY,
    PY_DUMPS_EXCEPTION,
    PY_LOADS,
    PY_PREAMBLE,
    PY_NOT_SUPPORTED,
    PY_JOB_ERROR,
    PY_JOB_CANCELLED,
    PY_RESTORE_ERROR,
    PY_FORMAT_EXCEPTION,
    PY_FORMAT_EXCEPTION_ONLY,
    PY_GC_COLLECT,
    PY_GC_COUNT,
    PY_GC_THRESHOLD,
    PY_THREAD,
    PY_FLAGS_OF,
    PY_STATE_STORE,
    PY_IN_WINDOWS,
    PY_TIME_WINDOW,
    PY_COUNT_WINDOW,
    PY_GLOBAL_WINDOW,
    PY_READ_WINDOW,
    PY_WRITE_WINDOW,
    PY_TRIGGER_RESULT,
    PY_RECORDED_MERGES,
    PY_TIMESTAMPED_VALUE,
    PY_ASYNC_CALLS,
    PY_EVENT_LOOP,
    PY_SPLITS,
    PY_TRANSACTIONS,
    PY_PART_STREAM,
    PY_KNOWN_COUNT
} py_known;

/* Where the three slots of a Row are, to read them without a call. */
typedef struct py_row_layout {
    Py_ssize_t fields, kind, values; /* 0: not looked up yet */
} py_row_layout;

/* Tuples of names by schema; collisions overwrite. */
enum { PY_NAME_CACHE = 16, PY_PLAIN_SCHEMAS = 16 };
typedef struct py_name_cache {
    const leat_schema *schema;
    PyObject *names;
} py_name_cache;

enum { PY_STATE_KINDS = 5 }; /* of leat_state_kind */
enum { PY_BROADCAST_CONTEXTS = 3, PY_METRIC_KINDS = 3 };

typedef struct py_state {
    py_interp *interp;
    PyObject *known[PY_KNOWN_COUNT];
    py_row_layout row;
    PyObject *row_kinds[4]; /* the integers 0 to 3 */
    py_name_cache names[PY_NAME_CACHE];
    py_shape_entry *shapes;                     /* see py_shape.c */
    const leat_schema *plain[PY_PLAIN_SCHEMAS]; /* f0, f1 ... by their number */
    PyObject *remote_traceback;                 /* leat._leat.RemoteTraceback */
    PyObject *log;                              /* takes the log's lines; NULL: nobody */
    PyTypeObject *env_type, *job_type, *context_type, *timers_type, *collector_type, *async_type;
    PyTypeObject *states_type, *state_types[PY_STATE_KINDS];
    PyTypeObject *broadcast_reading_type, *broadcast_writing_type;
    PyTypeObject *broadcast_context_types[PY_BROADCAST_CONTEXTS];
    PyTypeObject *assigner_context_type, *trigger_context_type, *evictor_context_type;
    PyTypeObject *window_context_type;
    PyTypeObject *metrics_type, *metric_types[PY_METRIC_KINDS];
    PyTypeObject *accumulator_type;
} py_state;

py_state *py_module_state(PyObject *module);
/* The state behind an instance of one of our types. */
py_state *py_type_state(PyTypeObject *type);

PyObject *py_known_import(py_state *state, py_known id);
/* Borrowed; NULL with an error set. */
static inline PyObject *py_known_get(py_state *state, py_known id) {
    PyObject *known = state->known[id];
    return LEAT_LIKELY(known != NULL) ? known : py_known_import(state, id);
}
/* Is `o` an instance of exactly that class? Imports nothing for objects that can't be. */
bool py_known_is(py_state *state, PyObject *o, py_known id);

#endif
