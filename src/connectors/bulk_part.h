/* bulk_part.h: parts of a file sink in a bulk format. The writer belongs to its part and to the
   operator's thread: what reaches the I/O thread are bytes. */
#ifndef LEATI_BULK_PART_H
#define LEATI_BULK_PART_H

#include "connectors/part_file.h"
#include "leat/bulk_writer.h"

/* Can parts be written by it? Of one in another language that is seen when it is called. */
leat_status leati_bulk_check(const leat_function *format, leat_error *err);
/* Gives the record to the part's writer, which is made for the first one. What it writes is in
   `p->filling`. */
leat_status leati_bulk_add(leat_context *ctx, const leat_function *format, leati_part *p,
                           const leat_record *in);
/* Ends the part: all its bytes are in `p->filling`, and its writer is gone. */
leat_status leati_bulk_end(leat_context *ctx, const leat_function *format, leati_part *p);
/* Gives the part's writer up, if there is one. */
void leati_bulk_drop(leat_context *ctx, const leat_function *format, leati_part *p);

#endif
