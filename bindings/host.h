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
#include <stdatomic.h>

#include "loop.h"
#include "task.h"

typedef struct curia__host curia__host;
typedef struct curia__watchdog curia__watchdog;

/* A task as Lua sees it: a full userdata, kept alive while it runs. User values: the coroutine,
 * then the (up to two) results, or the error. */
typedef struct {
    curia__task task; /* first member */
    curia__host *host;
    lua_State *co; /* NULL once its body has ended */
    int results;   /* how many of the two results there are */
} curia__lua_task;

struct curia__host {
    lua_State *L; /* the main state, never a coroutine's (PITFALLS P4) */
    curia__loop loop;
    curia__lua_task *running;    /* the task whose coroutine runs now, or NULL */
    _Atomic(lua_State *) active; /* the coroutine that runs now, nested ones included (watchdog) */
    curia__wait main_wait;       /* what the main thread waits for at top level */
    curia__watchdog *watchdog;   /* NULL: none */
    void (*log)(void *arg, const char *level, const char *text); /* NULL: silence */
    void *log_arg;
};

/* The host of a state; raises when curia was not opened in it. */
curia__host *curia__host_of(lua_State *L);

/* Awaits `op` (pending or already complete): the last act of a binding function, as in
 * `return curia__await(L, &task->wait.op, k, ctx)`. In a task it yields; on the main thread it runs
 * the loop until the operation is complete; elsewhere (a coroutine that is not the running task's,
 * a luv callback, a delivery) it raises and says why. `k` runs with the stack as it was and finds
 * the outcome in op->status; a wait that was cancelled raises before `k` is reached. */
int curia__await(lua_State *L, lua_KFunction k, lua_KContext ctx);

/* The wait to start before curia__await: the running task's own, or the main thread's. Raises when
 * the caller may not wait, or when its task has been cancelled. */
curia__wait *curia__await_begin(lua_State *L, const char *what);

/* The outcome of the wait, for use in `k`. */
int curia__await_status(lua_State *L);

/* Pushes an error value of curia.errors. */
void curia__push_error(lua_State *L, const char *kind, const char *message);
/* Pushes nil and an error for a failed C call; returns 2. */
int curia__return_error(lua_State *L, const char *kind, const char *message);

/* Reports what nobody else will hear of. */
void curia__log(curia__host *host, const char *level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Each subject's opener pushes its module table; registered in bindings/curia.c. */
int curia__open_task(lua_State *L);
int curia__open_clock(lua_State *L);
int curia__open_json(lua_State *L);
int curia__open_decoder(lua_State *L);
int curia__open_pattern(lua_State *L);
int curia__open_http(lua_State *L);
int curia__open_luv(lua_State *L);
int curia__open_watchdog(lua_State *L);
int curia__open_system(lua_State *L);

#endif
