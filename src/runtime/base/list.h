/* list.h: an intrusive doubly linked list with a sentinel. */
#ifndef LEATI_LIST_H
#define LEATI_LIST_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct leati_link {
    struct leati_link *next, *prev;
} leati_link;

#define LEATI_CONTAINER(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline void leati_list_init(leati_link *head) {
    head->next = head->prev = head;
}
static inline bool leati_list_empty(const leati_link *head) {
    return head->next == head;
}
static inline void leati_list_push(leati_link *head, leati_link *item) { /* at the end */
    assert(head->prev && "leati_list_init");
    item->prev = head->prev;
    item->next = head;
    head->prev->next = item;
    head->prev = item;
}
static inline void leati_list_remove(leati_link *item) {
    item->prev->next = item->next;
    item->next->prev = item->prev;
    item->next = item->prev = item;
}
static inline leati_link *leati_list_pop(leati_link *head) { /* from the front; NULL when empty */
    if (leati_list_empty(head)) return NULL;
    leati_link *first = head->next;
    leati_list_remove(first);
    return first;
}

#endif
