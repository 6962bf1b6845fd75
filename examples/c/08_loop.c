/* 08_loop.c: how many steps the numbers 1 to 10 take to 1 when even ones are halved and odd ones
   tripled plus one, with a loop that ends when the last has arrived.

   cc 08_loop.c $(pkg-config --cflags --libs leat) && ./a.out */
#include <leat.h>
#include <stdio.h>

/* A record on its way is a tuple: where it began, where it is, steps. */
static leat_status begin(leat_context *ctx, const leat_record *in, leat_emitter *out, void *arg) {
    (void)ctx, (void)arg;
    leat_value first[] = {in->value, in->value, leat_int(0)};
    leat_value tuple = leat_tuple(first, 3);
    return leat_emitter_push(out, &tuple);
}

static leat_status step(leat_context *ctx, const leat_record *in, leat_emitter *out, void *arg) {
    (void)ctx, (void)arg;
    const leat_value *at = in->value.as.items;
    int64_t n = at[1].as.i;
    leat_value next[] = {at[0], leat_int(n % 2 ? 3 * n + 1 : n / 2), leat_int(at[2].as.i + 1)};
    leat_value tuple = leat_tuple(next, 3);
    return leat_emitter_push(out, &tuple);
}

static leat_status under_way(leat_context *ctx, const leat_record *in, bool *keep, void *arg) {
    (void)ctx, (void)arg;
    *keep = in->value.as.items[1].as.i != 1;
    return LEAT_OK;
}

static leat_status arrived(leat_context *ctx, const leat_record *in, bool *keep, void *arg) {
    (void)ctx, (void)arg;
    *keep = in->value.as.items[1].as.i == 1;
    return LEAT_OK;
}

int main(void) {
    leat_error err;
    leat_env *env = leat_env_new(NULL, &err);
    leat_env_set(env, "parallelism.default", "2", &err);
    leat_stream *numbers = leat_env_sequence(env, 1, 10);
    leat_stream *loop =
        leat_stream_iterate(leat_stream_flat_map(numbers, leat_flat_map_fn(begin, NULL)), 0);
    leat_stream *stepped = leat_stream_flat_map(loop, leat_flat_map_fn(step, NULL));
    leat_stream *back = leat_stream_filter(stepped, leat_filter_fn(under_way, NULL));
    leat_iteration_close(loop, leat_stream_rebalance(back));
    leat_stream_print(leat_stream_filter(stepped, leat_filter_fn(arrived, NULL)));
    int failed = leat_env_execute(env, "steps", &err) < 0;
    if (failed) fprintf(stderr, "%s: %s\n", err.where, err.text);
    leat_env_free(env);
    return failed;
}
