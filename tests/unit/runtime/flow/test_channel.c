/* Tests of channel.c: credit in records and bytes, who is told of room and when, the end of a
   reader. */
#include "rig.h"

#include "runtime/base/alloc.h"

static void count(void *arg) {
    ++*(int *)arg;
}

static leati_element number(int64_t i) {
    return leati_signal(LEATI_WATERMARK, i);
}

static void push(leati_channel *c, int64_t i, size_t records, size_t bytes) {
    leati_element e = number(i);
    assert_int_equal(leati_channel_push(c, &e, records, bytes), LEAT_OK);
}

static void channel_full_of_records_has_no_room_until_given_back(void **state) {
    (void)state;
    leati_channel *c = leati_channel_new(2, 1000);
    assert_true(leati_channel_has_room(c, 0, 0));
    assert_true(leati_channel_has_room(c, 1, 10));
    assert_false(leati_channel_has_room(c, 2, 10));
    push(c, 1, 2, 10);
    assert_false(leati_channel_has_room(c, 0, 0));
    leati_element e;
    assert_int_equal(leati_channel_pop(c, &e), LEAT_OK);
    assert_false(leati_channel_has_room(c, 0, 0)); /* read is not given back */
    leati_channel_give_back(c, 2, 10);
    assert_true(leati_channel_has_room(c, 0, 0));
    leati_channel_unref(c);
}

static void channel_full_of_bytes_has_no_room(void **state) {
    (void)state;
    leati_channel *c = leati_channel_new(100, 50);
    push(c, 1, 1, 49);
    assert_true(leati_channel_has_room(c, 0, 0));
    push(c, 2, 1, 1000); /* larger than the limit: passes alone */
    assert_false(leati_channel_has_room(c, 0, 0));
    leati_channel_give_back(c, 1, 1000);
    assert_true(leati_channel_has_room(c, 0, 0));
    leati_channel_unref(c);
}

static void channel_credit_is_what_is_left_and_never_nothing(void **state) {
    (void)state;
    leati_channel *c = leati_channel_new(10, 100);
    size_t records, bytes;
    push(c, 1, 4, 30);
    leati_channel_credit(c, &records, &bytes);
    assert_int_equal(records, 6);
    assert_int_equal(bytes, 70);
    push(c, 1, 40, 300);
    leati_channel_credit(c, &records, &bytes);
    assert_int_equal(records, 1);
    assert_int_equal(bytes, 1);
    leati_channel_unref(c);
}

static void channel_signals_cost_no_credit(void **state) {
    (void)state;
    leati_channel *c = leati_channel_new(1, 1);
    for (int i = 0; i < 100; i++) push(c, i, 0, 0);
    assert_true(leati_channel_has_room(c, 0, 0));
    leati_channel_unref(c);
}

static void channel_sender_is_told_of_room_once_after_it_asked(void **state) {
    (void)state;
    int told = 0;
    leati_channel *c = leati_channel_new(1, 1000);
    c->on_room = (leati_notice){count, &told};
    push(c, 1, 1, 1);
    leati_channel_give_back(c, 1, 1);
    assert_int_equal(told, 0); /* nobody had asked */
    push(c, 1, 2, 2);
    assert_false(leati_channel_has_room(c, 0, 0));
    leati_channel_give_back(c, 1, 1);
    assert_int_equal(told, 1);
    assert_false(leati_channel_has_room(c, 0, 0)); /* it looks again: not enough yet */
    leati_channel_give_back(c, 1, 1);
    assert_int_equal(told, 2);
    assert_true(leati_channel_has_room(c, 0, 0));
    leati_channel_unref(c);
}

static void channel_reader_is_told_of_each_element(void **state) {
    (void)state;
    int told = 0;
    leati_channel *c = leati_channel_new(1, 1);
    c->on_data = (leati_notice){count, &told};
    push(c, 1, 1, 1);
    push(c, 2, 0, 0);
    assert_int_equal(told, 2);
    leati_channel_unref(c);
}

static void channel_that_grows_keeps_the_order(void **state) {
    (void)state;
    leati_channel *c = leati_channel_new(1, 1);
    leati_element e;
    int64_t in = 0, out = 0;
    for (int round = 0; round < 40; round++) {
        for (int i = 0; i < 7; i++) push(c, in++, 0, 0);
        for (int i = 0; i < 5; i++) {
            assert_int_equal(leati_channel_pop(c, &e), LEAT_OK);
            assert_int_equal(e.value, out++);
        }
    }
    while (leati_channel_pop(c, &e) == LEAT_OK) assert_int_equal(e.value, out++);
    assert_int_equal(in, out);
    leati_channel_unref(c);
}

static void channel_abandoned_drops_all_and_has_room(void **state) {
    (void)state;
    leati_channel *c = leati_channel_new(1, 1);
    channel_push_ints(c, 1, 3);
    leati_channel_abandon(c);
    assert_true(leati_channel_has_room(c, 0, 0));
    channel_push_ints(c, 4, 5);
    leati_element e;
    assert_int_equal(leati_channel_pop(c, &e), LEAT_AGAIN);
    leati_channel_unref(c);
}

static void channel_freed_with_elements_drops_them(void **state) {
    (void)state;
    leati_channel *c = leati_channel_new(1, 1);
    leati_channel_ref(c);
    channel_push_ints(c, 1, 3);
    leati_element frame = {.kind = LEATI_FRAME};
    frame.as.frame.bytes = leati_memdup("abc", 3);
    frame.as.frame.size = 3;
    assert_int_equal(leati_channel_push(c, &frame, 1, 3), LEAT_OK);
    leati_channel_unref(c);
    leati_channel_unref(c); /* leaks are found by the sanitizer */
}

typedef struct far {
    int64_t sent;
    size_t records, bytes;
} far;

static leat_status send_far(void *arg, leati_element *e, size_t records, size_t bytes) {
    far *f = arg;
    f->sent = e->value;
    f->records = records;
    f->bytes = bytes;
    leati_element_drop(e);
    return LEAT_OK;
}

static void credit_far(void *arg, size_t records, size_t bytes) {
    far *f = arg;
    f->records = records;
    f->bytes = bytes;
}

static void channel_to_another_process_sends_and_keeps_count(void **state) {
    (void)state;
    far f = {0};
    leati_channel *c = leati_channel_new(1, 100);
    c->send = send_far;
    c->send_arg = &f;
    push(c, 7, 1, 5);
    assert_int_equal(f.sent, 7);
    assert_int_equal(f.records, 1);
    assert_int_equal(f.bytes, 5);
    assert_false(leati_channel_has_room(c, 0, 0));
    leati_channel_unref(c);
}

static void channel_from_another_process_hands_credit_back(void **state) {
    (void)state;
    far f = {0};
    leati_channel *c = leati_channel_new(1, 100);
    c->credit = credit_far;
    c->credit_arg = &f;
    push(c, 7, 3, 5);
    leati_channel_give_back(c, 3, 5);
    assert_int_equal(f.records, 3);
    assert_int_equal(f.bytes, 5);
    leati_channel_unref(c);
}

/* --- two threads ------------------------------------------------------------------------------ */

enum { TRANSFERS = 20000 };

typedef struct meeting {
    leati_channel *c;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int room, data; /* notices */
} meeting;

static void notice(meeting *m, int *counter) {
    pthread_mutex_lock(&m->lock);
    ++*counter;
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
}

static void on_room(void *arg) {
    notice(arg, &((meeting *)arg)->room);
}

static void on_data(void *arg) {
    notice(arg, &((meeting *)arg)->data);
}

static void await(meeting *m, int *counter, int *seen) {
    pthread_mutex_lock(&m->lock);
    while (*counter == *seen) pthread_cond_wait(&m->changed, &m->lock);
    *seen = *counter;
    pthread_mutex_unlock(&m->lock);
}

static void *send_all(void *arg) {
    meeting *m = arg;
    int seen = 0;
    for (int64_t i = 0; i < TRANSFERS; i++) {
        while (!leati_channel_has_room(m->c, 0, 0)) await(m, &m->room, &seen);
        leati_element e = number(i);
        if (leati_channel_push(m->c, &e, 1, 1) < 0) return m;
    }
    return NULL;
}

static void channel_between_threads_loses_no_wake_up(void **state) {
    (void)state;
    meeting m = {.c = leati_channel_new(2, 100)};
    pthread_mutex_init(&m.lock, NULL);
    pthread_cond_init(&m.changed, NULL);
    m.c->on_room = (leati_notice){on_room, &m};
    m.c->on_data = (leati_notice){on_data, &m};
    pthread_t sender;
    assert_int_equal(pthread_create(&sender, NULL, send_all, &m), 0);
    int seen = 0;
    leati_element e;
    for (int64_t i = 0; i < TRANSFERS; i++) {
        while (leati_channel_pop(m.c, &e) != LEAT_OK) await(&m, &m.data, &seen);
        assert_int_equal(e.value, i);
        leati_channel_give_back(m.c, 1, 1);
    }
    void *failed;
    assert_int_equal(pthread_join(sender, &failed), 0);
    assert_null(failed);
    leati_channel_unref(m.c);
    pthread_cond_destroy(&m.changed);
    pthread_mutex_destroy(&m.lock);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(channel_full_of_records_has_no_room_until_given_back),
        cmocka_unit_test(channel_full_of_bytes_has_no_room),
        cmocka_unit_test(channel_credit_is_what_is_left_and_never_nothing),
        cmocka_unit_test(channel_signals_cost_no_credit),
        cmocka_unit_test(channel_sender_is_told_of_room_once_after_it_asked),
        cmocka_unit_test(channel_reader_is_told_of_each_element),
        cmocka_unit_test(channel_that_grows_keeps_the_order),
        cmocka_unit_test(channel_abandoned_drops_all_and_has_room),
        cmocka_unit_test(channel_freed_with_elements_drops_them),
        cmocka_unit_test(channel_to_another_process_sends_and_keeps_count),
        cmocka_unit_test(channel_from_another_process_hands_credit_back),
        cmocka_unit_test(channel_between_threads_loses_no_wake_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
