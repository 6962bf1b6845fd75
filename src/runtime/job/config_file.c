/* config_file.c: reads configuration from a flat file:

       # a comment
       python.execution-mode: thread      # another
       pipeline.name: "words: all of them"

   One `key: value` per line. A '#' starts a comment at the start of a line or after a space; a
   value in '...' is taken as it is, in "..." \" and \\ stand for " and \. That is the flat part of
   YAML, which is what Flink's own file was until 1.18; what is nested there is refused with the
   line's number. */
#include "runtime/job/config.h"

#include "runtime/base/alloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

/* Cuts the space at the end. */
static void cut_space(char *text) {
    size_t n = strlen(text);
    while (n && is_space(text[n - 1])) text[--n] = '\0';
}

/* Unquotes `text` in place. False when the quote does not end, or something but a comment
   follows. */
static bool unquote(char *text) {
    char quote = *text, *out = text, *at = text + 1;
    while (*at && *at != quote) {
        if (quote == '"' && *at == '\\' && (at[1] == '"' || at[1] == '\\')) at++;
        *out++ = *at++;
    }
    if (*at++ != quote) return false;
    while (is_space(*at)) at++;
    bool ended = *at == '\0' || *at == '#';
    *out = '\0';
    return ended;
}

static bool read_value(char *text) {
    if (*text == '"' || *text == '\'') return unquote(text);
    for (char *at = text; *at; at++) {
        if (*at != '#' || (at > text && !is_space(at[-1]))) continue;
        *at = '\0';
        break;
    }
    cut_space(text);
    return true;
}

static leat_status bad_line(const char *where, const char *problem, leat_error *err) {
    return leat_error_set(err, LEAT_E_CONFIG, where, "%s; a line is `key: value`", problem);
}

static leat_status read_line(leati_config *config, const char *where, char *line, leat_error *err) {
    cut_space(line);
    char *key = line + strspn(line, " \t");
    if (*key == '\0' || *key == '#' || strcmp(line, "---") == 0) return LEAT_OK;
    if (key != line) return bad_line(where, "nested keys are not read", err);
    if (strncmp(key, "- ", 2) == 0) return bad_line(where, "lists are written as one value", err);
    char *colon = strchr(key, ':');
    if (!colon || (colon[1] && !is_space(colon[1])))
        return bad_line(where, "there is no ': '", err);
    *colon = '\0';
    cut_space(key);
    char *value = colon + 1 + strspn(colon + 1, " \t");
    bool quoted = *value == '"' || *value == '\'';
    if (!read_value(value)) return bad_line(where, "the quote has no end", err);
    if (!*value && !quoted) return bad_line(where, "there is no value", err);
    return leati_config_set_at(config, key, value, LEATI_CONFIG_FILE, where, err);
}

leat_status leati_config_read_text(leati_config *config, const char *name, const char *text,
                                   leat_error *err) {
    char *copy = leati_strdup(text);
    if (!copy) return leat_error_set(err, LEAT_E_NOMEM, name, "out of memory");
    leat_status status = LEAT_OK;
    int number = 0;
    for (char *line = copy, *end; line && status == LEAT_OK; line = end) {
        char where[120];
        end = strchr(line, '\n');
        if (end) *end++ = '\0';
        snprintf(where, sizeof where, "%.100s:%d", name, ++number);
        status = read_line(config, where, line, err);
    }
    leati_free(copy);
    return status;
}

static leat_status slurp(FILE *file, leati_buf *out) {
    char block[4096];
    size_t n;
    while ((n = fread(block, 1, sizeof block, file)) > 0) leati_buf_append(out, block, n);
    if (out->failed) return LEAT_E_NOMEM;
    return ferror(file) ? LEAT_E_IO : LEAT_OK;
}

leat_status leati_config_read_file(leati_config *config, const char *path, leat_error *err) {
    FILE *file = fopen(path, "re");
    if (!file)
        return leat_error_set(err, errno == ENOENT ? LEAT_E_NOT_FOUND : LEAT_E_IO, path,
                              "the configuration can't be read: %s", strerror(errno));
    leati_buf text;
    leati_buf_init(&text);
    leat_status status = slurp(file, &text);
    if (status == LEAT_E_IO)
        leat_error_set(err, status, path, "the configuration can't be read: %s", strerror(errno));
    if (status == LEAT_E_NOMEM) leat_error_set(err, status, path, "out of memory");
    if (status == LEAT_OK)
        status = leati_config_read_text(config, path, leati_buf_cstr(&text), err);
    fclose(file);
    leati_buf_fini(&text);
    return status;
}

leat_status leati_config_read_environment(leati_config *config, leat_error *err) {
    const char *path = getenv("LEAT_CONF");
    return path && *path ? leati_config_read_file(config, path, err) : LEAT_OK;
}
