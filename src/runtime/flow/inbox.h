/* inbox.h: letters to a task from other threads, and the mailboxes of its operators, which are the
   addresses on them. A letter runs on the task's thread between two records. Mailboxes outlive the
   task: what comes then is dropped. */
#ifndef LEATI_INBOX_H
#define LEATI_INBOX_H

#include "leat/operator.h"
#include "runtime/flow/channel.h"

typedef struct leati_inbox leati_inbox;

/* `notice` is called, on any thread, when there is mail or a wake. NULL when memory ran out. */
leati_inbox *leati_inbox_new(leati_notice notice);
void leati_inbox_ref(leati_inbox *inbox);
void leati_inbox_unref(leati_inbox *inbox);
void leati_inbox_wake(leati_inbox *inbox);
/* No notice comes any more when this has returned. */
void leati_inbox_close(leati_inbox *inbox);
/* Runs the letters that are there, but for those to operators that a barrier has passed which is
   still on its way. A failure stops; the letters behind it stay. */
leat_status leati_inbox_read(leati_inbox *inbox);
bool leati_inbox_empty(leati_inbox *inbox);

leat_mailbox *leati_mailbox_new(leati_inbox *inbox, leat_context *ctx);
void leati_mailbox_ref(leat_mailbox *mailbox);
/* Was leat_mailbox_wake called since the last time this was asked? */
bool leati_mailbox_was_woken(leat_mailbox *mailbox);
/* The operator is gone: its letters, old and new, are dropped. */
void leati_mailbox_close(leat_mailbox *mailbox);

#endif
