/* Tests of sorter.c, merge.c, sorted_run.c and pile.c: order by key, time, input and arrival, with
   and without files, against a list that is sorted naively; failing allocations, full and damaged
   disks. */
#include "runtime/state/sorter.h"

#include "expect.h"
#include "runtime/base/alloc.h"
#include "runtime/data/codec.h"
#include "runtime/data/key.h"
#include "runtime/state/sorted_run.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { PLENTY = 64 << 20 };

/* What was given in, in the form in which the naive sort compares it. */
typedef struct given {
    char key[64];
    size_t key_size;
    int64_t time;
    unsigned input;
    int number;
} given;

static int given_order(const void *a, const void *b) {
    const given *x = a, *y = b;
    size_t least = x->key_size < y->key_size ? x->key_size : y->key_size;
    int order = memcmp(x->key, y->key, least);
    if (!order) order = (x->key_size > y->key_size) - (x->key_size < y->key_size);
    if (!order) order = (x->time > y->time) - (x->time < y->time);
    if (!order) order = (int)x->input - (int)y->input;
    return order ? order : x->number - y->number;
}

static given note(const leat_value *key, int64_t time, unsigned input, int number) {
    given g = {.time = time, .input = input, .number = number};
    leati_buf bytes;
    leati_buf_init(&bytes);
    assert_int_equal(leati_key_write(key, &bytes), LEAT_OK);
    assert_true(bytes.size <= sizeof g.key);
    memcpy(g.key, bytes.bytes, bytes.size);
    g.key_size = bytes.size;
    leati_buf_fini(&bytes);
    return g;
}

static leati_sorter *sorter(size_t memory) {
    leati_sorter_options o = {.memory = memory, .dirs = "/tmp"};
    leati_sorter *s = leati_sorter_new(&o);
    assert_non_null(s);
    return s;
}

static leat_status add(leati_sorter *s, leat_value key, int64_t time, unsigned input, int number) {
    leat_record r = leat_record_of(leat_int(number), time);
    r.key = key;
    assert_int_equal(leati_key_hash(&key, &r.hash), LEAT_OK);
    leat_status status = leati_sorter_add(s, input, &r, NULL);
    if (status >= 0 && leati_sorter_is_due(s)) status = leati_sorter_work(s);
    return status;
}

static leat_status end(leati_sorter *s) {
    leat_status status = leati_sorter_end(s);
    return status >= 0 && leati_sorter_is_due(s) ? leati_sorter_work(s) : status;
}

static leat_status next_key(leati_sorter *s, leati_pile_key *key) {
    leat_status status;
    while ((status = leati_sorter_next_key(s, key)) == LEAT_AGAIN)
        if ((status = leati_sorter_work(s)) < 0) break;
    return status;
}

static leat_status next(leati_sorter *s, leati_pile_item *item) {
    leat_status status;
    while ((status = leati_sorter_next(s, item)) == LEAT_AGAIN)
        if ((status = leati_sorter_work(s)) < 0) break;
    return status;
}

static leat_value read_value(const char *bytes, size_t size, leati_arena *arena) {
    leat_value v;
    leati_reader in = leati_reader_of(bytes, size);
    assert_int_equal(leati_value_decode(&in, 0, arena, &v), LEAT_OK);
    assert_int_equal(leati_reader_left(&in), 0);
    return v;
}

/* The key's value is that of its canonical bytes. */
static void check_key(const leati_pile_key *key, leati_arena *arena) {
    leat_value v = read_value(key->value, key->value_size, arena);
    uint64_t hash;
    assert_true(leati_key_matches(&v, key->bytes, key->size));
    assert_int_equal(leati_key_hash(&v, &hash), LEAT_OK);
    assert_true(hash == key->hash);
}

static void assert_gives(leati_sorter *s, const given *expected, size_t count) {
    leati_pile_key key;
    leati_pile_item item;
    leati_arena arena;
    leati_arena_init(&arena);
    size_t at = 0;
    while (next_key(s, &key) == LEAT_OK) {
        uint64_t of_key = 0;
        check_key(&key, &arena);
        while (next(s, &item) == LEAT_OK) {
            assert_true(at < count);
            const given *g = &expected[at++];
            assert_int_equal(key.size, g->key_size);
            assert_memory_equal(key.bytes, g->key, key.size);
            assert_int_equal(item.time, g->time);
            assert_int_equal(item.input, g->input);
            assert_int_equal(read_value(item.bytes, item.size, &arena).as.i, g->number);
            of_key++;
        }
        assert_true(of_key == key.count && of_key > 0);
        leati_arena_reset(&arena);
    }
    assert_int_equal(leati_sorter_error(s)->status, LEAT_OK);
    assert_int_equal(at, count);
    leati_arena_fini(&arena);
}

/* --- order ------------------------------------------------------------------------------------ */

static uint32_t random_state;

static uint32_t draw(uint32_t below) {
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % below;
}

static const char letters[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";

/* Integers, doubles, short strings and long ones that begin alike, tuples. */
static leat_value random_key(uint32_t keys, leat_value items[2]) {
    uint32_t which = draw(keys);
    switch (which % 5) {
    case 0: return leat_int((int64_t)which - 3);
    case 1: return leat_double(which - 7.5);
    case 2: return leat_string_n(letters, which % 7);
    case 3: return leat_string_n(letters, 20 + which % 30);
    default:
        items[0] = leat_int(which % 3);
        items[1] = leat_string_n(letters + which % 3, which % 11);
        return leat_tuple(items, 2);
    }
}

static int64_t random_time(int disorder, int i) {
    if (disorder == 0) return LEAT_NO_TIME;
    if (disorder == 1) return i;
    return draw(50) == 0 ? (draw(2) ? INT64_MAX : INT64_MIN) : (int64_t)draw(1000) - 500;
}

static void check_random(uint32_t seed, size_t memory, int count, uint32_t keys, int disorder) {
    random_state = seed;
    given *all = calloc((size_t)count + 1, sizeof *all);
    leati_sorter *s = sorter(memory);
    assert_non_null(all);
    for (int i = 0; i < count; i++) {
        leat_value items[2];
        leat_value key = random_key(keys, items);
        int64_t time = random_time(disorder, i);
        unsigned input = draw(2);
        all[i] = note(&key, time, input, i);
        assert_int_equal(add(s, key, time, input, i), LEAT_OK);
    }
    assert_int_equal(end(s), LEAT_OK);
    qsort(all, (size_t)count, sizeof *all, given_order);
    assert_gives(s, all, (size_t)count);
    leati_sorter_free(s);
    free(all);
}

static void sorter_random_records_come_as_a_naive_sort_gives_them(void **state) {
    (void)state;
    static const size_t memories[] = {PLENTY, 60000, 9000, 1};
    for (uint32_t seed = 1; seed <= 40; seed++)
        check_random(seed, memories[seed % 4], seed % 4 == 3 ? 150 : 3000, 1 + seed * seed % 700,
                     (int)(seed % 3));
}

static void sorter_many_spills_are_merged_by_level(void **state) {
    (void)state;
    check_random(7, 1, 2500, 40, 2); /* one run per record: three levels */
    check_random(8, 3000, 40000, 5, 2);
}

static void sorter_without_records_is_done(void **state) {
    (void)state;
    leati_sorter *s = sorter(PLENTY);
    assert_int_equal(end(s), LEAT_OK);
    assert_gives(s, NULL, 0);
    leati_sorter_free(s);
}

static void sorter_what_fits_into_memory_touches_no_file(void **state) {
    (void)state;
    leati_sorter_options o = {.memory = PLENTY, .dirs = "/no/such/folder"};
    leati_sorter *s = leati_sorter_new(&o);
    assert_int_equal(add(s, leat_int(1), 1, 0, 1), LEAT_OK);
    assert_int_equal(end(s), LEAT_OK);
    given g = note(&(leat_value){.kind = LEAT_INT, .as.i = 1}, 1, 0, 1);
    assert_gives(s, &g, 1);
    assert_int_equal(leati_sorter_spills(s), 0);
    leati_sorter_free(s);
}

static void sorter_by_arrival_is_a_queue(void **state) {
    (void)state;
    enum { COUNT = 5000 };
    given *all = calloc(COUNT, sizeof *all);
    leati_sorter_options o = {.memory = 5000, .dirs = "/tmp", .arrival = true};
    leati_sorter *s = leati_sorter_new(&o);
    random_state = 5;
    leat_value none = leat_null();
    for (int i = 0; i < COUNT; i++) {
        all[i] = note(&none, random_time(2, i), draw(2), i);
        assert_int_equal(add(s, none, all[i].time, all[i].input, i), LEAT_OK);
    }
    assert_int_equal(end(s), LEAT_OK);
    assert_true(leati_sorter_spills(s) > 3);
    assert_gives(s, all, COUNT);
    leati_sorter_free(s);
    free(all);
}

/* Values that are larger than a block, in the file and between blocks. */
static void sorter_large_values_survive_a_file(void **state) {
    (void)state;
    enum { COUNT = 40, SIZE = 30000 };
    leati_sorter *s = sorter(100000);
    char *text = malloc(SIZE);
    assert_non_null(text);
    for (int i = 0; i < COUNT; i++) {
        memset(text, 'a' + i % 26, SIZE);
        leat_record r = leat_record_of(leat_string_n(text, (size_t)(SIZE - i)), COUNT - i);
        r.key = leat_int(7);
        leati_key_hash(&r.key, &r.hash);
        assert_int_equal(leati_sorter_add(s, 0, &r, NULL), LEAT_OK);
        if (leati_sorter_is_due(s)) assert_int_equal(leati_sorter_work(s), LEAT_OK);
    }
    assert_int_equal(end(s), LEAT_OK);
    assert_true(leati_sorter_spills(s) > 3);
    leati_pile_key key;
    leati_pile_item item;
    leati_arena arena;
    leati_arena_init(&arena);
    assert_int_equal(next_key(s, &key), LEAT_OK);
    for (int i = COUNT; i-- > 0;) {
        assert_int_equal(next(s, &item), LEAT_OK);
        leat_value v = read_value(item.bytes, item.size, &arena);
        assert_int_equal(v.size, SIZE - i);
        assert_int_equal(v.as.bytes[0], 'a' + i % 26);
        assert_int_equal(v.as.bytes[v.size - 1], 'a' + i % 26);
    }
    assert_int_equal(next(s, &item), LEAT_DONE);
    assert_int_equal(next_key(s, &key), LEAT_DONE);
    leati_arena_fini(&arena);
    leati_sorter_free(s);
    free(text);
}

/* --- what can go wrong ------------------------------------------------------------------------ */

static leat_status whole_life(size_t memory) {
    leati_sorter_options o = {.memory = memory, .dirs = "/tmp"};
    leati_sorter *s = leati_sorter_new(&o);
    leati_pile_key key;
    leati_pile_item item;
    leat_status status = s ? LEAT_OK : LEAT_E_NOMEM;
    int got = 0;
    for (int i = 0; i < 300 && status >= 0; i++)
        status = add(s, leat_string_n(letters + i % 5, (size_t)(i % 40)), 100 - i % 7, 0, i);
    if (status >= 0) status = end(s);
    while (status >= 0 && (status = next_key(s, &key)) == LEAT_OK)
        while (status >= 0 && (status = next(s, &item)) == LEAT_OK) got++;
    leati_sorter_free(s);
    return status < 0 ? status : got == 300 ? LEAT_OK : LEAT_E_INTERNAL;
}

static void sorter_allocation_fails_is_answered(void **state) {
    (void)state;
    static const size_t memories[] = {PLENTY, 4000};
    for (int k = 0; k < 2; k++) {
        leat_status status = LEAT_E_NOMEM;
        for (int64_t n = 1; status != LEAT_OK; n++) {
            leati_alloc_fail_after(n);
            status = whole_life(memories[k]);
            leati_alloc_fail_after(-1);
            assert_true(status == LEAT_OK || status == LEAT_E_NOMEM);
            assert_true(n < 100000);
        }
    }
}

static void sorter_abandoned_work_stops(void **state) {
    (void)state;
    leati_sorter *s = sorter(PLENTY);
    assert_int_equal(add(s, leat_int(1), 1, 0, 1), LEAT_OK);
    leati_sorter_abandon(s);
    assert_int_equal(leati_sorter_work(s), LEAT_E_CANCELLED);
    leati_sorter_free(s);
}

static void sorter_folder_missing_says_what_to_do(void **state) {
    (void)state;
    leati_sorter_options o = {.memory = 1, .dirs = "/no/such/folder"};
    leati_sorter *s = leati_sorter_new(&o);
    assert_int_equal(add(s, leat_int(1), 1, 0, 1), LEAT_E_IO);
    const char *text = leati_sorter_error(s)->text;
    assert_non_null(strstr(text, "/no/such/folder"));
    assert_non_null(strstr(text, "No such file"));
    assert_non_null(strstr(text, "io.tmp.dirs"));
    leati_sorter_free(s);
}

static void replace_file(const leati_run_file *f, const char *path, int flags) {
    int fd = open(path, flags);
    assert_true(fd >= 0);
    assert_true(dup2(fd, f->fd) >= 0);
    close(fd);
}

enum { BLOCK = 64 };

static leat_status write_some(leati_run_file *f, leati_run *run, leat_error *err, int count) {
    leati_run_writer w;
    leati_pile_key key = {.bytes = "k", .value = "v", .size = 1, .value_size = 1, .count = 3};
    leati_pile_item item = {.bytes = "some bytes", .size = 10, .time = 5};
    leat_status status = leati_run_begin(&w, f, BLOCK, err);
    if (status >= 0) status = leati_run_write_key(&w, &key, err);
    for (int i = 0; i < count && status >= 0; i++) status = leati_run_write(&w, &item, err);
    if (status >= 0) status = leati_run_end(&w, run, err);
    leati_run_writer_fini(&w);
    return status;
}

static void run_full_disk_says_so(void **state) {
    (void)state;
    leati_run_file f;
    leati_run run;
    leat_error err = {.status = LEAT_OK};
    leati_run_file_init(&f, "/tmp");
    assert_int_equal(write_some(&f, &run, &err, 3), LEAT_OK);
    replace_file(&f, "/dev/full", O_RDWR);
    assert_int_equal(write_some(&f, &run, &err, 3), LEAT_E_IO);
    assert_non_null(strstr(err.text, "No space left"));
    assert_non_null(strstr(err.text, "io.tmp.dirs"));
    leati_run_file_fini(&f);
}

static leat_status read_some(const leati_run *run, leat_error *err, int *count) {
    leati_run_reader r;
    leati_pile_item item;
    leat_status status;
    leati_run_reader_init(&r, run);
    *count = 0;
    while ((status = leati_run_next_key(&r)) == LEAT_AGAIN)
        if ((status = leati_run_fill(&r, err)) < 0) break;
    while (status == LEAT_OK) {
        status = leati_run_next(&r, &item);
        if (status == LEAT_OK) ++*count;
        if (status == LEAT_AGAIN) status = leati_run_fill(&r, err);
    }
    leati_run_reader_fini(&r);
    return status;
}

/* Every byte of a block is looked at when it is read; reading ends with the key, in the first. */
static void run_damaged_byte_is_found(void **state) {
    (void)state;
    leati_run_file f;
    leati_run run;
    leat_error err = {.status = LEAT_OK};
    int count;
    leati_run_file_init(&f, "/tmp");
    assert_int_equal(write_some(&f, &run, &err, 12), LEAT_OK);
    assert_int_equal(read_some(&run, &err, &count), LEAT_DONE);
    assert_int_equal(count, 3); /* as its key says */
    for (uint64_t at = run.start; at < run.start + BLOCK + LEATI_RUN_BLOCK_HEAD; at++) {
        char byte, wrong;
        assert_int_equal(pread(f.fd, &byte, 1, (off_t)at), 1);
        wrong = (char)(byte ^ 0x10);
        assert_int_equal(pwrite(f.fd, &wrong, 1, (off_t)at), 1);
        err.status = LEAT_OK;
        leat_status status = read_some(&run, &err, &count);
        assert_int_equal(status, LEAT_E_FORMAT);
        assert_non_null(strstr(err.text, "damaged"));
        assert_int_equal(pwrite(f.fd, &byte, 1, (off_t)at), 1);
    }
    leati_run_file_fini(&f);
}

static void run_cut_short_is_found(void **state) {
    (void)state;
    leati_run_file f;
    leati_run run;
    leat_error err = {.status = LEAT_OK};
    int count;
    leati_run_file_init(&f, "/tmp");
    assert_int_equal(write_some(&f, &run, &err, 3), LEAT_OK);
    assert_int_equal(ftruncate(f.fd, (off_t)run.end - 1), 0);
    assert_int_equal(read_some(&run, &err, &count), LEAT_E_FORMAT);
    assert_non_null(strstr(err.text, "damaged"));
    run.end -= 10; /* as if the last block had never been */
    assert_int_equal(read_some(&run, &err, &count), LEAT_E_FORMAT);
    leati_run_file_fini(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorter_random_records_come_as_a_naive_sort_gives_them),
        cmocka_unit_test(sorter_many_spills_are_merged_by_level),
        cmocka_unit_test(sorter_without_records_is_done),
        cmocka_unit_test(sorter_what_fits_into_memory_touches_no_file),
        cmocka_unit_test(sorter_by_arrival_is_a_queue),
        cmocka_unit_test(sorter_large_values_survive_a_file),
        cmocka_unit_test(sorter_allocation_fails_is_answered),
        cmocka_unit_test(sorter_abandoned_work_stops),
        cmocka_unit_test(sorter_folder_missing_says_what_to_do),
        cmocka_unit_test(run_full_disk_says_so),
        cmocka_unit_test(run_damaged_byte_is_found),
        cmocka_unit_test(run_cut_short_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
