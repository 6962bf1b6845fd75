/* rig.h: a task put together by hand, for tests of the engine itself: contexts in any tree, input
   channels with any capacity, outputs with any partitioning. What its operators log is one line of
   words. */
#ifndef LEAT_TESTS_RIG_H
#define LEAT_TESTS_RIG_H

/* cmocka needs these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "leat.h"
#include "runtime/flow/output.h"
#include "runtime/flow/task.h"

enum { RIG_MOST = 8 };

typedef struct rig {
    leati_task *task;
    leati_chain *chain; /* the task's */
    leati_op_info infos[RIG_MOST];
    leati_args args[RIG_MOST];
    int count;
    leati_channel *in[RIG_MOST], *out[RIG_MOST];
    int ins, outs;
    atomic_int notices;
    char log[1 << 15];
    size_t logged;
    void *more; /* the test's */
} rig;

/* Operators of a rig begin their struct with this one and have rig_params, which fill it. */
typedef struct rig_self {
    rig *r;
} rig_self;
extern const leat_param rig_params[];

static inline rig *rig_of(void *self) {
    return ((rig_self *)self)->r;
}

/* `gate`: it has inputs. */
void rig_init(rig *r, bool gate);
void rig_fini(rig *r); /* closes, too, as after a failure */
leat_context *rig_add(rig *r, const leat_operator *op, leat_context *parent, const char *tag);
leati_channel *rig_input(rig *r, unsigned input, size_t capacity);
/* Adds `targets` channels to r->out. */
void rig_output(rig *r, leat_context *ctx, const char *tag, leat_partitioning how, int targets,
                size_t capacity);
void rig_open(rig *r);
leati_task_state rig_step(rig *r); /* one step with a large budget */
leati_task_state rig_run(rig *r);  /* until it waits, ends or fails */

void rig_log(rig *r, const char *format, ...) LEAT_PRINTF(2, 3);
/* The log is `words`; then it is emptied. */
void rig_expect(rig *r, const char *words);

/* Elements into a channel: one batch of integers without time or key, one signal. */
void channel_push_ints(leati_channel *c, int64_t first, int64_t last);
void channel_push_record(leati_channel *c, const leat_record *record);
void channel_push_signal(leati_channel *c, leati_element_kind kind, int64_t value);
/* All that is in a channel, as text: "[1 2] w5 [3] b1 idle active end"; credit is given back. Lent
   until the next call. */
const char *channel_read(leati_channel *c);

#endif
