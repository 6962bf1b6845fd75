/* schema.h: field names of rows, interned (leat_schema_get). The key of a schema is its names as
   they stand on the wire: one blob each. Any thread. */
#ifndef LEATI_SCHEMA_H
#define LEATI_SCHEMA_H

#include "leat/value.h"

/* The schema of `count` names whose blobs fill `bytes`. NULL when memory ran out. The blobs must be
   whole, and no name may contain a zero byte. */
const leat_schema *leati_schema_intern(const char *bytes, size_t size, size_t count);

#endif
