/* status_line.h: one line at the end of the terminal that stderr is, drawn again and again, and
   gone before anybody else writes there. Any thread. */
#ifndef LEATI_STATUS_LINE_H
#define LEATI_STATUS_LINE_H

#include "leat/base.h"

/* Is stderr a terminal that can move its cursor? */
bool leati_status_line_can(void);
/* Draws it in place of what it was, cut to the terminal's width; not shortly after somebody else
   has written. */
void leati_status_line_show(const char *text);
/* Somebody is about to write to `fd`: takes the line away if that is a terminal. Cheap when none is
   drawn. */
LEAT_API void leati_status_line_clear(int fd);

#endif
