/* cancel.c: ends all jobs of an environment from another thread, such as one that waits for
   signals. The env's lock keeps its jobs alive meanwhile: leat_job_free takes a job off the list
   before it destroys it. */
#include <stdatomic.h>

#include "runtime/job/job.h"

void leat_env_cancel(leat_env *env) {
    if (leati_env_check(env, "", NULL) < 0) return;
    pthread_mutex_lock(&env->lock);
    for (leati_link *at = env->jobs.next; at != &env->jobs; at = at->next)
        leat_job_cancel(LEATI_CONTAINER(at, leat_job, link));
    pthread_mutex_unlock(&env->lock);
}
