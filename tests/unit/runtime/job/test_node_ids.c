/* Tests of node_ids.c: what an operator's id depends on, and what it does not. */
#include "gather.h"

#include <stdio.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/job/env.h"
#include "runtime/job/plan.h"

static leat_status same(leat_context *ctx, const leat_record *in, leat_value *out, void *arg) {
    (void)ctx;
    (void)arg;
    *out = in->value;
    return LEAT_OK;
}

static leat_stream *map(leat_stream *s) {
    return leat_stream_map(s, leat_map_fn(same, NULL));
}

/* The ids of the plan, with a space behind each; lent until the next but one call. */
static const char *ids_of(leat_env *env) {
    static char texts[2][1024];
    static int next;
    char *text = texts[next++ % 2];
    leat_error err = {.text = ""};
    leati_plan *p = leati_plan_new(&env->blue->graph, env->blue->config, &err);
    if (!p) fail_msg("%s: %s", err.where, err.text);
    *text = 0;
    for (int i = 0; i < p->info_count; i++) {
        strcat(text, p->infos[i].id);
        strcat(text, " ");
    }
    leati_plan_free(p);
    leat_env_free(env);
    return text;
}

/* Numbers, mapped twice, printed; `uid` for the first map, NULL: none. */
static leat_env *words(int parallelism, const char *uid, const char *mode) {
    leat_error err;
    leat_env *env = env_of(parallelism, 10);
    if (mode) assert_int_equal(leat_env_set(env, "python.execution-mode", mode, &err), LEAT_OK);
    leat_stream *s = map(leat_env_sequence(env, 1, 2));
    if (uid) s = leat_stream_uid(s, uid);
    leat_stream_print(map(s));
    return env;
}

static void id_is_that_of_the_place(void **state) {
    (void)state;
    const char *ids = ids_of(words(1, NULL, "process"));
    assert_string_equal(ids_of(words(4, NULL, "process")), ids);
    assert_string_equal(ids_of(words(2, NULL, "thread")), ids);
    leat_error err;
    leat_env *env = words(2, NULL, NULL);
    assert_int_equal(leat_env_set(env, "pipeline.operator-chaining.enabled", "false", &err),
                     LEAT_OK);
    assert_string_equal(ids_of(env), ids);
}

static void another_branch_changes_nothing(void **state) {
    (void)state;
    char expected[512];
    snprintf(expected, sizeof expected, "%s", ids_of(words(1, NULL, NULL)));
    leat_env *env = words(1, NULL, NULL);
    leat_stream_print(leat_stream_rebalance(leat_env_sequence(env, 5, 6)));
    const char *ids = ids_of(env);
    assert_memory_equal(ids, expected, strlen(expected));
    assert_true(strlen(ids) > strlen(expected));
}

/* Two maps of the same stream are told apart by their order. */
static void equal_places_are_numbered(void **state) {
    (void)state;
    leat_env *env = env_of(1, 10);
    leat_stream *s = leat_env_sequence(env, 1, 2);
    leat_stream_print(map(s));
    leat_stream_print(map(s));
    char ids[1024], first[64], second[64];
    snprintf(ids, sizeof ids, "%s", ids_of(env));
    assert_int_equal(sscanf(ids, "%*s %63s %*s %63s", first, second), 2);
    assert_memory_equal(first, "map-", 4);
    assert_memory_equal(second, first, strlen(first));
    assert_string_equal(second + strlen(first), "-2");
}

static void uid_wins_and_those_behind_follow_it(void **state) {
    (void)state;
    char plain[512], mine[512], a[64], b[64], c[64], d[64];
    snprintf(plain, sizeof plain, "%s", ids_of(words(1, NULL, NULL)));
    snprintf(mine, sizeof mine, "%s", ids_of(words(1, "mine", NULL)));
    assert_int_equal(sscanf(plain, "%63s %*s %63s", a, b), 2);
    assert_int_equal(sscanf(mine, "%63s mine %63s", c, d), 2);
    assert_string_equal(a, c);
    assert_string_not_equal(b, d);
}

/* A uid that is another's id by chance: the other gives way. */
static void uid_is_never_taken_by_another(void **state) {
    (void)state;
    char plain[512], first[64];
    snprintf(plain, sizeof plain, "%s", ids_of(words(1, NULL, NULL)));
    assert_int_equal(sscanf(plain, "%*s %63s", first), 1);
    leat_env *env = env_of(1, 10);
    leat_stream *s = leat_env_sequence(env, 1, 2);
    leat_stream_print(map(s));
    leat_stream_print(leat_stream_uid(map(map(s)), first));
    char ids[1024];
    snprintf(ids, sizeof ids, " %s", ids_of(env));
    char whole[80];
    snprintf(whole, sizeof whole, " %s ", first);
    const char *found = strstr(ids, whole);
    assert_non_null(found);
    assert_null(strstr(found + 1, whole));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(id_is_that_of_the_place),
        cmocka_unit_test(another_branch_changes_nothing),
        cmocka_unit_test(equal_places_are_numbered),
        cmocka_unit_test(uid_wins_and_those_behind_follow_it),
        cmocka_unit_test(uid_is_never_taken_by_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
