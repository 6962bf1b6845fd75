/* loop.h: an event loop of libuv's that is made or not made, whatever is left of open files. */
#ifndef LEATI_LOOP_H
#define LEATI_LOOP_H

#include <uv.h>

#include "leat/base.h"

/* uv_loop_init. LEAT_E_IO when there are too few descriptors; nothing is left behind then. */
leat_status leati_loop_init(uv_loop_t *loop);

#endif
