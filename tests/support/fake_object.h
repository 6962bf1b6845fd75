/* fake_object.h: a host language for tests of what carries objects: its objects hold a number and
   count their references. Wire form: LEAT_W_OBJECT with 'F' and the number; key: the number's. */
#ifndef LEAT_TESTS_FAKE_OBJECT_H
#define LEAT_TESTS_FAKE_OBJECT_H

#include "leat/value.h"

typedef struct fake_object {
    int refs;
    int number;
} fake_object;

/* Registers the language once per program and answers its domain. */
uint16_t fake_domain(void);
/* A new object with one reference. */
leat_value fake_new(int number);
int fake_number(const leat_value *v);
/* Objects that are not freed yet; released outside of the interpreter so far. */
int fake_alive(void);
int fake_released_later(void);
void fake_set_inside(bool inside);
/* The next call of the language answers this. */
void fake_fail_next(leat_status status);

#endif
