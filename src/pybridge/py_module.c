/* py_module.c: leat._leat itself: multi-phase initialisation, the module's state, the table of what
   is imported late, and the functions that stand beside the classes. Importing it registers the
   bridge; from then on the engine can run Python. The functions that begin with an underscore are
   for tests. */
#include "pybridge/py_module.h"

#include "pybridge/py_accumulators.h"
#include "pybridge/py_broadcast.h"
#include "pybridge/py_call.h"
#include "pybridge/py_context.h"
#include "pybridge/py_control.h"
#include "pybridge/py_convert.h"
#include "pybridge/py_encode.h"
#include "pybridge/py_error.h"
#include "pybridge/py_graph.h"
#include "pybridge/py_interp.h"
#include "pybridge/py_job.h"
#include "pybridge/py_log.h"
#include "pybridge/py_metrics.h"
#include "pybridge/py_object.h"
#include "pybridge/py_print.h"
#include "pybridge/py_shape.h"
#include "pybridge/py_signal.h"
#include "pybridge/py_source.h"
#include "pybridge/py_state.h"
#include "pybridge/py_window.h"
#include "pybridge/py_worker.h"

static struct PyModuleDef module_def;

py_state *py_module_state(PyObject *module) {
    return PyModule_GetState(module);
}

py_state *py_type_state(PyTypeObject *type) {
    return PyType_GetModuleState(type);
}

/* --- what is known by name -------------------------------------------------------------------- */

static const struct {
    const char *module, *name;
} known[PY_KNOWN_COUNT] = {
    [PY_ROW] = {"leat.common.types", "Row"},
    [PY_INSTANT] = {"leat.common.time", "Instant"},
    [PY_DECIMAL] = {"decimal", "Decimal"},
    [PY_DATE] = {"datetime", "date"},
    [PY_TIME] = {"datetime", "time"},
    [PY_DATETIME] = {"datetime", "datetime"},
    [PY_FUNCTION] = {"leat.datastream.functions", "Function"},
    [PY_BROADCAST_OF] = {"leat.datastream.state", "broadcast_of"},
    [PY_OUTPUT_TAG] = {"leat.datastream.output_tag", "OutputTag"},
    [PY_RUNTIME_CONTEXT] = {"leat.datastream.functions", "RuntimeContext"},
    [PY_WATERMARK_OUTPUT] = {"leat.common.watermark_strategy", "WatermarkOutput"},
    [PY_TIME_DOMAIN] = {"leat.datastream.time_domain", "TimeDomain"},
    [PY_DUMPS] = {"pickle", "dumps"},
    [PY_DUMPS_ANY] = {"leat.shipping", "dumps_record"},
    [PY_DUMPS_EXCEPTION] = {"leat.shipping", "dumps_exception"},
    [PY_LOADS] = {"leat.shipping", "loads"},
    [PY_PREAMBLE] = {"leat.shipping", "bind_main_classes"},
    [PY_NOT_SUPPORTED] = {"leat.common.errors", "NotSupportedError"},
    [PY_JOB_ERROR] = {"leat.common.errors", "JobError"},
    [PY_JOB_CANCELLED] = {"leat.common.errors", "JobCancelled"},
    [PY_RESTORE_ERROR] = {"leat.common.errors", "RestoreError"},
    [PY_FORMAT_EXCEPTION] = {"leat.tracebacks", "format_exception"},
    [PY_FORMAT_EXCEPTION_ONLY] = {"traceback", "format_exception_only"},
    [PY_GC_COLLECT] = {"gc", "collect"},
    [PY_GC_COUNT] = {"gc", "get_count"},
    [PY_GC_THRESHOLD] = {"gc", "get_threshold"},
    [PY_THREAD] = {"threading", "Thread"},
    [PY_FLAGS_OF] = {"subprocess", "_args_from_interpreter_flags"},
    [PY_STATE_STORE] = {"leat.datastream.functions", "KeyedStateStore"},
    [PY_IN_WINDOWS] = {"leat.datastream.windowed_stream", "InWindows"},
    [PY_TIME_WINDOW] = {"leat.datastream.window_kinds", "TimeWindow"},
    [PY_COUNT_WINDOW] = {"leat.datastream.window_kinds", "CountWindow"},
    [PY_GLOBAL_WINDOW] = {"leat.datastream.window_kinds", "GlobalWindow"},
    [PY_READ_WINDOW] = {"leat.datastream.window_kinds", "read_window"},
    [PY_WRITE_WINDOW] = {"leat.datastream.window_kinds", "write_window"},
    [PY_TRIGGER_RESULT] = {"leat.datastream.window_triggers", "TriggerResult"},
    [PY_RECORDED_MERGES] = {"leat.datastream.window_assigners", "RecordedMerges"},
    [PY_TIMESTAMPED_VALUE] = {"leat.datastream.evictors", "TimestampedValue"},
    [PY_ASYNC_CALLS] = {"leat.async_calls", "AsyncCalls"},
    [PY_EVENT_LOOP] = {"leat.event_loop", "EventLoop"},
    [PY_SPLITS] = {"leat.datastream.functions", "Splits"},
    [PY_TRANSACTIONS] = {"leat.transactions", "Transactions"},
    [PY_PART_STREAM] = {"leat.part_stream", "PartStream"},
};

PyObject *py_known_import(py_state *state, py_known id) {
    PyObject *module = PyImport_ImportModule(known[id].module);
    PyObject *found = module ? PyObject_GetAttrString(module, known[id].name) : NULL;
    Py_XDECREF(module);
    if (found) Py_XSETREF(state->known[id], found);
    return found;
}

bool py_known_is(py_state *state, PyObject *o, py_known id) {
    PyTypeObject *type = Py_TYPE(o);
    if (LEAT_LIKELY(state->known[id] != NULL)) return (PyObject *)type == state->known[id];
    const char *dot = strrchr(type->tp_name, '.');
    if (strcmp(dot ? dot + 1 : type->tp_name, known[id].name) != 0) return false;
    PyObject *found = py_known_import(state, id);
    if (!found) PyErr_Clear();
    return (PyObject *)type == found;
}

/* --- functions -------------------------------------------------------------------------------- */

static bool type_of(py_state *state, const char *text, const leat_type **type,
                    const py_shape **shape) {
    leat_error err;
    *type = text ? leat_type_parse(text, &err) : NULL;
    if (text && !*type) {
        py_error_raise(state, &err);
        return false;
    }
    return py_shape_of(state, *type, shape);
}

/* Says which item an error is about. */
static void name_item(Py_ssize_t index) {
    if (!PyErr_ExceptionMatches(PyExc_Exception)) return;
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    PyErr_Format(PyExc_TypeError, "item %zd: %S", index, value);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
}

static bool encode_item(py_state *state, PyObject *o, const leat_type *type, const py_shape *shape,
                        leati_buf *out) {
    PyObject *fit = py_shape_apply(shape, Py_NewRef(o));
    bool ok = fit && py_encode(state, fit, type, out);
    Py_XDECREF(fit);
    return ok;
}

static PyObject *module_encode(PyObject *module, PyObject *args) {
    py_state *state = py_module_state(module);
    PyObject *items, *bytes = NULL;
    const char *text;
    const leat_type *type;
    const py_shape *shape;
    if (!PyArg_ParseTuple(args, "O!z:encode", &PyList_Type, &items, &text)) return NULL;
    if (!type_of(state, text, &type, &shape)) return NULL;
    leati_buf out;
    leati_buf_init(&out);
    bool ok = true;
    for (Py_ssize_t i = 0; ok && i < PyList_GET_SIZE(items); i++) {
        ok = encode_item(state, PyList_GET_ITEM(items, i), type, shape, &out);
        if (!ok) name_item(i);
    }
    if (ok) bytes = PyBytes_FromStringAndSize(out.bytes, (Py_ssize_t)out.size);
    leati_buf_fini(&out);
    return bytes;
}

static PyObject *module_config_keys(PyObject *module, PyObject *unused) {
    (void)module;
    (void)unused;
    const leati_config_row *rows;
    size_t count = leati_config_rows(&rows);
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t i = 0; list && i < count; i++) {
        const leati_config_row *r = &rows[i];
        PyObject *row =
            Py_BuildValue("(sssss)", r->key, r->fallback ? r->fallback : "", r->kind ? r->kind : "",
                          r->status ? r->status : "", r->doc ? r->doc : "");
        if (!row) {
            Py_DECREF(list);
            return NULL;
        }
        PyList_SET_ITEM(list, (Py_ssize_t)i, row);
    }
    return list;
}

static PyObject *module_look_into(PyObject *module, PyObject *args) {
    const char *verb, *path;
    int json;
    leat_error err = {.status = LEAT_OK};
    if (!PyArg_ParseTuple(args, "ssp:look_into", &verb, &path, &json)) return NULL;
    char *text;
    Py_BEGIN_ALLOW_THREADS;
    text = strcmp(verb, "list") == 0 ? leat_checkpoint_list(path, json, &err)
                                     : leat_checkpoint_inspect(path, json, &err);
    Py_END_ALLOW_THREADS;
    if (!text) return py_error_raise(py_module_state(module), &err);
    PyObject *answer = PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
    leat_text_free(text);
    return answer;
}

/* --- for tests -------------------------------------------------------------------------------- */

typedef PyObject *(*test_call)(py_state *state, PyObject *o, const leat_type *type);

/* Of (object, type text): what `call` makes of it, inside. */
static PyObject *run_test(PyObject *module, PyObject *args, test_call call) {
    py_state *state = py_module_state(module);
    PyObject *o;
    const char *text;
    const leat_type *type;
    const py_shape *shape;
    if (!PyArg_ParseTuple(args, "Oz", &o, &text)) return NULL;
    if (!type_of(state, text, &type, &shape)) return NULL;
    py_interp_hold(state->interp);
    PyObject *fit = py_shape_apply(shape, Py_NewRef(o));
    PyObject *result = fit ? call(state, fit, type) : NULL;
    Py_XDECREF(fit);
    py_interp_unhold(state->interp);
    return result;
}

static PyObject *test_coerce(py_state *state, PyObject *o, const leat_type *type) {
    (void)state;
    (void)type;
    return Py_NewRef(o);
}

static PyObject *test_roundtrip(py_state *state, PyObject *o, const leat_type *type) {
    leati_buf out;
    leati_arena arena;
    leat_value v;
    PyObject *back = NULL;
    leati_buf_init(&out);
    leati_arena_init(&arena);
    if (py_encode(state, o, type, &out)) {
        leati_reader in = leati_reader_of(out.bytes, out.size);
        leat_status status = leati_value_decode(&in, py_interp_domain(state->interp), &arena, &v);
        if (status >= 0 && !leati_reader_left(&in))
            back = py_from_value(state, &v, type);
        else if (!PyErr_Occurred())
            PyErr_Format(PyExc_ValueError, "the bytes are damaged: %s", leat_status_name(status));
    }
    leati_arena_fini(&arena);
    leati_buf_fini(&out);
    return back;
}

static PyObject *test_native(py_state *state, PyObject *o, const leat_type *type) {
    leati_arena arena;
    leat_value v;
    leati_arena_init(&arena);
    PyObject *back =
        py_to_value(state, o, type, &arena, &v) < 0 ? NULL : py_from_value(state, &v, type);
    PyObject *result = back ? Py_BuildValue("(sN)", leat_kind_name((leat_kind)v.kind), back) : NULL;
    leati_arena_fini(&arena);
    return result;
}

static PyObject *test_key(py_state *state, PyObject *o, const leat_type *type) {
    (void)type;
    leati_buf out;
    leati_buf_init(&out);
    PyObject *bytes = py_key_write(state, o, &out)
                          ? PyBytes_FromStringAndSize(out.bytes, (Py_ssize_t)out.size)
                          : NULL;
    leati_buf_fini(&out);
    return bytes;
}

static PyObject *test_text(py_state *state, PyObject *o, const leat_type *type) {
    leati_buf print, string;
    leati_buf_init(&print);
    leati_buf_init(&string);
    PyObject *both = NULL;
    if (py_print(state, o, type, LEAT_TEXT_PRINT, &print) &&
        py_print(state, o, type, LEAT_TEXT_STRING, &string))
        both = Py_BuildValue("(ss)", leati_buf_cstr(&print), leati_buf_cstr(&string));
    leati_buf_fini(&print);
    leati_buf_fini(&string);
    return both;
}

static PyObject *test_cut(py_state *state, PyObject *o, const leat_type *type) {
    (void)type;
    return py_object_cut(state, o);
}

#define TEST_METHOD(name)                                              \
    static PyObject *module_##name(PyObject *module, PyObject *args) { \
        return run_test(module, args, test_##name);                    \
    }
TEST_METHOD(coerce)
TEST_METHOD(roundtrip)
TEST_METHOD(native)
TEST_METHOD(key)
TEST_METHOD(text)
TEST_METHOD(cut)

static PyMethodDef module_methods[] = {
    {"encode", module_encode, METH_VARARGS,
     PyDoc_STR("Values in the library's codec, of the type or as they are.")},
    {"worker_main", py_worker_main, METH_O,
     PyDoc_STR("Be a worker process; answers its exit code.")},
    {"own_sigterm", py_own_sigterm, METH_NOARGS,
     PyDoc_STR("Python's handler of SIGTERM serves this process alone; what it forks ends.")},
    {"log_to", py_log_to, METH_O, PyDoc_STR("Call this with (level, line) for each line logged.")},
    {"control_list", py_control_list, METH_O, PyDoc_STR("The jobs that listen, as text.")},
    {"control_ask", py_control_ask, METH_VARARGS, PyDoc_STR("Ask a job, and wait for it.")},
    {"clear_status_line", py_clear_status_line, METH_O,
     PyDoc_STR("Somebody writes to this descriptor.")},
    {"config_keys", module_config_keys, METH_NOARGS,
     PyDoc_STR("All configuration keys: key, default, kind, status, meaning.")},
    {"look_into", module_look_into, METH_VARARGS,
     PyDoc_STR("What a checkpoint has (inspect), or which a job's folder has (list).")},
    {"_coerce", module_coerce, METH_VARARGS, PyDoc_STR("The object as the declared type has it.")},
    {"_roundtrip", module_roundtrip, METH_VARARGS, PyDoc_STR("Through the codec and back.")},
    {"_native", module_native, METH_VARARGS,
     PyDoc_STR("The kind of its native value, and that value's object.")},
    {"_key", module_key, METH_VARARGS, PyDoc_STR("Its canonical bytes as a key.")},
    {"_text", module_text, METH_VARARGS, PyDoc_STR("What print() and a text file show.")},
    {"_cut", module_cut, METH_VARARGS, PyDoc_STR("A copy that shares nothing mutable.")},
    {NULL, NULL, 0, NULL},
};

/* --- the module ------------------------------------------------------------------------------- */

static bool add_exceptions(PyObject *module, py_state *state) {
    state->remote_traceback = PyErr_NewExceptionWithDoc(
        "leat._leat.RemoteTraceback",
        "Where a user's exception was raised: the text of its traceback in the task that raised it.",
        NULL, NULL);
    return state->remote_traceback &&
           PyModule_AddObjectRef(module, "RemoteTraceback", state->remote_traceback) == 0;
}

static int module_exec(PyObject *module) {
    py_state *state = py_module_state(module);
    for (long i = 0; i < 4; i++)
        if (!(state->row_kinds[i] = PyLong_FromLong(i))) return -1;
    bool ok = py_graph_type_init(module, state) && py_job_type_init(module, state) &&
              py_context_types_init(module, state) && py_source_types_init(module, state) &&
              py_async_types_init(module, state) && py_state_types_init(module, state) &&
              py_broadcast_types_init(module, state) && py_metrics_types_init(module, state) &&
              py_accumulators_type_init(module, state) && py_window_types_init(module, state) &&
              add_exceptions(module, state) &&
              PyModule_AddStringConstant(module, "__version__", leat_version()) == 0;
    if (ok) state->interp = py_interp_new(state);
    return state->interp ? 0 : -1;
}

static int module_traverse(PyObject *module, visitproc visit, void *arg) {
    py_state *state = py_module_state(module);
    for (int i = 0; i < PY_KNOWN_COUNT; i++) Py_VISIT(state->known[i]);
    for (int i = 0; i < PY_NAME_CACHE; i++) Py_VISIT(state->names[i].names);
    Py_VISIT(state->remote_traceback);
    Py_VISIT(state->log);
    Py_VISIT(state->env_type);
    Py_VISIT(state->job_type);
    Py_VISIT(state->context_type);
    Py_VISIT(state->timers_type);
    Py_VISIT(state->collector_type);
    Py_VISIT(state->async_type);
    Py_VISIT(state->states_type);
    Py_VISIT(state->metrics_type);
    Py_VISIT(state->accumulator_type);
    for (int i = 0; i < PY_METRIC_KINDS; i++) Py_VISIT(state->metric_types[i]);
    Py_VISIT(state->broadcast_reading_type);
    Py_VISIT(state->broadcast_writing_type);
    for (int i = 0; i < PY_BROADCAST_CONTEXTS; i++) Py_VISIT(state->broadcast_context_types[i]);
    Py_VISIT(state->assigner_context_type);
    Py_VISIT(state->trigger_context_type);
    Py_VISIT(state->evictor_context_type);
    Py_VISIT(state->window_context_type);
    for (int i = 0; i < PY_STATE_KINDS; i++) Py_VISIT(state->state_types[i]);
    return 0;
}

static int module_clear(PyObject *module) {
    py_state *state = py_module_state(module);
    for (int i = 0; i < PY_KNOWN_COUNT; i++) Py_CLEAR(state->known[i]);
    for (int i = 0; i < PY_NAME_CACHE; i++) {
        state->names[i].schema = NULL;
        Py_CLEAR(state->names[i].names);
    }
    py_shapes_free(state);
    for (int i = 0; i < 4; i++) Py_CLEAR(state->row_kinds[i]);
    Py_CLEAR(state->remote_traceback);
    Py_CLEAR(state->log);
    Py_CLEAR(state->env_type);
    Py_CLEAR(state->job_type);
    Py_CLEAR(state->context_type);
    Py_CLEAR(state->timers_type);
    Py_CLEAR(state->collector_type);
    Py_CLEAR(state->async_type);
    Py_CLEAR(state->states_type);
    Py_CLEAR(state->metrics_type);
    Py_CLEAR(state->accumulator_type);
    for (int i = 0; i < PY_METRIC_KINDS; i++) Py_CLEAR(state->metric_types[i]);
    Py_CLEAR(state->broadcast_reading_type);
    Py_CLEAR(state->broadcast_writing_type);
    for (int i = 0; i < PY_BROADCAST_CONTEXTS; i++) Py_CLEAR(state->broadcast_context_types[i]);
    Py_CLEAR(state->assigner_context_type);
    Py_CLEAR(state->trigger_context_type);
    Py_CLEAR(state->evictor_context_type);
    Py_CLEAR(state->window_context_type);
    for (int i = 0; i < PY_STATE_KINDS; i++) Py_CLEAR(state->state_types[i]);
    return 0;
}

static void module_free(void *module) {
    py_state *state = py_module_state(module);
    if (!state) return;
    py_interp_free(state->interp);
    state->interp = NULL;
    module_clear(module);
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, (void *)module_exec},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
    {0, NULL},
};

static struct PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "leat._leat",
    .m_doc = PyDoc_STR("The library's graph, jobs and workers as Python sees them."),
    .m_size = sizeof(py_state),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__leat(void);
PyMODINIT_FUNC PyInit__leat(void) {
    return PyModuleDef_Init(&module_def);
}
