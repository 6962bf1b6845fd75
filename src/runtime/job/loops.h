/* loops.h: which operators of a plan are part of which loop. */
#ifndef LEATI_LOOPS_H
#define LEATI_LOOPS_H

#include "runtime/job/plan.h"

/* The number of the loop that node `i` (from 0) is the head of; -1: of none. */
int leati_loop_number(const leati_graph *g, int i);
int leati_loop_count(const leati_graph *g);
/* The parallelism of heads without one of their own is that of what comes back. */
void leati_loops_set_parallelism(leati_plan *p);
/* Fills `loops` of all infos. Loops that were never closed, that cross, that are entered amid
   another one's body, or are too many, are refused. */
leat_status leati_loops_find(leati_plan *p, leat_error *err);

#endif
