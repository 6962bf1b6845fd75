/* type.h: what is known of a stream's values before they come. Types are immutable, interned and
   live until the process ends; two equal types are one pointer. */
#ifndef LEAT_TYPE_H
#define LEAT_TYPE_H

#include "value.h"

#ifdef __cplusplus
extern "C" {
#endif

/* PyFlink's type names. LEAT_T_PICKLED is "not known": values travel as they are. */
typedef enum leat_type_tag {
    LEAT_T_PICKLED = 0,
    LEAT_T_STRING,
    LEAT_T_BYTE,
    LEAT_T_BOOLEAN,
    LEAT_T_SHORT,
    LEAT_T_INT,
    LEAT_T_LONG,
    LEAT_T_FLOAT,
    LEAT_T_DOUBLE,
    LEAT_T_CHAR,
    LEAT_T_BIG_INT,
    LEAT_T_BIG_DEC,
    LEAT_T_INSTANT,
    LEAT_T_SQL_DATE,
    LEAT_T_SQL_TIME,
    LEAT_T_SQL_TIMESTAMP,
    LEAT_T_TUPLE,
    LEAT_T_ROW,
    LEAT_T_LIST,
    LEAT_T_MAP,
    LEAT_T_PRIMITIVE_ARRAY,
    LEAT_T_BASIC_ARRAY,
    LEAT_T_OBJECT_ARRAY
} leat_type_tag;

typedef struct leat_type leat_type;
struct leat_type {
    leat_type_tag tag;
    uint32_t size;                 /* number of children */
    const leat_type *const *items; /* fields of tuples and rows; element; key and value */
    const leat_schema *schema;     /* rows with names; otherwise NULL */
    const char *text;              /* how leat_type_parse would read it */
};

/* Two ways to write a value. They differ in rows: print() gives "+I[a,1]" and "None", a string
   encoder in a file "+I[a, 1]" and "null". */
typedef enum leat_text_form { LEAT_TEXT_PRINT = 0, LEAT_TEXT_STRING = 1 } leat_text_form;

/* Reads "TUPLE<STRING,INT>", "ROW<\"name\" STRING,\"n\" LONG>", "LIST<LONG>", "MAP<STRING,LONG>",
   "PRIMITIVE_ARRAY<INT>" and so on. NULL with `err` filled when the text is wrong. Any thread. */
LEAT_API const leat_type *leat_type_parse(const char *text, leat_error *err);

#ifdef __cplusplus
}
#endif
#endif
