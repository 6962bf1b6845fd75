/* double_text.h: doubles as text. All write the fewest digits that read back as the same double. */
#ifndef LEATI_DOUBLE_TEXT_H
#define LEATI_DOUBLE_TEXT_H

#include "runtime/base/buf.h"

/* As Java: 1.0, 0.001, 1.0E7, 1.0E-4, NaN, -Infinity. */
void leati_double_text(double d, leati_buf *out);
/* The same of a number of single precision: the fewest digits that read back as that. */
void leati_float_text(double d, leati_buf *out);
/* As Python's repr: 1.0, 10000000.0, 1e+16, 1e-05, nan, -inf. */
void leati_double_repr(double d, leati_buf *out);

#endif
