/* runtime_mode.h: whether a job runs as a stream or in batch (execution.runtime-mode), and what
   batch execution makes of a task's inputs. Part of making a plan. */
#ifndef LEATI_RUNTIME_MODE_H
#define LEATI_RUNTIME_MODE_H

#include "runtime/job/plan.h"

/* BATCH, or AUTOMATIC with nothing but bounded sources? LEAT_E_ARGUMENT for a job that can't. */
leat_status leati_runtime_mode(const leati_graph *graph, const leati_config *config, bool *batch,
                               leat_error *err);
/* Bit i: input i of the operator waits until all inputs have ended. */
unsigned leati_runtime_waiting(const leati_op_info *info);

#endif
