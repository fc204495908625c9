/* Between curia.h and lua/curia/embed.lua: calls into Lua, and callbacks out of it. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "runtime.h"

#define WATCHER "curia.watcher"

/* ---- calls into Lua -------------------------------------------------------------------------- */

typedef struct {
    curia_runtime *rt;
    const char *function, *types;
    va_list *arguments;
    curia__answer answer;
} call;

static void push_watcher(lua_State *L, const curia_callbacks *callbacks) {
    if (!callbacks) {
        lua_pushnil(L);
        return;
    }
    curia_callbacks *own = lua_newuserdatauv(L, sizeof *own, 0);
    *own = *callbacks;
    luaL_setmetatable(L, WATCHER);
}

static int push_arguments(lua_State *L, const call *c) {
    int count = 0;
    for (const char *type = c->types; *type; type++, count++) {
        const char *text;
        switch (*type) {
        case 's': lua_pushstring(L, va_arg(*c->arguments, const char *)); break;
        case 'l':
            text = va_arg(*c->arguments, const char *);
            lua_pushlstring(L, text, va_arg(*c->arguments, size_t));
            break;
        case 'i': lua_pushinteger(L, (lua_Integer)va_arg(*c->arguments, uint64_t)); break;
        case 'b': lua_pushboolean(L, va_arg(*c->arguments, int)); break;
        default: push_watcher(L, va_arg(*c->arguments, const curia_callbacks *));
        }
    }
    return count;
}

/* A kind of error may mean several codes: its own code tells, where it is one of ours. */
static int code_of(const char *kind) {
    static const struct {
        const char *kind;
        int code;
    } codes[] = {{"validation", CURIA_EINVAL},
                 {"invalid_council", CURIA_ECOUNCIL},
                 {"script", CURIA_ESCRIPT},
                 {"unknown_run", CURIA_ENORUN},
                 {"duplicate_run", CURIA_EDUPLICATE},
                 {"unsupported", CURIA_EUNSUPPORTED},
                 {"json", CURIA_EPARSE}};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (!strcmp(kind, codes[i].kind)) return codes[i].code;
    return CURIA_ESCRIPT;
}

static void keep_text(lua_State *L, curia_runtime *rt, int index) {
    size_t length;
    const char *text = lua_tolstring(L, index, &length);
    if (length >= rt->text_size) {
        char *grown = realloc(rt->text, length + 1);
        if (!grown) {
            luaL_error(L, "not enough memory");
            return;
        }
        rt->text = grown;
        rt->text_size = length + 1;
    }
    memcpy(rt->text, text, length + 1);
}

/* What curia.embed's functions return: true or a text, and a count; false: no such run; or nil,
 * kind, message, JSON. */
static void take_answer(lua_State *L, call *c) {
    curia__answer *answer = &c->answer;
    if (lua_isnil(L, -4)) {
        answer->rc = code_of(lua_tostring(L, -3));
        curia__runtime_fail(c->rt, answer->rc, lua_tostring(L, -2), lua_tostring(L, -1));
        return;
    }
    answer->found = lua_toboolean(L, -4);
    answer->count = (uint64_t)lua_tointeger(L, -3);
    if (lua_isstring(L, -4)) keep_text(L, c->rt, -4);
}

/* (call) */
static int perform(lua_State *L) {
    call *c = lua_touserdata(L, 1);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "curia.embed");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "call");
    lua_getfield(L, -2, c->function);
    lua_call(L, push_arguments(L, c) + 1, 4);
    take_answer(L, c);
    return 0;
}

static void fail_call(curia__state *s, call *c, int status) {
    char text[320];
    const char *message = lua_tostring(s->host->L, -1);
    c->answer.rc = status == LUA_ERRMEM ? CURIA_ENOMEM : CURIA_ESCRIPT;
    if (s->host->stop) {
        curia__host_stop_text(s->host, text, sizeof text);
        message = text;
        c->answer.rc = s->host->stop == CURIA__STOP_MEMORY ? CURIA_ENOMEM : CURIA_ELIMIT;
    }
    curia__runtime_fail(s->runtime, c->answer.rc, message, NULL);
}

curia__answer curia__state_call(curia__state *state, const char *function, const char *types, ...) {
    lua_State *L = state->host->L;
    curia__turn turn;
    va_list arguments;
    va_start(arguments, types);
    call c = {state->runtime, function, types, &arguments, {0}};
    if (lua_checkstack(L, 3)) {
        lua_pushcfunction(L, perform);
        lua_pushlightuserdata(L, &c);
        curia__turn_enter(state->host, &turn, L, NULL);
        int status = lua_pcall(L, 1, 0, 0);
        if (status) fail_call(state, &c, status);
        if (status) lua_pop(L, 1);
        curia__turn_leave(state->host, &turn, L);
    } else {
        c.answer.rc = curia__runtime_fail(state->runtime, CURIA_ENOMEM, NULL, NULL);
    }
    va_end(arguments);
    return c.answer;
}

/* ---- callbacks out of Lua -------------------------------------------------------------------- */

static curia_runtime *runtime_of(lua_State *L) {
    const curia__state *state = curia__host_of(L)->state;
    if (state) return state->runtime;
    luaL_error(L, "this Lua state belongs to no runtime of curia.h");
    return NULL;
}

/* event(watcher, run_id, json) */
static int tell_event(lua_State *L) {
    const curia_callbacks *callbacks = luaL_checkudata(L, 1, WATCHER);
    size_t length;
    const char *id = luaL_checkstring(L, 2), *event = luaL_checklstring(L, 3, &length);
    curia_runtime *rt = runtime_of(L);
    curia__runtime_enter_callback(rt);
    callbacks->on_event(callbacks->arg, id, event, length);
    curia__runtime_leave_callback(rt);
    return 0;
}

/* finish(watcher, run_id, status, json|nil) */
static int tell_end(lua_State *L) {
    const curia_callbacks *callbacks = luaL_checkudata(L, 1, WATCHER);
    size_t length = 0;
    const char *id = luaL_checkstring(L, 2), *status = luaL_checkstring(L, 3);
    const char *result = luaL_optlstring(L, 4, NULL, &length);
    curia_runtime *rt = runtime_of(L);
    if (!callbacks->on_end) return 0;
    curia__runtime_enter_callback(rt);
    callbacks->on_end(callbacks->arg, id, status, result, length);
    curia__runtime_leave_callback(rt);
    return 0;
}

/* wants(watcher) -> whether it takes events, whether tokens too, whether the end */
static int watcher_wants(lua_State *L) {
    const curia_callbacks *callbacks = luaL_checkudata(L, 1, WATCHER);
    lua_pushboolean(L, callbacks->on_event != NULL);
    lua_pushboolean(L, callbacks->tokens);
    lua_pushboolean(L, callbacks->on_end != NULL);
    return 3;
}

/* is_over() -> whether the budget of curia_step is spent, so that who has more to do had better
 * wait */
static int budget_is_over(lua_State *L) {
    uint64_t until_ns = runtime_of(L)->until_ns;
    lua_pushboolean(L, until_ns && uv_hrtime() >= until_ns);
    return 1;
}

int curia__open_embed(lua_State *L) {
    static const luaL_Reg functions[] = {{"event", tell_event},
                                         {"finish", tell_end},
                                         {"wants", watcher_wants},
                                         {"is_over", budget_is_over},
                                         {NULL, NULL}};
    luaL_newmetatable(L, WATCHER);
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
