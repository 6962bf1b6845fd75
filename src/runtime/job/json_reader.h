/* json_reader.h: reads members of an object of JSON, such as a job's answer to `leat status`. A
   view into the text, which nothing is copied from but strings. */
#ifndef LEATI_JSON_READER_H
#define LEATI_JSON_READER_H

#include "leat/base.h"

/* One whole value of the text. */
typedef struct leati_json {
    const char *at, *end;
} leati_json;

/* The one value that the text is; false when it is none, or more. Nested 32 deep at most. */
bool leati_json_read(const char *text, size_t size, leati_json *out);
/* The first member of that name; false when `object` is none or has none. */
bool leati_json_member(leati_json object, const char *name, leati_json *out);
/* The items of a list, one by one; start with *at = NULL. False at the end, or when it is none. */
bool leati_json_item(leati_json list, const char **at, leati_json *out);
/* A string, decoded; allocated. NULL when it is none, holds a zero, or memory ran out. */
char *leati_json_text(leati_json value);
/* A number without its fraction; 0 when it is none. */
int64_t leati_json_int(leati_json value);

#endif
