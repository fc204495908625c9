/* The Lua states of a runtime: isolated ones, made and closed here, and those of the host's. */
#include <lualib.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "runtime.h"

/* ---- what an isolated state has -------------------------------------------------------------- */

static const luaL_Reg safe_libraries[] = {
    {LUA_GNAME, luaopen_base},          {LUA_LOADLIBNAME, luaopen_package},
    {LUA_COLIBNAME, luaopen_coroutine}, {LUA_TABLIBNAME, luaopen_table},
    {LUA_STRLIBNAME, luaopen_string},   {LUA_MATHLIBNAME, luaopen_math},
    {LUA_UTF8LIBNAME, luaopen_utf8},    {LUA_OSLIBNAME, luaopen_os},
    {LUA_DBLIBNAME, luaopen_debug},     {NULL, NULL}};

/* Not even Curia's own modules have these in a sandbox; what they need for their work remains. */
static const char *const unsafe_functions[][2] = {
    {LUA_GNAME, "dofile"},           {LUA_GNAME, "loadfile"},      {LUA_OSLIBNAME, "execute"},
    {LUA_OSLIBNAME, "exit"},         {LUA_OSLIBNAME, "remove"},    {LUA_OSLIBNAME, "rename"},
    {LUA_OSLIBNAME, "tmpname"},      {LUA_OSLIBNAME, "setlocale"}, {LUA_LOADLIBNAME, "loadlib"},
    {LUA_LOADLIBNAME, "searchpath"}, {LUA_STRLIBNAME, "dump"},     {NULL, NULL}};

static void keep_only(lua_State *L, const char *library, const char *function) {
    lua_getglobal(L, library);
    lua_getfield(L, -1, function);
    lua_createtable(L, 0, 1);
    lua_insert(L, -2);
    lua_setfield(L, -2, function);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, library);
    lua_pop(L, 1);
    lua_setglobal(L, library);
    lua_pop(L, 1);
}

/* `require` finds what is preloaded, and no file. */
static void keep_preload_searcher(lua_State *L) {
    lua_getglobal(L, LUA_LOADLIBNAME);
    lua_getfield(L, -1, "searchers");
    for (int i = 4; i > 1; i--) {
        lua_pushnil(L);
        lua_rawseti(L, -2, i);
    }
    lua_pop(L, 2);
}

static void open_safe_libraries(lua_State *L) {
    for (const luaL_Reg *library = safe_libraries; library->name; library++) {
        luaL_requiref(L, library->name, library->func, 1);
        lua_pop(L, 1);
    }
    for (int i = 0; unsafe_functions[i][0]; i++) {
        lua_getglobal(L, unsafe_functions[i][0]);
        lua_pushnil(L);
        lua_setfield(L, -2, unsafe_functions[i][1]);
        lua_pop(L, 1);
    }
    keep_only(L, LUA_DBLIBNAME, "traceback");
    if (!getenv("CURIA_LUA")) keep_preload_searcher(L);
}

/* (options): what may raise out of memory. */
static int open_libraries(lua_State *L) {
    const curia_options *options = lua_touserdata(L, 1);
    if (options->sandbox)
        open_safe_libraries(L);
    else
        luaL_openlibs(L);
    if (options->instruction_limit) curia__track_coroutines(L);
    return 0;
}

/* ---- making one ------------------------------------------------------------------------------ */

static bool choose_allocator(curia__state *s, const curia_options *options) {
    curia__quota *q = &s->quota;
    q->memory_limit = options->memory_limit;
    q->instruction_limit = options->instruction_limit;
    q->allocate = options->allocate;
    q->allocate_arg = options->allocate_arg;
    if (q->allocate) return true;
    s->allocator = curia__allocator_new();
    q->allocate = curia__allocate;
    q->allocate_arg = s->allocator;
    return s->allocator != NULL;
}

/* Lua's default panic prints; nothing here raises unprotected. */
static bool new_lua(curia__state *s, const curia_options *options) {
    if (!choose_allocator(s, options)) return false;
    s->L = lua_newstate(curia__quota_allocate, &s->quota);
    if (!s->L) return false;
    lua_pushcfunction(s->L, open_libraries);
    lua_pushlightuserdata(s->L, (void *)(uintptr_t)options);
    if (lua_pcall(s->L, 1, 0, 0) == LUA_OK) return true;
    lua_pop(s->L, 1);
    return false;
}

static void log_of_host(void *arg, const char *level, const char *text) {
    curia_runtime *rt = arg;
    if (!rt->options.log) return;
    curia__runtime_enter_callback(rt);
    rt->options.log(rt->options.log_arg, level, text);
    curia__runtime_leave_callback(rt);
}

static void attach_host(curia__state *s) {
    curia_runtime *rt = s->runtime;
    s->host->log = log_of_host;
    s->host->log_arg = rt;
    s->host->state = s;
    s->host->loop.turning = &rt->turning;
    if (!s->isolated) return;
    s->host->quota = &s->quota;
    s->quota.host = s->host;
}

static void append(curia_runtime *rt, curia__state *state) {
    curia__state **end = &rt->states;
    while (*end)
        end = &(*end)->next;
    *end = state;
}

static void free_memory(curia__state *s) {
    if (s->isolated && s->L) lua_close(s->L);
    if (s->host) curia__host_free(s->host);
    if (s->allocator) curia__allocator_free(s->allocator);
    free(s);
}

/* The host has closed its Lua: after the runtime, as it should, or before. */
static void on_lua_closed(curia__host *host) {
    curia__state *state = host->state;
    if (state) {
        curia__state **at = &state->runtime->states;
        while (*at != state)
            at = &(*at)->next;
        *at = state->next;
        host->loop.closing = true;
        curia__loop_close_services(&host->loop);
        curia__loop_close_own_handles(&host->loop);
        free(state);
    }
    curia__host_free(host);
}

static int configure(curia__state *s) {
    const curia_options *options = &s->runtime->options;
    int rc = curia__state_call(s, "configure", "sb", options->config, options->sandbox).rc;
    if (rc) curia__log(s->host, "error", "%s", curia_error_message(s->runtime));
    return rc;
}

int curia__state_open(curia_runtime *rt, lua_State *L) {
    if (L && curia__find_host(L)) return CURIA_EBUSY;
    curia__state *s = calloc(1, sizeof *s);
    if (!s) return CURIA_ENOMEM;
    s->runtime = rt;
    s->isolated = !L;
    s->L = L;
    if (L || new_lua(s, &rt->options)) s->host = curia__host_open(s->L, rt->uv);
    if (!s->host) {
        free_memory(s);
        return CURIA_ENOMEM;
    }
    attach_host(s);
    if (L) s->host->on_lua_closed = on_lua_closed;
    append(rt, s);
    return s->isolated ? configure(s) : 0;
}

void curia__state_free(curia__state *s) {
    curia__host *host = s->host;
    curia__host_forget(host);
    if (s->isolated) {
        free_memory(s);
        return;
    }
    host->state = NULL;
    host->log = NULL;
    host->loop.turning = &host->loop.turning_alone;
    free(s);
}
