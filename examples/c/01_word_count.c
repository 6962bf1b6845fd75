/* 01_word_count.c: counts the words of a text, with functions in C only.

   cc 01_word_count.c $(pkg-config --cflags --libs leat) && ./a.out [FILE] */
#include <ctype.h>
#include <leat.h>
#include <stdio.h>
#include <unistd.h>

/* Emits each word of the line, with a one beside it. */
static leat_status split(leat_context *ctx, const leat_record *line, leat_emitter *out, void *arg) {
    (void)ctx;
    (void)arg;
    const char *at = line->value.as.bytes, *end = at + line->value.size;
    while (at < end) {
        while (at < end && isspace((unsigned char)*at)) at++;
        const char *word = at;
        while (at < end && !isspace((unsigned char)*at)) at++;
        if (at == word) break;
        leat_value pair[] = {leat_string_n(word, (size_t)(at - word)), leat_int(1)};
        leat_value counted = leat_tuple(pair, 2);
        leat_status status = leat_emitter_push(out, &counted);
        if (status < 0) return status;
    }
    return LEAT_OK;
}

/* The file that was named, or the LICENSE of the folder, or a verse. */
static leat_stream *read_text(leat_env *env, const char *path) {
    const leat_value verse[] = {leat_string("The mill turns and the water runs,"),
                                leat_string("the water runs and the mill turns.")};
    if (path) return leat_env_read_text_file(env, path);
    if (access("LICENSE", R_OK) == 0) return leat_env_read_text_file(env, "LICENSE");
    return leat_env_collection(env, verse, 2);
}

int main(int argc, char **argv) {
    leat_error err;
    leat_env *env = leat_env_new(NULL, &err);
    if (!env) {
        fprintf(stderr, "%s: %s\n", err.where, err.text);
        return 1;
    }
    leat_stream *lines = read_text(env, argc > 1 ? argv[1] : NULL);
    leat_stream *words = leat_stream_flat_map(lines, leat_flat_map_fn(split, NULL));
    leat_stream_print(leat_stream_sum(leat_stream_key_by(words, leat_field(0)), 1));
    int failed = leat_env_execute(env, "words", &err) < 0;
    if (failed) fprintf(stderr, "%s: %s\n", err.where, err.text);
    leat_env_free(env);
    return failed;
}
