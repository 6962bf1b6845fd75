/* leat.c: the only file that knows everyone: the table of built-in operators, by which the graph, the
   bridges and the workers find them by name. */
#include "leat/operators.h"

extern const leat_operator *const leati_builtin_operators[];

const leat_operator *const leati_builtin_operators[] = {
    &leat_map_operator,
    &leat_flat_map_operator,
    &leat_filter_operator,
    &leat_key_by_operator,
    &leat_reduce_operator,
    &leat_sum_operator,
    &leat_min_operator,
    &leat_max_operator,
    &leat_min_by_operator,
    &leat_max_by_operator,
    &leat_project_operator,
    &leat_process_operator,
    &leat_keyed_process_operator,
    &leat_co_map_operator,
    &leat_co_flat_map_operator,
    &leat_co_process_operator,
    &leat_keyed_co_process_operator,
    &leat_partition_custom_operator,

    &leat_collection_operator,
    &leat_sequence_operator,
    &leat_text_source_operator,
    &leat_function_source_operator,
    &leat_push_source_operator,

    &leat_print_operator,
    &leat_text_sink_operator,
    &leat_file_sink_operator,
    &leat_function_sink_operator,
    &leat_callback_sink_operator,
    &leat_collect_operator,
    NULL,
};
