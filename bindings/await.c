/* Waiting, and the one door: how a coroutine leaves Lua and how it is resumed. */
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "host.h"
#include "watchdog.h"

curia__task *curia__current_task(curia__host *host) {
    return host->running ? &host->running->task : NULL;
}

static const char *kind_of(int code) {
    return code == CURIA_EDEADLINE ? "deadline" : code == CURIA_ETIMEOUT ? "timeout" : "cancelled";
}

static void push_cancel_error(lua_State *L, const curia__task *task) {
    curia__push_error(L, kind_of(task->cancelled),
                      task->reason ? task->reason : curia_error_text(task->cancelled));
}

void curia__raise_if_cancelled(lua_State *L, const curia__task *task) {
    if (!task->cancelled) return;
    push_cancel_error(L, task);
    lua_error(L);
}

static curia__wait *begin_in_task(lua_State *L, curia__lua_task *t, const char *what) {
    if (t->co != L)
        luaL_error(L, "%s: only the task itself may wait, not a coroutine that it made", what);
    if (t->closing) luaL_error(L, "%s: a __close function may not wait", what);
    if (!lua_isyieldable(L))
        luaL_error(L, "%s: cannot wait inside a C call (a sort or gsub function, a metamethod)",
                   what);
    curia__raise_if_cancelled(L, &t->task);
    return &t->task.wait;
}

curia__wait *curia__await_begin(lua_State *L, const char *what) {
    curia__host *host = curia__host_of(L);
    if (host->running) return begin_in_task(L, host->running, what);
    if (*host->loop.turning || (host->foreign && host->foreign_runs(host)))
        luaL_error(L, "%s: cannot wait in a callback of the loop; spawn a task for it", what);
    if (L != host->L) luaL_error(L, "%s: cannot wait in a coroutine that is not a task", what);
    if (host->main_wait.op.state != CURIA__OP_IDLE)
        luaL_error(L, "%s: the main thread waits already", what);
    return &host->main_wait;
}

/* A script may have got hold of a task's coroutine by coroutine.running. */
static int resumed(lua_State *L, int status, lua_KContext ctx) {
    curia__lua_task *t = curia__host_of(L)->running;
    if (!t || t->co != L) return luaL_error(L, "a task that waits is resumed by the runtime alone");
    if (t->task.wait.op.status == CURIA_ECANCELLED) {
        push_cancel_error(L, &t->task);
        return lua_error(L);
    }
    return t->then(L, status, ctx);
}

static void run_until_done(lua_State *L, curia__host *host) {
    curia__wait *w = &host->main_wait;
    while (w->op.state != CURIA__OP_IDLE) {
        int alive = curia__loop_turn(&host->loop, true);
        if (!host->loop.check) luaL_error(L, "curia was closed meanwhile");
        if (alive == 1 || w->op.state == CURIA__OP_IDLE) continue;
        curia__op_cancel(&w->op);
        if (alive == 0 && !host->loop.ready_first) break;
        if (alive < 0) luaL_error(L, "the loop is running already");
    }
}

int curia__await(lua_State *L, lua_KFunction k, lua_KContext ctx) {
    curia__host *host = curia__host_of(L);
    curia__lua_task *t = host->running;
    if (t) {
        t->then = k;
        t->task.state = CURIA__TASK_WAITING;
        return lua_yieldk(L, 0, ctx, resumed);
    }
    run_until_done(L, host);
    if (host->main_wait.op.status == CURIA_ECANCELLED)
        return luaL_error(L, "nothing is left that could end this wait");
    return k(L, LUA_YIELD, ctx);
}

int curia__await_status(lua_State *L) {
    curia__host *host = curia__host_of(L);
    return host->running ? host->running->task.wait.op.status : host->main_wait.op.status;
}

/* ---- the door -------------------------------------------------------------------------------- */

static void push_task(curia__lua_task *t) {
    lua_State *L = t->host->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, t->host->anchors);
    lua_rawgetp(L, -1, t);
    lua_remove(L, -2);
}

lua_State *curia__push_coroutine(lua_State *L, curia__host *host) {
    if (!host->pooled) {
        lua_State *co = lua_newthread(L);
        curia__host_unhook(co); /* a hook that is meant for L is inherited */
        return co;
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, host->pool);
    lua_rawgeti(L, -1, host->pooled);
    lua_pushboolean(L, 0); /* not nil: the array keeps its size */
    lua_rawseti(L, -3, host->pooled--);
    lua_remove(L, -2);
    return lua_tothread(L, -1);
}

/* The task's userdata is on L's top, its coroutine has returned: keeps the coroutine for later. */
static void pool_coroutine(curia__lua_task *t) {
    curia__host *host = t->host;
    lua_State *L = host->L;
    if (host->pooled == CURIA__POOL_SIZE || lua_gethook(t->co)) return;
    lua_settop(t->co, 0);
    lua_rawgeti(L, LUA_REGISTRYINDEX, host->pool);
    lua_getiuservalue(L, -2, 1);
    lua_rawseti(L, -2, ++host->pooled);
    lua_pop(L, 1);
}

/* Stores the results (at most two, on top of `co`) and lets the coroutine go. */
static void finish(curia__lua_task *t, int count, int status) {
    lua_State *L = t->host->L, *co = t->co;
    if (count > 2) lua_pop(co, count - 2);
    t->results = count > 2 ? 2 : count;
    push_task(t);
    for (int i = t->results; i > 0; i--) {
        lua_xmove(co, L, 1);
        lua_setiuservalue(L, -2, 1 + i);
    }
    if (status == 0) pool_coroutine(t);
    lua_pushnil(L);
    lua_setiuservalue(L, -2, 1);
    lua_pop(L, 1);
    t->co = NULL;
    curia__task_finish(&t->task, status);
}

/* Why a task fails when its coroutine did not raise itself. */
typedef struct {
    const char *kind, *message;
    const char *code; /* or NULL */
} failure;

/* Whether the error value at index 1 says that the task was cancelled. Where it stood then is of no
 * use, and a traceback would take longer than all else that ends a task. */
static bool is_cancel_error(lua_State *L) {
    const curia__task *task = &curia__host_of(L)->running->task;
    if (!task->cancelled || lua_getfield(L, 1, "kind") != LUA_TSTRING) return false;
    return strcmp(lua_tostring(L, -1), kind_of(task->cancelled)) == 0;
}

/* (value, coroutine, failure) -> error value with the coroutine's traceback; runs protected. */
static int make_error(lua_State *L) {
    lua_State *co = lua_tothread(L, 2);
    const failure *why = lua_touserdata(L, 3);
    if (why) {
        curia__push_error(L, why->kind, why->message);
        lua_pushstring(L, why->code);
        lua_setfield(L, -2, "code");
        lua_replace(L, 1);
    } else if (!lua_istable(L, 1) || lua_getfield(L, 1, "kind") != LUA_TSTRING) {
        curia__push_error(L, "script", luaL_tolstring(L, 1, NULL));
        lua_replace(L, 1);
    }
    lua_settop(L, 2);
    if (!is_cancel_error(L) && lua_getfield(L, 1, "traceback") == LUA_TNIL) {
        luaL_traceback(L, co, NULL, 0);
        lua_setfield(L, 1, "traceback");
    }
    lua_settop(L, 1);
    return 1;
}

/* From here on Lua runs on behalf of `t`, in L, and the watchdog looks. */
static void enter(curia__lua_task *t, curia__turn *turn, lua_State *L) {
    curia__host *host = t->host;
    host->running = t;
    curia__turn_enter(host, turn, L, L == t->co && !t->closing ? L : NULL);
}

static void leave(curia__lua_task *t, const curia__turn *turn, lua_State *L) {
    curia__turn_leave(t->host, turn, L);
    t->host->running = NULL;
}

/* Replaces the value on the main state's top by an error value, or, and returns false, by what made
 * that impossible. A script's own __tostring or __index may run. */
static bool convert_error(curia__lua_task *t, const failure *why) {
    lua_State *L = t->host->L;
    lua_pushcfunction(L, make_error);
    lua_insert(L, -2);
    lua_pushthread(t->co);
    lua_xmove(t->co, L, 1);
    if (why)
        lua_pushlightuserdata(L, (void *)(uintptr_t)why);
    else
        lua_pushnil(L);
    curia__turn turn;
    enter(t, &turn, L);
    if (t->host->quota) t->host->quota->strict = false;
    int rc = lua_pcall(L, 3, 1, 0);
    leave(t, &turn, L);
    return rc == LUA_OK;
}

/* Runs the __close functions of a coroutine that was left in the middle. They may not wait, what
 * they spawn is cancelled, and the watchdog stops the one that holds the loop. */
static void close_coroutine(curia__lua_task *t) {
    curia__turn turn;
    t->closing = true;
    enter(t, &turn, t->co);
    lua_resetthread(t->co);
    leave(t, &turn, t->co);
    lua_settop(t->co, 0);
}

/* Ends a task that failed, with the error on its coroutine's top or with `why`: keeps an error
 * value, runs its __close functions, ends the task (PITFALLS P6). Nothing here allocates outside
 * of the protected calls (P2). */
static void fail(curia__lua_task *t, int status, const failure *why) {
    lua_State *L = t->host->L, *co = t->co;
    if (why)
        lua_pushnil(L);
    else
        lua_xmove(co, L, 1);
    if (!convert_error(t, why)) convert_error(t, NULL); /* when memory is out, that text remains */
    close_coroutine(t);
    lua_xmove(L, co, 1);
    finish(t, 1, status);
}

static void fail_cancelled(curia__lua_task *t) {
    const curia__task *task = &t->task;
    failure why = {kind_of(task->cancelled),
                   task->reason ? task->reason : curia_error_text(task->cancelled), NULL};
    fail(t, task->cancelled, &why);
}

static void fail_stopped(curia__lua_task *t) {
    char text[320];
    curia__host_stop_text(t->host, text, sizeof text);
    fail(t, CURIA_ESCRIPT, &(failure){"script", text, curia__host_stop_code(t->host)});
}

static void fail_yielded(curia__lua_task *t) {
    fail(t, CURIA_ESCRIPT,
         &(failure){"script", "a task yielded outside of a wait; task.sleep(0) lets others run",
                    NULL});
}

/* Of a pooled coroutine, a script may have kept hold since the task that had it before. */
static void fail_used(curia__lua_task *t) {
    fail(t, CURIA_ESCRIPT,
         &(failure){"script", "a script resumed or closed the task's coroutine", NULL});
}

static void resume(curia__lua_task *t, int arguments) {
    int results = 0;
    t->task.state = CURIA__TASK_RUNNING;
    curia__turn turn;
    enter(t, &turn, t->co);
    int rc = lua_resume(t->co, t->host->L, arguments, &results);
    leave(t, &turn, t->co);
    if (t->host->stop)
        fail_stopped(t);
    else if (rc == LUA_OK)
        finish(t, results, 0);
    else if (rc != LUA_YIELD)
        fail(t, t->task.cancelled ? t->task.cancelled : CURIA_ESCRIPT, NULL);
    else if (t->task.state != CURIA__TASK_WAITING)
        fail_yielded(t);
}

void curia__host_deliver(curia__op *op, void *arg) {
    (void)arg;
    curia__lua_task *t = (curia__lua_task *)op->task;
    if (!t || !t->co) return; /* the main thread looks for itself; a closed coroutine is gone */
    bool starts = t->task.state == CURIA__TASK_READY;
    if (starts && t->task.cancelled && !t->always_starts)
        fail_cancelled(t);
    else if (starts && (lua_status(t->co) != LUA_OK || lua_gettop(t->co) == 0))
        fail_used(t);
    else
        resume(t, starts ? lua_gettop(t->co) - 1 : 0);
}
