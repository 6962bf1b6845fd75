/* accumulators.h: what accumulator.h offers, between the files of the chain and those who report. A
   context's accumulators are a list that only grows; each has a lock, since any thread may report
   what the task's thread is adding to. */
#ifndef LEATI_ACCUMULATORS_H
#define LEATI_ACCUMULATORS_H

#include <stdatomic.h>

#include "leat/accumulator.h"
#include "runtime/base/buf.h"

typedef struct leati_accumulators {
    _Atomic(leat_accumulator *) first;
} leati_accumulators;

void leati_accumulators_free(leati_accumulators *a); /* what they are, not the struct */
/* Appends per accumulator u8 LEATI_REPORT_ACCUMULATOR, its name as a blob, its content (tally.c) as
   a blob. Any thread, while the context is there. */
void leati_accumulators_write(const leati_accumulators *a, leati_buf *out);

#endif
