/* hint.h: what compilers and processors are told about what is usual. Nothing but speed depends on
   it. */
#ifndef LEATI_HINT_H
#define LEATI_HINT_H

#include "leat/base.h"

#if defined(__GNUC__)
/* Memory that will be read soon. */
#define LEATI_PREFETCH(address) __builtin_prefetch(address)
/* Of a function that stays out of the one that calls it: a short way that is taken for each record
   has no registers to save then for a long one that seldom is. */
#define LEATI_APART             __attribute__((noinline))
#else
#define LEATI_PREFETCH(address) ((void)(address))
#define LEATI_APART
#endif

#endif
