#include "luv.h"

#include <luv/luv.h>

#include "host.h"

static int traceback(lua_State *L) {
    const char *message = luaL_tolstring(L, 1, NULL);
    luaL_traceback(L, L, message, 1);
    return 1;
}

static int call_watched(lua_State *L, curia__host *host, int count, int results, int handler) {
    curia__turn turn;
    curia__turn_enter(host, &turn, L, NULL);
    int rc = lua_pcall(L, count, results, handler);
    curia__turn_leave(host, &turn, L);
    return rc;
}

/* luv calls each callback through here: (function, arguments...) on the stack. An error is
 * reported and the loop goes on; luv's own door would end the process (MEASURED 4). A callback that
 * comes while Lua closes has no host any more, hence no watchdog and no log. */
static int call_back(lua_State *L, int count, int results, int flags) {
    (void)flags;
    int base = lua_gettop(L) - count;
    lua_pushcfunction(L, traceback);
    lua_insert(L, base);
    curia__host *host = curia__find_host(L);
    int rc =
        host ? call_watched(L, host, count, results, base) : lua_pcall(L, count, results, base);
    lua_remove(L, base);
    if (rc == LUA_OK) return results == LUA_MULTRET ? lua_gettop(L) - base + 1 : results;
    curia__log(host, "error", "a callback of luv failed: %s", lua_tostring(L, -1));
    lua_pop(L, 1);
    return -rc;
}

/* uv.run inside of a turn would run the loop in the loop (PITFALLS P8), uv.walk takes Curia's
 * handles for luv's and ends the process, and a closed loop is the end of everything. */
static int refuse(lua_State *L) {
    return luaL_error(L, "uv.%s: the loop is Curia's, which runs and closes it",
                      lua_tostring(L, lua_upvalueindex(1)));
}

static void refuse_some(lua_State *L) {
    static const char *const names[] = {"run", "stop", "walk", "loop_close", NULL};
    for (const char *const *name = names; *name; name++) {
        lua_pushstring(L, *name);
        lua_pushcclosure(L, refuse, 1);
        lua_setfield(L, -2, *name);
    }
}

/* luv keeps the state that it is given for its callbacks: the main one, as the coroutine that asks
 * for luv may be gone by then (PITFALLS P4). */
static int open_luv(lua_State *L) {
    curia__host *host = curia__host_of(L);
    luv_set_loop(host->L, host->loop.uv);
    luv_set_callback(host->L, call_back);
    lua_pushcfunction(L, luaopen_luv);
    lua_call(L, 0, 1);
    refuse_some(L);
    lua_pushvalue(L, -1);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_insert(L, -2);
    lua_setfield(L, -2, "uv");
    lua_pop(L, 1);
    return 1;
}

static int open_uv(lua_State *L) {
    lua_getglobal(L, "require");
    lua_pushliteral(L, "luv");
    lua_call(L, 1, 1);
    return 1;
}

void curia__preload_luv(lua_State *L) {
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(L, open_luv);
    lua_setfield(L, -2, "luv");
    lua_pushcfunction(L, open_uv);
    lua_setfield(L, -2, "uv");
    lua_pop(L, 1);
}
