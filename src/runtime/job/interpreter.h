/* interpreter.h: an interpreter in a host that came without one, for Python functions in THREAD
   mode. */
#ifndef LEATI_INTERPRETER_H
#define LEATI_INTERPRETER_H

#include "runtime/job/env.h"

/* Called with a job's blueprint before it is planned. If the job needs a bridge in this process and
   there is none, starts the interpreter; where that fails the blueprint falls back to PROCESS mode,
   says so in the log, and keeps the reason for its plan. One thread per env. */
leat_status leati_interpreter_need(leati_blueprint *b);
/* A job that may be inside of the interpreter holds it: then it is not ended at exit. */
void leati_interpreter_hold(void);
void leati_interpreter_release(void);

#endif
