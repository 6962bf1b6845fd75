/* file_path.h: paths as users write them: plain, or as a URI of this machine's files. */
#ifndef LEATI_FILE_PATH_H
#define LEATI_FILE_PATH_H

#include "leat/base.h"

/* "file:///a", "file:/a" and "file:a" are "/a", "/a" and "a"; everything else is itself. A part of
   `path`; NULL for NULL. */
const char *leati_file_path(const char *path);
/* LEAT_E_UNSUPPORTED for the URI of something that is elsewhere, such as s3://bucket/folder or
   file://host/folder: taken for a plain path it would become folders of such names. */
leat_status leati_file_path_check(const char *path, leat_error *err);

#endif
