/* bridges.c: the language bridges of this process; see bridge.h. */
#include <pthread.h>
#include <string.h>

#include "runtime/base/own_process.h"
#include "runtime/bridge.h"

enum { MAX_BRIDGES = 8 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const leati_bridge *bridges[MAX_BRIDGES];

leat_status leati_bridge_register(const leati_bridge *bridge, const char *version,
                                  leat_error *err) {
    if (strcmp(version, LEAT_VERSION_STRING) != 0)
        return leat_error_set(err, LEAT_E_VERSION, bridge->language,
                              "the module is of Leat %s and the library that is loaded of %s; "
                              "install one Leat only",
                              version, LEAT_VERSION_STRING);
    leat_status status = leati_process_check(bridge->language, err);
    if (status < 0) return status;
    status = LEAT_E_STATE;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < MAX_BRIDGES && status < 0; i++)
        if (!bridges[i]) {
            bridges[i] = bridge;
            status = LEAT_OK;
        }
    pthread_mutex_unlock(&lock);
    if (status >= 0) return status;
    return leat_error_set(err, status, bridge->language, "too many interpreters in one process");
}

void leati_bridge_unregister(const leati_bridge *bridge) {
    pthread_mutex_lock(&lock);
    for (int i = 0; i < MAX_BRIDGES; i++)
        if (bridges[i] == bridge) bridges[i] = NULL;
    pthread_mutex_unlock(&lock);
}

const leati_bridge *leati_bridge_find(const char *language) {
    const leati_bridge *found = NULL;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < MAX_BRIDGES && !found; i++)
        if (bridges[i] && strcmp(bridges[i]->language, language) == 0) found = bridges[i];
    pthread_mutex_unlock(&lock);
    return found;
}
