/* async.h: functions whose results come later, such as answers of a service. Each record, or batch
   of records, begins a call; whoever has its answer completes the call, from any thread. The
   operator keeps the records, delivers results in the order of records or of answers, and never
   across a watermark. */
#ifndef LEAT_ASYNC_H
#define LEAT_ASYNC_H

#include "function.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One attempt for one record or batch, from `begin` until exactly one of leat_async_complete,
   leat_async_fail and leat_async_retry has taken it; that is so for calls that were cancelled, too,
   and those that are answered when the job has ended. What nobody waits for any more is dropped. */
typedef struct leat_async_call leat_async_call;

/* The table of an async function; the operator's thread. */
struct leat_async {
    size_t size; /* sizeof(leat_async) */
    /* Begins a call for `count` records, lent for this call; one unless the operator has a batch
       size. May complete it at once. Must not block. On failure the call is gone. */
    leat_status (*begin)(leat_context *ctx, const leat_record *in, size_t count,
                         leat_async_call *call, void *self);
    /* The time of these records is up: completes this new call with what takes the place of their
       results, now or later, without a time limit. NULL: the job fails. */
    leat_status (*timeout)(leat_context *ctx, const leat_record *in, size_t count,
                           leat_async_call *call, void *self);
    /* Nobody waits for this call any more: its time is up, or the job ends. It may have been
       completed meanwhile; if not it still has to be, with anything. May be NULL. */
    void (*cancel)(leat_context *ctx, leat_async_call *call, void *self);
    /* Says why the job fails, where leat_async_fail was given an object. May be NULL otherwise. */
    leat_status (*failed)(leat_context *ctx, const leat_record *in, size_t count,
                          const leat_value *error, void *self);
};

/* Any thread; objects inside their interpreter only. The values are copied, and go out with the
   event time of the record; for a batch one for each record, in order. LEAT_E_NOMEM: nothing
   happened, the call still has to be taken. */
LEAT_API leat_status leat_async_complete(leat_async_call *call, const leat_value *values,
                                         size_t count);
/* The job fails with this status and error: a string, or an object that `failed` understands. Any
   thread; LEAT_E_NOMEM as above. */
LEAT_API leat_status leat_async_fail(leat_async_call *call, leat_status status,
                                     const leat_value *error);
/* Begin another attempt after so many milliseconds; the time limit is that of all attempts
   together. Any thread. */
LEAT_API void leat_async_retry(leat_async_call *call, int64_t delay_ms);

/* The number of this attempt, from 1. */
LEAT_API int leat_async_attempt(const leat_async_call *call);
/* A pointer of the function's own that goes with the call; NULL at first. The operator's thread,
   until the call was taken. */
LEAT_API void leat_async_set_data(leat_async_call *call, void *data);
LEAT_API void *leat_async_data(const leat_async_call *call);

typedef struct leat_async_options {
    size_t size;              /* sizeof(leat_async_options) */
    int64_t timeout_ms;       /* for all attempts of a record; 0: none */
    int64_t capacity;         /* records without delivered results, at most; a batch fits always */
    int64_t batch_size;       /* records of a call; 1 */
    int64_t batch_timeout_ms; /* a batch that is not full begins after this; 0: at the end only */
} leat_async_options;

/* No time limit, 100 records, no batches. */
static inline leat_async_options leat_async_options_defaults(void) {
    leat_async_options o;
    memset(&o, 0, sizeof o);
    o.size = sizeof o;
    o.capacity = 100;
    o.batch_size = 1;
    return o;
}

#ifdef __cplusplus
}
#endif
#endif
