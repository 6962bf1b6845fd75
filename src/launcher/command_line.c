/* command_line.c: the options between a command and its SCRIPT, the same as those of `python -m
   leat`: -D KEY=VALUE, -DKEY=VALUE, --job-name NAME, --job-name=NAME and so on; those that say
   where to start from are settings under shorter names. `--` ends them. */
#include "launcher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool add_setting(command_line *line, const char *text) {
    const char *equals = text ? strchr(text, '=') : NULL;
    if (!equals || equals == text) {
        say("-D %s: KEY=VALUE is needed", text ? text : "");
        return false;
    }
    char **grown = realloc(line->settings, (line->setting_count + 3) * sizeof *grown);
    if (grown) line->settings = grown;
    char *key = grown ? strdup(text) : NULL;
    if (!key) {
        say("out of memory");
        return false;
    }
    key[equals - text] = '\0';
    grown[line->setting_count++] = key;
    grown[line->setting_count++] = key + (equals - text) + 1;
    grown[line->setting_count] = NULL;
    return true;
}

static bool set_job_name(command_line *line, const char *name) {
    line->job_name = name && *name ? name : NULL;
    if (!line->job_name) say("--job-name: a NAME is needed");
    return line->job_name;
}

static bool set_timeout(command_line *line, const char *text) {
    char *end = NULL;
    double seconds = text ? strtod(text, &end) : 0;
    if (!text || end == text || *end || !(seconds > 0) || seconds > 1e6) {
        say("--timeout: a number of SECONDS is needed");
        return false;
    }
    line->timeout_ms = seconds < 0.001 ? 1 : (int)(seconds * 1000);
    return true;
}

#define RECOVERY "execution.state-recovery."

static const struct alias {
    const char *option, *key;
    bool has_path;
} aliases[] = {
    {"-s", RECOVERY "path", true},
    {"--fromSavepoint", RECOVERY "path", true},
    {"--from-savepoint", RECOVERY "path", true},
    {"-n", RECOVERY "ignore-unclaimed-state", false},
    {"--allowNonRestoredState", RECOVERY "ignore-unclaimed-state", false},
    {"--allow-non-restored-state", RECOVERY "ignore-unclaimed-state", false},
    {"--allow-older", RECOVERY "allow-older", false},
};

static bool set_alias(command_line *line, const struct alias *a, const char *value) {
    char *text = NULL;
    if (!value || !*value) {
        say("%s: the PATH of a checkpoint or savepoint is needed, or latest", a->option);
        return false;
    }
    if (asprintf(&text, "%s=%s", a->key, value) < 0) text = NULL;
    bool ok = text && add_setting(line, text);
    if (!text) say("out of memory");
    free(text);
    return ok;
}

/* Is it one of those? Then it is read, and `*ok` says whether it was right. */
static bool read_alias(command_line *line, const char *option, char **argv, int *at, bool *ok) {
    size_t size = strcspn(option, "=");
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
        const struct alias *a = &aliases[i];
        if (strlen(a->option) != size || strncmp(a->option, option, size) != 0) continue;
        if (option[size] && !a->has_path) return false;
        const char *value = !a->has_path   ? "true"
                            : option[size] ? option + size + 1
                            : argv[*at]    ? argv[(*at)++]
                                           : NULL;
        *ok = set_alias(line, a, value);
        return true;
    }
    return false;
}

/* Reads argv[*at], and what belongs to it. */
static bool read_option(command_line *line, char **argv, int *at, const char *flags) {
    const char *option = argv[(*at)++];
    bool ok;
    if (strncmp(option, "-D", 2) == 0)
        return add_setting(line, option[2] ? option + 2 : argv[*at] ? argv[(*at)++] : NULL);
    if (strchr(flags, 'n') && strcmp(option, "--job-name") == 0)
        return set_job_name(line, argv[*at] ? argv[(*at)++] : NULL);
    if (strchr(flags, 'n') && strncmp(option, "--job-name=", 11) == 0)
        return set_job_name(line, option + 11);
    if (strchr(flags, 't') && strcmp(option, "--timeout") == 0)
        return set_timeout(line, argv[*at] ? argv[(*at)++] : NULL);
    if (strchr(flags, 't') && strncmp(option, "--timeout=", 10) == 0)
        return set_timeout(line, option + 10);
    if (strchr(flags, 'd') && strcmp(option, "--drain") == 0) return line->drain = true;
    if (strchr(flags, 'q') && strcmp(option, "--quiet") == 0) return line->quiet = true;
    if (strchr(flags, 'n') && read_alias(line, option, argv, at, &ok)) return ok;
    if (strchr(flags, 'j') && strcmp(option, "--json") == 0) return line->json = true;
    if (strchr(flags, 'a') && strcmp(option, "--all") == 0) return line->all = true;
    say("there is no option '%s'; `leat help` tells what there is", option);
    return false;
}

bool command_line_read(command_line *line, int argc, char **argv, int at, const char *flags) {
    memset(line, 0, sizeof *line);
    while (at < argc && argv[at][0] == '-' && argv[at][1]) {
        if (strcmp(argv[at], "--") == 0) {
            at++;
            break;
        }
        if (!read_option(line, argv, &at, flags)) return false;
    }
    line->rest = at;
    return true;
}

void command_line_free(command_line *line) {
    for (size_t i = 0; i < line->setting_count; i += 2) free(line->settings[i]);
    free(line->settings);
    memset(line, 0, sizeof *line);
}
