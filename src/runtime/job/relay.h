/* relay.h: what a worker prints, line by line, out of the main process. */
#ifndef LEATI_RELAY_H
#define LEATI_RELAY_H

#include <uv.h>

#include "leat/base.h"

typedef struct leati_relay leati_relay;

/* Adopts `from`, the reading end of a pipe, also on failure; writes whole lines to `to` (1 or 2) on
   the I/O thread. Loop's thread, or before the loop runs. NULL when memory ran out. */
leati_relay *leati_relay_new(uv_loop_t *loop, int from, int to);
/* Reads what is there: the writer has ended. What its own children may still write is not waited
   for. Loop's thread. NULL is fine. */
void leati_relay_drain(leati_relay *r);
/* The last lines that passed, as UTF-8 for a message, at most `size` - 1 bytes. Loop's thread. */
void leati_relay_tail(const leati_relay *r, char *out, size_t size);
/* Gives an unfinished line out and goes, once the loop has run. NULL is fine. */
void leati_relay_close(leati_relay *r);

#endif
