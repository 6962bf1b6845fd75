/* gather.h: jobs in tests: environments with small channels, and a sink that keeps what comes as
   lines of text. */
#ifndef LEAT_TESTS_GATHER_H
#define LEAT_TESTS_GATHER_H

/* cmocka needs these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "leat.h"

enum { MOST_LINES = 20000 };

typedef struct gathered {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char *lines[MOST_LINES];
    int count;
} gathered;

void gathered_init(gathered *g);
void gathered_fini(gathered *g);
/* A sink for leat_stream_sink: "value" or "value@time". */
leat_function gathered_sink(gathered *g);
/* Waits until there are `count` lines. */
void gathered_await(gathered *g, int count);
void gathered_sort(gathered *g);
/* The lines in order, with a space between them; lent until the next call. */
const char *gathered_text(gathered *g);

/* An environment with that parallelism and channels of so many records. */
leat_env *env_of(int parallelism, int capacity);
/* Runs it and fails the test unless it finishes. */
void env_run(leat_env *env);

#endif
