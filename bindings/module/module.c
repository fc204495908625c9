/* `require "curia"` in a stock Lua 5.4: opens Curia in the interpreter's own state, on luv's loop where there
 * is a luv, else on one of its own. Brings no Lua: all lua_* symbols are the interpreter's. */
#include <dlfcn.h>
#include <luv/luv.h>
#include <string.h>

#include "host.h"

int luaopen_curia(lua_State *L);

/* luv notes in its context whether its uv.run runs: waiting would run the loop in the loop (PITFALLS P8). */
static bool luv_runs(const curia__host *host) {
    const luv_ctx_t *luv = host->foreign;
    return luv->mode != -1;
}

/* The library that a C function is from. */
static void *library_of(lua_CFunction function) {
    Dl_info about;
    if (!function || !dladdr((void *)(uintptr_t)function, &about)) return NULL;
    return dlopen(about.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
}

/* The context of the luv on top of the stack; NULL when it is not to be shared: its loop's handles are
 * closed, polled and freed by its libuv, which must be ours. */
static luv_ctx_t *context_of(lua_State *L) {
    lua_getfield(L, -1, "run");
    void *library = library_of(lua_tocfunction(L, -1));
    lua_pop(L, 1);
    if (!library) return NULL;
    luv_ctx_t *(*context)(lua_State *);
    int (*run)(uv_loop_t *, uv_run_mode);
    *(void **)&context = dlsym(library, "luv_context");
    *(void **)&run = dlsym(library, "uv_run");
    dlclose(library);
    return context && run == uv_run ? context(L) : NULL;
}

static int refuse_walk(lua_State *L) {
    return luaL_error(L, "uv.walk: the loop has handles of Curia's, which are not luv's");
}

/* uv.run (upvalue 1), but not inside of a turn of Curia's (PITFALLS P8), of which luv does not know. */
static int run_outside_of_turns(lua_State *L) {
    const curia__host *host = curia__find_host(L);
    if (host && *host->loop.turning) return luaL_error(L, "uv.run: the loop is running already");
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

/* Of the luv on top of the stack: uv.walk takes every handle for luv's and ends the process (MEASURED 4). */
static void guard_luv(lua_State *L) {
    lua_pushcfunction(L, refuse_walk);
    lua_setfield(L, -2, "walk");
    lua_getfield(L, -1, "run");
    lua_pushcclosure(L, run_outside_of_turns, 1);
    lua_setfield(L, -2, "run");
}

/* luv comes first, whoever asks for it, as what is opened later is closed earlier when the interpreter
 * closes: its finalizer would run Curia's handles (MEASURED 4). */
static luv_ctx_t *find_luv(lua_State *L) {
    lua_getglobal(L, "require");
    lua_pushliteral(L, "luv");
    if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
        lua_pop(L, 1);
        return NULL;
    }
    luv_ctx_t *luv = context_of(L);
    if (!luv)
        luaL_error(L, "this luv carries another libuv than curia (%s): both cannot share a loop",
                   uv_version_string());
    guard_luv(L);
    lua_pop(L, 1);
    return luv;
}

static void open_host(lua_State *L) {
    luv_ctx_t *luv = find_luv(L);
    curia__host *host = curia__host_open(L, luv ? luv->loop : NULL);
    if (!host) {
        luaL_error(L, "not enough memory");
        return;
    }
    host->on_lua_closed = curia__host_end;
    if (!luv) return;
    host->foreign = luv;
    host->foreign_runs = luv_runs;
}

/* The module is what the preloaded "curia" gives. */
int luaopen_curia(lua_State *L) {
    if (lua_version(L) != LUA_VERSION_NUM)
        return luaL_error(L, "curia needs Lua 5.4; this is Lua %f", lua_version(L) / 100);
    if (!curia__find_host(L)) open_host(L);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    if (lua_getfield(L, -1, "curia") != LUA_TFUNCTION) { /* CURIA_LUA: from a file */
        lua_getglobal(L, "dofile");
        lua_pushfstring(L, "%s/curia/init.lua", getenv("CURIA_LUA"));
        lua_call(L, 1, 1);
        return 1;
    }
    lua_pushliteral(L, "curia");
    lua_call(L, 1, 1);
    return 1;
}
