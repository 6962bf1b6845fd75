/* claims.h: which kind an accumulator's name stands for, agreed upon by all operators of a process.
   The sums of subtasks are put together by name in the end, when it would be too late to say that
   two operators mean different things. */
#ifndef LEATI_CLAIMS_H
#define LEATI_CLAIMS_H

#include "leat/accumulator.h"

typedef struct leati_claims leati_claims;

leati_claims *leati_claims_new(void);    /* NULL when memory ran out */
void leati_claims_free(leati_claims *c); /* NULL is fine */
/* Any thread. LEAT_E_STATE: another operator has it as another kind, and `err` names both. */
leat_status leati_claims_make(leati_claims *c, const char *name, leat_accumulator_kind kind,
                              const char *operator_name, leat_error *err);

#endif
