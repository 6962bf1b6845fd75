/* type.c: types from their text, interned by that text. The grammar, without spaces unless said:

     type  = NAME | TUPLE<types> | ROW<types> | ROW<"name" type, ...> | LIST<type> | MAP<type,type>
           | PRIMITIVE_ARRAY<type> | BASIC_ARRAY<type> | OBJECT_ARRAY<type>
     types = [ type {"," type} ]

   Spaces may stand anywhere between words; `\"` and `\\` in a name are a quote and a backslash. The
   interned text is the one without spaces but the one behind a name. Inner types are interned
   first, so equal types are one pointer from the inside out. Any thread. */
#include "leat/type.h"

#include "runtime/base/alloc.h"
#include "runtime/base/buf.h"
#include "runtime/base/hash.h"
#include "runtime/base/hashmap.h"

#include <ctype.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

enum { TYPE_DEPTH = 64, FIELDS_MAX = 4096 };

static const char *const tag_names[] = {
    "PICKLED",     "STRING",        "BYTE",  "BOOLEAN", "SHORT",   "INT",     "LONG",
    "FLOAT",       "DOUBLE",        "CHAR",  "BIG_INT", "BIG_DEC", "INSTANT", "SQL_DATE",
    "SQL_TIME",    "SQL_TIMESTAMP", "TUPLE", "ROW",     "LIST",    "MAP",     "PRIMITIVE_ARRAY",
    "BASIC_ARRAY", "OBJECT_ARRAY"};
enum { TAG_COUNT = sizeof tag_names / sizeof *tag_names };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* guards the table */
static leati_hashmap types;

/* --- Interning -------------------------------------------------------------------------------- */

/* A type under construction: its children, and the blobs of their names. */
typedef struct draft {
    leat_type_tag tag;
    const leat_type **items;
    uint32_t size, room, named;
    leati_buf names;
} draft;

static void draft_fini(draft *d) {
    leati_free(d->items);
    leati_buf_fini(&d->names);
}

static void put_name(leati_buf *out, const char *name) {
    leati_buf_u8(out, '"');
    for (; *name; name++) {
        if (*name == '"' || *name == '\\') leati_buf_u8(out, '\\');
        leati_buf_u8(out, (uint8_t)*name);
    }
    leati_buf_text(out, "\" ");
}

static void draft_text(const draft *d, const leat_schema *schema, leati_buf *out) {
    leati_buf_text(out, tag_names[d->tag]);
    if (d->tag < LEAT_T_TUPLE) return;
    leati_buf_u8(out, '<');
    for (uint32_t i = 0; i < d->size; i++) {
        if (i) leati_buf_u8(out, ',');
        if (schema) put_name(out, schema->names[i]);
        leati_buf_text(out, d->items[i]->text);
    }
    leati_buf_u8(out, '>');
}

/* One allocation: the type, its children, its text. */
static leat_type *type_make(const draft *d, const leat_schema *schema, const leati_buf *text) {
    size_t items = d->size * sizeof *d->items;
    leat_type *made = leati_alloc(sizeof *made + items + text->size + 1);
    if (!made) return NULL;
    const leat_type **children = (const leat_type **)(void *)(made + 1);
    if (items) memcpy(children, d->items, items);
    char *copy = (char *)(children + d->size);
    memcpy(copy, text->bytes, text->size);
    copy[text->size] = 0;
    *made = (leat_type){d->tag, d->size, d->size ? children : NULL, schema, copy};
    return made;
}

static const leat_type *type_find_or_make(const draft *d, const leat_schema *schema,
                                          const leati_buf *text) {
    uint64_t hash = leati_hash(text->bytes, text->size);
    pthread_mutex_lock(&mutex);
    if (!types.slot_size) leati_hashmap_init(&types, sizeof(leat_type *));
    bool added;
    leat_type **found = leati_hashmap_add(&types, hash, text->bytes, text->size, &added);
    if (found && added) {
        *found = type_make(d, schema, text);
        if (!*found) {
            leati_hashmap_remove(&types, found);
            found = NULL;
        }
    }
    const leat_type *type = found ? *found : NULL;
    pthread_mutex_unlock(&mutex);
    return type;
}

static const leat_schema *draft_schema(const draft *d) {
    leati_reader in = leati_reader_of(d->names.bytes, d->names.size);
    const char *names[FIELDS_MAX];
    for (uint32_t i = 0; i < d->size; i++) {
        size_t size = 0;
        names[i] = leati_reader_blob(&in, &size); /* with its zero byte */
    }
    return leat_schema_get(names, d->size);
}

static const leat_type *draft_intern(const draft *d) {
    const leat_schema *schema = NULL;
    if (d->named && !(schema = draft_schema(d))) return NULL;
    leati_buf text;
    leati_buf_init(&text);
    draft_text(d, schema, &text);
    const leat_type *type = text.failed ? NULL : type_find_or_make(d, schema, &text);
    leati_buf_fini(&text);
    return type;
}

/* --- Parsing ---------------------------------------------------------------------------------- */

typedef struct parser {
    const char *text, *at;
    leat_error *err;
    bool failed;
} parser;

static const leat_type *parse_type(parser *p, int depth);

/* The first failure counts. Answers NULL. */
static const leat_type *parse_fail(parser *p, leat_status status, const char *format, ...)
    LEAT_PRINTF(3, 4);
static const leat_type *parse_fail(parser *p, leat_status status, const char *format, ...) {
    if (p->failed) return NULL;
    p->failed = true;
    char why[400];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    leat_error_set(p->err, status, "leat_type_parse", "%s at position %zu of the type \"%.300s\"",
                   why, (size_t)(p->at - p->text) + 1, p->text);
    return NULL;
}

static void no_memory(parser *p) {
    parse_fail(p, LEAT_E_NOMEM, "out of memory");
}

static void skip_spaces(parser *p) {
    while (isspace((unsigned char)*p->at)) p->at++;
}

static bool take(parser *p, char c) {
    skip_spaces(p);
    if (*p->at != c) return false;
    p->at++;
    return true;
}

static bool expect(parser *p, const char *what, char c) {
    if (p->failed || take(p, c)) return !p->failed;
    parse_fail(p, LEAT_E_ARGUMENT, "%s is missing", what);
    return false;
}

/* A quoted name is appended to `names`, as a blob with a zero byte. */
static void parse_name(parser *p, leati_buf *names) {
    const char *start = p->at;
    leati_buf name;
    leati_buf_init(&name);
    while (*p->at && *p->at != '"') {
        if (*p->at == '\\' && (p->at[1] == '"' || p->at[1] == '\\')) p->at++;
        leati_buf_u8(&name, (uint8_t)*p->at++);
    }
    if (!*p->at) {
        p->at = start;
        parse_fail(p, LEAT_E_ARGUMENT, "the closing quote of a field's name is missing");
    }
    leati_buf_u8(&name, 0);
    p->at += *p->at == '"';
    leati_buf_blob(names, name.bytes, name.size);
    if (name.failed || names->failed) no_memory(p);
    leati_buf_fini(&name);
}

static bool name_taken(const draft *d, size_t start) {
    leati_reader last = leati_reader_of(d->names.bytes + start, d->names.size - start);
    size_t size = 0, other_size = 0;
    const char *name = leati_reader_blob(&last, &size);
    leati_reader in = leati_reader_of(d->names.bytes, start);
    while (leati_reader_left(&in)) {
        const char *other = leati_reader_blob(&in, &other_size);
        if (other && size == other_size && memcmp(name, other, size) == 0) return true;
    }
    return false;
}

/* The name before a field of a row. */
static void parse_field_name(parser *p, draft *d) {
    size_t start = d->names.size;
    const char *quote = p->at;
    bool named = take(p, '"');
    if (named != (d->named > 0) && d->size > 0)
        parse_fail(p, LEAT_E_ARGUMENT, "either all fields of a row have a name or none");
    if (!named || p->failed) return;
    parse_name(p, &d->names);
    d->named++;
    if (!p->failed && name_taken(d, start)) {
        p->at = quote;
        parse_fail(p, LEAT_E_ARGUMENT, "a second field has the same name");
    }
}

static void draft_add(parser *p, draft *d, const leat_type *item) {
    if (p->failed) return;
    if (d->size == FIELDS_MAX) {
        parse_fail(p, LEAT_E_ARGUMENT, "more than %d fields", FIELDS_MAX);
        return;
    }
    if (d->size == d->room) {
        uint32_t room = d->room ? d->room * 2 : 4;
        const leat_type **items = leati_resize(d->items, room * sizeof *items);
        if (!items) {
            no_memory(p);
            return;
        }
        d->items = items;
        d->room = room;
    }
    d->items[d->size++] = item;
}

static void check_elements(parser *p, const draft *d) {
    leat_type_tag item = d->size ? d->items[0]->tag : LEAT_T_PICKLED;
    if (p->failed || d->tag == LEAT_T_TUPLE || d->tag == LEAT_T_ROW) return;
    uint32_t wanted = d->tag == LEAT_T_MAP ? 2 : 1;
    bool primitive = item >= LEAT_T_BYTE && item <= LEAT_T_CHAR;
    if (d->size != wanted)
        parse_fail(p, LEAT_E_ARGUMENT, "%s takes %u type%s, not %u", tag_names[d->tag], wanted,
                   wanted == 1 ? "" : "s", d->size);
    else if (d->tag == LEAT_T_PRIMITIVE_ARRAY && !primitive)
        parse_fail(p, LEAT_E_ARGUMENT,
                   "PRIMITIVE_ARRAY takes BYTE, BOOLEAN, SHORT, INT, LONG, "
                   "FLOAT, DOUBLE or CHAR, not %s",
                   tag_names[item]);
    else if (d->tag == LEAT_T_BASIC_ARRAY && !primitive && item != LEAT_T_STRING)
        parse_fail(p, LEAT_E_ARGUMENT,
                   "BASIC_ARRAY takes STRING, BYTE, BOOLEAN, SHORT, INT, LONG, "
                   "FLOAT, DOUBLE or CHAR, not %s",
                   tag_names[item]);
}

static void parse_items(parser *p, draft *d, int depth) {
    if (!expect(p, "'<'", '<') || take(p, '>')) return;
    do {
        skip_spaces(p);
        if (d->tag == LEAT_T_ROW) parse_field_name(p, d);
        const leat_type *item = p->failed ? NULL : parse_type(p, depth + 1);
        draft_add(p, d, item);
    } while (!p->failed && take(p, ','));
    expect(p, "',' or '>'", '>');
}

/* TAG_COUNT when no type is called so. */
static int parse_tag(parser *p) {
    skip_spaces(p);
    const char *end = p->at;
    while (isupper((unsigned char)*end) || *end == '_') end++;
    size_t size = (size_t)(end - p->at);
    int tag = 0;
    while (tag < TAG_COUNT &&
           (strlen(tag_names[tag]) != size || memcmp(tag_names[tag], p->at, size) != 0))
        tag++;
    if (tag == TAG_COUNT && size == 18 && memcmp(p->at, "PICKLED_BYTE_ARRAY", 18) == 0) tag = 0;
    if (tag < TAG_COUNT) {
        p->at = end;
        return tag;
    }
    while (isalnum((unsigned char)*end) || *end == '_') end++;
    if (end == p->at)
        parse_fail(p, LEAT_E_ARGUMENT, "the name of a type is missing");
    else
        parse_fail(p, LEAT_E_ARGUMENT, "no type is called %.*s",
                   (int)(end - p->at > 60 ? 60 : end - p->at), p->at);
    return TAG_COUNT;
}

static const leat_type *parse_type(parser *p, int depth) {
    if (depth > TYPE_DEPTH)
        return parse_fail(p, LEAT_E_ARGUMENT, "more than %d types inside each other", TYPE_DEPTH);
    int tag = parse_tag(p);
    if (tag == TAG_COUNT) return NULL;
    draft d = {.tag = (leat_type_tag)tag};
    if (d.tag >= LEAT_T_TUPLE) {
        parse_items(p, &d, depth);
        check_elements(p, &d);
    }
    const leat_type *type = p->failed ? NULL : draft_intern(&d);
    draft_fini(&d);
    if (!type) no_memory(p); /* unless something else was wrong before */
    return type;
}

const leat_type *leat_type_parse(const char *text, leat_error *err) {
    if (!text) {
        leat_error_set(err, LEAT_E_ARGUMENT, "leat_type_parse", "no text was given");
        return NULL;
    }
    parser p = {text, text, err, false};
    const leat_type *type = parse_type(&p, 0);
    skip_spaces(&p);
    if (type && *p.at) return parse_fail(&p, LEAT_E_ARGUMENT, "something follows the type");
    return type;
}
