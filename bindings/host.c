#include "host.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "embedded.h"
#include "error.h"

enum { LAST_HANDLES_MS = 100 };

static char host_key, guard_key; /* their addresses are registry keys */

static const luaL_Reg core_modules[] = {{"curia.core.task", curia__open_task},
                                        {"curia.core.clock", curia__open_clock},
                                        {"curia.core.json", curia__open_json},
                                        {"curia.core.decoder", curia__open_decoder},
                                        {"curia.core.pattern", curia__open_pattern},
                                        {"curia.core.regex", curia__open_regex},
                                        {"curia.core.http", curia__open_http},
                                        {"curia.core.system", curia__open_system},
                                        {"curia.core.watchdog", curia__open_watchdog},
                                        {"curia.core.sql", curia__open_sql},
                                        {"curia.core.embed", curia__open_embed},
                                        {"curia.core.lock", curia__open_lock},
                                        {NULL, NULL}};

/* The host that this thread has found last: a guess, which holds where its task is the one that
 * runs. */
static _Thread_local curia__host *latest;

curia__host *curia__find_host(lua_State *L) {
    if (latest && latest->running && latest->running->co == L) return latest;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &host_key);
    latest = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return latest;
}

curia__host *curia__host_of(lua_State *L) {
    curia__host *host = curia__find_host(L);
    if (!host) luaL_error(L, "curia is closed, or was not opened in this Lua state");
    return host;
}

void *curia__check_own(lua_State *L, int arg, const char *name) {
    void *own = lua_touserdata(L, arg);
    if (!own || !lua_getmetatable(L, arg)) luaL_typeerror(L, arg, name);
    if (!lua_rawequal(L, -1, lua_upvalueindex(1))) luaL_typeerror(L, arg, name);
    lua_pop(L, 1);
    return own;
}

/* Loads a module from its embedded bytecode; the module's name is the first upvalue. */
static int load_embedded(lua_State *L) {
    const curia__embedded *module = lua_touserdata(L, lua_upvalueindex(1));
    if (luaL_loadbufferx(L, (const char *)module->code, module->size, module->name, "b"))
        return lua_error(L);
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
}

static int is_manual(const char *name) {
    static const char FOLDER[] = "curia.docs.";
    return strncmp(name, FOLDER, sizeof FOLDER - 1) == 0;
}

static void preload(lua_State *L) {
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    for (const luaL_Reg *m = core_modules; m->name; m++) {
        lua_pushcfunction(L, m->func);
        lua_setfield(L, -2, m->name);
    }
    /* CURIA_LUA names a folder to load the Lua side from instead, while one works on it; the manual
     * is no part of it. */
    const char *folder = getenv("CURIA_LUA");
    for (const curia__embedded *m = curia__embedded_modules; m->name; m++) {
        if (folder && !is_manual(m->name)) continue;
        lua_pushlightuserdata(L, (void *)(uintptr_t)m);
        lua_pushcclosure(L, load_embedded, 1);
        lua_setfield(L, -2, m->name);
    }
    lua_pop(L, 1);
    if (!folder) return;
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "path");
    lua_pushfstring(L, "%s/?.lua;%s/?/init.lua;%s", folder, folder, lua_tostring(L, -1));
    lua_setfield(L, -3, "path");
    lua_pop(L, 2);
}

/* Finalizers run in the reverse order of marking (PITFALLS P10), so this one runs last: it sees to
 * the handles that other finalizers have made or closed, while luv can still hear of it. */
static int close_last(lua_State *L) {
    curia__host **host = lua_touserdata(L, 1);
    if (!*host) return 0;
    if ((*host)->loop.closing) curia__loop_close_handles(&(*host)->loop, LAST_HANDLES_MS);
    if ((*host)->on_lua_closed) (*host)->on_lua_closed(*host);
    return 0;
}

static curia__host **set_guard(lua_State *L) {
    curia__host **guard = lua_newuserdatauv(L, sizeof *guard, 0);
    *guard = NULL;
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, close_last);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &guard_key);
    return guard;
}

/* (host): what may raise out of memory. */
static int open_in_state(lua_State *L) {
    curia__host *host = lua_touserdata(L, 1);
    curia__host **guard = set_guard(L);
    lua_newtable(L);
    host->anchors = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_createtable(L, CURIA__POOL_SIZE, 0);
    host->pool = luaL_ref(L, LUA_REGISTRYINDEX);
    preload(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &host_key);
    *guard = host;
    return 0;
}

static lua_State *main_state(lua_State *L) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
    lua_State *main = lua_tothread(L, -1);
    lua_pop(L, 1);
    return main;
}

curia__host *curia__host_open(lua_State *L, uv_loop_t *uv) {
    curia__host *host = curia__find_host(L) ? NULL : calloc(1, sizeof *host);
    if (!host) return NULL;
    if (curia__loop_init(&host->loop, uv, curia__host_deliver, host)) {
        free(host);
        return NULL;
    }
    host->L = main_state(L);
    lua_pushcfunction(L, open_in_state);
    lua_pushlightuserdata(L, host);
    if (lua_pcall(L, 1, 0, 0) == LUA_OK) return host;
    lua_pop(L, 1);
    curia__loop_close(&host->loop, LAST_HANDLES_MS, NULL);
    curia__host_free(host);
    return NULL;
}

void curia__host_forget(curia__host *host) {
    lua_pushnil(host->L);
    lua_rawsetp(host->L, LUA_REGISTRYINDEX, &host_key);
    if (latest == host) latest = NULL;
}

int curia__host_close(curia__host *host, uint64_t limit_ms) {
    int rc = curia__loop_close(&host->loop, limit_ms, NULL);
    if (rc) curia__log(host, "warning", "not everything has ended within %d ms", (int)limit_ms);
    curia__host_forget(host);
    return rc;
}

int curia__host_free(curia__host *host) {
    int rc = curia__loop_deinit(&host->loop, NULL);
    if (latest == host) latest = NULL;
    if (!rc) free(host);
    return rc;
}

static void deliver_to_nobody(curia__op *op, void *host) {
    (void)op;
    (void)host;
}

void curia__host_end(curia__host *host) {
    host->loop.closing = true;
    host->loop.deliver = deliver_to_nobody;
    host->loop.ready_first = host->loop.ready_last = NULL;
    curia__loop_close_services(&host->loop);
    for (int ms = 0; host->loop.ending && ms < LAST_HANDLES_MS; ms++) {
        uv_run(host->loop.uv, UV_RUN_NOWAIT);
        uv_sleep(1);
    }
    curia__loop_close_own_handles(&host->loop);
    curia__loop_close_handles(&host->loop, LAST_HANDLES_MS);
    curia__host_free(host);
}

/* A script may have taken `require` away; curia.errors is loaded by then. */
static void push_errors_module(lua_State *L) {
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    int type = lua_getfield(L, -1, "curia.errors");
    lua_remove(L, -2);
    if (type == LUA_TTABLE) return;
    lua_pop(L, 1);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "curia.errors");
    lua_call(L, 1, 1);
}

void curia__push_error(lua_State *L, const char *kind, const char *message) {
    push_errors_module(L);
    lua_getfield(L, -1, "new");
    lua_pushstring(L, kind);
    lua_pushstring(L, message);
    lua_call(L, 2, 1);
    lua_remove(L, -2);
}

int curia__return_error(lua_State *L, const char *kind, const char *message) {
    lua_pushnil(L);
    curia__push_error(L, kind, message);
    return 2;
}

void curia__log(curia__host *host, const char *level, const char *format, ...) {
    if (!host || !host->log) return;
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    host->log(host->log_arg, level, text);
}
