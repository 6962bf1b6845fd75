/* sample_values.h: one value of every native kind, nested ones too, for tests that go through
   all. */
#ifndef LEAT_TESTS_SAMPLE_VALUES_H
#define LEAT_TESTS_SAMPLE_VALUES_H

#include "leat/value.h"

enum { SAMPLE_VALUES = 30 };

/* Lent for the program's life. */
const leat_value *sample_values(void);

#endif
