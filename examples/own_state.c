/* A host that has Lua already: its own lua_State gets Curia, and its scripts start councils.
 *
 *     own_state [SCRIPT]          without one: a council of two, offline
 *
 * The host keeps its state and its scripts; Curia adds `require "curia"` and a loop, which the host turns
 * between its own work. */
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <time.h>

#include "curia.h"

static const char SCRIPT[] =
    "local curia = require 'curia'\n"
    "local panel = curia.council 'panel' {\n"
    "  profile = 'fast', curia.member 'optimist' {}, curia.member 'skeptic' {},\n"
    "  curia.round 'independent_analysis' {}, curia.chair {},\n"
    "}\n"
    "local run = curia.start(panel, 'Ship on Friday?', { offline = true })\n"
    "run:on_end(function() host.say(run:result().final.content) end)\n";

/* A function of the host's that its scripts call. */
static int say(lua_State *L) {
    printf("script: %s\n", luaL_checkstring(L, 1));
    return 0;
}

static lua_State *make_state(void) {
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, say);
    lua_setfield(L, -2, "say");
    lua_setglobal(L, "host");
    return L;
}

static void log_line(void *arg, const char *level, const char *text) {
    (void)arg;
    fprintf(stderr, "curia: %s: %s\n", level, text);
}

static void nap(void) {
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

int main(int argc, char **argv) {
    lua_State *L = make_state();
    curia_options options;
    curia_options_init(&options);
    options.states = 0; /* the host's is the only one */
    options.log = log_line;
    curia_runtime *rt;
    if (curia_new(&options, &rt) || curia_open(rt, L)) return 1;

    int failed = argc > 1 ? luaL_dofile(L, argv[1]) : luaL_dostring(L, SCRIPT);
    if (failed) fprintf(stderr, "%s\n", lua_tostring(L, -1));
    while (curia_step(rt, 1000) == 1)
        nap(); /* here the host does its own work */

    curia_close(rt, NULL, NULL);
    while (curia_step(rt, 0) >= 0)
        nap();
    lua_close(L);
    return failed;
}
