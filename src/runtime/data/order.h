/* order.h: the bytes of a native value that sort as the values do: of the keys of ordered maps.
   Format in docs/formats/key.md, "Bytes that keep the order". */
#ifndef LEATI_ORDER_H
#define LEATI_ORDER_H

#include "leat/value.h"
#include "runtime/base/buf.h"

/* Appends the bytes. LEAT_E_TYPE for what has no order: maps, objects, and what holds one. */
leat_status leati_order_write(const leat_value *v, leati_buf *out);

#endif
