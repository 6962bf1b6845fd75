/* config.h: what a job is configured with: values for keys of the one table (config_keys.h),
   each remembered with where it came from. The environment owns one; the plan and every
   worker get copies. A config has one owner and one thread. Keys may be given by their old
   names everywhere. */
#ifndef LEATI_CONFIG_H
#define LEATI_CONFIG_H

#include "leat/base.h"
#include "runtime/base/buf.h"

typedef struct leati_config leati_config;

/* A value replaces one of the same or a weaker source; one of a stronger source stays. */
typedef enum leati_config_source {
    LEATI_CONFIG_DEFAULT = 0,
    LEATI_CONFIG_FILE = 1,     /* LEAT_CONF, ./leat.yaml */
    LEATI_CONFIG_LAUNCHER = 2, /* -D */
    LEATI_CONFIG_PROGRAM = 3
} leati_config_source;

leati_config *leati_config_new(void);                      /* NULL when memory ran out */
leati_config *leati_config_copy(const leati_config *from); /* NULL when memory ran out */
void leati_config_free(leati_config *config);              /* NULL is fine */

/* Copies `value`, after checking it. LEAT_E_CONFIG: unknown key (the error names the nearest) or
   bad value (the error names what is allowed). LEAT_E_UNSUPPORTED: Leat refuses the key or the
   value, the error says why. A key that has no meaning here is stored, and said once in the log. A
   value that a stronger source holds is checked, too, and then left out. */
leat_status leati_config_set(leati_config *config, const char *key, const char *value,
                             leati_config_source source, leat_error *err);
/* The same; `where` is what errors name: a file and line, "-D". */
leat_status leati_config_set_at(leati_config *config, const char *key, const char *value,
                                leati_config_source source, const char *where, leat_error *err);
/* Back to the default, whatever the source was. LEAT_E_CONFIG for an unknown key. */
leat_status leati_config_unset(leati_config *config, const char *key, leat_error *err);

/* The effective text: the value, or else the default ("4" where the default is the number of
   cores). NULL for an unknown key and for one that has no value. Lent until the key is set
   again. */
const char *leati_config_get(const leati_config *config, const char *key);
leati_config_source leati_config_source_of(const leati_config *config, const char *key);

/* The effective value, read by the key's kind. Asserts that the key is in the table with that kind;
   0 or false for a key without a value. */
int64_t leati_config_int(const leati_config *config, const char *key);
bool leati_config_bool(const leati_config *config, const char *key);
int64_t leati_config_duration_ms(const leati_config *config, const char *key);
int64_t leati_config_bytes(const leati_config *config, const char *key);
double leati_config_double(const leati_config *config, const char *key);

/* Walks the keys that were set, sorted by key; start with *at = 0. False at the end. */
bool leati_config_next(const leati_config *config, size_t *at, const char **key, const char **value,
                       leati_config_source *source);

/* What was set, as bytes for a worker: varint count, then per key: u8 source, blob key, blob value.
   Decoding replaces what `config` held and says nothing in the log; LEAT_E_FORMAT on damage. */
void leati_config_encode(const leati_config *config, leati_buf *out);
leat_status leati_config_decode(leati_config *config, const void *bytes, size_t size,
                                leat_error *err);

/* Reads a flat file of `key: value` lines: '#' starts a comment at the start of a line or after a
   space, values may stand in '...' or "...". LEAT_E_NOT_FOUND, LEAT_E_IO; other errors name the
   line as "leat.yaml:3". What stood before a wrong line is set. */
leat_status leati_config_read_file(leati_config *config, const char *path, leat_error *err);
/* The same for text; `name` is how errors call it. */
leat_status leati_config_read_text(leati_config *config, const char *name, const char *text,
                                   leat_error *err);
/* Reads the file that LEAT_CONF names, if it names one. */
leat_status leati_config_read_environment(leati_config *config, leat_error *err);

#endif
