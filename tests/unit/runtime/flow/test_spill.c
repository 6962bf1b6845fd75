/* Tests of spill.c: what a channel that spills takes, and gives back in order, from memory, from
   its file and from what is in between; who is told of what; disks that fail. */
#include "rig.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "folder.h"
#include "runtime/base/alloc.h"
#include "runtime/base/io_thread.h"
#include "runtime/data/batch.h"
#include "runtime/data/codec.h"

enum { PATIENCE_MS = 10000 };

static leati_channel *spilling(size_t max_bytes) {
    leati_channel *c = leati_channel_new(4096, max_bytes);
    assert_int_equal(leati_channel_spill(c, NULL, folder), LEAT_OK);
    return c;
}

static void settle(void) {
    assert_true(leati_io_settle(PATIENCE_MS));
}

/* A batch of one record, whose text is a number and padding. */
static leat_status push_padded(leati_channel *c, int64_t number, size_t padding) {
    char *text = leati_alloc(padding + 24);
    int size = snprintf(text, padding + 24, "%lld ", (long long)number);
    memset(text + size, '.', padding);
    leat_record r = leat_record_of(leat_string_n(text, (size_t)size + padding), number);
    leati_batch *b = leati_batch_new(1);
    assert_non_null(b);
    assert_int_equal(leati_batch_append(b, &r, NULL, true), LEAT_OK);
    leati_free(text);
    leati_element e = {.kind = LEATI_BATCH, .as.batch = b};
    return leati_channel_push(c, &e, 1, b->bytes);
}

static leat_status push_signal(leati_channel *c, int64_t value) {
    leati_element e = leati_signal(LEATI_BARRIER, value);
    return leati_channel_push(c, &e, 0, 0);
}

/* The next element, waiting for the disk; its credit goes back. Batches give the number in their
   record, signals its negative. */
static int64_t next(leati_channel *c, size_t *padding) {
    leati_element e;
    leat_status status = leati_channel_pop(c, &e);
    while (status == LEAT_AGAIN) {
        settle();
        status = leati_channel_pop(c, &e);
    }
    assert_int_equal(status, LEAT_OK);
    if (e.kind == LEATI_BARRIER) return -e.value;
    leati_batch *b = e.as.batch;
    size_t charge = e.kind == LEATI_BATCH ? b->bytes : e.as.frame.charge;
    if (e.kind == LEATI_FRAME) {
        assert_int_equal(e.value, 1);
        status = leati_batch_decode(e.as.frame.bytes, e.as.frame.size, 0, &b);
        assert_int_equal(status, LEAT_OK);
    }
    assert_int_equal(b->count, 1);
    char digits[24] = "";
    const leat_value *text = &b->records[0].value; /* not terminated */
    memcpy(digits, text->as.bytes, text->size < sizeof digits ? text->size : sizeof digits - 1);
    int64_t number = strtoll(digits, NULL, 10);
    assert_int_equal(b->records[0].time, number);
    if (padding) *padding = b->records[0].value.size;
    leati_batch_unref(b);
    leati_channel_give_back(c, 1, charge);
    return number;
}

static void spill_small_content_stays_in_memory(void **state) {
    (void)state;
    leati_channel *c = spilling(1 << 20);
    leati_element e;
    for (int i = 1; i <= 100; i++) assert_int_equal(push_padded(c, i, 10), LEAT_OK);
    for (int i = 1; i <= 100; i++) {
        assert_int_equal(leati_channel_pop(c, &e), LEAT_OK);
        assert_int_equal(e.kind, LEATI_BATCH); /* as it is, never encoded */
        size_t bytes = e.as.batch->bytes;
        leati_element_drop(&e);
        leati_channel_give_back(c, 1, bytes);
    }
    assert_int_equal(leati_channel_pop(c, &e), LEAT_AGAIN);
    leati_channel_unref(c);
}

static void spill_takes_more_than_memory_and_keeps_the_order(void **state) {
    (void)state;
    enum { COUNT = 5000 };
    leati_channel *c = spilling(4096);
    for (int i = 1; i <= COUNT; i++) {
        assert_int_equal(push_padded(c, i, (size_t)(i % 90)), LEAT_OK);
        if (i % 7 == 0) assert_int_equal(push_signal(c, i), LEAT_OK);
    }
    for (int i = 1; i <= COUNT; i++) {
        assert_int_equal(next(c, NULL), i);
        if (i % 7 == 0) assert_int_equal(next(c, NULL), -i);
    }
    leati_element e;
    settle();
    assert_int_equal(leati_channel_pop(c, &e), LEAT_AGAIN);
    assert_int_equal(atomic_load(&c->bytes), 0);
    assert_int_equal(atomic_load(&c->records), 0);
    leati_channel_unref(c);
}

static void spill_memory_holds_at_most_the_limit_and_a_chunk(void **state) {
    (void)state;
    enum { LIMIT = 16 * 1024 };
    leati_channel *c = spilling(LIMIT);
    for (int i = 1; i <= 3000; i++) {
        assert_int_equal(push_padded(c, i, 100), LEAT_OK);
        if (i % 100 == 0) settle();
        assert_true(atomic_load(&c->bytes) <= LIMIT);
    }
    for (int i = 1; i <= 3000; i++) {
        assert_int_equal(next(c, NULL), i);
        assert_true(atomic_load(&c->bytes) <= 3 * LIMIT);
    }
    leati_channel_unref(c);
}

static void spill_record_larger_than_the_limit_passes(void **state) {
    (void)state;
    leati_channel *c = spilling(1000);
    size_t size;
    for (int i = 1; i <= 5; i++) assert_int_equal(push_padded(c, i, 1000000), LEAT_OK);
    for (int i = 1; i <= 5; i++) {
        assert_int_equal(next(c, &size), i);
        assert_true(size > 1000000);
    }
    leati_channel_unref(c);
}

/* Pushes and pops in any order, which meets the ring, the tail and the file in all states. */
static void spill_random_pushes_and_pops_keep_the_order(void **state) {
    (void)state;
    srand(7);
    for (int round = 0; round < 20; round++) {
        leati_channel *c = spilling((size_t)(1 << (rand() % 14)));
        int64_t pushed = 0, popped = 0;
        while (popped < 2000) {
            for (int n = rand() % 80; n > 0 && pushed < 2000; n--) {
                pushed++;
                leat_status status = pushed % 5 ? push_padded(c, pushed, (size_t)(rand() % 300))
                                                : push_signal(c, pushed);
                assert_int_equal(status, LEAT_OK);
            }
            for (int n = rand() % 80; n > 0 && popped < pushed; n--) {
                popped++;
                assert_int_equal(next(c, NULL), popped % 5 ? popped : -popped);
            }
        }
        leati_channel_unref(c);
    }
}

/* --- two threads ------------------------------------------------------------------------------ */

typedef struct ends {
    leati_channel *c;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int data, room;
    int count;
} ends;

static void told(ends *e, int *counter) {
    pthread_mutex_lock(&e->lock);
    ++*counter;
    pthread_cond_broadcast(&e->changed);
    pthread_mutex_unlock(&e->lock);
}

static void on_data(void *arg) {
    told(arg, &((ends *)arg)->data);
}

static void on_room(void *arg) {
    told(arg, &((ends *)arg)->room);
}

static void await_news(ends *e, int *counter) {
    pthread_mutex_lock(&e->lock);
    while (!*counter) pthread_cond_wait(&e->changed, &e->lock);
    *counter = 0;
    pthread_mutex_unlock(&e->lock);
}

static void *push_all(void *arg) {
    ends *e = arg;
    for (int i = 1; i <= e->count; i++) {
        while (!leati_channel_has_room(e->c, 0, 0)) await_news(e, &e->room);
        if (push_padded(e->c, i, (size_t)(i % 200)) < 0) return NULL;
    }
    return e;
}

static void spill_two_threads_lose_no_wake_up(void **state) {
    (void)state;
    ends e = {.count = 30000, .c = spilling(8 * 1024)};
    pthread_mutex_init(&e.lock, NULL);
    pthread_cond_init(&e.changed, NULL);
    e.c->on_data = (leati_notice){on_data, &e};
    e.c->on_room = (leati_notice){on_room, &e};
    pthread_t writer;
    leati_channel_ref(e.c);
    pthread_create(&writer, NULL, push_all, &e);
    for (int i = 1; i <= e.count; i++) {
        leati_element el;
        leat_status status;
        while ((status = leati_channel_pop(e.c, &el)) == LEAT_AGAIN) await_news(&e, &e.data);
        assert_int_equal(status, LEAT_OK);
        leati_batch *b = el.as.batch;
        size_t charge = el.kind == LEATI_BATCH ? b->bytes : el.as.frame.charge;
        if (el.kind == LEATI_FRAME)
            assert_int_equal(leati_batch_decode(el.as.frame.bytes, el.as.frame.size, 0, &b),
                             LEAT_OK);
        assert_int_equal(b->records[0].time, i);
        leati_batch_unref(b);
        leati_channel_give_back(e.c, 1, charge);
    }
    void *answer;
    pthread_join(writer, &answer);
    assert_ptr_equal(answer, &e);
    leati_channel_leave(e.c);
    leati_channel_abandon(e.c);
    leati_channel_unref(e.c);
    leati_channel_unref(e.c);
    settle();
    pthread_cond_destroy(&e.changed);
    pthread_mutex_destroy(&e.lock);
}

static void count_news(void *arg) {
    atomic_fetch_add((atomic_int *)arg, 1);
}

static void spill_abandoned_amid_work_tells_nobody_any_more(void **state) {
    (void)state;
    for (int round = 0; round < 50; round++) {
        atomic_int news = 0;
        leati_channel *c = spilling(64);
        c->on_data = c->on_room = (leati_notice){count_news, &news};
        for (int i = 1; i <= 200; i++) assert_int_equal(push_padded(c, i, 50), LEAT_OK);
        if (round % 2) next(c, NULL);
        leati_channel_leave(c);
        leati_channel_abandon(c);
        int before = atomic_load(&news);
        assert_int_equal(push_padded(c, 1, 50), LEAT_OK); /* dropped */
        leati_channel_unref(c);
        settle();
        assert_int_equal(atomic_load(&news), before);
    }
}

/* --- credit of another process ---------------------------------------------------------------- */

typedef struct credit {
    size_t records, bytes;
} credit;

static void on_credit(void *arg, size_t records, size_t bytes) {
    credit *back = arg;
    back->records += records;
    back->bytes += bytes;
}

static void spill_credit_of_a_wire_goes_back_without_the_reader(void **state) {
    (void)state;
    leati_channel *c = spilling(1000);
    credit back = {0};
    size_t charged = 0;
    c->credit = on_credit;
    c->credit_arg = &back;
    for (uint32_t i = 1; i <= 500; i++) {
        leat_record r = leat_record_of(leat_int(i), i);
        leati_buf text;
        leati_buf_init(&text);
        leati_buf_u32(&text, 1);
        assert_int_equal(leati_record_encode(&r, NULL, &text), LEAT_OK);
        leati_element e = {.kind = LEATI_FRAME, .value = 1};
        e.as.frame = (leati_frame){text.size, 100, text.bytes};
        charged += 100;
        assert_int_equal(leati_channel_push(c, &e, 1, 100), LEAT_OK);
    }
    settle();
    settle(); /* what came while a chunk was written is written behind it */
    assert_int_equal(back.records, 500);
    assert_int_equal(back.bytes, charged);
    for (int64_t i = 1; i <= 500; i++) {
        leati_element e;
        leati_batch *b = NULL;
        leat_status status;
        while ((status = leati_channel_pop(c, &e)) == LEAT_AGAIN) settle();
        assert_int_equal(status, LEAT_OK);
        size_t charge = e.as.frame.charge;
        assert_int_equal(leati_batch_decode(e.as.frame.bytes, e.as.frame.size, 0, &b), LEAT_OK);
        assert_int_equal(b->records[0].value.as.i, i);
        leati_batch_unref(b);
        leati_channel_give_back(c, 1, charge);
    }
    assert_int_equal(back.records, 500);
    assert_int_equal(back.bytes, charged);
    leati_channel_unref(c);
}

/* --- failures --------------------------------------------------------------------------------- */

static leat_status push_until_it_fails(leati_channel *c) {
    leat_status status = LEAT_OK;
    for (int i = 1; i <= 2000 && status >= 0; i++) {
        status = push_padded(c, i, 500);
        if (i % 100 == 0) settle();
    }
    return status;
}

static void spill_folder_that_is_not_there_fails_pushes_and_pops(void **state) {
    (void)state;
    leati_channel *c = leati_channel_new(4096, 4096);
    leati_element e;
    assert_int_equal(leati_channel_spill(c, NULL, "/nonexistent"), LEAT_OK);
    assert_null(leati_channel_failure(c));
    assert_int_equal(push_until_it_fails(c), LEAT_E_IO);
    assert_string_equal(leati_channel_failure(c),
                        "no file can be made in '/nonexistent': No such file or directory; name a "
                        "folder with room in io.tmp.dirs");
    assert_true(leati_channel_has_room(c, 0, 0)); /* nobody waits for what can't come */
    leat_status status;
    while ((status = leati_channel_pop(c, &e)) == LEAT_OK) leati_element_drop(&e);
    assert_int_equal(status, LEAT_E_IO);
    leati_channel_unref(c);
}

/* Two tasks that wait for each other's credit would never hear of it. */
static void spill_credit_of_a_wire_goes_back_after_a_failure(void **state) {
    (void)state;
    leati_channel *c = leati_channel_new(4096, 100);
    credit back = {0};
    assert_int_equal(leati_channel_spill(c, NULL, "/nonexistent"), LEAT_OK);
    c->credit = on_credit;
    c->credit_arg = &back;
    for (size_t i = 1; i <= 100; i++) {
        leati_element e = {.kind = LEATI_FRAME, .value = 1};
        e.as.frame = (leati_frame){50, 50, leati_zalloc(50)};
        assert_int_equal(leati_channel_push(c, &e, 1, 50), LEAT_OK); /* the reader says it */
        if (i == 50) settle();
    }
    settle();
    assert_int_equal(back.records, 100);
    assert_int_equal(back.bytes, 5000);
    leati_element e;
    leat_status status;
    while ((status = leati_channel_pop(c, &e)) == LEAT_OK) leati_element_drop(&e);
    assert_int_equal(status, LEAT_E_IO);
    leati_channel_unref(c);
}

static void spill_disk_that_is_full_says_so(void **state) {
    (void)state;
    struct rlimit before, small;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 50000;
    setrlimit(RLIMIT_FSIZE, &small);
    leati_channel *c = spilling(8192);
    leat_status status = push_until_it_fails(c);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(status, LEAT_E_IO);
    assert_string_equal(leati_channel_failure(c),
                        "can't write the temporary file of records that wait: File too large; name "
                        "a folder with more room in io.tmp.dirs, or raise pipeline.channel.memory");
    leati_channel_unref(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(spill_small_content_stays_in_memory),
        WITH_FOLDER(spill_takes_more_than_memory_and_keeps_the_order),
        WITH_FOLDER(spill_memory_holds_at_most_the_limit_and_a_chunk),
        WITH_FOLDER(spill_record_larger_than_the_limit_passes),
        WITH_FOLDER(spill_random_pushes_and_pops_keep_the_order),
        WITH_FOLDER(spill_two_threads_lose_no_wake_up),
        WITH_FOLDER(spill_abandoned_amid_work_tells_nobody_any_more),
        WITH_FOLDER(spill_credit_of_a_wire_goes_back_without_the_reader),
        WITH_FOLDER(spill_folder_that_is_not_there_fails_pushes_and_pops),
        WITH_FOLDER(spill_credit_of_a_wire_goes_back_after_a_failure),
        WITH_FOLDER(spill_disk_that_is_full_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
