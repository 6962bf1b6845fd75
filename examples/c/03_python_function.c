/* 03_python_function.c: a Python function between C ones, in processes of its own and in a thread
   of this one.

   cc 03_python_function.c $(pkg-config --cflags --libs leat)
   ./a.out [process|thread [MODULE:NAME]]

   The function may come from an installed module, or from a file beside the program or in the
   working directory, such as texts.py with texts:is_long. */
#include <leat.h>
#include <stdio.h>
#include <string.h>

static const char text[] = "while the stream is full and the mill turns we yield to none";

/* Emits the words of a line. */
static leat_status split(leat_context *ctx, const leat_record *line, leat_emitter *out, void *arg) {
    (void)ctx;
    (void)arg;
    const char *word = line->value.as.bytes, *end = word + line->value.size;
    leat_status status = LEAT_OK;
    while (word < end && status >= 0) {
        const char *space = memchr(word, ' ', (size_t)(end - word));
        size_t size = (size_t)((space ? space : end) - word);
        leat_value value = leat_string_n(word, size);
        status = leat_emitter_push(out, &value);
        word += size + 1;
    }
    return status;
}

/* Prints the words that the Python function keeps. */
static int run(const char *mode, const char *function) {
    leat_error err;
    leat_options options = leat_options_defaults();
    options.settings =
        (const char *const[]){"python.execution-mode", mode, "parallelism.default", "1", NULL};
    leat_env *env = leat_env_new(&options, &err);
    const leat_value lines[] = {leat_string(text)};
    leat_stream *read = leat_env_collection(env, lines, 1);
    leat_stream *words = leat_stream_flat_map(read, leat_flat_map_fn(split, NULL));
    leat_stream_print(leat_stream_filter(words, leat_python(function)));
    printf("%s:\n", mode);
    fflush(stdout);
    int failed = !env || leat_env_execute(env, "python function", &err) < 0;
    if (failed) fprintf(stderr, "%s: %s\n", err.where, err.text);
    leat_env_free(env);
    return failed;
}

int main(int argc, char **argv) {
    const char *function = argc > 2 ? argv[2] : "keyword:iskeyword";
    if (argc > 1) return run(argv[1], function);
    return run("process", function) || run("thread", function);
}
