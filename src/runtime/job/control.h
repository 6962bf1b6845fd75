/* control.h: jobs that listen to who wants to look at them or end them from outside, and draw the
   status line. */
#ifndef LEATI_CONTROL_H
#define LEATI_CONTROL_H

#include "runtime/job/job.h"

/* The job listens and is drawn from now on, where its configuration says so; a failure is a warning
   of the log, and the job runs without. Before its driver starts. */
void leati_control_begin(leat_job *job);
/* It has ended, and its state is the last one: who waits for that is answered. Any thread; also
   when it never began. */
void leati_control_end(leat_job *job);

/* A request as it was read. Texts are lent from the line. */
typedef struct leati_request {
    char *verb;
    char *argument; /* what follows, or "" */
} leati_request;

/* Cuts the line, which ends with its newline and may hold anything, in place. False when it is no
   request. */
bool leati_request_read(char *line, size_t size, leati_request *out);

#endif
