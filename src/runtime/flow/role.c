/* role.c: the names of roles, for messages. */
#include "leat/function.h"

const char *leat_role_name(leat_role role) {
    static const char *const names[] = {
        "unknown",
        "map",
        "flat_map",
        "filter",
        "key selector",
        "reduce",
        "co_map",
        "co_flat_map",
        "process",
        "co_process",
        "sink",
        "source",
        "partitioner",
        "timestamp assigner",
        "window assigner",
        "trigger",
        "evictor",
        "aggregate",
        "window function",
        "gap extractor",
        "delta function",
        "join",
        "co_group",
        "async",
        "broadcast_process",
        "watermark generator",
        "bulk writer",
    };
    return (size_t)role < sizeof names / sizeof *names ? names[role] : names[0];
}
