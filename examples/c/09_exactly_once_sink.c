/* 09_exactly_once_sink.c: numbers in files of a folder, each in one of them, once, also when the
   program is killed and goes on: ./a.out FOLDER, and then ./a.out FOLDER latest

   cc 09_exactly_once_sink.c $(pkg-config --cflags --libs leat) */
#include <leat.h>
#include <stdio.h>
#include <unistd.h>

/* What came since the last checkpoint; stored with the next one, as the bytes that it is. */
static struct batch {
    char name[48], text[500000]; /* of a file */
    int size;
} batch;

static leat_status put(leat_context *ctx, const leat_record *in, void *self) {
    struct batch *b = self;
    usleep(20); /* so that there is time to kill it */
    if (b->size > 499900) return leat_context_fail(ctx, LEAT_E_RANGE, "checkpoints are too rare");
    b->size += sprintf(b->text + b->size, "%lld\n", (long long)in->value.as.i);
    return LEAT_OK;
}

static leat_status prepare(leat_context *ctx, int64_t checkpoint, bool ended, leat_prepared *out,
                           void *self) {
    (void)ctx, (void)ended;
    struct batch *b = self;
    size_t size = (size_t)b->size;
    b->size = 0;
    snprintf(b->name, sizeof b->name, "%lld", (long long)checkpoint);
    return size ? leat_prepared_add(out, b, sizeof b->name + size) : LEAT_OK;
}

/* A second time it puts the same file there. */
static leat_status commit(leat_context *ctx, const void *bytes, size_t size, void *self) {
    const char *name = bytes, *text = name + sizeof((struct batch *)self)->name;
    FILE *f = fopen(".unfinished", "w");
    bool ok = f && fwrite(text, (size_t)(name + size - text), 1, f) == 1 && fflush(f) == 0;
    ok = ok && fsync(fileno(f)) == 0 && fclose(f) == 0 && rename(".unfinished", name) == 0;
    return ok ? LEAT_OK : leat_context_fail(ctx, LEAT_E_IO, "cannot write '%s'", name);
}

int main(int argc, char **argv) {
    if (argc < 2 || chdir(argv[1]) != 0) return 2;
    leat_error err;
    leat_env *env = leat_env_new(NULL, &err);
    leat_env_set(env, "parallelism.default", "1", &err);
    leat_env_set(env, "execution.checkpointing.interval", "20 ms", &err);
    leat_env_set(env, "execution.checkpointing.dir", ".checkpoints", &err);
    if (argc > 2) leat_env_set(env, "execution.savepoint.path", argv[2], &err);
    leat_function sink = leat_two_phase_sink_fn(put, prepare, commit, &batch);
    leat_stream_sink(leat_env_sequence(env, 1, 20000), sink);
    int failed = leat_env_execute(env, "numbers", &err) < 0;
    if (failed) fprintf(stderr, "%s: %s\n", err.where, err.text);
    leat_env_free(env);
    return failed;
}
