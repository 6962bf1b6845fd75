/* two_phase_toy.c: a sink that gives nothing out before the checkpoint that has it is complete.

   Records are gathered in the open part. A barrier closes it: it gets the checkpoint's number and
   becomes state. Commit writes every part up to that number to the ledger, which takes each once. A
   restore commits what it finds, since its checkpoint was complete. */
#include "toys.h"

#include <string.h>

enum { MOST_PARTS = 16 };

typedef struct part {
    int64_t checkpoint, sum, count;
} part;

typedef struct two_phase_self {
    toy_ledger *ledger;
    part open, prepared[MOST_PARTS];
    int prepared_count;
} two_phase_self;

static const leat_param params[] = {
    {"ledger", LEAT_PARAM_POINTER, true, offsetof(two_phase_self, ledger), LEAT_ROLE_NONE},
    {0},
};

static leat_status two_phase_on_record(leat_context *ctx, void *self, unsigned input,
                                       const leat_record *in) {
    (void)ctx;
    (void)input;
    two_phase_self *s = self;
    s->open.sum += in->value.as.i;
    s->open.count++;
    return LEAT_OK;
}

static leat_status two_phase_prepare(leat_context *ctx, void *self, int64_t checkpoint) {
    two_phase_self *s = self;
    if (!s->open.count) return LEAT_OK;
    if (s->prepared_count == MOST_PARTS)
        return leat_context_fail(ctx, LEAT_E_STATE, "too many parts wait for their commit");
    s->open.checkpoint = checkpoint;
    s->prepared[s->prepared_count++] = s->open;
    memset(&s->open, 0, sizeof s->open);
    return LEAT_OK;
}

static void write_once(toy_ledger *ledger, const part *p, int subtask) {
    int64_t id = (int64_t)((uint64_t)p->checkpoint * 16 + (uint64_t)subtask);
    pthread_mutex_lock(&ledger->lock);
    bool known = false;
    for (int64_t i = 0; i < ledger->part_count; i++) known |= ledger->parts[i] == id;
    if (!known && ledger->part_count < 64) {
        ledger->parts[ledger->part_count++] = id;
        ledger->sum += p->sum;
        ledger->count += p->count;
    }
    pthread_mutex_unlock(&ledger->lock);
}

static leat_status two_phase_commit(leat_context *ctx, void *self, int64_t checkpoint) {
    two_phase_self *s = self;
    int kept = 0;
    for (int i = 0; i < s->prepared_count; i++) {
        if (s->prepared[i].checkpoint > checkpoint)
            s->prepared[kept++] = s->prepared[i];
        else
            write_once(s->ledger, &s->prepared[i], leat_context_subtask(ctx));
    }
    s->prepared_count = kept;
    return LEAT_OK;
}

static leat_status two_phase_snapshot(leat_context *ctx, void *self, leat_snapshot *out) {
    (void)ctx;
    const two_phase_self *s = self;
    leat_status status = LEAT_OK;
    for (int i = 0; i < s->prepared_count && status >= 0; i++)
        status = leat_snapshot_write(out, "part", LEAT_SPLIT_LIST, &s->prepared[i], sizeof(part));
    return status;
}

static leat_status two_phase_restore(leat_context *ctx, void *self, leat_snapshot *in) {
    two_phase_self *s = self;
    const void *bytes;
    size_t size;
    leat_status status = LEAT_OK;
    for (size_t i = 0; status == LEAT_OK; i++) {
        status = leat_snapshot_read(in, "part", i, &bytes, &size);
        if (status != LEAT_OK) break;
        if (size != sizeof(part)) return LEAT_E_FORMAT;
        part p;
        memcpy(&p, bytes, sizeof p);
        write_once(s->ledger, &p, leat_context_subtask(ctx));
    }
    return status < 0 ? status : LEAT_OK;
}

static void two_phase_close(leat_context *ctx, void *self, bool failed) {
    (void)ctx;
    two_phase_self *s = self;
    if (!failed || !s->open.count) return;
    pthread_mutex_lock(&s->ledger->lock);
    s->ledger->rolled_back++;
    pthread_mutex_unlock(&s->ledger->lock);
}

const leat_operator toy_two_phase_operator = {
    .size = sizeof(leat_operator),
    .name = "toy_two_phase",
    .flags = LEAT_OP_SINK,
    .inputs = 1,
    .self_size = sizeof(two_phase_self),
    .params = params,
    .on_record = two_phase_on_record,
    .snapshot = two_phase_snapshot,
    .restore = two_phase_restore,
    .prepare = two_phase_prepare,
    .commit = two_phase_commit,
    .close = two_phase_close,
};
