/* keyed_state.c: what keyed state costs without any language,

       keyed_state KEYS ROUNDS

   for KEYS records with as many integer keys, each in a job of one task behind a key_by: nothing is
   done; a value (int, double) is written for a new key; a timer is set, at times that are in no
   order, and fires at the end. Prints one line of JSON: nanoseconds per record without anything,
   what writing and what setting a timer adds to that, nanoseconds per timer that fires, and the
   bytes that are held per key, as malloc has them. Times are
   CPU time of the process; the best round of each counts. */
#include <leat.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef enum way { NOTHING, VALUE, TIMER, WAYS } way;

static way doing;
static int64_t keys, came, fired, last_time;
static leat_state *state;
static double first_at, last_at, fired_at;
static atomic_llong held;
static long long held_at_first, held_at_last;

static void *count_resize(void *block, size_t bytes, void *arg) {
    (void)arg;
    size_t before = block ? malloc_usable_size(block) : 0;
    void *made = realloc(block, bytes);
    if (made) atomic_fetch_add(&held, (long long)malloc_usable_size(made) - (long long)before);
    return made;
}

static void count_release(void *block, void *arg) {
    (void)arg;
    if (block) atomic_fetch_sub(&held, (long long)malloc_usable_size(block));
    free(block);
}

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static leat_status begin(leat_context *ctx, void *arg, void **self) {
    leat_error err;
    *self = arg;
    return leat_context_state(ctx, "value", LEAT_VALUE_STATE, NULL, &state, &err);
}

static leat_status work(leat_context *ctx, unsigned input, const leat_record *in, leat_emitter *out,
                        void *self) {
    (void)input, (void)out, (void)self;
    if (came++ == 0) {
        first_at = seconds_now();
        held_at_first = atomic_load(&held);
    }
    leat_namespace none = {NULL, 0};
    leat_status status = LEAT_OK;
    if (doing == VALUE) {
        leat_value items[2] = {leat_int(1), leat_double(0.5)}, value = leat_tuple(items, 2);
        status = leat_state_put(ctx, state, none, &value);
    } else if (doing == TIMER) {
        leat_timer timer = {LEAT_EVENT_TIME, in->value.as.i * 2654435761 % 4294967296, none};
        status = leat_timer_set(ctx, &timer);
    }
    if (came == keys) {
        last_at = seconds_now();
        held_at_last = atomic_load(&held);
    }
    return status;
}

static leat_status ring(leat_context *ctx, const leat_timer *timer, leat_emitter *out, void *self) {
    (void)ctx, (void)out, (void)self;
    if (timer->time < last_time) return LEAT_E_STATE; /* out of order */
    last_time = timer->time;
    if (++fired == keys) fired_at = seconds_now();
    return LEAT_OK;
}

static void run(way what) {
    leat_error err;
    const char *settings[] = {"parallelism.default", "1", NULL};
    leat_options options = leat_options_defaults();
    options.settings = settings;
    doing = what;
    came = fired = last_time = 0;
    leat_env *env = leat_env_new(&options, &err);
    leat_function process = leat_keyed_process_fn(work, ring, NULL);
    process.open = begin;
    leat_stream *s = leat_stream_key_by(leat_env_sequence(env, 1, keys), leat_field(0));
    leat_stream_process(s, process);
    if (leat_env_execute(env, "keyed state", &err) < 0) {
        fprintf(stderr, "%s: %s\n", err.where, err.text);
        exit(1);
    }
    leat_env_free(env);
    if (came == keys && fired == (what == TIMER ? keys : 0)) return;
    fprintf(stderr, "%lld records came, %lld timers fired\n", (long long)came, (long long)fired);
    exit(1);
}

int main(int argc, char **argv) {
    static const leat_allocator counted = {count_resize, count_release, NULL};
    leat_allocator_set(&counted);
    keys = argc > 1 ? atoll(argv[1]) : 1000000;
    int rounds = argc > 2 ? atoi(argv[2]) : 3;
    double best[WAYS] = {1e9, 1e9, 1e9}, fire = 1e9, bytes[WAYS] = {0};
    for (int i = 0; i < rounds; i++)
        for (way w = NOTHING; w < WAYS; w++) {
            run(w);
            if (last_at - first_at < best[w]) best[w] = last_at - first_at;
            if (w == TIMER && fired_at - last_at < fire) fire = fired_at - last_at;
            bytes[w] = (double)(held_at_last - held_at_first) / (double)keys;
        }
    double each = 1e9 / (double)keys;
    printf("{\"record\": %.1f, \"put\": %.1f, \"set\": %.1f, \"fire\": %.1f, \"bytes\": %.1f, "
           "\"timer_bytes\": %.1f}\n",
           best[NOTHING] * each, (best[VALUE] - best[NOTHING]) * each,
           (best[TIMER] - best[NOTHING]) * each, fire * each, bytes[VALUE], bytes[TIMER]);
    return 0;
}
