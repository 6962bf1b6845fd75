/* A second libleat in one process is refused, and names the first (contracts, 7). */
#include <dlfcn.h>
#include <leat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

typedef leat_env *(*env_new_fn)(const leat_options *options, leat_error *err);

/* A copy of the library that this program is linked to. */
static void copy_library(const char *from, const char *to) {
    char bytes[65536];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    size_t size;
    assert_non_null(in);
    assert_non_null(out);
    while ((size = fread(bytes, 1, sizeof bytes, in)) > 0) fwrite(bytes, 1, size, out);
    fclose(in);
    fclose(out);
}

static void second_library_is_refused(void **state) {
    (void)state;
    Dl_info first;
    const char *(*version)(void) = leat_version;
    void *address;
    memcpy(&address, &version, sizeof address);
    assert_int_not_equal(dladdr(address, &first), 0);
    char folder[] = "/tmp/leat-second-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/libleat.so.0", folder);
    copy_library(first.dli_fname, path);

    void *second = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(second);
    env_new_fn env_new;
    address = dlsym(second, "leat_env_new");
    memcpy(&env_new, &address, sizeof env_new);
    assert_ptr_not_equal(env_new, leat_env_new);
    leat_error err = {.status = LEAT_OK};
    assert_null(env_new(NULL, &err));
    assert_int_equal(err.status, LEAT_E_VERSION);
    assert_non_null(strstr(err.text, "this process has loaded"));
    assert_non_null(strstr(err.text, "libleat.so"));

    leat_env *env = leat_env_new(NULL, &err); /* the first goes on */
    assert_non_null(env);
    leat_env_free(env);
    unlink(path);
    rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(second_library_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
