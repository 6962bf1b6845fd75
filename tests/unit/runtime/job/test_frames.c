/* Frames: cut from a stream in whatever portions it comes, and what is refused. */
#include "runtime/job/frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

typedef struct seen {
    int count;
    uint8_t kinds[8];
    size_t sizes[8];
    char last[64];
    leat_status answer;
} seen;

static leat_status take(void *arg, uint8_t kind, const char *payload, size_t size) {
    seen *s = arg;
    s->kinds[s->count] = kind;
    s->sizes[s->count++] = size;
    if (size < sizeof s->last) {
        memcpy(s->last, payload, size);
        s->last[size] = 0;
    }
    return s->answer;
}

static leat_status feed(leati_frames *f, const char *bytes, size_t size, seen *s) {
    size_t room;
    char *to = leati_frames_room(f, &room);
    assert_non_null(to);
    assert_true(room >= size);
    memcpy(to, bytes, size);
    return leati_frames_take(f, size, take, s);
}

static void frames_in_any_portions_are_the_same(void **state) {
    const char bytes[] = "\3\0\0\0\1abc\0\0\0\0\2\5\0\0\0\3hello";
    (void)state;
    for (size_t portion = 1; portion < sizeof bytes; portion++) {
        leati_frames f;
        seen s = {0};
        leati_frames_init(&f);
        for (size_t at = 0; at < sizeof bytes - 1; at += portion) {
            size_t left = sizeof bytes - 1 - at;
            assert_int_equal(feed(&f, bytes + at, left < portion ? left : portion, &s), LEAT_OK);
        }
        assert_int_equal(s.count, 3);
        assert_int_equal(s.kinds[2], 3);
        assert_int_equal(s.sizes[1], 0);
        assert_string_equal(s.last, "hello");
        leati_frames_fini(&f);
    }
}

static void frame_too_large_is_refused_before_it_comes(void **state) {
    leati_frames f;
    seen s = {0};
    (void)state;
    leati_frames_init(&f);
    assert_int_equal(feed(&f, "\1\0\0\x40\1", 5, &s), LEAT_E_FORMAT);
    assert_int_equal(s.count, 0);
    leati_frames_fini(&f);
}

static void promise_of_a_large_frame_takes_no_memory(void **state) {
    leati_frames f;
    seen s = {0};
    (void)state;
    leati_frames_init(&f);
    assert_int_equal(feed(&f, "\0\0\0\x40\1", 5, &s), LEAT_OK);
    assert_true(f.in.room < 1 << 20);
    leati_frames_fini(&f);
}

static void buffer_is_given_back_after_a_large_frame(void **state) {
    enum { SIZE = 8 << 20, PART = 60000 };
    static char part[PART];
    char header[LEATI_FRAME_HEADER];
    leati_frames f;
    seen s = {0};
    (void)state;
    leati_frames_init(&f);
    leati_frame_header(header, SIZE, LEATI_F_DATA);
    feed(&f, header, sizeof header, &s);
    for (size_t left = SIZE; left;) {
        size_t n = left < PART ? left : PART;
        feed(&f, part, n, &s);
        left -= n;
    }
    assert_int_equal(s.count, 1);
    assert_int_equal(s.sizes[0], SIZE);
    assert_int_equal(f.in.room, 0);
    leati_frames_fini(&f);
}

static void reader_may_stop(void **state) {
    leati_frames f;
    seen s = {.answer = LEAT_DONE};
    (void)state;
    leati_frames_init(&f);
    assert_int_equal(feed(&f, "\0\0\0\0\1\0\0\0\0\2", 10, &s), LEAT_DONE);
    assert_int_equal(s.count, 1);
    leati_frames_fini(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_in_any_portions_are_the_same),
        cmocka_unit_test(frame_too_large_is_refused_before_it_comes),
        cmocka_unit_test(promise_of_a_large_frame_takes_no_memory),
        cmocka_unit_test(buffer_is_given_back_after_a_large_frame),
        cmocka_unit_test(reader_may_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
