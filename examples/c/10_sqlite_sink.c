/* 10_sqlite_sink.c: numbers and their squares as rows of an SQLite database, each once, also when
   the program is killed and goes on: ./a.out FOLDER, and then ./a.out FOLDER latest

   cc 10_sqlite_sink.c $(pkg-config --cflags --libs leat sqlite3) */
#include <leat.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 100000 };

/* Of a subtask: what came since the last checkpoint is stored with the next one, under a name that
   no other subtask and no other checkpoint has. */
struct sink {
    sqlite3 *database;
    struct piece {
        int64_t checkpoint, subtask, count, numbers[MOST];
    } piece;
};

/* Runs one statement with up to two numbers. */
static leat_status run(leat_context *ctx, struct sink *s, const char *sql, int64_t a, int64_t b) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(s->database, sql, -1, &statement, NULL);
    if (code == SQLITE_OK && sqlite3_bind_parameter_count(statement) == 2) {
        sqlite3_bind_int64(statement, 1, a);
        sqlite3_bind_int64(statement, 2, b);
    }
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    sqlite3_finalize(statement);
    if (code == SQLITE_DONE || code == SQLITE_ROW) return LEAT_OK;
    return leat_context_fail(ctx, LEAT_E_IO, "%s: %s", sql, sqlite3_errmsg(s->database));
}

static leat_status open_database(leat_context *ctx, void *path, void **self) {
    struct sink *s = *self = calloc(1, sizeof *s);
    if (!s) return LEAT_E_NOMEM;
    if (sqlite3_open(path, &s->database) != SQLITE_OK)
        return leat_context_fail(ctx, LEAT_E_IO, "cannot open '%s'", (const char *)path);
    sqlite3_busy_timeout(s->database, 5000); /* the other subtask writes, too */
    s->piece.subtask = leat_context_subtask(ctx);
    leat_status status = run(ctx, s, "CREATE TABLE IF NOT EXISTS squares (n, square)", 0, 0);
    const char *committed = "CREATE TABLE IF NOT EXISTS committed "
                            "(checkpoint, subtask, PRIMARY KEY (checkpoint, subtask))";
    return status < 0 ? status : run(ctx, s, committed, 0, 0);
}

static void close_database(leat_context *ctx, void *self) {
    (void)ctx;
    if (self) sqlite3_close(((struct sink *)self)->database);
    free(self);
}

static leat_status put(leat_context *ctx, const leat_record *in, void *self) {
    struct piece *p = &((struct sink *)self)->piece;
    usleep(20); /* so that there is time to kill it */
    if (p->count == MOST) return leat_context_fail(ctx, LEAT_E_RANGE, "checkpoints are too rare");
    p->numbers[p->count++] = in->value.as.i;
    return LEAT_OK;
}

static leat_status prepare(leat_context *ctx, int64_t checkpoint, bool ended, leat_prepared *out,
                           void *self) {
    (void)ctx, (void)ended;
    struct piece *p = &((struct sink *)self)->piece;
    size_t size = offsetof(struct piece, numbers) + (size_t)p->count * sizeof *p->numbers;
    p->checkpoint = checkpoint;
    leat_status status = p->count ? leat_prepared_add(out, p, size) : LEAT_OK;
    p->count = 0;
    return status;
}

/* One transaction has the rows and a note that they are there. If the note is there already, so are
   the rows. */
static leat_status commit(leat_context *ctx, const void *bytes, size_t size, void *self) {
    struct sink *s = self;
    const struct piece *p = bytes;
    (void)size;
    leat_status status = run(ctx, s, "BEGIN IMMEDIATE", 0, 0);
    if (status < 0) return status;
    const char *note = "INSERT OR IGNORE INTO committed VALUES (?, ?)";
    status = run(ctx, s, note, p->checkpoint, p->subtask);
    bool is_new = sqlite3_changes(s->database) > 0;
    for (int64_t i = 0; status >= 0 && is_new && i < p->count; i++) {
        int64_t n = p->numbers[i];
        status = run(ctx, s, "INSERT INTO squares VALUES (?, ?)", n, n * n);
    }
    leat_status ended = run(ctx, s, status < 0 ? "ROLLBACK" : "COMMIT", 0, 0);
    return status < 0 ? status : ended;
}

int main(int argc, char **argv) {
    if (argc < 2 || chdir(argv[1]) != 0) return 2;
    leat_error err;
    leat_env *env = leat_env_new(NULL, &err);
    leat_env_set(env, "parallelism.default", "2", &err);
    leat_env_set(env, "execution.checkpointing.interval", "20 ms", &err);
    leat_env_set(env, "execution.checkpointing.dir", ".checkpoints", &err);
    if (argc > 2) leat_env_set(env, "execution.savepoint.path", argv[2], &err);
    static char path[] = "squares.db";
    leat_function sink = leat_two_phase_sink_fn(put, prepare, commit, path);
    sink.open = open_database;
    sink.close = close_database;
    leat_stream_sink(leat_env_sequence(env, 1, 20000), sink);
    int failed = leat_env_execute(env, "squares", &err) < 0;
    if (failed) fprintf(stderr, "%s: %s\n", err.where, err.text);
    leat_env_free(env);
    return failed;
}
