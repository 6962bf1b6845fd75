/* python_path.h: where a host without an interpreter finds Python, Leat's package for it, and the
   host's own modules. */
#ifndef LEATI_PYTHON_PATH_H
#define LEATI_PYTHON_PATH_H

#include "runtime/job/config.h"

/* These answers are allocated; NULL when memory ran out. */

/* python.executable, that of $VIRTUAL_ENV, the one that this library was built for, python3. */
char *leati_python_executable(const leati_config *config);
/* The folder whose python3.X, one for each version that was installed, hold the package `leat`. It
   lies beside this library, so that a build tree and a moved installation work (contracts, 7). */
char *leati_python_packages(void);
/* Where a program expects its own modules: its own folder and the working directory; "" for what is
   unknown. */
char *leati_program_folder(void);
char *leati_working_folder(void);

/* What an executable says of itself; "" for what it has not. */
typedef struct leati_python {
    char text[4 * 4096]; /* holds the rest */
    const char *executable, *version, *libpython, *module;
} leati_python;
/* Runs the executable once, 10 s at most. */
leat_status leati_python_ask(leati_python *out, const char *executable, leat_error *err);

#endif
