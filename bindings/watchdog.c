/* curia.core.watchdog: stops a script that holds the loop (stop.c). Functions in C cannot be
 * interrupted: bindings/pattern.c bounds those that a script could hang in. */
#include "watchdog.h"

#include <stdlib.h>

#include "error.h"
#include "host.h"

/* start(limit_ms): begins to watch; raises when this thread is watched already. */
static int watchdog_start(lua_State *L) {
    curia__host *host = curia__host_of(L);
    lua_Integer limit = luaL_checkinteger(L, 1);
    luaL_argcheck(L, limit > 0, 1, "a number of milliseconds above 0");
    if (host->watchdog) return luaL_error(L, "the watchdog runs already");
    curia__watchdog *w = calloc(1, sizeof *w);
    if (!w) return luaL_error(L, "not enough memory");
    int rc = curia__watchdog_start(w, (uint64_t)limit, curia__host_interrupt, host);
    if (rc) {
        free(w);
        return luaL_error(L, "watchdog: %s", curia_error_text(rc));
    }
    host->watchdog = w;
    if (host->running) curia__watchdog_enter(w);
    return 0;
}

void curia__host_stop_watchdog(curia__host *host) {
    if (!host->watchdog) return;
    curia__watchdog_stop(host->watchdog);
    free(host->watchdog);
    host->watchdog = NULL;
}

/* stop(): idempotent. */
static int watchdog_stop(lua_State *L) {
    curia__host_stop_watchdog(curia__host_of(L));
    return 0;
}

/* ---- coroutine.resume and coroutine.wrap, which tell who runs -------------------------------- */

/* Resumes `co` with `count` arguments on L's top; leaves results, or one error value, on L's top.
 * Returns their number, or -1 for an error. Follows lcorolib's auxresume. */
static int resume_tracked(lua_State *L, lua_State *co, int count) {
    curia__host *host = curia__host_of(L);
    if (!lua_checkstack(co, count)) {
        lua_pushliteral(L, "too many arguments to resume");
        return -1;
    }
    int results;
    lua_xmove(L, co, count);
    lua_State *before = atomic_exchange(&host->active, co);
    curia__quota_charge(host->quota);
    int rc = lua_resume(co, L, count, &results);
    atomic_store(&host->active, before);
    if (host->stop) lua_sethook(L, curia__host_on_stop, LUA_MASKCOUNT, 1);
    if (rc != LUA_OK && rc != LUA_YIELD) {
        lua_xmove(co, L, 1);
        return -1;
    }
    if (!lua_checkstack(L, results + 1)) {
        lua_pop(co, results);
        lua_pushliteral(L, "too many results to resume");
        return -1;
    }
    lua_xmove(co, L, results);
    return results;
}

static int co_resume(lua_State *L) {
    lua_State *co = lua_tothread(L, 1);
    luaL_argexpected(L, co, 1, "coroutine");
    int results = resume_tracked(L, co, lua_gettop(L) - 1);
    lua_pushboolean(L, results >= 0);
    lua_insert(L, results < 0 ? -2 : -(results + 1));
    return results < 0 ? 2 : results + 1;
}

static int wrapped(lua_State *L) {
    lua_State *co = lua_tothread(L, lua_upvalueindex(1));
    int results = resume_tracked(L, co, lua_gettop(L));
    if (results >= 0) return results;
    if (lua_status(co) != LUA_OK && lua_status(co) != LUA_YIELD && lua_resetthread(co) != LUA_OK) {
        lua_xmove(co, L, 1); /* an error in a __close function replaces the first */
    }
    if (lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static int co_wrap(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *co = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    lua_pushcclosure(L, wrapped, 1);
    return 1;
}

void curia__track_coroutines(lua_State *L) {
    lua_getglobal(L, "coroutine");
    lua_pushcfunction(L, co_resume);
    lua_setfield(L, -2, "resume");
    lua_pushcfunction(L, co_wrap);
    lua_setfield(L, -2, "wrap");
    lua_pop(L, 1);
}

int curia__open_watchdog(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"start", watchdog_start}, {"stop", watchdog_stop}, {NULL, NULL}};
    curia__track_coroutines(L);
    luaL_newlib(L, functions);
    return 1;
}
