/* A shared object for `leat run` (test_launcher.py builds it): sums numbers, maybe through a Python
   function, fails, or runs for ever. */
#include <leat.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

LEAT_API int leat_main(leat_env *env, int argc, char **argv);

static leat_status add(leat_context *ctx, const leat_record *in, void *self) {
    (void)ctx;
    *(int64_t *)self += in->value.as.i;
    return LEAT_OK;
}

static leat_status refuse(leat_context *ctx, const leat_record *in, void *self) {
    (void)ctx;
    (void)in;
    (void)self;
    return LEAT_E_RANGE;
}

int leat_main(leat_env *env, int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "sum";
    int64_t sum = 0, last = strcmp(what, "endless") == 0 ? INT64_MAX : 10;
    leat_error err = {.status = LEAT_OK};
    if (strcmp(what, "code") == 0) return atoi(argv[2]);
    leat_stream *numbers = leat_env_sequence(env, 1, last);
    bool bad = strcmp(what, "fail") == 0;
    if (strcmp(what, "python") == 0) numbers = leat_stream_map(numbers, leat_python(argv[2]));
    leat_stream_sink(leat_stream_global(numbers), leat_sink_fn(bad ? refuse : add, &sum));
    fprintf(stderr, "%s %s with %s\n", argv[0], what, leat_env_get(env, "pipeline.name"));
    if (leat_env_execute(env, NULL, &err) < 0) {
        fprintf(stderr, "%s: %s\n", err.where, err.text);
        return err.status;
    }
    printf("%" PRId64 "\n", sum);
    return 0;
}
