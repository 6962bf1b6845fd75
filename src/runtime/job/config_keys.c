/* config_keys.c: the table of configuration keys, one row per key that means something here, and
   the search for a key by its name, an old name, or a name that is nearly right.

   Names, meaning and defaults are Flink's wherever Flink has the key; those of version 2.3 come
   first, older ones are aliases. The errors, `leat config` and docs/configuration.md come from
   here, so a row says in `note` what a user who can't have a value has to know. Sorted by key. */
#include "runtime/job/config_keys.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define UNALIGNED "batches between tasks are small, so that barriers pass soon"
#define NO_BUNDLES \
    "there are no bundles here: Python is entered per batch, and batches follow the load"
#define NO_JVM "there is no JVM here"

/* clang-format off */
const leati_config_key leati_config_table[] = {
    {.key = "execution.buffer-timeout.enabled", .kind = LEATI_CONFIG_BOOL, .fallback = "true",
     .doc = "false: a batch goes out when it is full or when its task has nothing else to do, whatever the time."},
    {.key = "execution.buffer-timeout.interval", .aliases = "execution.buffer-timeout", .kind = LEATI_CONFIG_DURATION,
     .fallback = "100 ms",
     .doc = "After this time a batch goes out even if it is not full and its task is busy. 0: after every record."},
    {.key = "execution.checkpointing.dir", .aliases = "state.checkpoints.dir",
     .doc = "The folder for checkpoints: they are in DIR/<job name>/chk-<number>. Default: a private temporary folder, which is gone with the job."},
    {.key = "execution.checkpointing.externalized-checkpoint-retention", .kind = LEATI_CONFIG_ENUM,
     .choices = "RETAIN_ON_CANCELLATION DELETE_ON_CANCELLATION NO_EXTERNALIZED_CHECKPOINTS",
     .doc = "What stays in execution.checkpointing.dir when the job ends: the last checkpoints; those of a job that was not cancelled; none. Without a value the last checkpoints stay."},
    {.key = "execution.checkpointing.interval", .kind = LEATI_CONFIG_DURATION, .fallback = "0",
     .doc = "Time between two checkpoints. 0: there are none."},
    {.key = "execution.checkpointing.max-concurrent-checkpoints", .kind = LEATI_CONFIG_INT, .fallback = "1", .least = 1,
     .most = INT32_MAX, .status = LEATI_CONFIG_ACCEPTED, .note = "one checkpoint is under way at a time",
     .doc = "In Flink: how many checkpoints may be under way at a time."},
    {.key = "execution.checkpointing.min-pause", .kind = LEATI_CONFIG_DURATION, .fallback = "0",
     .doc = "The least time between the end of a checkpoint and the beginning of the next."},
    {.key = "execution.checkpointing.mode", .kind = LEATI_CONFIG_ENUM, .fallback = "EXACTLY_ONCE",
     .choices = "EXACTLY_ONCE AT_LEAST_ONCE",
     .doc = "Whether state has each record once after a restart, or once or more, for which no channel waits."},
    {.key = "execution.checkpointing.num-retained", .aliases = "state.checkpoints.num-retained",
     .kind = LEATI_CONFIG_INT, .fallback = "1", .least = 1, .most = INT32_MAX,
     .doc = "How many complete checkpoints are kept."},
    {.key = "execution.checkpointing.savepoint-dir", .aliases = "state.savepoints.dir",
     .doc = "The folder for savepoints that are not told another."},
    {.key = "execution.checkpointing.snapshot-compression", .aliases = "execution.checkpointing.snapshot.compression",
     .kind = LEATI_CONFIG_BOOL, .fallback = "false",
     .doc = "Whether the files of checkpoints are compressed (zlib)."},
    {.key = "execution.checkpointing.timeout", .kind = LEATI_CONFIG_DURATION, .fallback = "10 min", .least = 1,
     .doc = "A checkpoint that is not complete after this time is given up."},
    {.key = "execution.checkpointing.tolerable-failed-checkpoints", .kind = LEATI_CONFIG_INT, .fallback = "0",
     .most = INT32_MAX,
     .doc = "How many checkpoints may fail one after the other before the job does."},
    {.key = "execution.checkpointing.unaligned.enabled", .aliases = "execution.checkpointing.unaligned",
     .kind = LEATI_CONFIG_BOOL, .fallback = "false", .status = LEATI_CONFIG_ACCEPTED, .note = UNALIGNED,
     .doc = "In Flink: barriers overtake records, which become part of the checkpoint."},
    {.key = "execution.runtime-mode", .kind = LEATI_CONFIG_ENUM, .fallback = "STREAMING",
     .choices = "STREAMING BATCH AUTOMATIC",
     .doc = "Whether results are given as records come (STREAMING) or once per key at the end (BATCH). AUTOMATIC is BATCH where all sources are bounded."},
    {.key = "execution.sorted-inputs.memory", .kind = LEATI_CONFIG_MEMORY, .fallback = "128mb", .least = 1,
     .doc = "BATCH: what a subtask of a keyed operator may use for sorting before it goes on in a temporary file."},
    {.key = "execution.state-recovery.allow-older", .kind = LEATI_CONFIG_BOOL, .fallback = "false",
     .doc = "Whether a job may start from a checkpoint or savepoint that is older than its newest checkpoint, or instead of one that is damaged, although sinks may have committed what came between (Leat's own key)."},
    {.key = "execution.state-recovery.allow-other-owner", .kind = LEATI_CONFIG_BOOL, .fallback = "false",
     .doc = "Whether a job may start from files that belong to another user (Leat's own key)."},
    {.key = "execution.state-recovery.ignore-unclaimed-state", .aliases = "execution.savepoint.ignore-unclaimed-state",
     .kind = LEATI_CONFIG_BOOL, .fallback = "false",
     .doc = "Whether state of operators that the job does not have any more may be left out."},
    {.key = "execution.state-recovery.path", .aliases = "execution.savepoint.path",
     .doc = "The checkpoint or savepoint to start from; 'latest' is the newest checkpoint of this job."},
    {.key = "io.tmp.dirs", .aliases = "taskmanager.tmp.dirs", .kind = LEATI_CONFIG_LIST,
     .doc = "Folders for temporary files, separated by ',', '|' or ':'; the first that works is used. Default: $TMPDIR, else /tmp."},
    {.key = "job.control", .kind = LEATI_CONFIG_ENUM, .fallback = "auto", .choices = "auto on off",
     .doc = "Whether leat list, status and cancel find the job from other terminals of this user. auto: under leat run only (Leat's own key)."},
    {.key = "job.status-line", .kind = LEATI_CONFIG_ENUM, .fallback = "auto", .choices = "auto on off",
     .doc = "Whether a line on the terminal that stderr is shows how the job stands. auto: under leat run only (Leat's own key)."},
    {.key = "parallelism.default", .kind = LEATI_CONFIG_INT, .fallback = LEATI_CONFIG_CORES, .least = 1, .most = 32768,
     .doc = "How many subtasks an operator has that was given no parallelism of its own."},
    {.key = "pipeline.auto-watermark-interval", .kind = LEATI_CONFIG_DURATION, .fallback = "200 ms",
     .doc = "Time between two watermarks of a periodic generator. 0: none but the last."},
    {.key = "pipeline.channel.capacity", .kind = LEATI_CONFIG_INT, .fallback = "4096", .least = 1, .most = INT32_MAX,
     .doc = "How many records wait between two tasks before the first one has to wait, too (Leat's own key)."},
    {.key = "pipeline.channel.memory", .kind = LEATI_CONFIG_MEMORY, .fallback = "1mb", .least = 1,
     .doc = "How many bytes wait between two tasks; a single larger record passes alone (Leat's own key)."},
    {.key = "pipeline.classpaths", .kind = LEATI_CONFIG_LIST, .status = LEATI_CONFIG_ACCEPTED, .note = NO_JVM,
     .doc = "In Flink: URLs of Java classes."},
    {.key = "pipeline.global-job-parameters", .kind = LEATI_CONFIG_LIST,
     .doc = "Parameters that every function can ask for: 'key:value,key:value'."},
    {.key = "pipeline.jars", .kind = LEATI_CONFIG_LIST, .status = LEATI_CONFIG_ACCEPTED, .note = NO_JVM,
     .doc = "In Flink: Java archives that the job needs."},
    {.key = "pipeline.max-parallelism", .kind = LEATI_CONFIG_INT, .fallback = "128", .least = 1, .most = 32768,
     .doc = "The number of key groups, the unit in which keyed state is dealt out."},
    {.key = "pipeline.name", .doc = "The job's name, where execute() gives none."},
    {.key = "pipeline.object-reuse", .kind = LEATI_CONFIG_BOOL, .fallback = "false",
     .doc = "Hand objects on without a copy. Functions must then neither keep nor change their inputs."},
    {.key = "pipeline.operator-chaining.enabled", .aliases = "pipeline.operator-chaining", .kind = LEATI_CONFIG_BOOL,
     .fallback = "true",
     .doc = "Whether neighbouring operators of the same parallelism share a task."},
    {.key = "pipeline.watermark-per-record", .kind = LEATI_CONFIG_BOOL, .fallback = "false",
     .doc = "A watermark after every record instead of every interval: which records are late no longer depends on speed (Leat's own key)."},
    {.key = "python.archives", .kind = LEATI_CONFIG_LIST, .status = LEATI_CONFIG_REFUSED, .works = "none",
     .note = "unpack the archive, and add its folder to sys.path or PYTHONPATH; workers get both",
     .doc = "Archives to unpack for Python functions."},
    {.key = "python.executable",
     .doc = "The Python that runs worker processes, and whose library a C program loads for THREAD mode. Default: the running one, or that of $VIRTUAL_ENV."},
    {.key = "python.execution-mode", .kind = LEATI_CONFIG_ENUM, .fallback = "process", .choices = "process thread",
     .doc = "Where Python functions run: in worker processes, or in this process."},
    {.key = "python.files", .kind = LEATI_CONFIG_LIST, .status = LEATI_CONFIG_REFUSED, .works = "none",
     .note = "add the folder to sys.path or PYTHONPATH; workers get both",
     .doc = "Files and folders to put in front of sys.path, separated by commas."},
    {.key = "python.fn-execution.arrow.batch.size", .kind = LEATI_CONFIG_INT, .fallback = "1000",
     .status = LEATI_CONFIG_ACCEPTED, .note = "pandas functions come in a later release",
     .doc = "In Flink: rows per batch of a pandas function."},
    {.key = "python.fn-execution.bundle.size", .kind = LEATI_CONFIG_INT, .fallback = "1000",
     .status = LEATI_CONFIG_ACCEPTED, .note = NO_BUNDLES, .doc = "In Flink: records per bundle."},
    {.key = "python.fn-execution.bundle.time", .kind = LEATI_CONFIG_DURATION, .fallback = "1000",
     .status = LEATI_CONFIG_ACCEPTED, .note = NO_BUNDLES, .doc = "In Flink: longest wait for a bundle."},
    {.key = "python.requirements", .status = LEATI_CONFIG_REFUSED, .works = "none",
     .note = "install the packages for the Python that python.executable names",
     .doc = "A requirements file to install for Python functions."},
    {.key = "python.thread.interpreter", .kind = LEATI_CONFIG_ENUM, .fallback = "shared", .choices = "shared isolated",
     .works = "shared", .note = "isolated interpreters come in a later release; PROCESS mode uses several cores",
     .doc = "THREAD mode: one interpreter with one lock, or several with a lock of their own (Leat's own key)."},
    {.key = "python.thread.runners", .kind = LEATI_CONFIG_INT, .fallback = "1", .least = 1, .most = 1024,
     .doc = "THREAD mode: threads that run Python tasks; more than one helps functions that block (Leat's own key)."},
    {.key = "python.worker.memory-limit", .kind = LEATI_CONFIG_MEMORY, .fallback = "0",
     .doc = "PROCESS mode: a worker that uses more memory is ended, and the job fails; looked at ten times a second, 0 is no limit (Leat's own key)."},
    {.key = "python.worker.pool-size", .kind = LEATI_CONFIG_INT, .fallback = LEATI_CONFIG_CORES, .least = 1, .most = 256,
     .doc = "PROCESS mode: the most worker processes of a job (Leat's own key)."},
    {.key = "python.worker.start-timeout", .kind = LEATI_CONFIG_DURATION, .fallback = "5 s", .least = 1,
     .doc = "PROCESS mode: how long a worker may take until it is ready (Leat's own key)."},
    {.key = "restart-strategy.exponential-delay.attempts-before-reset-backoff", .kind = LEATI_CONFIG_INT,
     .fallback = "2147483647", .most = INT32_MAX,
     .doc = "exponential-delay: so many restarts in a row, each before reset-backoff-threshold has passed; the failure after them ends the job."},
    {.key = "restart-strategy.exponential-delay.backoff-multiplier", .kind = LEATI_CONFIG_DOUBLE, .fallback = "1.5",
     .doc = "exponential-delay: each wait is so many times the one before; 1 or more."},
    {.key = "restart-strategy.exponential-delay.initial-backoff", .kind = LEATI_CONFIG_DURATION, .fallback = "1 s", .least = 1,
     .doc = "exponential-delay: the first wait."},
    {.key = "restart-strategy.exponential-delay.jitter-factor", .kind = LEATI_CONFIG_DOUBLE, .fallback = "0.1",
     .doc = "exponential-delay: up to this part of a wait is added or taken away at random; 0 to 1."},
    {.key = "restart-strategy.exponential-delay.max-backoff", .kind = LEATI_CONFIG_DURATION, .fallback = "1 min", .least = 1,
     .most = INT32_MAX,
     .doc = "exponential-delay: the longest wait."},
    {.key = "restart-strategy.exponential-delay.reset-backoff-threshold", .kind = LEATI_CONFIG_DURATION, .fallback = "1 h", .least = 1,
     .doc = "exponential-delay: an attempt that runs for so long makes the next wait the first again."},
    {.key = "restart-strategy.failure-rate.delay", .kind = LEATI_CONFIG_DURATION, .fallback = "1 s", .most = INT32_MAX,
     .doc = "failure-rate: the wait before each restart."},
    {.key = "restart-strategy.failure-rate.failure-rate-interval", .kind = LEATI_CONFIG_DURATION, .fallback = "1 min", .least = 1,
     .doc = "failure-rate: the interval in which failures are counted."},
    {.key = "restart-strategy.failure-rate.max-failures-per-interval", .kind = LEATI_CONFIG_INT, .fallback = "1", .least = 1,
     .most = INT32_MAX,
     .doc = "failure-rate: so many restarts in an interval; the failure after them ends the job."},
    {.key = "restart-strategy.fixed-delay.attempts", .kind = LEATI_CONFIG_INT, .fallback = "1", .most = INT32_MAX,
     .doc = "fixed-delay: so many restarts; the failure after them ends the job."},
    {.key = "restart-strategy.fixed-delay.delay", .kind = LEATI_CONFIG_DURATION, .fallback = "1 s", .most = INT32_MAX,
     .doc = "fixed-delay: the wait before each restart."},
    {.key = "restart-strategy.type", .aliases = "restart-strategy", .kind = LEATI_CONFIG_ENUM,
     .choices = "none off disable fixed-delay fixeddelay exponential-delay exponentialdelay failure-rate failurerate disabled no norestart",
     .doc = "Whether and when a job that failed is started again. Without a value: exponential-delay for a job with checkpoints, else none."},
    {.key = "state.backend.type", .aliases = "state.backend", .fallback = "hashmap", .status = LEATI_CONFIG_ACCEPTED,
     .note = "state is kept in memory",
     .doc = "Where keyed state is kept while a job runs."},
    {.key = "task.cancellation.interval", .aliases = "task.cancellation-interval", .kind = LEATI_CONFIG_DURATION,
     .fallback = "30000", .least = 1,
     .doc = "Time between two attempts to interrupt a function that does not end."},
    {.key = "task.cancellation.timeout", .kind = LEATI_CONFIG_DURATION, .fallback = "180000",
     .doc = "How long a cancelled function may take before it is given up. 0: for ever."},
};
/* clang-format on */

const size_t leati_config_table_size = sizeof leati_config_table / sizeof *leati_config_table;

const leati_config_key *leati_config_key_find(const char *name) {
    for (size_t i = 0; i < leati_config_table_size; i++) {
        const leati_config_key *row = &leati_config_table[i];
        if (strcmp(row->key, name) == 0) return row;
        if (row->aliases && leati_config_word(row->aliases, name, NULL, NULL)) return row;
    }
    return NULL;
}

static int compare_name(const void *name, const void *element) {
    return strcmp(name, *(const char *const *)element);
}

bool leati_config_flink_knows(const char *name) {
    for (size_t i = 0; i < leati_config_families_size; i++) {
        size_t n = strlen(leati_config_families[i]);
        if (strncmp(name, leati_config_families[i], n) == 0 && name[n]) return true;
    }
    return bsearch(name, leati_config_flink, leati_config_flink_size, sizeof *leati_config_flink,
                   compare_name);
}

enum { LONGEST = 128 };

/* Levenshtein's distance with one row of the matrix; `limit` when it is not below it. */
static size_t distance(const char *a, size_t a_size, const char *b, size_t b_size, size_t limit) {
    size_t row[LONGEST + 1];
    if (b_size > LONGEST || (a_size > b_size ? a_size - b_size : b_size - a_size) >= limit)
        return limit;
    for (size_t j = 0; j <= b_size; j++) row[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t diagonal = row[0], best = row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t other = diagonal + (strncasecmp(&a[i - 1], &b[j - 1], 1) != 0);
            diagonal = row[j];
            if (row[j] + 1 < other) other = row[j] + 1;
            if (row[j - 1] + 1 < other) other = row[j - 1] + 1;
            row[j] = other;
            if (other < best) best = other;
        }
        if (best >= limit) return limit;
    }
    return row[b_size] < limit ? row[b_size] : limit;
}

const char *leati_config_nearest(const char *name) {
    size_t size = strlen(name);
    size_t limit = size / 3 + 2; /* beyond that it is another word */
    const char *nearest = NULL;
    if (size > LONGEST) return NULL;
    for (size_t i = 0; i < leati_config_table_size + leati_config_flink_size; i++) {
        const char *key = i < leati_config_table_size
                              ? leati_config_table[i].key
                              : leati_config_flink[i - leati_config_table_size];
        size_t d = distance(name, size, key, strlen(key), limit);
        if (d < limit) nearest = key, limit = d;
    }
    return nearest;
}

const char *leati_config_kind_name(leati_config_kind kind) {
    static const char *const names[] = {"string", "int",    "bool", "duration",
                                        "memory", "double", "enum", "list"};
    return names[kind];
}

const char *leati_config_status_name(leati_config_status status) {
    static const char *const names[] = {"implemented", "accepted", "refused"};
    return names[status];
}
