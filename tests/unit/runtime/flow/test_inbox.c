/* Tests of inbox.c and io.c: letters run on the task's thread in order, come to nobody else, and
   are dropped when their operator is gone; mailboxes outlive the task. */
#include "rig.h"

#include <sched.h>

#include "runtime/base/alloc.h"

static leat_status pass(leat_context *ctx, void *self, unsigned input, const leat_record *in) {
    (void)input;
    (void)self;
    return leat_emit(ctx, in);
}

static const leat_operator pass_operator = {.size = sizeof(leat_operator),
                                            .name = "pass",
                                            .inputs = 1,
                                            .self_size = sizeof(rig_self),
                                            .params = rig_params,
                                            .on_record = pass};

static int dropped;

static void drop(void *arg) {
    (void)arg;
    dropped++;
}

static leat_status note(leat_context *ctx, void *self, void *arg) {
    assert_int_equal(leat_context_time(ctx), LEAT_NO_TIME);
    rig_log(rig_of(self), "%s", (const char *)arg);
    return LEAT_OK;
}

static void post(leat_mailbox *mailbox, const char *text) {
    assert_int_equal(leat_mailbox_post(mailbox, note, (void *)(uintptr_t)text, drop), LEAT_OK);
}

static void set_up(rig *r) {
    dropped = 0;
    rig_init(r, true);
    rig_input(r, 0, 10);
    leat_context *p = rig_add(r, &pass_operator, NULL, NULL);
    rig_output(r, p, NULL, LEAT_FORWARD, 1, 100);
    rig_open(r);
}

static void letters_run_in_the_next_step_in_their_order(void **state) {
    (void)state;
    rig r;
    set_up(&r);
    leat_mailbox *mailbox = leat_context_mailbox(r.chain->contexts[0]);
    post(mailbox, "one");
    post(mailbox, "two");
    rig_expect(&r, "");
    assert_int_equal(atomic_load(&r.notices), 2);
    assert_false(leati_inbox_empty(r.task->inbox));
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    rig_expect(&r, "one two");
    assert_true(leati_inbox_empty(r.task->inbox));
    assert_int_equal(dropped, 0);
    leat_mailbox_unref(mailbox);
    rig_fini(&r);
}

static leat_status emit_letter(leat_context *ctx, void *self, void *arg) {
    (void)self;
    leat_record record = leat_record_of(leat_int((int64_t)(intptr_t)arg), LEAT_NO_TIME);
    return leat_emit(ctx, &record);
}

static void letters_may_emit(void **state) {
    (void)state;
    rig r;
    set_up(&r);
    leat_mailbox *mailbox = leat_context_mailbox(r.chain->contexts[0]);
    assert_int_equal(leat_mailbox_post(mailbox, emit_letter, (void *)5, NULL), LEAT_OK);
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    assert_string_equal(channel_read(r.out[0]), "[5]");
    leat_mailbox_unref(mailbox);
    rig_fini(&r);
}

static leat_status fail_letter(leat_context *ctx, void *self, void *arg) {
    (void)self;
    (void)arg;
    return leat_context_fail(ctx, LEAT_E_IO, "bad news");
}

static void letter_that_fails_fails_the_task_and_drops_the_rest(void **state) {
    (void)state;
    rig r;
    set_up(&r);
    leat_mailbox *mailbox = leat_context_mailbox(r.chain->contexts[0]);
    assert_int_equal(leat_mailbox_post(mailbox, fail_letter, NULL, drop), LEAT_OK);
    post(mailbox, "never");
    assert_int_equal(rig_run(&r), LEATI_TASK_FAILED);
    assert_string_equal(r.chain->failure.text, "bad news");
    assert_null(r.chain->failure.record);
    leat_mailbox_unref(mailbox);
    rig_fini(&r);
    assert_int_equal(dropped, 1);
}

static void letters_to_an_ended_operator_are_dropped(void **state) {
    (void)state;
    rig r;
    set_up(&r);
    leat_mailbox *mailbox = leat_context_mailbox(r.chain->contexts[0]);
    post(mailbox, "unread");
    rig_fini(&r);
    assert_int_equal(dropped, 1);
    int notices = atomic_load(&r.notices);
    post(mailbox, "late"); /* the mailbox outlives its task */
    assert_int_equal(dropped, 2);
    leat_mailbox_wake(mailbox);
    assert_int_equal(atomic_load(&r.notices), notices);
    leat_mailbox_unref(mailbox);
}

static void post_without_memory_fails_and_keeps_the_argument(void **state) {
    (void)state;
    rig r;
    set_up(&r);
    leat_mailbox *mailbox = leat_context_mailbox(r.chain->contexts[0]);
    leati_alloc_fail_after(1);
    leat_status status = leat_mailbox_post(mailbox, note, NULL, drop);
    leati_alloc_fail_after(-1);
    assert_int_equal(status, LEAT_E_NOMEM);
    assert_int_equal(dropped, 0);
    leat_mailbox_unref(mailbox);
    rig_fini(&r);
}

/* --- threads ---------------------------------------------------------------------------------- */

enum { LETTERS = 2000, SENDERS = 3 };

typedef struct sender {
    leat_mailbox *mailbox;
    int next; /* letter expected from this one */
} sender;

typedef struct letter {
    sender *from;
    int number;
} letter;

static leat_status count_letter(leat_context *ctx, void *self, void *arg) {
    (void)ctx;
    (void)self;
    letter l = *(letter *)arg;
    leati_free(arg);
    return l.number == l.from->next++ ? LEAT_OK : LEAT_E_INTERNAL;
}

static void *send_letters(void *arg) {
    sender *s = arg;
    for (int i = 0; i < LETTERS; i++) {
        letter *l = leati_alloc(sizeof *l);
        *l = (letter){s, i};
        if (leat_mailbox_post(s->mailbox, count_letter, l, leati_free) < 0) return s;
    }
    leat_mailbox_unref(s->mailbox);
    return NULL;
}

static void letters_of_each_thread_keep_their_order(void **state) {
    (void)state;
    rig r;
    set_up(&r);
    sender senders[SENDERS] = {{0}};
    pthread_t threads[SENDERS];
    for (int i = 0; i < SENDERS; i++) {
        senders[i].mailbox = leat_context_mailbox(r.chain->contexts[0]);
        assert_int_equal(pthread_create(&threads[i], NULL, send_letters, &senders[i]), 0);
    }
    int read = 0;
    while (read < LETTERS * SENDERS) {
        assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
        read = 0;
        for (int i = 0; i < SENDERS; i++) read += senders[i].next;
    }
    for (int i = 0; i < SENDERS; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    rig_fini(&r);
}

static void task_may_end_while_others_post(void **state) {
    (void)state;
    rig r;
    set_up(&r);
    sender s = {leat_context_mailbox(r.chain->contexts[0]), 0};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, send_letters, &s), 0);
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    rig_fini(&r);
    void *failed;
    assert_int_equal(pthread_join(thread, &failed), 0);
    assert_null(failed);
}

/* --- work on the I/O thread ------------------------------------------------------------------- */

typedef struct errand {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool go, went;
    leat_status worked;
} errand;

static leat_status work(void *arg) {
    errand *e = arg;
    pthread_mutex_lock(&e->lock);
    while (!e->go) pthread_cond_wait(&e->changed, &e->lock);
    e->went = true;
    pthread_cond_broadcast(&e->changed);
    pthread_mutex_unlock(&e->lock);
    return LEAT_E_IO;
}

static leat_status worked(leat_context *ctx, void *self, void *arg, leat_status status) {
    (void)ctx;
    (void)self;
    ((errand *)arg)->worked = status;
    return LEAT_OK;
}

static void let_work(errand *e) {
    pthread_mutex_lock(&e->lock);
    e->go = true;
    pthread_cond_broadcast(&e->changed);
    while (!e->went) pthread_cond_wait(&e->changed, &e->lock);
    pthread_mutex_unlock(&e->lock);
}

static void errand_answers_on_the_tasks_thread(void **state) {
    (void)state;
    rig r;
    set_up(&r);
    errand e = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    leat_io io = {work, worked, drop, &e};
    assert_int_equal(leat_context_io(r.chain->contexts[0], &io), LEAT_OK);
    let_work(&e);
    while (leati_inbox_empty(r.task->inbox)) sched_yield();
    assert_int_equal(e.worked, LEAT_OK);
    assert_int_equal(rig_run(&r), LEATI_TASK_WAITING);
    assert_int_equal(e.worked, LEAT_E_IO);
    assert_int_equal(dropped, 0);
    rig_fini(&r);
}

static atomic_int errands_dropped;

static void drop_errand(void *arg) {
    (void)arg;
    atomic_fetch_add(&errands_dropped, 1);
}

static void errand_of_an_ended_operator_is_dropped(void **state) {
    (void)state;
    rig r;
    set_up(&r);
    errand e = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    leat_io io = {work, worked, drop_errand, &e};
    assert_int_equal(leat_context_io(r.chain->contexts[0], &io), LEAT_OK);
    rig_fini(&r);
    let_work(&e);
    while (!atomic_load(&errands_dropped)) sched_yield();
    assert_int_equal(e.worked, LEAT_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_run_in_the_next_step_in_their_order),
        cmocka_unit_test(letters_may_emit),
        cmocka_unit_test(letter_that_fails_fails_the_task_and_drops_the_rest),
        cmocka_unit_test(letters_to_an_ended_operator_are_dropped),
        cmocka_unit_test(post_without_memory_fails_and_keeps_the_argument),
        cmocka_unit_test(letters_of_each_thread_keep_their_order),
        cmocka_unit_test(task_may_end_while_others_post),
        cmocka_unit_test(errand_answers_on_the_tasks_thread),
        cmocka_unit_test(errand_of_an_ended_operator_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
