/* curia.core.task: tasks, groups and signals for Lua. The sugar stands in lua/curia/task.lua. */
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "host.h"
#include "scope.h"

#define TASK "curia.task"
#define GROUP "curia.group"
#define SIGNAL "curia.signal"
#define SCOPE "curia.scope"

typedef struct {
    curia__group group; /* first member */
    curia__host *host;
} lua_group;

/* Upvalue 1 of all methods is the metatable of their class. */
static curia__lua_task *check_task(lua_State *L) {
    return curia__check_own(L, 1, TASK);
}

/* ---- anchors: what must not be collected ---------------------------------------------------- */

static void anchor(lua_State *L, curia__host *host, int index, const void *key) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, host->anchors);
    lua_pushvalue(L, index);
    lua_rawsetp(L, -2, key);
    lua_pop(L, 1);
}

static void release(curia__host *host, const void *key) {
    lua_State *L = host->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, host->anchors);
    lua_pushnil(L);
    lua_rawsetp(L, -2, key);
    lua_pop(L, 1);
}

static void push_anchored(lua_State *L, curia__host *host, const void *key) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, host->anchors);
    lua_rawgetp(L, -1, key);
    lua_remove(L, -2);
}

/* A task of a group stays until it has been collected from it; another goes now. A group stays
 * while one of its tasks lives. */
static void on_ended(curia__task *task) {
    curia__lua_task *t = (curia__lua_task *)task;
    if (!task->group)
        release(t->host, t);
    else if (!task->group->live)
        release(t->host, task->group);
}

static const curia__task_host task_host = {on_ended};

/* ---- spawning ------------------------------------------------------------------------------- */

/* (fn, ...) on the stack from `first` on -> the new task, a child of `parent` (NULL: a root); below
 * them the group, if there is one. What may raise comes before the task is there. */
static int spawn(lua_State *L, int first, curia__task *parent, curia__group *group) {
    curia__host *host = curia__host_of(L);
    luaL_checktype(L, first, LUA_TFUNCTION);
    if (parent) curia__raise_if_cancelled(L, parent);
    int count = lua_gettop(L) - first + 1;
    curia__lua_task *t = lua_newuserdatauv(L, sizeof *t, 3);
    memset(t, 0, sizeof *t);
    luaL_setmetatable(L, TASK);
    lua_insert(L, first);
    lua_State *co = curia__push_coroutine(L, host);
    lua_setiuservalue(L, first, 1);
    if (!lua_checkstack(co, count)) return luaL_error(L, "not enough memory");
    lua_xmove(L, co, count);
    if (group && !group->live) anchor(L, host, first - 1, group);
    anchor(L, host, first, t);
    t->host = host;
    t->co = co;
    int rc = curia__task_init(&t->task, &host->loop, parent, group, &task_host);
    if (rc) {
        if (group && !group->live) release(host, group);
        release(host, t);
        return luaL_error(L, "spawn: the runtime is closing");
    }
    lua_settop(L, first);
    return 1;
}

static curia__task *parent_here(lua_State *L) {
    return curia__current_task(curia__host_of(L));
}

/* spawn(fn, ...) -> task, a child of the running one. Its start is queued; it does not run before
 * the caller waits or ends. */
static int task_spawn(lua_State *L) {
    return spawn(L, 1, parent_here(L), NULL);
}

/* spawn_root(fn, ...) -> task that belongs to the runtime, whoever spawns it. Its body begins in any
 * case, so that a to-be-closed variable can see to it that it ends well; when it was cancelled
 * before, its first wait raises. */
static int task_spawn_root(lua_State *L) {
    spawn(L, 1, NULL, NULL);
    curia__lua_task *t = lua_touserdata(L, -1);
    t->always_starts = true;
    return 1;
}

/* spawn_bound(fn, ...) -> task that is cancelled as soon as the running one's body has ended. Its
 * body begins in any case, as a root's. */
static int task_spawn_bound(lua_State *L) {
    spawn(L, 1, parent_here(L), NULL);
    curia__lua_task *t = lua_touserdata(L, -1);
    t->task.bound = true;
    t->always_starts = true;
    return 1;
}

/* spawn_background(fn, ...) -> task that belongs to the runtime. Its waits do not keep the loop alive,
 * and count() leaves it out: for housekeeping. */
static int task_spawn_background(lua_State *L) {
    spawn(L, 1, NULL, NULL);
    curia__lua_task *t = lua_touserdata(L, -1);
    curia__task_set_background(&t->task);
    return 1;
}

/* current() -> the running task, or nil on the main thread. */
static int task_current(lua_State *L) {
    curia__host *host = curia__host_of(L);
    if (!host->running) return 0;
    push_anchored(L, host, host->running);
    return 1;
}

static int traceback(lua_State *L) {
    if (lua_type(L, 1) == LUA_TSTRING) luaL_traceback(L, L, lua_tostring(L, 1), 1);
    return 1;
}

/* call_now(fn, ...) -> true | false, err. Calls `fn`, which may not wait: this is a C call that cannot be left
 * (PITFALLS P3). */
static int task_call_now(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_pushcfunction(L, traceback);
    lua_insert(L, 1);
    int rc = lua_pcall(L, lua_gettop(L) - 2, 0, 1);
    lua_pushboolean(L, rc == LUA_OK);
    lua_replace(L, 1);
    return lua_gettop(L);
}

/* count() -> how many tasks have not ended, those in the background left out. */
static int task_count(lua_State *L) {
    const curia__loop *loop = &curia__host_of(L)->loop;
    lua_pushinteger(L, (lua_Integer)(loop->task_count - loop->background_tasks));
    return 1;
}

/* ---- waiting -------------------------------------------------------------------------------- */

static void start_wait(lua_State *L, curia__wait *w, curia__signal *signal, int64_t timeout_ms) {
    curia__host *host = curia__host_of(L);
    if (curia__wait_start(w, &host->loop, curia__current_task(host), signal, timeout_ms))
        luaL_error(L, "not enough memory");
}

/* A time-out argument in ms: absent or nil means none (-1); rounded up. */
static int64_t opt_timeout(lua_State *L, int arg) {
    if (lua_isnoneornil(L, arg)) return -1;
    lua_Number ms = luaL_checknumber(L, arg);
    luaL_argcheck(L, ms >= 0 && ms < 1e15, arg, "milliseconds, 0 or more");
    int64_t whole = (int64_t)ms;
    return (lua_Number)whole < ms ? whole + 1 : whole;
}

static int slept(lua_State *L, int status, lua_KContext ctx) {
    (void)L;
    (void)status;
    (void)ctx;
    return 0;
}

/* sleep(ms). 0 lets everything else that is ready run first. */
static int task_sleep(lua_State *L) {
    luaL_checknumber(L, 1);
    int64_t ms = opt_timeout(L, 1);
    curia__wait *w = curia__await_begin(L, "sleep");
    if (ms == 0) {
        start_wait(L, w, NULL, -1);
        curia__op_complete(&w->op, 0);
    } else {
        start_wait(L, w, NULL, ms);
    }
    return curia__await(L, slept, 0);
}

/* Pushes true and the results, or false and the error. The task is at index 1. */
static int push_outcome(lua_State *L) {
    curia__lua_task *t = check_task(L);
    t->task.observed = true;
    lua_pushboolean(L, t->task.status == 0);
    for (int i = 1; i <= t->results; i++)
        lua_getiuservalue(L, 1, 1 + i);
    return 1 + t->results;
}

static int awaited(lua_State *L, int status, lua_KContext ctx) {
    (void)status;
    (void)ctx;
    if (curia__await_status(L) == CURIA_ETIMEOUT) {
        lua_pushnil(L);
        curia__push_error(L, "timeout", "the task has not ended in time");
        return 2;
    }
    return push_outcome(L);
}

/* Whether `t` ends only after the running task: it is that task or one of its ancestors. */
static bool waits_for_caller(const curia__lua_task *t) {
    for (const curia__task *up = curia__current_task(t->host); up; up = up->parent)
        if (up == &t->task) return true;
    return false;
}

/* task:await([timeout_ms]) -> true, results... | false, err | nil, err (kind timeout; the task
 * goes on). */
static int task_await(lua_State *L) {
    curia__lua_task *t = check_task(L);
    int64_t timeout_ms = opt_timeout(L, 2);
    curia__wait *w = curia__await_begin(L, "await");
    if (t->task.state == CURIA__TASK_ENDED) return push_outcome(L);
    if (t->host->running == t) return luaL_error(L, "await: a task cannot wait for itself");
    if (waits_for_caller(t)) return luaL_error(L, "await: that task waits for this one to end");
    start_wait(L, w, &t->task.ended, timeout_ms);
    return curia__await(L, awaited, 0);
}

/* task:result() -> like await when it has ended; nothing before. */
static int task_result(lua_State *L) {
    curia__lua_task *t = check_task(L);
    return t->task.state == CURIA__TASK_ENDED ? push_outcome(L) : 0;
}

/* ---- control -------------------------------------------------------------------------------- */

/* task:cancel([reason [, kind]]): kind "cancelled" (default), "deadline" or "timeout". */
static int task_cancel(lua_State *L) {
    static const char *const kinds[] = {"cancelled", "deadline", "timeout", NULL};
    static const int codes[] = {CURIA_ECANCELLED, CURIA_EDEADLINE, CURIA_ETIMEOUT};
    curia__lua_task *t = check_task(L);
    const char *reason = luaL_optstring(L, 2, NULL);
    int code = codes[luaL_checkoption(L, 3, "cancelled", kinds)];
    curia__task_cancel(&t->task, code, reason);
    return 0;
}

/* task:deadline(ms|nil): cancels the task (kind "deadline") in ms; nil takes it back. */
static int task_deadline(lua_State *L) {
    curia__lua_task *t = check_task(L);
    if (curia__task_set_deadline(&t->task, opt_timeout(L, 2)))
        return luaL_error(L, "not enough memory");
    return 0;
}

/* task:status() -> "ready" | "running" | "waiting" | "ending" | "ended" */
static int task_status(lua_State *L) {
    static const char *const names[] = {"ready", "running", "waiting", "ending", "ended"};
    lua_pushstring(L, names[check_task(L)->task.state]);
    return 1;
}

/* task:cancelled() -> whether it has been cancelled. */
static int task_cancelled(lua_State *L) {
    lua_pushboolean(L, check_task(L)->task.cancelled != 0);
    return 1;
}

static int task_tostring(lua_State *L) {
    curia__lua_task *t = check_task(L);
    lua_pushfstring(L, "task %d", (int)t->task.id);
    return 1;
}

/* An error that nobody collected must not disappear (PITFALLS P6). A task that did not end before Lua
 * closes has a reason still. */
static int task_gc(lua_State *L) {
    curia__lua_task *t = check_task(L);
    free(t->task.reason);
    t->task.reason = NULL;
    if (t->task.state != CURIA__TASK_ENDED || !t->task.status) return 0;
    if (t->task.observed || t->task.cancelled) return 0;
    lua_getiuservalue(L, 1, 2);
    if (lua_istable(L, -1))
        lua_getfield(L, -1, "traceback");
    else
        lua_pushnil(L);
    const char *trace = lua_tostring(L, -1);
    curia__log(t->host, "error", "a task failed and nobody asked: %s\n%s",
               luaL_tolstring(L, -2, NULL), trace ? trace : "");
    return 0;
}

/* ---- groups --------------------------------------------------------------------------------- */

static lua_group *check_group(lua_State *L) {
    return curia__check_own(L, 1, GROUP);
}

/* group() -> an empty group: its tasks are collected in the order in which they end. */
static int group_new(lua_State *L) {
    lua_group *g = lua_newuserdatauv(L, sizeof *g, 0);
    memset(g, 0, sizeof *g);
    g->host = curia__host_of(L);
    luaL_setmetatable(L, GROUP);
    return 1;
}

/* group:spawn(fn, ...) -> task */
static int group_spawn(lua_State *L) {
    lua_group *g = check_group(L);
    return spawn(L, 2, parent_here(L), &g->group);
}

static int group_take(lua_State *L, lua_group *g) {
    curia__lua_task *t = (curia__lua_task *)curia__group_take(&g->group);
    if (!t) return 0;
    push_anchored(L, g->host, t);
    t->task.group = NULL;
    release(g->host, t);
    return 1;
}

/* Lets the tasks go that nobody collected. */
static int group_gc(lua_State *L) {
    lua_group *g = check_group(L);
    while (group_take(L, g))
        lua_pop(L, 1);
    return 0;
}

static int next_of(lua_State *L, lua_Integer until_ms);

static curia__clock *clock_here(curia__host *host) {
    return curia__clock_of_task(&host->loop, curia__current_task(host));
}

static int group_changed(lua_State *L, int status, lua_KContext until_ms) {
    (void)status;
    if (curia__await_status(L) != CURIA_ETIMEOUT) return next_of(L, until_ms);
    lua_pushnil(L);
    curia__push_error(L, "timeout", "no task of the group has ended in time");
    return 2;
}

/* Waits again when another waiter was faster. until_ms: on the clock; -1: no limit. */
static int next_of(lua_State *L, lua_Integer until_ms) {
    lua_group *g = check_group(L);
    if (g->group.first || !g->group.live) return group_take(L, g);
    lua_Integer left_ms = until_ms - (lua_Integer)curia__clock_ms(clock_here(g->host));
    curia__wait *w = curia__await_begin(L, "group:next");
    start_wait(L, w, &g->group.changed, until_ms < 0 ? -1 : left_ms > 0 ? left_ms : 0);
    return curia__await(L, group_changed, until_ms);
}

/* group:next([timeout_ms]) -> the next task that has ended; nothing when all have been collected;
 * nil, err (kind timeout). */
static int group_next(lua_State *L) {
    curia__clock *clock = clock_here(check_group(L)->host);
    int64_t timeout_ms = opt_timeout(L, 2);
    return next_of(L, timeout_ms < 0 ? -1 : (lua_Integer)curia__clock_ms(clock) + timeout_ms);
}

static int group_step(lua_State *L) {
    lua_settop(L, 1);
    return next_of(L, -1);
}

/* for task in group:each() do ... end: all of them, in the order in which they end */
static int group_each(lua_State *L) {
    check_group(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushcclosure(L, group_step, 1);
    lua_pushvalue(L, 1);
    return 2;
}

/* group:taken() -> the next task that has ended, or nothing; never waits */
static int group_taken(lua_State *L) {
    return group_take(L, check_group(L));
}

/* group:live() -> how many have not ended */
static int group_live(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)check_group(L)->group.live);
    return 1;
}

/* ---- signals -------------------------------------------------------------------------------- */

/* signal() -> something to wait for and to notify. */
static int signal_new(lua_State *L) {
    curia__signal *s = lua_newuserdatauv(L, sizeof *s, 0);
    memset(s, 0, sizeof *s);
    luaL_setmetatable(L, SIGNAL);
    return 1;
}

static int signalled(lua_State *L, int status, lua_KContext ctx) {
    (void)status;
    (void)ctx;
    lua_pushboolean(L, curia__await_status(L) == 0);
    return 1;
}

/* signal:wait([timeout_ms]) -> true when notified, false when the time is over */
static int signal_wait(lua_State *L) {
    curia__signal *s = curia__check_own(L, 1, SIGNAL);
    int64_t timeout_ms = opt_timeout(L, 2);
    curia__wait *w = curia__await_begin(L, "signal:wait");
    start_wait(L, w, s, timeout_ms);
    return curia__await(L, signalled, 0);
}

/* signal:notify(), also __gc (somebody waits still if a script has closed his coroutine): wakes all
 * that wait now. */
static int signal_notify(lua_State *L) {
    curia__signal_notify(curia__check_own(L, 1, SIGNAL), 0);
    return 0;
}

/* ---- the module ----------------------------------------------------------------------------- */

/* ---- scopes --------------------------------------------------------------------------------- */

typedef struct {
    curia__scope *scope; /* NULL: out of memory while it was made */
} lua_scope;

static curia__scope *check_scope(lua_State *L) {
    return ((lua_scope *)luaL_checkudata(L, 1, SCOPE))->scope;
}

/* scope([wall_ms]) -> a scope, see runtime/scope.h; with a time of its own that begins at 0 and at that Unix time */
static int task_scope(lua_State *L) {
    bool timed = !lua_isnoneornil(L, 1);
    lua_Number wall_ms = luaL_optnumber(L, 1, 0);
    lua_scope *box = lua_newuserdatauv(L, sizeof *box, 0);
    box->scope = NULL;
    luaL_setmetatable(L, SCOPE);
    box->scope = curia__scope_new(timed);
    if (!box->scope) return luaL_error(L, "not enough memory");
    curia__clock_set_wall(&box->scope->clock, wall_ms);
    return 1;
}

static curia__scope *check_timed(lua_State *L) {
    curia__scope *scope = check_scope(L);
    luaL_argcheck(L, scope->timed, 1, "the scope has no time of its own");
    return scope;
}

static uint64_t check_later(lua_State *L, curia__scope *scope) {
    lua_Integer ms = luaL_checkinteger(L, 2);
    luaL_argcheck(L, ms >= (lua_Integer)curia__clock_ms(&scope->clock), 2, "time goes forward");
    return (uint64_t)ms;
}

/* scope:ms() -> milliseconds of its own time */
static int scope_ms(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)curia__clock_ms(&check_timed(L)->clock));
    return 1;
}

/* scope:due() -> when the next of its tasks' waits or deadlines is over, on its own time; nil: there is none */
static int scope_due(lua_State *L) {
    curia__clock *clock = &check_timed(L)->clock;
    int64_t left_ms = curia__clock_next_ms(clock);
    if (left_ms < 0) return 0;
    lua_pushinteger(L, (lua_Integer)curia__clock_ms(clock) + left_ms);
    return 1;
}

/* scope:set(ms): it is that time now; what is due by then waits for `advance`. */
static int scope_set(lua_State *L) {
    curia__scope *scope = check_timed(L);
    curia__clock_set_ms(&scope->clock, check_later(L, scope));
    return 0;
}

/* scope:advance(ms): it is that time now, and what is due by then happens. */
static int scope_advance(lua_State *L) {
    curia__scope *scope = check_timed(L);
    curia__scope_advance(scope, check_later(L, scope));
    return 0;
}

/* scope:set_wall(wall_ms): now is that Unix time. */
static int scope_set_wall(lua_State *L) {
    curia__clock_set_wall(&check_timed(L)->clock, luaL_checknumber(L, 2));
    return 0;
}

/* scope:add(task) -> the task, which must not have begun. What it spawns is in the scope too. */
static int scope_add(lua_State *L) {
    curia__scope *scope = check_scope(L);
    curia__lua_task *t = luaL_checkudata(L, 2, TASK);
    luaL_argcheck(L, t->task.state == CURIA__TASK_READY && !t->task.scope, 2, "it has begun");
    curia__scope_add(scope, &t->task);
    lua_settop(L, 2);
    return 1;
}

/* in_scope() -> what stands for the scope with a time of its own in which the running task is, or false */
static int task_in_scope(lua_State *L) {
    const curia__task *here = parent_here(L);
    if (here && here->scope && here->scope->timed)
        lua_pushlightuserdata(L, here->scope);
    else
        lua_pushboolean(L, 0);
    return 1;
}

/* current_scope() -> what stands for the scope in which the running task is, or false */
static int task_current_scope(lua_State *L) {
    const curia__task *here = parent_here(L);
    if (here && here->scope)
        lua_pushlightuserdata(L, here->scope);
    else
        lua_pushboolean(L, 0);
    return 1;
}

/* scope:key() -> what in_scope and current_scope give to its tasks */
static int scope_key(lua_State *L) {
    lua_pushlightuserdata(L, check_scope(L));
    return 1;
}

static int quiet_or_wait(lua_State *L, int status, lua_KContext ctx) {
    curia__scope *scope = check_scope(L);
    if (!scope->ready) return 0;
    curia__wait *w = curia__await_begin(L, "scope:quiet");
    start_wait(L, w, &scope->quiet, -1);
    return curia__await(L, quiet_or_wait, 0);
}

/* scope:quiet(): waits until none of its tasks has anything left to do but wait. Not from one of them. */
static int scope_quiet(lua_State *L) {
    curia__scope *scope = check_scope(L);
    const curia__task *here = parent_here(L);
    if (here && here->scope == scope)
        return luaL_error(L, "scope:quiet: this task is in the scope");
    lua_settop(L, 1);
    return quiet_or_wait(L, LUA_OK, 0);
}

static int scope_gc(lua_State *L) {
    lua_scope *box = luaL_checkudata(L, 1, SCOPE);
    if (box->scope) curia__scope_release(box->scope);
    box->scope = NULL;
    return 0;
}

static const luaL_Reg task_methods[] = {{"await", task_await},
                                        {"result", task_result},
                                        {"cancel", task_cancel},
                                        {"deadline", task_deadline},
                                        {"status", task_status},
                                        {"cancelled", task_cancelled},
                                        {NULL, NULL}};
static const luaL_Reg task_meta[] = {
    {"__tostring", task_tostring}, {"__gc", task_gc}, {NULL, NULL}};
static const luaL_Reg group_methods[] = {{"spawn", group_spawn}, {"next", group_next},
                                         {"each", group_each},   {"taken", group_taken},
                                         {"live", group_live},   {NULL, NULL}};
static const luaL_Reg group_meta[] = {{"__gc", group_gc}, {NULL, NULL}};
static const luaL_Reg signal_methods[] = {
    {"wait", signal_wait}, {"notify", signal_notify}, {NULL, NULL}};
static const luaL_Reg signal_meta[] = {{"__gc", signal_notify}, {NULL, NULL}};
static const luaL_Reg scope_methods[] = {
    {"add", scope_add},           {"quiet", scope_quiet}, {"ms", scope_ms},
    {"due", scope_due},           {"set", scope_set},     {"advance", scope_advance},
    {"set_wall", scope_set_wall}, {"key", scope_key},     {NULL, NULL}};
static const luaL_Reg scope_meta[] = {{"__gc", scope_gc}, {NULL, NULL}};
static const luaL_Reg functions[] = {{"spawn", task_spawn},
                                     {"spawn_root", task_spawn_root},
                                     {"spawn_bound", task_spawn_bound},
                                     {"spawn_background", task_spawn_background},
                                     {"current", task_current},
                                     {"count", task_count},
                                     {"sleep", task_sleep},
                                     {"call_now", task_call_now},
                                     {"group", group_new},
                                     {"signal", signal_new},
                                     {"scope", task_scope},
                                     {"in_scope", task_in_scope},
                                     {"current_scope", task_current_scope},
                                     {NULL, NULL}};

static void new_class(lua_State *L, const char *name, const luaL_Reg *methods,
                      const luaL_Reg *meta) {
    luaL_newmetatable(L, name);
    lua_pushvalue(L, -1);
    luaL_setfuncs(L, meta, 1);
    lua_newtable(L);
    lua_pushvalue(L, -2);
    luaL_setfuncs(L, methods, 1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

int curia__open_task(lua_State *L) {
    new_class(L, TASK, task_methods, task_meta);
    new_class(L, GROUP, group_methods, group_meta);
    new_class(L, SIGNAL, signal_methods, signal_meta);
    new_class(L, SCOPE, scope_methods, scope_meta);
    luaL_newlib(L, functions);
    return 1;
}
