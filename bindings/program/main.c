/* The program `curia`: a Lua state with Curia, luv and cjson in it, and the command line in Lua. */
#include <lualib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allocator.h"
#include "host.h"
#include "interrupt.h"
#include "line.h"
#include "luv.h"

int luaopen_cjson(lua_State *L);
int luaopen_cjson_safe(lua_State *L);

enum { CLOSE_LIMIT_MS = 2000 };

/* The collector begins anew when memory has grown to this share (%) of what it left: many runs stay
 * for a while, and with Lua's 200 all of them are gone through too often (an eighth of a run's CPU). */
enum { COLLECTOR_PAUSE = 300 };

static void log_to_stderr(void *arg, const char *level, const char *text) {
    (void)arg;
    fprintf(stderr, "curia: %s: %s\n", level, text);
}

static void push_arguments(lua_State *L, int argc, char **argv) {
    lua_createtable(L, argc, 1);
    for (int i = 0; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i);
    }
}

/* (argc, argv) -> exit code: runs lua/curia/cli. */
static int run(lua_State *L) {
    int argc = (int)lua_tointeger(L, 1);
    char **argv = lua_touserdata(L, 2);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(L, luaopen_cjson);
    lua_setfield(L, -2, "cjson");
    lua_pushcfunction(L, luaopen_cjson_safe);
    lua_setfield(L, -2, "cjson.safe");
    curia__preload_luv(L);
    curia__preload_line(L);
    curia__preload_interrupt(L);
    push_arguments(L, argc, argv);
    lua_pushvalue(L, -1);
    lua_setglobal(L, "arg");
    lua_getglobal(L, "require");
    lua_pushliteral(L, "curia.cli");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "main");
    lua_pushvalue(L, -3);
    lua_call(L, 1, 1);
    return 1;
}

static int traceback(lua_State *L) {
    luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
    return 1;
}

static int run_protected(lua_State *L, int argc, char **argv) {
    lua_pushcfunction(L, traceback);
    lua_pushcfunction(L, run);
    lua_pushinteger(L, argc);
    lua_pushlightuserdata(L, argv);
    if (lua_pcall(L, 2, 1, 1) == LUA_OK) return (int)luaL_optinteger(L, -1, 0);
    fprintf(stderr, "curia: %s\n", lua_tostring(L, -1));
    return 70; /* EX_SOFTWARE: an error of ours */
}

static int panic(lua_State *L) {
    fprintf(stderr, "curia: error outside of any protection: %s\n", lua_tostring(L, -1));
    return 0;
}

/* Sanitizers and valgrind must see each object: under them Lua gets plain malloc. */
static lua_State *new_state(curia__allocator **allocator) {
#ifndef __SANITIZE_ADDRESS__
    if (!getenv("CURIA_PLAIN_MALLOC")) *allocator = curia__allocator_new();
#endif
    lua_State *L = *allocator ? lua_newstate(curia__allocate, *allocator) : luaL_newstate();
    if (L) lua_atpanic(L, panic);
    if (L) luaL_openlibs(L);
    if (L) lua_gc(L, LUA_GCINC, COLLECTOR_PAUSE, 0, 0);
    return L;
}

/* The watchdog stays until the tasks have ended: one that will not is stopped by it. */
int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    curia__allocator *allocator = NULL;
    lua_State *L = new_state(&allocator);
    curia__host *host = L ? curia__host_open(L, NULL) : NULL;
    if (!host) {
        fputs("curia: out of memory\n", stderr);
        return 71;
    }
    host->log = log_to_stderr;
    int code = run_protected(L, argc, argv);
    fflush(stdout);
    curia__host_close(host, CLOSE_LIMIT_MS);
    curia__host_stop_watchdog(host);
    lua_close(L);
    curia__host_free(host);
    if (allocator) curia__allocator_free(allocator);
    return code;
}
