/* store_form.h: what the writer and the reader of stores must agree on, beside
   docs/formats/snapshot.md. */
#ifndef LEATI_STORE_FORM_H
#define LEATI_STORE_FORM_H

#define LEATI_STORE_MAGIC "LEATSNAP"
#define LEATI_STORE_END   "LEATDONE"

enum {
    LEATI_MAGIC_SIZE = 8,
    LEATI_STORE_HEAD = 16, /* magic, version, crc */
    LEATI_STORE_TAIL = 40, /* place, size and rows of the index, its crc, the tail's crc, magic */
    LEATI_SMALLEST_ROW = 2
};

#endif
