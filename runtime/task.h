/* Tasks: the tree of what runs. Structured concurrency, enforced in C.
 *
 * A task is a coroutine (the host's affair) with an owner: it has a parent, children, a deadline
 * and a cancel flag. It ends only after its children have ended; cancelling it cancels them. A
 * cancelled task's pending wait ends with CURIA_ECANCELLED and the host refuses each later one, so
 * that it can only run to its end (the watchdog sees to code that does not). Loop thread only. The
 * memory belongs to the host and stays until `on_ended` has been called.
 */
#ifndef CURIA_TASK_H
#define CURIA_TASK_H

#include "op.h"

typedef enum {
    CURIA__TASK_READY,   /* its start is queued */
    CURIA__TASK_RUNNING, /* its coroutine runs now */
    CURIA__TASK_WAITING, /* its coroutine waits for an operation */
    CURIA__TASK_ENDING,  /* its body has ended, children have not */
    CURIA__TASK_ENDED
} curia__task_state;

typedef struct {
    void (*on_ended)(curia__task *task); /* the task has ended and left the tree */
} curia__task_host;

/* A set of tasks whose ends are collected in the order in which they happen. Owned by the host. */
typedef struct {
    curia__signal changed;     /* one of them has ended */
    curia__task *first, *last; /* ended, not collected yet */
    size_t live;               /* not ended yet */
} curia__group;

struct curia__task {
    curia__loop *loop;
    const curia__task_host *host;
    uint64_t id;
    curia__task *parent, *children, *next, *prev; /* the tree */
    curia__wait wait;                             /* a task waits for one thing at a time */
    curia__timer deadline;
    curia__signal ended;
    curia__group *group;
    curia__task *group_next;
    curia__scope *scope; /* scope.h; NULL: none */
    char *reason;        /* why it was cancelled; owned, may be NULL */
    int cancelled;       /* 0, CURIA_ECANCELLED, CURIA_EDEADLINE or CURIA_ETIMEOUT */
    int status;          /* outcome of the body: 0 or an error code */
    unsigned char state;
    bool observed;   /* somebody has taken notice of its outcome */
    bool bound;      /* cancelled as soon as its parent's body has ended, in whatever way */
    bool background; /* its waits do not keep the loop alive */
};

/* Adds a task under `parent` (NULL: a root task), in `group` (may be NULL), and queues its start.
 * `task` is zeroed memory. Returns 0 or CURIA_ECLOSED when the loop is closing. */
int curia__task_init(curia__task *task, curia__loop *loop, curia__task *parent, curia__group *group,
                     const curia__task_host *host);

/* From now on the task's waits do not keep the loop alive, and nobody waits for its end but the loop when it closes.
 */
void curia__task_set_background(curia__task *task);

/* The body has ended with `status`; on failure the children are cancelled. The task itself ends
 * when the last child has. */
void curia__task_finish(curia__task *task, int status);

/* Cancels the task and all below it. The first reason counts. `reason` is copied, may be NULL. */
void curia__task_cancel(curia__task *task, int code, const char *reason);
void curia__task_cancel_all(curia__loop *loop, const char *reason);

/* Sets (ms >= 0) or clears (ms < 0) the deadline; `code` is what the task is cancelled with. */
int curia__task_set_deadline(curia__task *task, int64_t ms);

/* Takes the next ended task of a group, in the order in which they ended; NULL: none. */
curia__task *curia__group_take(curia__group *group);

#endif
