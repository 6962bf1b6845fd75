/* text_split_store.h: splits in snapshots of a text source. */
#ifndef LEATI_TEXT_SPLIT_STORE_H
#define LEATI_TEXT_SPLIT_STORE_H

#include "connectors/text_split.h"
#include "leat/operator.h"

/* Those from index `from` on; instead of the first one its `rest`, if there is one. */
leat_status leati_text_splits_write(const leati_text_splits *splits, size_t from,
                                    const leati_text_split *rest, leat_snapshot *out);
/* Appends what was written. */
leat_status leati_text_splits_read(leati_text_splits *splits, leat_snapshot *in);

#endif
