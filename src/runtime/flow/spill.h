/* spill.h: what makes a channel one that spills (leati_channel_spill): memory first, then a
   temporary file, in the order in which elements came. Called by channel.c only. */
#ifndef LEATI_SPILL_H
#define LEATI_SPILL_H

#include "runtime/flow/channel.h"

leati_spill *leati_spill_new(const leat_type *type, const char *dirs);
void leati_spill_free(leati_spill *s); /* no work of it is on the I/O thread; NULL is fine */

leat_status leati_spill_push(leati_channel *c, leati_element *element, size_t records,
                             size_t bytes);
leat_status leati_spill_pop(leati_channel *c, leati_element *out);
void leati_spill_give_back(leati_channel *c, size_t records, size_t bytes);
bool leati_spill_has_room(leati_channel *c);
/* Under the channel's lock: forgets what is not in the ring. */
void leati_spill_abandon(leati_spill *s);
const char *leati_spill_failure(leati_channel *c);

#endif
