/* The host side of one lua_State: what the bindings share, and the one door into Lua.
 *
 * Everything that Lua runs, runs from curia__host_deliver (the loop's ready queue) or from the
 * program's own call; foreign callbacks never touch Lua (PITFALLS P5). One host per lua_State, on
 * the thread of its loop.
 */
#ifndef CURIA_HOST_H
#define CURIA_HOST_H

#include <lauxlib.h>
#include <lua.h>
#include <signal.h>
#include <stdatomic.h>

#include "loop.h"
#include "quota.h"
#include "task.h"

typedef struct curia__watchdog curia__watchdog; /* runtime/watchdog.h */

/* A task as Lua sees it: a full userdata, kept alive while it runs. User values: the coroutine,
 * then the (up to two) results, or the error. */
typedef struct {
    curia__task task; /* first member */
    curia__host *host;
    lua_State *co;      /* NULL once its body has ended */
    lua_KFunction then; /* what runs when its wait is over */
    int results;        /* how many of the two results there are */
    bool always_starts; /* its body begins even when it was cancelled before */
    bool closing;       /* its coroutine is being closed: no more waiting */
} curia__lua_task;

enum { CURIA__POOL_SIZE = 512 };

/* Why what runs is stopped. */
typedef enum {
    CURIA__STOP_NOT,
    CURIA__STOP_TIME, /* by the watchdog: it held the loop for too long */
    CURIA__STOP_MEMORY,
    CURIA__STOP_INSTRUCTIONS,
    CURIA__STOP_ASKED /* by the user: Ctrl-C */
} curia__stop;

/* Where a function stands, for comparing. */
typedef struct {
    const char *source;
    int line;
} curia__place;

/* What of one stay in Lua is remembered while another one, of a call that it made, is inside of
 * it. */
typedef struct {
    lua_State *active, *base;
    curia__stop stop;
    uint64_t instructions_left;
    bool strict;
} curia__turn;

struct curia__host {
    lua_State *L; /* the main state, never a coroutine's (PITFALLS P4) */
    curia__loop loop;
    curia__lua_task *running;    /* the task whose coroutine runs now, or NULL */
    _Atomic(lua_State *) active; /* the coroutine that runs now, nested ones included (watchdog) */
    curia__wait main_wait;       /* what the main thread waits for at top level */
    lua_State *base;             /* the coroutine that a stop can leave by yielding, or NULL */
    curia__stop stop;            /* what runs now is being stopped */
    volatile sig_atomic_t asked; /* the interrupt that comes was asked for by the user */
    curia__place stopped;        /* the __close function that was stopped; source NULL: none */
    curia__watchdog *watchdog;   /* NULL: none */
    curia__quota *quota;         /* NULL: no limits */
    char stuck_at[160];          /* "councils/x.lua:12", where it was stopped */
    int anchors;                 /* registry reference: tasks that must not be collected */
    int pool, pooled;            /* registry reference: coroutines to use again, and their number */
    void (*log)(void *arg, const char *level, const char *text); /* NULL: silence */
    void *log_arg;
    void *state; /* the curia__state (runtime.h) that it is in, or NULL */
    void (*on_lua_closed)(curia__host *host); /* NULL, or told by lua_close, after all finalizers */
    void *foreign;                            /* what else runs the loop (luv's context), or NULL */
    bool (*foreign_runs)(const curia__host *host); /* whether it does so now */
};

/* Opens curia in a state: the host (on `uv`, or on a loop of its own when NULL), the preloaded
 * modules curia.*. Returns NULL when out of memory, or when the state has one. Never raises. */
curia__host *curia__host_open(lua_State *L, uv_loop_t *uv);

/* From now on Curia is closed for the scripts of its state. */
void curia__host_forget(curia__host *host);

/* First half of closing, while Lua is alive: ends all tasks and services in at most limit_ms. */
int curia__host_close(curia__host *host, uint64_t limit_ms);
/* Second half, after lua_close: closes an owned loop and frees the host. Returns 0, or
 * CURIA_EBUSY when a handle could not be closed. */
int curia__host_free(curia__host *host);

/* What is left to do when lua_close has come without a closing before: nothing of Lua runs any more. Closes
 * services and handles, and frees the host; a borrowed loop has to run once more. */
void curia__host_end(curia__host *host);

/* The host of a state; raises when curia was not opened in it, or has been closed. */
curia__host *curia__host_of(lua_State *L);
/* The same, but NULL then. */
curia__host *curia__find_host(lua_State *L);

/* The userdata at `arg`. Its metatable must be upvalue 1 of the running function, else it is no
 * `name`: an error. What luaL_checkudata does, without looking the name up. */
void *curia__check_own(lua_State *L, int arg, const char *name);

/* The wait to start before curia__await: the running task's own, or the main thread's. `what` names
 * the function in errors. Raises when the caller may not wait (a coroutine that is not the running
 * task's, a C call that cannot be left, a callback of luv) or when its task has been cancelled. */
curia__wait *curia__await_begin(lua_State *L, const char *what);

/* Waits for the started wait; the last act of a binding function:
 *     curia__wait *w = curia__await_begin(L, "sleep");
 *     curia__wait_start(w, w->op.loop..., ms);
 *     return curia__await(L, k, ctx);
 * In a task it yields; on the main thread it runs the loop. `k` then runs with the stack as it was;
 * a wait that ended because the task was cancelled raises before `k` is reached. */
int curia__await(lua_State *L, lua_KFunction k, lua_KContext ctx);

/* How the wait ended: 0 or CURIA_ETIMEOUT. For use in `k`. */
int curia__await_status(lua_State *L);

/* The task that runs now as the runtime's task, or NULL on the main thread. */
curia__task *curia__current_task(curia__host *host);

/* Raises the cancel error of a task that has been cancelled. */
void curia__raise_if_cancelled(lua_State *L, const curia__task *task);

/* Pushes a coroutine with an empty stack: a used one when there is one, as its stack has grown to
 * the right size already, else a new one. */
lua_State *curia__push_coroutine(lua_State *L, curia__host *host);

/* Pushes an error value of curia.errors. */
void curia__push_error(lua_State *L, const char *kind, const char *message);
/* Pushes nil and an error value; returns 2. */
int curia__return_error(lua_State *L, const char *kind, const char *message);

/* Resumes the coroutine that waits for `op`: the only door from C into Lua. */
void curia__host_deliver(curia__op *op, void *host);

/* Lua begins to run in `L`, and the watchdog looks; `base`: `L` where a stop may yield, or NULL.
 * `turn` keeps what surrounds it until curia__turn_leave. */
void curia__turn_enter(curia__host *host, curia__turn *turn, lua_State *L, lua_State *base);
void curia__turn_leave(curia__host *host, const curia__turn *turn, lua_State *L);

/* Has what runs now stopped at its next instruction; `interrupt` in a signal handler. */
void curia__host_interrupt(void *host);
void curia__host_stop(curia__host *host, curia__stop why);

/* Why it was stopped, as a line of at most `size` bytes; the code of such errors. */
void curia__host_stop_text(const curia__host *host, char *text, size_t size);
const char *curia__host_stop_code(const curia__host *host);

/* The hook that stops what runs. */
void curia__host_on_stop(lua_State *L, lua_Debug *ar);

/* Takes the hooks of the watchdog and the quota off a coroutine that has been left, if they are
 * there. */
void curia__host_unhook(lua_State *L);

/* Ends the watchdog, if there is one; idempotent. */
void curia__host_stop_watchdog(curia__host *host);

/* Replaces coroutine.resume and coroutine.wrap by versions that tell the watchdog and the quota who
 * runs. */
void curia__track_coroutines(lua_State *L);

/* Reports what nobody else will hear of. */
void curia__log(curia__host *host, const char *level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Each subject's opener pushes its module table; registered in bindings/curia.c. */
int curia__open_task(lua_State *L);
int curia__open_clock(lua_State *L);
int curia__open_lock(lua_State *L);
int curia__open_json(lua_State *L);
int curia__open_decoder(lua_State *L);
int curia__open_pattern(lua_State *L);
int curia__open_regex(lua_State *L);
int curia__open_embed(lua_State *L);
int curia__open_http(lua_State *L);
int curia__open_luv(lua_State *L);
int curia__open_watchdog(lua_State *L);
int curia__open_system(lua_State *L);
int curia__open_sql(lua_State *L);

#endif
