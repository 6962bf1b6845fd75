/* py_embed.c: an interpreter for a host that came without one (bridge.h, leati_embedding). The
   library has opened libpython and then this module's file, and calls this on a thread of its own;
   there is no interpreter yet, and nothing here may be remembered in a variable.

   The host's signal handlers, locale, arguments and streams stay as they are. A host that has
   started Python itself only gets the module imported. */
#include "pybridge/py_error.h"
#include "runtime/bridge.h"

static leat_status refuse(PyStatus status, const char *executable, leat_error *err) {
    return leat_error_set(err, LEAT_E_UNSUPPORTED, executable, "Python does not start: %s",
                          status.err_msg ? status.err_msg : "it exits");
}

/* PEP 540 chooses UTF-8 where the host has the C locale. */
static PyStatus preinitialize(void) {
    PyPreConfig config;
    PyPreConfig_InitPythonConfig(&config);
    config.parse_argv = 0;
    config.configure_locale = 0;
    config.coerce_c_locale = 0;
    config.coerce_c_locale_warn = 0;
    return Py_PreInitialize(&config);
}

static PyStatus initialize(const char *executable) {
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    config.parse_argv = 0;
    config.install_signal_handlers = 0;
    config.configure_c_stdio = 0;
    config.pathconfig_warnings = 0;
    config.safe_path = 1;
    PyStatus status = PyConfig_SetBytesString(&config, &config.executable, executable);
    if (!PyStatus_Exception(status))
        status = PyConfig_SetBytesString(&config, &config.program_name, executable);
    if (!PyStatus_Exception(status)) status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    return status;
}

/* .../leat/_leat.so: the folder that `leat` is in comes first, where nothing else is in its way. */
static bool add_package(const char *module) {
    const char *file = strrchr(module, '/'), *end = file;
    while (end && end > module && *--end != '/') continue;
    PyObject *path = PySys_GetObject("path");
    PyObject *folder = end ? PyUnicode_DecodeFSDefaultAndSize(module, end - module) : NULL;
    bool ok = folder && path && PySequence_Contains(path, folder) >= 0;
    if (ok && !PySequence_Contains(path, folder)) ok = PyList_Insert(path, 0, folder) == 0;
    Py_XDECREF(folder);
    return ok;
}

static bool add_folders(const char *const *folders) {
    PyObject *list = PyList_New(0);
    for (; list && *folders; folders++) {
        PyObject *folder = PyUnicode_DecodeFSDefault(*folders);
        if (!folder || PyList_Append(list, folder) < 0) Py_CLEAR(list);
        Py_XDECREF(folder);
    }
    PyObject *module = list ? PyImport_ImportModule("leat.program_path") : NULL;
    PyObject *none = module ? PyObject_CallMethod(module, "add", "O", list) : NULL;
    Py_XDECREF(list);
    Py_XDECREF(module);
    Py_XDECREF(none);
    return none != NULL;
}

/* Importing the module registers the bridge. */
static leat_status import(const char *module, const char *const *folders, leat_error *err) {
    PyObject *imported = add_package(module) ? PyImport_ImportModule("leat._leat") : NULL;
    bool ok = imported && add_folders(folders);
    Py_XDECREF(imported);
    return ok ? LEAT_OK : py_error_text(err, LEAT_E_UNSUPPORTED, module);
}

static leat_status join_host(const char *module, const char *const *folders, leat_error *err) {
    PyThreadState *thread = PyThreadState_New(PyInterpreterState_Main());
    if (!thread) return leat_error_set(err, LEAT_E_NOMEM, module, "no memory");
    PyEval_RestoreThread(thread);
    leat_status status = import(module, folders, err);
    PyThreadState_Clear(thread);
    PyThreadState_DeleteCurrent();
    return status;
}

static leat_status embed_start(const char *executable, const char *module,
                               const char *const *folders, void **token, leat_error *err) {
    *token = NULL;
    if (Py_IsInitialized()) return join_host(module, folders, err);
    PyStatus began = preinitialize();
    if (!PyStatus_Exception(began)) began = initialize(executable);
    if (PyStatus_Exception(began)) return refuse(began, executable, err);
    leat_status status = import(module, folders, err);
    if (status < 0)
        Py_FinalizeEx();
    else
        *token = PyEval_SaveThread();
    return status;
}

static void embed_end(void *token) {
    if (!token) return;
    PyEval_RestoreThread(token);
    Py_FinalizeEx();
}

LEAT_API extern const leati_embedding leati_embed;
const leati_embedding leati_embed = {
    .size = sizeof leati_embed,
    .version = LEAT_VERSION_STRING,
    .start = embed_start,
    .end = embed_end,
};
