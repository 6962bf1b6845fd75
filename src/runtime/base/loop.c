/* loop.c: see loop.h. Without descriptors libuv's first loop of a process ends that process, and
   later ones lose what they had opened: so it is tried before whether there are as many as a loop
   needs. */
#include "runtime/base/loop.h"

#include <sys/eventfd.h>
#include <unistd.h>

enum { NEEDED = 8 };

leat_status leati_loop_init(uv_loop_t *loop) {
    int fds[NEEDED], count = 0;
    while (count < NEEDED && (fds[count] = eventfd(0, EFD_CLOEXEC)) >= 0) count++;
    bool enough = count == NEEDED;
    while (count) close(fds[--count]);
    return enough && uv_loop_init(loop) == 0 ? LEAT_OK : LEAT_E_IO;
}
