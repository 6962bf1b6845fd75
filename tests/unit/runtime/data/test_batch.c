/* Tests of batch.c: appending, weight, frames, objects, and who frees. */
#include "runtime/data/batch.h"

#include "fake_object.h"
#include "runtime/base/alloc.h"
#include "runtime/base/object.h"
#include "sample_values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static leati_batch *batch_of_samples(bool keyed) {
    leati_batch *b = leati_batch_new(SAMPLE_VALUES);
    for (int i = 0; b && i < SAMPLE_VALUES; i++) {
        leat_record r = leat_record_of(sample_values()[i], i);
        if (keyed) r.key = sample_values()[(i + 7) % SAMPLE_VALUES];
        r.hash = (uint64_t)i;
        if (leati_batch_append(b, &r, NULL, true) == LEAT_OK) continue;
        leati_batch_unref(b);
        return NULL;
    }
    return b;
}

static void assert_samples(const leati_batch *b, bool keyed) {
    const leat_record *records;
    assert_int_equal(leati_batch_records(b, &records), SAMPLE_VALUES);
    for (int i = 0; i < SAMPLE_VALUES; i++) {
        assert_true(leat_value_equal(&records[i].value, &sample_values()[i]));
        if (keyed)
            assert_true(
                leat_value_equal(&records[i].key, &sample_values()[(i + 7) % SAMPLE_VALUES]));
        assert_int_equal(records[i].time, i);
        assert_int_equal(records[i].hash, i);
    }
}

static void batch_append_copies_all(void **state) {
    (void)state;
    for (int keyed = 0; keyed < 2; keyed++) {
        leati_batch *b = batch_of_samples(keyed);
        assert_samples(b, keyed);
        leati_batch_ref(b);
        leati_batch_unref(b);
        assert_samples(b, keyed);
        leati_batch_unref(b);
    }
    leati_batch_unref(NULL);
}

static void batch_that_is_full_refuses(void **state) {
    (void)state;
    leati_batch *b = leati_batch_new(1);
    char word[] = "word";
    leat_record r = leat_record_of(leat_string(word), 0);
    assert_int_equal(leati_batch_append(b, &r, NULL, true), LEAT_OK);
    assert_int_equal(leati_batch_append(b, &r, NULL, true), LEAT_E_RANGE);
    word[0] = 'x';
    assert_memory_equal(b->records[0].value.as.bytes, "word", 4);
    assert_int_equal(b->count, 1);
    assert_true(b->bytes >= sizeof r + 4);
    leati_batch_unref(b);
}

static void batch_frames_come_back(void **state) {
    (void)state;
    leati_batch *b = batch_of_samples(true), *back = NULL;
    leati_buf frame;
    leati_buf_init(&frame);
    assert_int_equal(leati_batch_encode(b, NULL, &frame), LEAT_OK);
    leati_batch_unref(b);
    size_t size = frame.size;
    char *bytes = leati_buf_take(&frame);
    char *same = leati_memdup(bytes, size);
    assert_int_equal(leati_batch_decode(bytes, size, 0, &back), LEAT_OK);
    assert_samples(back, true);
    assert_int_equal(back->domain, 0);
    leati_batch_unref(back);
    for (size_t cut = 0; cut < size; cut++) {
        char *damaged = leati_memdup(same, cut);
        assert_int_equal(leati_batch_decode(damaged, cut, 0, &back), LEAT_E_FORMAT);
    }
    char *longer = leati_zalloc(size + 1);
    memcpy(longer, same, size);
    assert_int_equal(leati_batch_decode(longer, size + 1, 0, &back), LEAT_E_FORMAT);
    leati_free(same);
}

static void batch_that_is_empty_comes_back(void **state) {
    (void)state;
    leati_batch *b = leati_batch_new(4), *back = NULL;
    leati_buf frame;
    leati_buf_init(&frame);
    assert_int_equal(leati_batch_encode(b, NULL, &frame), LEAT_OK);
    size_t size = frame.size;
    assert_int_equal(leati_batch_decode(leati_buf_take(&frame), size, 0, &back), LEAT_OK);
    assert_int_equal(back->count, 0);
    leati_batch_unref(back);
    leati_batch_unref(b);
}

static void batch_of_objects_names_their_domain_and_releases_them(void **state) {
    (void)state;
    leat_value object = fake_new(4);
    leat_record r = leat_record_of(leat_tuple(&object, 1), 0);
    r.key = object;
    leati_batch *b = leati_batch_new(4), *back = NULL;
    assert_int_equal(leati_batch_append(b, &r, NULL, false), LEAT_OK);
    assert_int_equal(fake_alive(), 1);
    assert_int_equal(leati_batch_append(b, &r, NULL, true), LEAT_OK);
    assert_int_equal(fake_alive(), 2); /* the key stays shared */
    assert_int_equal(b->domain, fake_domain());
    leati_buf frame;
    leati_buf_init(&frame);
    assert_int_equal(leati_batch_encode(b, NULL, &frame), LEAT_OK);
    leati_batch_unref(b);
    size_t size = frame.size;
    assert_int_equal(leati_batch_decode(leati_buf_take(&frame), size, fake_domain(), &back),
                     LEAT_OK);
    assert_int_equal(back->domain, fake_domain());
    assert_int_equal(fake_alive(), 5);
    leati_batch_unref(back);
    leati_object_release(&object);
    assert_int_equal(fake_alive(), 0);
}

static void batch_without_memory_fails_cleanly(void **state) {
    (void)state;
    leati_buf frame;
    leati_buf_init(&frame);
    leati_batch *b = NULL, *back = NULL;
    for (int n = 1; !b; n++) {
        leati_alloc_fail_after(n);
        b = batch_of_samples(true);
        leati_alloc_fail_after(-1);
    }
    assert_int_equal(leati_batch_encode(b, NULL, &frame), LEAT_OK);
    leati_batch_unref(b);
    for (int n = 1; !back; n++) {
        char *copy = leati_memdup(frame.bytes, frame.size);
        leati_alloc_fail_after(n);
        leat_status status = leati_batch_decode(copy, frame.size, 0, &back);
        leati_alloc_fail_after(-1);
        assert_int_equal(status, back ? LEAT_OK : LEAT_E_NOMEM);
    }
    leati_batch_unref(back);
    leati_buf_fini(&frame);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batch_append_copies_all),
        cmocka_unit_test(batch_that_is_full_refuses),
        cmocka_unit_test(batch_frames_come_back),
        cmocka_unit_test(batch_that_is_empty_comes_back),
        cmocka_unit_test(batch_of_objects_names_their_domain_and_releases_them),
        cmocka_unit_test(batch_without_memory_fails_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
