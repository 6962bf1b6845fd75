/* Tests of store.c and store_write.c: what was written is read, all damage is refused, no size is
   believed, memory may run out at any point. */
#include "damage.h"

#include "runtime/base/alloc.h"
#include "runtime/base/compress.h"
#include "runtime/state/store.h"
#include "runtime/state/store_form.h"

static leat_status append(void *arg, const void *bytes, size_t size) {
    leati_buf *out = arg;
    leati_buf_append(out, bytes, size);
    return out->failed ? LEAT_E_NOMEM : LEAT_OK;
}

static const leati_row op = {.kind = LEATI_ROW_OPERATOR,
                             .name = "counts",
                             .text = "Keyed Reduce",
                             .subtask = 1,
                             .parallelism = 3,
                             .max_parallelism = 128,
                             .watermark = INT64_MIN,
                             .forwarded = -7,
                             .ends = 3,
                             .keys = "LONG"};
static const leati_row table = {.kind = LEATI_ROW_TABLE,
                                .name = "sum",
                                .text = "BIGINT",
                                .state = LEAT_MAP_STATE,
                                .of_function = true,
                                .expiry = LEATI_EXPIRES,
                                .distribution = LEAT_BROADCAST_STATE};
static const leati_row cells = {.kind = LEATI_ROW_CELLS, .group = 127};
static const leati_row timers = {
    .kind = LEATI_ROW_TIMERS, .domain = LEAT_PROCESSING_TIME, .group = 5};
static const leati_row item = {
    .kind = LEATI_ROW_ITEM, .name = "position", .distribution = LEAT_UNION_LIST};

static void fill(leati_chunk *c) {
    static const char zeros[300];
    leati_chunk_add(c, &op, NULL, 0);
    leati_chunk_add(c, &item, "", 0);
    leati_chunk_add(c, &table, NULL, 0);
    leati_chunk_add(c, &cells, zeros, sizeof zeros);
    leati_chunk_add(c, &timers, "\1\2\3", 3);
}

static leat_status write(leati_buf *out, bool compress, void (*filler)(leati_chunk *)) {
    leati_store_writer w;
    leati_store_sink sink = {append, out};
    leati_chunk c = {0};
    leat_status status = leati_store_begin(&w, &sink, compress);
    if (filler) filler(&c);
    if (status >= 0) status = leati_store_take(&w, &c);
    if (status >= 0) status = leati_store_end(&w);
    if (status >= 0) assert_int_equal(w.offset, out->size);
    leati_store_writer_fini(&w);
    leati_chunk_fini(&c);
    return status;
}

static leati_buf written(bool compress, void (*filler)(leati_chunk *)) {
    leati_buf out;
    leati_buf_init(&out);
    assert_int_equal(write(&out, compress, filler), LEAT_OK);
    return out;
}

static bool reads(const char *bytes, size_t size) {
    leat_error err = {.text = ""};
    leati_store *s = leati_store_of(bytes, size, &err);
    bool good = s && leati_store_verify(s, NULL, &err) >= 0;
    if (!good) assert_true(err.status == LEAT_E_FORMAT && err.text[0]);
    leati_store_free(s);
    return good;
}

/* --- what was written ------------------------------------------------------------------------- */

static void expect_section(leati_store *s, const leati_row *e, const char *bytes, size_t size) {
    leat_error err;
    const void *got;
    size_t got_size;
    assert_int_equal(leati_store_read(s, e, &got, &got_size, &err), LEAT_OK);
    assert_int_equal(got_size, size);
    if (size) assert_memory_equal(got, bytes, size);
}

static void expect_all(leati_store *s) {
    static const char zeros[300];
    const leati_row *rows;
    assert_int_equal(leati_store_rows(s, &rows), 5);
    assert_int_equal(rows[0].kind, LEATI_ROW_OPERATOR);
    assert_string_equal(rows[0].name, "counts");
    assert_string_equal(rows[0].text, "Keyed Reduce");
    assert_true(rows[0].subtask == 1 && rows[0].parallelism == 3);
    assert_int_equal(rows[0].max_parallelism, 128);
    assert_true(rows[0].watermark == INT64_MIN && rows[0].forwarded == -7 && rows[0].ends == 3);
    assert_string_equal(rows[0].keys, "LONG");
    assert_string_equal(rows[1].name, "position");
    assert_int_equal(rows[1].distribution, LEAT_UNION_LIST);
    expect_section(s, &rows[1], "", 0);
    assert_string_equal(rows[2].name, "sum");
    assert_string_equal(rows[2].text, "BIGINT");
    assert_true(rows[2].state == LEAT_MAP_STATE && rows[2].of_function);
    assert_int_equal(rows[2].distribution, LEAT_BROADCAST_STATE);
    assert_int_equal(rows[2].expiry, LEATI_EXPIRES);
    assert_int_equal(rows[3].group, 127);
    expect_section(s, &rows[3], zeros, sizeof zeros);
    assert_true(rows[4].domain == LEAT_PROCESSING_TIME && rows[4].group == 5);
    expect_section(s, &rows[4], "\1\2\3", 3);
}

static void store_gives_back_what_was_written(void **state) {
    (void)state;
    for (int compress = 0; compress < 2; compress++) {
        leat_error err;
        leati_buf b = written(compress, fill);
        leati_store *s = leati_store_of(b.bytes, b.size, &err);
        assert_non_null(s);
        expect_all(s);
        leati_store_free(s);
        leati_buf_fini(&b);
    }
}

static void store_compresses_what_gets_smaller(void **state) {
    (void)state;
    leati_buf plain = written(false, fill), packed = written(true, fill);
    leat_error err;
    leati_store *s = leati_store_of(packed.bytes, packed.size, &err);
    const leati_row *rows;
    leati_store_rows(s, &rows);
    assert_true(rows[3].stored < 50 && rows[3].size == 300);
    assert_true(rows[4].stored == 3 && rows[4].size == 3);
    assert_true(packed.size + 250 < plain.size);
    leati_store_free(s);
    leati_buf_fini(&plain);
    leati_buf_fini(&packed);
}

static void store_without_sections_is_fine(void **state) {
    (void)state;
    leat_error err;
    const leati_row *rows;
    leati_buf b = written(false, NULL);
    assert_int_equal(b.size, LEATI_STORE_HEAD + LEATI_STORE_TAIL);
    leati_store *s = leati_store_of(b.bytes, b.size, &err);
    assert_non_null(s);
    assert_int_equal(leati_store_rows(s, &rows), 0);
    assert_int_equal(leati_store_verify(s, NULL, &err), LEAT_OK);
    leati_store_free(s);
    leati_buf_fini(&b);
}

static void chunks_in_a_row_are_one_file(void **state) {
    (void)state;
    leati_buf whole = written(false, fill), b;
    leati_store_writer w;
    leati_buf_init(&b);
    leati_store_sink sink = {append, &b};
    assert_int_equal(leati_store_begin(&w, &sink, false), LEAT_OK);
    const leati_row *const rows[] = {&op, &item, &table};
    for (size_t i = 0; i < 3; i++) {
        leati_chunk c = {0};
        leati_chunk_add(&c, rows[i], "", 0);
        assert_int_equal(leati_store_take(&w, &c), LEAT_OK);
        leati_chunk_fini(&c);
    }
    static const char zeros[300];
    leati_chunk first = {0}, second = {0};
    leati_chunk_add(&first, &cells, zeros, sizeof zeros);
    leati_chunk_add(&second, &timers, "\1\2\3", 3);
    leati_chunk_append(&first, &second);
    assert_int_equal(leati_store_take(&w, &first), LEAT_OK);
    assert_int_equal(leati_store_end(&w), LEAT_OK);
    leati_chunk_fini(&first);
    leati_chunk_fini(&second);
    leati_store_writer_fini(&w);
    assert_int_equal(b.size, whole.size);
    assert_memory_equal(b.bytes, whole.bytes, b.size);
    leati_buf_fini(&b);
    leati_buf_fini(&whole);
}

static leat_status refuse(void *arg, const void *bytes, size_t size) {
    size_t *room = arg;
    (void)bytes;
    if (size > *room) return LEAT_E_IO;
    *room -= size;
    return LEAT_OK;
}

static void writer_says_what_its_sink_said(void **state) {
    (void)state;
    leati_buf whole = written(false, fill);
    for (size_t most = 0; most < whole.size; most++) {
        size_t room = most;
        leati_store_sink sink = {refuse, &room};
        leati_store_writer w;
        leati_chunk c = {0};
        fill(&c);
        leat_status status = leati_store_begin(&w, &sink, false);
        if (status >= 0) status = leati_store_take(&w, &c);
        if (status >= 0) status = leati_store_end(&w);
        assert_int_equal(status, LEAT_E_IO);
        leati_store_writer_fini(&w);
        leati_chunk_fini(&c);
    }
    leati_buf_fini(&whole);
}

/* --- what is damaged -------------------------------------------------------------------------- */

static void every_damage_is_refused(void **state) {
    (void)state;
    for (int compress = 0; compress < 2; compress++) {
        leati_buf b = written(compress, fill);
        expect_every_damage_refused(reads, b.bytes, b.size);
        leati_buf_fini(&b);
    }
    leati_buf empty = written(false, NULL);
    expect_every_damage_refused(reads, empty.bytes, empty.size);
    leati_buf_fini(&empty);
}

static void bytes_behind_the_end_are_refused(void **state) {
    (void)state;
    leati_buf b = written(false, fill);
    leati_buf_u8(&b, 0);
    assert_false(reads(b.bytes, b.size));
    leati_buf_fini(&b);
}

/* A file with this index, whose checksums are right, behind `size` bytes of sections. */
static bool reads_index(const leati_buf *index, uint64_t rows, size_t size) {
    static const char zeros[64];
    leati_buf b;
    leati_buf_init(&b);
    leati_buf_append(&b, LEATI_STORE_MAGIC, LEATI_MAGIC_SIZE);
    leati_buf_u32(&b, LEATI_STORE_VERSION);
    leati_buf_u32(&b, leati_crc32(0, b.bytes, b.size));
    leati_buf_append(&b, zeros, size);
    size_t at = b.size, tail;
    leati_buf_append(&b, index->bytes, index->size);
    tail = b.size;
    leati_buf_u64(&b, at);
    leati_buf_u64(&b, index->size);
    leati_buf_u64(&b, rows);
    leati_buf_u32(&b, leati_crc32(0, index->bytes, index->size));
    leati_buf_u32(&b, leati_crc32(0, b.bytes + tail, b.size - tail));
    leati_buf_append(&b, LEATI_STORE_END, LEATI_MAGIC_SIZE);
    bool good = reads(b.bytes, b.size);
    leati_buf_fini(&b);
    return good;
}

static void put_operator(leati_buf *b, uint64_t subtask, uint64_t parallelism, uint64_t most) {
    leati_buf_u8(b, LEATI_ROW_OPERATOR);
    leati_buf_blob(b, "a", 1);
    leati_buf_blob(b, "A", 1);
    leati_buf_varint(b, subtask);
    leati_buf_varint(b, parallelism);
    leati_buf_varint(b, most);
    leati_buf_zigzag(b, 0);
    leati_buf_zigzag(b, 0);
    leati_buf_varint(b, 0);
    leati_buf_blob(b, "", 0);
}

static void put_item(leati_buf *b, uint64_t offset, uint64_t stored, uint64_t size) {
    static const char zeros[64];
    leati_buf_u8(b, LEATI_ROW_ITEM);
    leati_buf_blob(b, "i", 1);
    leati_buf_u8(b, LEAT_SPLIT_LIST);
    leati_buf_varint(b, offset);
    leati_buf_varint(b, stored);
    leati_buf_varint(b, size);
    leati_buf_u32(b, leati_crc32(0, zeros, stored < 64 ? (size_t)stored : 64));
}

static bool reads_item(uint64_t offset, uint64_t stored, uint64_t size, size_t room) {
    leati_buf index;
    leati_buf_init(&index);
    put_operator(&index, 0, 1, 1);
    put_item(&index, offset, stored, size);
    bool good = reads_index(&index, 2, room);
    leati_buf_fini(&index);
    return good;
}

static void places_that_lie_are_refused(void **state) {
    (void)state;
    assert_true(reads_item(16, 10, 10, 10));
    assert_false(reads_item(16, 10, 9, 10));       /* larger than it was */
    assert_false(reads_item(16, 10, 1000000, 10)); /* nothing gets so small */
    assert_false(reads_item(16, 10, 20, 10));      /* not compressed at all */
    assert_false(reads_item(15, 10, 10, 10));      /* in the head */
    assert_false(reads_item(17, 10, 10, 11));      /* behind a byte of nobody's */
    assert_false(reads_item(16, 10, 10, 11));      /* before one */
    assert_false(reads_item(16, UINT64_MAX, UINT64_MAX, 10));
    assert_false(reads_item(UINT64_MAX, 10, 10, 10));
    assert_false(reads_item(16, 1u << 20, 1u << 20, 10)); /* beyond the file */
}

static bool reads_operator(uint64_t subtask, uint64_t parallelism, uint64_t most, uint64_t rows) {
    leati_buf index;
    leati_buf_init(&index);
    put_operator(&index, subtask, parallelism, most);
    bool good = reads_index(&index, rows, 0);
    leati_buf_fini(&index);
    return good;
}

static void rows_that_lie_are_refused(void **state) {
    (void)state;
    assert_true(reads_operator(0, 1, 128, 1));
    assert_false(reads_operator(1, 1, 128, 1));
    assert_false(reads_operator(0, 129, 128, 1));
    assert_false(reads_operator(0, 1, UINT64_MAX, 1));
    assert_false(reads_operator(0, 1, 128, 0));
    assert_false(reads_operator(0, 1, 128, 2));
    assert_false(reads_operator(0, 1, 128, UINT64_MAX));
    leati_buf index;
    leati_buf_init(&index);
    put_item(&index, 16, 0, 0); /* of no operator */
    assert_false(reads_index(&index, 1, 0));
    index.size = 0;
    put_operator(&index, 0, 1, 1);
    leati_buf_u8(&index, LEATI_ROW_CELLS); /* of no table */
    leati_buf_varint(&index, 0);
    leati_buf_varint(&index, 16);
    leati_buf_varint(&index, 0);
    leati_buf_varint(&index, 0);
    leati_buf_u32(&index, 0);
    assert_false(reads_index(&index, 2, 0));
    index.size = 0;
    leati_buf_u8(&index, 99);
    leati_buf_u8(&index, 0);
    assert_false(reads_index(&index, 1, 0));
    leati_buf_fini(&index);
}

static void another_version_is_named(void **state) {
    (void)state;
    leat_error err;
    leati_buf b = written(false, fill);
    b.bytes[LEATI_MAGIC_SIZE] = 9;
    uint32_t crc = leati_crc32(0, b.bytes, LEATI_STORE_HEAD - 4);
    for (int i = 0; i < 4; i++) b.bytes[LEATI_STORE_HEAD - 4 + i] = (char)(crc >> (8 * i));
    assert_null(leati_store_of(b.bytes, b.size, &err));
    assert_string_equal(err.text, "it has format 9, and this Leat reads formats 1 to 2");
    leati_buf_fini(&b);
}

/* --- memory ----------------------------------------------------------------------------------- */

static leat_status read_all(const leati_buf *b) {
    leat_error err;
    leati_store *s = leati_store_of(b->bytes, b->size, &err);
    if (!s) return err.status;
    leat_status status = leati_store_verify(s, NULL, &err);
    leati_store_free(s);
    return status;
}

static void memory_may_run_out_anywhere(void **state) {
    (void)state;
    leati_buf good = written(true, fill);
    leat_status status = LEAT_E_NOMEM;
    for (int n = 0; status != LEAT_OK; n++) {
        leati_buf out;
        leati_buf_init(&out);
        leati_alloc_fail_after(n);
        status = write(&out, false, fill);
        leati_alloc_fail_after(-1);
        assert_true(status == LEAT_OK || status == LEAT_E_NOMEM);
        if (status == LEAT_OK) assert_true(reads(out.bytes, out.size));
        leati_buf_fini(&out);
    }
    status = LEAT_E_NOMEM;
    for (int n = 0; status != LEAT_OK; n++) {
        leati_alloc_fail_after(n);
        status = read_all(&good);
        leati_alloc_fail_after(-1);
        assert_true(status == LEAT_OK || status == LEAT_E_NOMEM);
    }
    leati_buf_fini(&good);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(store_gives_back_what_was_written),
        cmocka_unit_test(store_compresses_what_gets_smaller),
        cmocka_unit_test(store_without_sections_is_fine),
        cmocka_unit_test(chunks_in_a_row_are_one_file),
        cmocka_unit_test(writer_says_what_its_sink_said),
        cmocka_unit_test(every_damage_is_refused),
        cmocka_unit_test(bytes_behind_the_end_are_refused),
        cmocka_unit_test(places_that_lie_are_refused),
        cmocka_unit_test(rows_that_lie_are_refused),
        cmocka_unit_test(another_version_is_named),
        cmocka_unit_test(memory_may_run_out_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
