/*  * The main of a fuzzer that is built without libFuzzer: hands every file of the folders or files
   it is given to * LLVMFuzzerTestOneInput, once, in the order of their names, so that the corpus is
   part of the ordinary tests. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path) {
    struct stat st;
    FILE *file = fopen(path, "rb");
    if (!file || fstat(fileno(file), &st) != 0) {
        perror(path);
        if (file) {
            fclose(file);
        }
        return -1;
    }
    size_t size = (size_t)st.st_size;
    /* exact, so that the address sanitizer sees the first byte too many */
    uint8_t *data = malloc(size ? size : 1);
    int bad = !data || fread(data, 1, size, file) != size;
    fclose(file);
    if (bad) {
        fprintf(stderr, "%s: can't be read\n", path);
    } else {
        LLVMFuzzerTestOneInput(data, size);
    }
    free(data);
    return bad ? -1 : 1;
}

static int run_path(const char *path);

static int run_folder(const char *path) {
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    int done = count < 0 ? -1 : 0;
    for (int i = 0; i < count; i++) {
        char name[4096];
        snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.' && done >= 0) {
            int more = run_path(name);
            done = more < 0 ? -1 : done + more;
        }
        free(entries[i]);
    }
    if (count >= 0) {
        free(entries);
    }
    return done;
}

static int run_path(const char *path) {
    struct stat st;
    if (stat(path, &st) != 0) {
        perror(path);
        return -1;
    }
    return S_ISDIR(st.st_mode) ? run_folder(path) : run_file(path);
}

int main(int argc, char **argv) {
    int done = 0;
    for (int i = 1; i < argc; i++) {
        int more = run_path(argv[i]);
        if (more < 0) {
            return 1;
        }
        done += more;
    }
    printf("%d inputs\n", done);
    return done > 0 ? 0 : 1; /* an empty corpus tests nothing */
}
