/* log.h: one line to the host's log function. Library code logs only what it does not return. */
#ifndef LEATI_LOG_H
#define LEATI_LOG_H

#include "leat/base.h"

LEAT_API void leati_log(leat_log_level level, const char *format, ...) LEAT_PRINTF(2, 3);
LEAT_API bool leati_log_wants(leat_log_level level);

#endif
