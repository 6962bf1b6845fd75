/* tmp_file.h: a temporary file that nobody else can see. */
#ifndef LEATI_TMP_FILE_H
#define LEATI_TMP_FILE_H

#include "leat/base.h"

/* An open file without a name, close-on-exec, for reading and writing; its space is given back when
   it is closed. `dirs` are folders, separated by ',', '|' or ':' (the key io.tmp.dirs): the first
   that works is taken; NULL or "" is $TMPDIR, else /tmp. -1 with `err` filled. May block: I/O
   thread. */
int leati_tmp_file_open(const char *dirs, leat_error *err);
/* Closes it, on the I/O thread: to give a large file's space back takes its time. -1 is fine. */
void leati_tmp_file_close(int fd);

#endif
