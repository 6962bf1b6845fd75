/* leat.h: Leat, an embedded stream processing library: Flink's semantics, no cluster.

   Reading order: base, value, type, record, function, state, window, async, bulk_writer, metric,
   accumulator, operator, graph, stream, job, env, control. A program builds a graph of streams in
   an env, executes it, and looks at one error at the end. */
#ifndef LEAT_H
#define LEAT_H

#include "leat/accumulator.h"
#include "leat/async.h"
#include "leat/base.h"
#include "leat/bulk_writer.h"
#include "leat/checkpoint.h"
#include "leat/control.h"
#include "leat/env.h"
#include "leat/function.h"
#include "leat/graph.h"
#include "leat/job.h"
#include "leat/metric.h"
#include "leat/operator.h"
#include "leat/operators.h"
#include "leat/record.h"
#include "leat/state.h"
#include "leat/stream.h"
#include "leat/type.h"
#include "leat/value.h"
#include "leat/window.h"

#endif
