/* show_config.c: `leat config`: the table of configuration keys with the values that hold here, for
   people or as JSON (from which docs/configuration.md is made). */
#include "launcher.h"

#include <stdio.h>
#include <string.h>

static void print_json_text(const char *name, const char *text, const char *end) {
    printf("\"%s\": ", name);
    if (!text) {
        printf("null%s", end);
        return;
    }
    putchar('"');
    for (const char *at = text; *at; at++) {
        if (*at == '"' || *at == '\\') putchar('\\');
        if ((unsigned char)*at < 0x20)
            printf("\\u%04x", (unsigned)*at);
        else
            putchar(*at);
    }
    printf("\"%s", end);
}

static void print_json(const leat_config_key *key, const char *value, bool first) {
    printf("%s\n  {", first ? "" : ",");
    print_json_text("key", key->key, ", ");
    print_json_text("kind", key->kind, ", ");
    print_json_text("status", key->status, ", ");
    print_json_text("default", key->fallback, ", ");
    print_json_text("value", value, ", ");
    print_json_text("aliases", key->aliases, ", ");
    print_json_text("choices", key->choices, ", ");
    print_json_text("works", key->works, ", ");
    print_json_text("note", key->note, ", ");
    print_json_text("doc", key->doc, "}");
}

static void print_text(const leat_config_key *key, const char *value) {
    bool own = value && (!key->fallback || strcmp(value, key->fallback) != 0);
    printf("%s:%s%s\n", key->key, value ? " " : "", value ? value : "");
    if (!*key->doc) return;
    printf("    %s, %s. %s\n", key->kind, key->status, key->doc);
    if (key->choices) printf("    one of: %s\n", key->choices);
    if (own && key->fallback) printf("    default: %s\n", key->fallback);
    if (key->works) printf("    what works today: %s; %s\n", key->works, key->note);
    if (!key->works && key->note) printf("    %s\n", key->note);
    if (key->aliases) printf("    also: %s\n", key->aliases);
}

/* Is `name` one of the space separated words? */
static bool has_word(const char *words, const char *name) {
    size_t size = strlen(name);
    for (const char *at = words; at && *at; at += strcspn(at, " ") + (strchr(at, ' ') != NULL))
        if (strcspn(at, " ") == size && strncmp(at, name, size) == 0) return true;
    return false;
}

static bool wanted(const leat_config_key *key, const command_line *line, char **names) {
    if (!*names) return line->all || *key->doc;
    for (; *names; names++)
        if (strcmp(key->key, *names) == 0 || has_word(key->aliases, *names)) return true;
    return false;
}

static int print_keys(const command_line *line, char **names, const leat_env *env) {
    leat_config_key key = {.size = sizeof key};
    size_t printed = 0;
    if (line->json) printf("[");
    for (size_t i = 0; leat_config_key_at(i, &key); i++) {
        if (!wanted(&key, line, names)) continue;
        const char *value = leat_env_get(env, key.key);
        if (line->json)
            print_json(&key, value, printed == 0);
        else
            print_text(&key, value);
        printed++;
    }
    if (line->json) printf("\n]\n");
    if (printed || !*names) return EXIT_FINISHED;
    say("%s: no such configuration key; `leat config --all` lists them", *names);
    return EXIT_USAGE;
}

int show_config(int argc, char **argv) {
    command_line line;
    int code = EXIT_USAGE;
    if (command_line_read(&line, argc, argv, 2, "ja")) {
        leat_env *env = launcher_env(&line);
        if (env) code = print_keys(&line, argv + line.rest, env);
        leat_env_free(env);
    }
    command_line_free(&line);
    return code;
}
