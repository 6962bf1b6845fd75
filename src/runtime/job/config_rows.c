/* config_rows.c: the table of configuration keys as others see it: the public iteration, and the
   rows for a language bridge. */
#include "leat/env.h"
#include "runtime/bridge.h"
#include "runtime/job/config_keys.h"

#include <string.h>
#include <uv.h>

static leat_config_key describe(const leati_config_key *row) {
    return (leat_config_key){
        .key = row->key,
        .fallback = row->fallback,
        .kind = leati_config_kind_name(row->kind),
        .status = leati_config_status_name(row->status),
        .doc = row->doc,
        .aliases = row->aliases,
        .choices = row->choices,
        .works = row->works,
        .note = row->note,
    };
}

bool leat_config_key_at(size_t index, leat_config_key *out) {
    if (!out || index >= leati_config_table_size + leati_config_flink_size) return false;
    leat_config_key found = {.kind = "", .status = "accepted", .doc = ""};
    if (index < leati_config_table_size)
        found = describe(&leati_config_table[index]);
    else
        found.key = leati_config_flink[index - leati_config_table_size];
    /* An older caller's struct is shorter. */
    found.size = out->size < sizeof found ? out->size : sizeof found;
    memcpy(out, &found, found.size);
    return true;
}

enum { ROWS = 128 };
static leati_config_row rows_of_table[ROWS];

static void fill_rows(void) {
    for (size_t i = 0; i < leati_config_table_size && i < ROWS; i++) {
        const leati_config_key *row = &leati_config_table[i];
        rows_of_table[i] =
            (leati_config_row){row->key, row->fallback, leati_config_kind_name(row->kind),
                               leati_config_status_name(row->status), row->doc};
    }
}

size_t leati_config_rows(const leati_config_row **rows) {
    static uv_once_t once = UV_ONCE_INIT;
    uv_once(&once, fill_rows);
    *rows = rows_of_table;
    return leati_config_table_size;
}
