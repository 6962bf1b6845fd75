/* config_keys.h: the one table of configuration keys, and what can be asked of a row: which
   row a name means, whether a text is a value of its kind, what the text says. Constant data;
   any thread. */
#ifndef LEATI_CONFIG_KEYS_H
#define LEATI_CONFIG_KEYS_H

#include "leat/base.h"

typedef enum leati_config_kind {
    LEATI_CONFIG_STRING,
    LEATI_CONFIG_INT,
    LEATI_CONFIG_BOOL,
    LEATI_CONFIG_DURATION, /* "200 ms", "10s"; a plain number is milliseconds */
    LEATI_CONFIG_MEMORY,   /* "64mb"; a plain number is bytes */
    LEATI_CONFIG_DOUBLE,
    LEATI_CONFIG_ENUM,
    LEATI_CONFIG_LIST /* "a;b" or "a,b", as the key has it in Flink; stored as it is */
} leati_config_kind;

typedef enum leati_config_status {
    LEATI_CONFIG_IMPLEMENTED,
    LEATI_CONFIG_ACCEPTED, /* Flink's, without meaning here */
    LEATI_CONFIG_REFUSED   /* Flink's, and Leat can't do what it asks for */
} leati_config_status;

/* A fallback that is only known on the machine: the number of cores this process may use. */
#define LEATI_CONFIG_CORES "number of cores"

typedef struct leati_config_key {
    const char *key;
    const char *fallback; /* NULL: none */
    const char *aliases;  /* old names, separated by spaces, or NULL */
    leati_config_kind kind;
    leati_config_status status;
    const char *choices; /* of an ENUM: its values, separated by spaces */
    const char *works;   /* when set: the only values that work today, separated by spaces */
    const char *note;    /* why the others don't, or what is said about an accepted key, or NULL */
    const char *doc;     /* one line */
    int64_t least, most; /* of INT, DURATION and MEMORY; most 0: no limit */
} leati_config_key;

extern const leati_config_key leati_config_table[]; /* sorted by key */
extern const size_t leati_config_table_size;

/* Flink's other keys, which have no row: sorted names, and families that Flink itself keeps
   open. */
extern const char *const leati_config_flink[];
extern const size_t leati_config_flink_size;
extern const char *const leati_config_families[];
extern const size_t leati_config_families_size;

/* The row that is called `name`, or was once; NULL when there is none. */
const leati_config_key *leati_config_key_find(const char *name);
/* Does Flink know this key, although it has no row? */
bool leati_config_flink_knows(const char *name);
/* The known key with the smallest edit distance, or NULL when none is near. Lent for ever. */
const char *leati_config_nearest(const char *name);

const char *leati_config_kind_name(leati_config_kind kind);
const char *leati_config_status_name(leati_config_status status);
/* Is `word` one of the space separated words of `list`, in any case? `*found` gets the list's
   own. */
bool leati_config_word(const char *list, const char *word, const char **found, size_t *size);

/* Readers of values: false when the text is none. Space around it is fine. */
bool leati_config_read_int(const char *text, int64_t *out);
bool leati_config_read_bool(const char *text, bool *out);
bool leati_config_read_double(const char *text, double *out);
bool leati_config_read_duration(const char *text, int64_t *milliseconds); /* fractions are cut */
bool leati_config_read_bytes(const char *text, int64_t *bytes);

/* Checks `text` as a value of `row`; `where` is for the error. An ENUM or BOOL is written into
   `canonical` (room for 40 bytes) as the table spells it; otherwise `canonical` is "". */
leat_status leati_config_check(const leati_config_key *row, const char *text, const char *where,
                               char canonical[40], leat_error *err);

#endif
