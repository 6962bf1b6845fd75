/* operators.h: the built-in operators, sources and sinks by their vtables. stream.h and env.h add
   them with typed arguments; leat_operator_find knows them by name. */
#ifndef LEAT_OPERATORS_H
#define LEAT_OPERATORS_H

#include "operator.h"

#ifdef __cplusplus
extern "C" {
#endif

extern LEAT_API const leat_operator leat_map_operator;
extern LEAT_API const leat_operator leat_flat_map_operator;
extern LEAT_API const leat_operator leat_filter_operator;
extern LEAT_API const leat_operator leat_key_by_operator;
extern LEAT_API const leat_operator leat_reduce_operator;
extern LEAT_API const leat_operator leat_sum_operator;
extern LEAT_API const leat_operator leat_min_operator;
extern LEAT_API const leat_operator leat_max_operator;
extern LEAT_API const leat_operator leat_min_by_operator;
extern LEAT_API const leat_operator leat_max_by_operator;
extern LEAT_API const leat_operator leat_project_operator;
extern LEAT_API const leat_operator leat_process_operator;
extern LEAT_API const leat_operator leat_keyed_process_operator;
extern LEAT_API const leat_operator leat_co_map_operator;
extern LEAT_API const leat_operator leat_co_flat_map_operator;
extern LEAT_API const leat_operator leat_co_process_operator;
extern LEAT_API const leat_operator leat_keyed_co_process_operator;
extern LEAT_API const leat_operator leat_broadcast_process_operator;
extern LEAT_API const leat_operator leat_keyed_broadcast_process_operator;
extern LEAT_API const leat_operator leat_partition_custom_operator;
extern LEAT_API const leat_operator leat_assign_timestamps_operator;
extern LEAT_API const leat_operator leat_window_operator;
extern LEAT_API const leat_operator leat_async_operator;
extern LEAT_API const leat_operator leat_interval_join_operator;
extern LEAT_API const leat_operator leat_window_join_operator;
extern LEAT_API const leat_operator leat_co_group_operator;
extern LEAT_API const leat_operator leat_iterate_operator;
extern LEAT_API const leat_operator leat_connected_iterate_operator;

extern LEAT_API const leat_operator leat_collection_operator;
extern LEAT_API const leat_operator leat_sequence_operator;
extern LEAT_API const leat_operator leat_text_source_operator;
extern LEAT_API const leat_operator leat_function_source_operator;
extern LEAT_API const leat_operator leat_push_source_operator;

extern LEAT_API const leat_operator leat_print_operator;
extern LEAT_API const leat_operator leat_text_sink_operator;
extern LEAT_API const leat_operator leat_file_sink_operator;
extern LEAT_API const leat_operator leat_function_sink_operator;
extern LEAT_API const leat_operator leat_callback_sink_operator;
extern LEAT_API const leat_operator leat_collect_operator;

#ifdef __cplusplus
}
#endif
#endif
