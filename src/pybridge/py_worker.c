/* py_worker.c: workers, which are `python -P [flags] -m leat.worker`: python.executable or this
   program's own interpreter, this interpreter's flags, its environment as it is now, and this
   package found where it was found here. -P keeps the working directory from shadowing the standard
   library. */
#include "pybridge/py_worker.h"

#include "pybridge/py_error.h"
#include "pybridge/py_interp.h"

/* --- the command ------------------------------------------------------------------------------ */

static PyObject *sys_get(const char *name) {
    return Py_XNewRef(PySys_GetObject(name)); /* borrowed there */
}

/* Was the interpreter started with any flag? Then subprocess knows how to pass them on; importing
   it is slow. */
static bool has_flags(void) {
    PyObject *flags = sys_get("flags"), *warnings = sys_get("warnoptions");
    PyObject *options = PySys_GetObject("_xoptions");
    bool any =
        (warnings && PyObject_IsTrue(warnings) > 0) || (options && PyObject_IsTrue(options) > 0);
    static const char *const names[] = {"debug",
                                        "inspect",
                                        "optimize",
                                        "no_user_site",
                                        "no_site",
                                        "dont_write_bytecode",
                                        "ignore_environment",
                                        "verbose",
                                        "bytes_warning",
                                        "isolated",
                                        "dev_mode"};
    for (size_t i = 0; flags && !any && i < sizeof names / sizeof *names; i++) {
        PyObject *flag = PyObject_GetAttrString(flags, names[i]);
        any = flag && PyObject_IsTrue(flag) > 0;
        Py_XDECREF(flag);
    }
    Py_XDECREF(flags);
    Py_XDECREF(warnings);
    PyErr_Clear();
    return any;
}

/* [executable, "-P", flags ..., "-m", "leat.worker"] */
static PyObject *command_list(py_state *state, leat_env *env) {
    const char *configured = leat_env_get(env, "python.executable");
    PyObject *executable =
        configured && *configured ? PyUnicode_DecodeFSDefault(configured) : sys_get("executable");
    if (!executable || executable == Py_None) {
        Py_XDECREF(executable);
        return PyErr_Occurred() ? NULL
                                : Py_BuildValue("[ssss]", "python3", "-P", "-m", "leat.worker");
    }
    PyObject *list = Py_BuildValue("[Ns]", executable, "-P");
    PyObject *call = list && has_flags() ? py_known_get(state, PY_FLAGS_OF) : NULL;
    PyObject *flags = call ? PyObject_CallNoArgs(call) : NULL;
    PyErr_Clear();
    PyObject *tail = Py_BuildValue("[ss]", "-m", "leat.worker");
    bool ok = list && tail;
    if (ok && flags) ok = PyList_SetSlice(list, 2, 2, flags) == 0;
    if (ok) ok = PyList_SetSlice(list, PY_SSIZE_T_MAX, PY_SSIZE_T_MAX, tail) == 0;
    Py_XDECREF(flags);
    Py_XDECREF(tail);
    if (!ok) Py_CLEAR(list);
    return list;
}

/* The folder that `leat` lies in, or NULL when every interpreter of this kind looks there
   anyway. */
static PyObject *package_parent(void) {
    PyObject *package = PyImport_ImportModule("leat");
    PyObject *paths = package ? PyObject_GetAttrString(package, "__path__") : NULL;
    PyObject *path = paths ? PySequence_GetItem(paths, 0) : NULL;
    Py_ssize_t slash = path && PyUnicode_Check(path)
                           ? PyUnicode_FindChar(path, '/', 0, PyUnicode_GET_LENGTH(path), -1)
                           : -1;
    PyObject *parent = slash > 0 ? PyUnicode_Substring(path, 0, slash) : NULL;
    Py_XDECREF(package);
    Py_XDECREF(paths);
    Py_XDECREF(path);
    PyErr_Clear();
    const char *text = parent ? PyUnicode_AsUTF8(parent) : NULL;
    if (!text || strstr(text, "site-packages") || strstr(text, "dist-packages")) Py_CLEAR(parent);
    PyErr_Clear();
    return parent;
}

/* os.environ as a dict of its own, with the package's folder in PYTHONPATH. */
static PyObject *environment(void) {
    PyObject *os = PyImport_ImportModule("os");
    PyObject *variables = os ? PyObject_GetAttrString(os, "environ") : NULL;
    PyObject *dict = variables ? PyDict_New() : NULL;
    bool ok = dict && PyDict_Update(dict, variables) == 0;
    PyObject *parent = ok ? package_parent() : NULL;
    if (parent) {
        PyObject *before = PyDict_GetItemString(dict, "PYTHONPATH");
        PyObject *path = before && PyObject_IsTrue(before) > 0
                             ? PyUnicode_FromFormat("%U:%S", parent, before)
                             : Py_NewRef(parent);
        ok = path && PyDict_SetItemString(dict, "PYTHONPATH", path) == 0;
        Py_XDECREF(path);
    }
    Py_XDECREF(os);
    Py_XDECREF(variables);
    Py_XDECREF(parent);
    if (!ok) Py_CLEAR(dict);
    return dict;
}

/* "NAME=value" for each. */
static PyObject *environment_list(void) {
    PyObject *dict = environment(), *list = dict ? PyList_New(0) : NULL, *key, *item;
    Py_ssize_t at = 0;
    while (list && PyDict_Next(dict, &at, &key, &item)) {
        PyObject *line = PyUnicode_FromFormat("%S=%S", key, item);
        if (!line || PyList_Append(list, line) < 0) Py_CLEAR(list);
        Py_XDECREF(line);
    }
    Py_XDECREF(dict);
    return list;
}

/* Turns the strings of a list into bytes of the file system's encoding, in place, and lends those
   as a NULL-terminated array of PyMem. */
static const char **words_of(PyObject *list) {
    Py_ssize_t size = list ? PyList_GET_SIZE(list) : -1;
    const char **words = size >= 0 ? PyMem_New(const char *, size + 1) : NULL;
    for (Py_ssize_t i = 0; words && i < size; i++) {
        PyObject *bytes = PyUnicode_EncodeFSDefault(PyList_GET_ITEM(list, i));
        if (!bytes) {
            PyMem_Free(words);
            return NULL;
        }
        words[i] = PyBytes_AS_STRING(bytes);
        PyList_SetItem(list, i, bytes);
    }
    if (words) words[size] = NULL;
    return words;
}

bool py_worker_command(py_state *state, leat_env *env) {
    PyObject *command = command_list(state, env), *names = command ? environment_list() : NULL;
    const char **argv = words_of(command), **envp = argv ? words_of(names) : NULL;
    bool ok = envp && leati_env_set_worker(env, argv, envp) >= 0;
    PyMem_Free(argv);
    PyMem_Free(envp);
    Py_XDECREF(command);
    Py_XDECREF(names);
    if (!ok && !PyErr_Occurred()) PyErr_NoMemory();
    return ok;
}

/* --- a worker's life -------------------------------------------------------------------------- */

/* Inside the interpreter. */
static leat_status worker_preamble(void *interpreter, const void *bytes, size_t size,
                                   leat_error *err) {
    (void)interpreter;
    py_state *state = py_interp_state();
    PyObject *bind = py_known_get(state, PY_PREAMBLE);
    PyObject *blob = bind ? PyBytes_FromStringAndSize(bytes, (Py_ssize_t)size) : NULL;
    PyObject *none = blob ? PyObject_CallOneArg(bind, blob) : NULL;
    Py_XDECREF(blob);
    if (!none) return py_error_text(err, LEAT_E_WORKER, "leat.worker");
    Py_DECREF(none);
    return LEAT_OK;
}

PyObject *py_worker_main(PyObject *module, PyObject *argv) {
    py_state *state = py_module_state(module);
    PyObject *list = PySequence_List(argv);
    const char **words = words_of(list);
    if (!words) {
        Py_XDECREF(list);
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    }
    py_pause pause;
    py_interp_pause(state->interp, &pause);
    int code =
        leati_worker_run((int)PyList_GET_SIZE(list), (char **)(uintptr_t)words, worker_preamble);
    py_interp_resume(state->interp, &pause);
    PyMem_Free(words);
    Py_DECREF(list);
    return PyLong_FromLong(code);
}
