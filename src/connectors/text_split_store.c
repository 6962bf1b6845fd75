/* text_split_store.c: items "split" of a split list, each with one split or several, one behind
   the other: blob path, u64 start, u64 end, u8 with 1 aligned and 2 gzip. Items are dealt out again
   when the job is restored. There are at least ITEMS of them if there are as many splits, and not
   many more, since an item takes longer to add than a split to write. */
#include "connectors/text_split_store.h"

#include "runtime/base/alloc.h"
#include "runtime/base/buf.h"

enum { ITEMS = 64 };

static void write_split(leati_buf *buf, const leati_text_split *split) {
    leati_buf_blob(buf, split->path, strlen(split->path));
    leati_buf_u64(buf, split->start);
    leati_buf_u64(buf, split->end);
    leati_buf_u8(buf, (uint8_t)(split->aligned | split->gzip << 1));
}

leat_status leati_text_splits_write(const leati_text_splits *splits, size_t from,
                                    const leati_text_split *rest, leat_snapshot *out) {
    leati_buf buf;
    leati_buf_init(&buf);
    leat_status status = LEAT_OK;
    size_t share = from < splits->count ? (splits->count - from) / ITEMS : 0;
    for (size_t i = from; status >= 0 && i < splits->count;) {
        buf.size = 0;
        for (size_t end = i + (share ? share : 1); i < end && i < splits->count; i++)
            write_split(&buf, i == from && rest ? rest : &splits->items[i]);
        status = buf.failed
                     ? LEAT_E_NOMEM
                     : leat_snapshot_write(out, "split", LEAT_SPLIT_LIST, buf.bytes, buf.size);
    }
    leati_buf_fini(&buf);
    return status;
}

static leat_status read_split(leati_text_splits *splits, leati_reader *in) {
    leati_text_split split = {.path = leati_reader_text(in)};
    split.start = leati_reader_u64(in);
    split.end = leati_reader_u64(in);
    uint8_t flags = leati_reader_u8(in);
    split.aligned = flags & 1;
    split.gzip = flags >> 1 & 1;
    leat_status status = LEAT_E_FORMAT;
    if (!in->failed && split.path) status = leati_text_splits_add(splits, &split);
    leati_free(split.path);
    return status;
}

static leat_status read_item(leati_text_splits *splits, const void *bytes, size_t size) {
    leati_reader in = leati_reader_of(bytes, size);
    leat_status status = LEAT_OK;
    do status = read_split(splits, &in);
    while (status >= 0 && leati_reader_left(&in));
    return status;
}

leat_status leati_text_splits_read(leati_text_splits *splits, leat_snapshot *in) {
    const void *bytes;
    size_t size;
    leat_status status = LEAT_OK;
    for (size_t i = 0; status == LEAT_OK; i++) {
        status = leat_snapshot_read(in, "split", i, &bytes, &size);
        if (status == LEAT_OK) status = read_item(splits, bytes, size);
    }
    return status < 0 ? status : LEAT_OK;
}
