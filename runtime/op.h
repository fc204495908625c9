/* Operations: everything asynchronous that a task can wait for.
 *
 * An operation is started, completes exactly once (result, error, timeout or cancel), and has a
 * cancel hook. Foreign callbacks (uv, curl, worker threads' completions) fill their subject in and
 * complete the operation; completing only appends it to the loop's ready queue. What waits for it
 * runs later, from the queue's one door (loop.h). Loop thread only; the memory is the owner's and
 * must stay until the operation has been delivered.
 */
#ifndef CURIA_OP_H
#define CURIA_OP_H

#include "clock.h"

typedef struct curia__loop curia__loop;
typedef struct curia__task curia__task;
typedef struct curia__scope curia__scope;
typedef struct curia__op curia__op;
typedef struct curia__signal curia__signal;

typedef struct {
    const char *name;
    /* Asked at most once, while pending. Must lead to curia__op_complete, at once or soon. */
    void (*cancel)(curia__op *op);
} curia__op_class;

enum { CURIA__OP_IDLE, CURIA__OP_PENDING, CURIA__OP_READY };

struct curia__op {
    curia__loop *loop;
    const curia__op_class *cls;
    curia__task *task; /* who waits; NULL: the host's main thread */
    curia__op *next;   /* in the ready queue, or among a signal's waiters */
    int status;        /* 0 or an error code, once complete */
    unsigned char state;
};

/* Marks an idle operation as pending. */
void curia__op_start(curia__op *op, curia__loop *loop, const curia__op_class *cls,
                     curia__task *task);
/* Completes a pending operation and queues it; no effect on one that is not pending. */
void curia__op_complete(curia__op *op, int status);
/* Asks a pending operation to end early; no effect otherwise. */
void curia__op_cancel(curia__op *op);

/* A signal: something that happens and that operations wait for (a task's end, new data).
 * A zeroed struct is a signal nobody waits for. */
struct curia__signal {
    curia__op *first, *last;
    /* Told when a waiter was cancelled, so that the subject can give up too; may be NULL. */
    void (*on_cancel)(curia__signal *signal);
};

/* Completes all waiters with `status`, in the order in which they came. */
void curia__signal_notify(curia__signal *signal, int status);

/* The common operation: wait for a signal, a time, or whichever comes first. */
typedef struct {
    curia__op op; /* first member */
    curia__timer timer;
    curia__signal *signal;
} curia__wait;

/* Starts an idle wait. `signal` may be NULL (then only time ends it); timeout_ms < 0: no time
 * limit. Completes with 0 (signalled), CURIA_ETIMEOUT or CURIA_ECANCELLED; a wait without a signal
 * (a sleep) completes with 0 when its time has come. Returns 0 or CURIA_ENOMEM. */
int curia__wait_start(curia__wait *w, curia__loop *loop, curia__task *task, curia__signal *signal,
                      int64_t timeout_ms);

#endif
