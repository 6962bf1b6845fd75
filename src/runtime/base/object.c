/* object.c: the table of interpreters whose objects values may hold. An entry is written before the
   first value of its domain is made, and cleared after the last one is gone, so readers need no
   lock. */
#include "runtime/base/object.h"

#include <pthread.h>

const leati_object_ops *leati_object_domains[256];

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

uint16_t leati_object_register(const leati_object_ops *ops) {
    uint16_t domain = 1;
    pthread_mutex_lock(&mutex);
    while (domain < 256 && leati_object_domains[domain]) domain++;
    if (domain < 256) leati_object_domains[domain] = ops;
    pthread_mutex_unlock(&mutex);
    return domain < 256 ? domain : 0;
}

void leati_object_unregister(uint16_t domain) {
    pthread_mutex_lock(&mutex);
    if (domain > 0 && domain < 256) leati_object_domains[domain] = NULL;
    pthread_mutex_unlock(&mutex);
}

bool leati_object_is_inside(const leat_value *v) {
    const leati_object_ops *ops = leati_object_ops_of(v);
    return ops && ops->inside(ops->interpreter);
}

void leati_object_release(const leat_value *v) {
    const leati_object_ops *ops = leati_object_ops_of(v);
    if (!ops) return; /* its interpreter has ended, and its memory with it */
    if (ops->inside(ops->interpreter))
        ops->release(v->as.object);
    else
        ops->release_later(ops->interpreter, v->as.object);
}
