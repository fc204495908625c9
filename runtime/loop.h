/* The loop: one uv loop, its clock, and the ready queue with its one door.
 *
 * Completed operations stand in the ready queue until the loop has polled; then a snapshot of the
 * queue is handed, one by one, to `deliver` (in bindings/: resume the coroutine that waits). What
 * becomes ready meanwhile waits for the next turn, so that two tasks cannot keep each other ready
 * for ever while the sockets starve (PITFALLS P5).
 *
 * The uv loop is owned (curia makes and runs it) or borrowed (its owner runs it). An idle curia
 * holds no reference on it. Everything here belongs to the loop's thread.
 */
#ifndef CURIA_LOOP_H
#define CURIA_LOOP_H

#include "op.h"

typedef void (*curia__deliver_fn)(curia__op *op, void *host);

/* A service that lives on the loop (the HTTP client, ...). */
typedef struct curia__service curia__service;
struct curia__service {
    const char *name;
    /* After each drain of the ready queue: start what was gathered meanwhile. May be NULL. */
    void (*flush)(curia__service *s);
    /* Ends all that is under way and closes its handles; what takes turns of the loop to end counts in
     * loop->ending meanwhile. */
    void (*close)(curia__service *s);
    curia__service *next;
};

/* Work that a poll has found, such as a socket with something to read. Its memory is its
 * owner's. */
typedef struct curia__chore curia__chore;
struct curia__chore {
    void (*run)(curia__chore *chore);
    curia__chore *next, *prev;
    bool queued;
};

struct curia__loop {
    uv_loop_t *uv;
    uv_loop_t own;
    bool owned, closing, draining;
    bool deferred;      /* chores and deliveries wait for their functions to be called */
    bool *turning;      /* a turn of the uv loop is under way: shared by all that are on one loop */
    bool turning_alone; /* where `turning` points at first */
    curia__clock clock;
    uv_check_t *check; /* own allocations: freed by their close callbacks */
    uv_idle_t *idle;
    curia__op *ready_first, *ready_last;
    curia__chore *chores_first, *chores_last;
    curia__deliver_fn deliver;
    void *host;
    curia__service *services; /* last added first */
    size_t ending;            /* parts of services that still close */
    curia__task *tasks;       /* root tasks */
    uint64_t task_ids;
    size_t task_count;         /* all tasks that have not ended */
    size_t background_tasks;   /* those of them that do not keep the loop alive */
    uint64_t turns, delivered; /* statistics */
    uint64_t stall_ns;         /* a turn that holds the loop for longer is a stall; 0: none is */
    uint64_t stalled_ns, stalled_delivered; /* the last stall */
    curia__signal stalled;                  /* there was one */
};

/* uv: NULL for a loop of its own. Returns 0 or a code; on failure nothing is left behind
 * but, on a borrowed loop, handles that close with its next turn. */
int curia__loop_init(curia__loop *loop, uv_loop_t *uv, curia__deliver_fn deliver, void *host);

/* Queues a completed operation (used by curia__op_complete). */
void curia__loop_queue(curia__loop *loop, curia__op *op);

/* Adds a service; closed in the reverse order of adding. */
void curia__loop_add_service(curia__loop *loop, curia__service *service);

/* One turn of the loop: polls (blocking until something happens if `block`), fires what is due,
 * delivers what is ready. A virtual clock is moved to its next timer when nothing else can happen.
 * Returns 1 while something is alive, 0 when nothing is left, or CURIA_EBUSY when called from
 * inside a delivery (uv_run is not re-entrant, PITFALLS P8). */
int curia__loop_turn(curia__loop *loop, bool block);

/* Moves a virtual clock to its next timer when nothing else can happen; part of each turn. */
void curia__loop_advance_virtual(curia__loop *loop);

/* Whether something is under way. */
bool curia__loop_alive(const curia__loop *loop);

/* Has `chore` run: at once, or, where that is deferred, by curia__loop_do_chores. No effect on one
 * that is queued already. */
void curia__loop_add_chore(curia__loop *loop, curia__chore *chore);
/* Takes it back; no effect on one that is not queued. */
void curia__loop_drop_chore(curia__loop *loop, curia__chore *chore);
/* Runs what was deferred until `until_ns` (of uv_hrtime; UINT64_MAX: all of it), one at least. */
void curia__loop_do_chores(curia__loop *loop, uint64_t until_ns);

/* Delivers what is ready now until `until_ns` (of uv_hrtime; UINT64_MAX: all of it), one operation
 * at least. What is left comes first next time. */
void curia__loop_drain(curia__loop *loop, uint64_t until_ns);

/* Ends everything in a stated order (PITFALLS P11), while Lua is alive: refuse new tasks, cancel
 * the tasks and let them unwind, close the services, close the own handles, and on an owned loop
 * every other handle. Tasks and handles have limit_ms (real time) each. Returns 0, or
 * CURIA_ETIMEOUT when something did not end; `left` (may be NULL) is told when it was a task. */
int curia__loop_close(curia__loop *loop, uint64_t limit_ms, void (*left)(const char *what));

/* The parts of curia__loop_close, for one who cannot turn the loop himself and looks after each
 * turn how far it is. First: refuses new tasks and cancels all. */
void curia__loop_begin_close(curia__loop *loop);
/* Whether every task has ended and nothing is ready. */
bool curia__loop_is_quiet(const curia__loop *loop);
/* Then: closes the services; what waited for them becomes ready. */
void curia__loop_close_services(curia__loop *loop);
/* At last: closes the own handles, asynchronously. Nothing is delivered from here on. */
void curia__loop_close_own_handles(curia__loop *loop);

/* Closes every handle that is open on an owned loop, and runs it until they are. The last part of
 * curia__loop_close; again for those that were made since. Returns false when limit_ms are over. */
bool curia__loop_close_handles(curia__loop *loop, uint64_t limit_ms);

/* The last step, after Lua is gone: closes an owned loop, without running it once more. Returns 0,
 * or CURIA_EBUSY when a handle is open: its kind is told to `left` (may be NULL), and the loop's
 * memory must stay. */
int curia__loop_deinit(curia__loop *loop, void (*left)(const char *what));

#endif
