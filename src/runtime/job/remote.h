/* remote.h: channels over wires, the same in the main process and in workers; and the description
   of a job that makes every worker build the same plan. */
#ifndef LEATI_REMOTE_H
#define LEATI_REMOTE_H

#include "runtime/job/connection.h"
#include "runtime/job/env.h"
#include "runtime/job/host.h"

typedef struct leati_remote leati_remote;

/* `hosts`: workers and the main process. */
leati_remote *leati_remote_new(int hosts);
void leati_remote_free(leati_remote *r);
/* Which connection leads to a host; before channels are joined. */
void leati_remote_set_wire(leati_remote *r, int peer, leati_connection *wire);
/* For leati_host_new. */
leati_wires leati_remote_wires(leati_remote *r);
/* Takes a data frame from a host; LEAT_E_FORMAT when it is wrong. Loop's thread. */
leat_status leati_remote_take(leati_remote *r, int peer, uint8_t kind, const char *payload,
                              size_t size);
/* Nothing is sent any more; channels that are still used fall silent. Before the connections are
   closed. */
void leati_remote_close(leati_remote *r);

/* What a worker is told: its number, the number of workers, the attempt, configuration, graph,
   preamble, where snapshots are. */
typedef struct leati_job_text {
    int index, workers, attempt;
    char *folder, *restore; /* leati_survival; owned */
    leati_config *config;   /* owned */
    leati_graph graph;      /* owned */
    const char *preamble;   /* lent by the frame */
    size_t preamble_size;
} leati_job_text;
void leati_job_encode(const leati_blueprint *b, int index, int workers, int attempt,
                      const leati_survival *survival, leati_buf *out);
leat_status leati_job_decode(const char *bytes, size_t size, leati_job_text *out, leat_error *err);
void leati_job_text_fini(leati_job_text *t);

#endif
