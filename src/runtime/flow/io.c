/* io.c: leat_context_io: work on the I/O thread whose answer comes back through the operator's
   mailbox. */
#include "runtime/base/io_thread.h"

#include "runtime/base/alloc.h"
#include "runtime/flow/inbox.h"

typedef struct errand {
    leat_io io;
    leat_mailbox *mailbox;
    leat_status worked;
} errand;

static leat_status errand_work(void *arg) {
    errand *e = arg;
    return e->io.work(e->io.arg);
}

static leat_status errand_answer(leat_context *ctx, void *self, void *arg) {
    errand e = *(errand *)arg;
    leati_free(arg);
    return e.io.done(ctx, self, e.io.arg, e.worked);
}

static void errand_drop(void *arg) {
    errand *e = arg;
    if (e->io.drop) e->io.drop(e->io.arg);
    leati_free(e);
}

static void errand_done(void *arg, leat_status worked) {
    errand *e = arg;
    leat_mailbox *mailbox = e->mailbox;
    e->worked = worked;
    if (leat_mailbox_post(mailbox, errand_answer, e, errand_drop) < 0) errand_drop(e);
    leat_mailbox_unref(mailbox);
}

leat_status leat_context_io(leat_context *ctx, const leat_io *io) {
    errand *e = leati_zalloc(sizeof *e);
    leat_mailbox *mailbox = leat_context_mailbox(ctx);
    leat_status status = e && mailbox ? LEAT_OK : LEAT_E_NOMEM;
    if (status >= 0) {
        e->io = *io;
        e->mailbox = mailbox;
        status = leati_io_submit(errand_work, errand_done, e);
    }
    if (status < 0) {
        leat_mailbox_unref(mailbox);
        leati_free(e);
    }
    return status;
}
