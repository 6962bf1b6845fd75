/* still.c: see still.h. */
#include "still.h"

#include "bag.h"

typedef struct pair {
    leati_table *table; /* or timers */
    leati_timers *timers;
    bag was;
} pair;

struct still {
    pair *pairs;
    size_t count;
};

static void skip_cell(leati_reader *in) {
    size_t size;
    assert_non_null(leati_reader_blob(in, &size));
    assert_non_null(leati_reader_blob(in, &size));
    bag_skip_value(in);
}

static void skip_timer(leati_reader *in) {
    size_t size;
    leati_reader_zigzag(in);
    leati_reader_varint(in);
    bag_skip_value(in);
    assert_non_null(leati_reader_blob(in, &size));
}

static void freeze(still *s, leati_table *table, leati_timers *timers, int groups) {
    pair *p = &s->pairs[s->count++];
    leati_buf group;
    *p = (pair){.table = table, .timers = timers};
    leati_buf_init(&group);
    for (int g = 0; g < groups; g++) {
        group.size = 0;
        assert_int_equal(table ? leati_table_snapshot(table, g, &group)
                               : leati_timers_snapshot(timers, g, &group),
                         LEAT_OK);
        if (group.size) bag_add(&p->was, g, &group, table ? skip_cell : skip_timer);
    }
    leati_buf_fini(&group);
    assert_int_equal(table ? leati_table_freeze(table, (leati_table_loss){NULL, NULL})
                           : leati_timers_freeze(timers),
                     LEAT_OK);
}

still *still_new(leat_context *ctx) {
    still *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->pairs = calloc(ctx->table_count + 2, sizeof *s->pairs);
    assert_non_null(s->pairs);
    for (size_t i = 0; i < ctx->table_count; i++) {
        leati_table *t = ctx->tables[i];
        freeze(s, t, NULL, leati_context_groups(ctx, leati_table_decl(t)->distribution));
    }
    for (int d = 0; d < 2; d++)
        if (ctx->timers[d]) freeze(s, NULL, ctx->timers[d], ctx->info->max_parallelism);
    return s;
}

static void check(pair *p) {
    bag got = {0};
    leati_buf bytes = {0};
    leat_status status;
    int group;
    do {
        status = p->table ? leati_table_thaw_some(p->table, 1000)
                          : leati_timers_thaw_some(p->timers, 1000);
        assert_true(status >= 0);
    } while (status != LEAT_DONE);
    while ((status = p->table ? leati_table_take_group(p->table, &group, &bytes)
                              : leati_timers_take_group(p->timers, &group, &bytes)) == LEAT_OK)
        bag_add(&got, group, &bytes, p->table ? skip_cell : skip_timer);
    assert_int_equal(status, LEAT_DONE);
    leati_buf_fini(&bytes);
    bag_assert_same(&p->was, &got);
}

void still_check(still *s) {
    if (!s) return;
    for (size_t i = 0; i < s->count; i++) check(&s->pairs[i]);
    free(s->pairs);
    free(s);
}
