/* curia.core.regex: regular expressions from data, with a bound on their work. */
#include "../runtime/regex.h"

#include "error.h"
#include "host.h"

#define REGEX "curia.regex"

static curia__regex *check_regex(lua_State *L) {
    return *(curia__regex **)luaL_checkudata(L, 1, REGEX);
}

/* compile(pattern) -> regex | nil, err. The error's message has PCRE2's words and the place. */
static int regex_compile(lua_State *L) {
    size_t length;
    const char *pattern = luaL_checklstring(L, 1, &length);
    curia__regex **box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = NULL;
    luaL_setmetatable(L, REGEX);
    curia__regex_error error;
    *box = curia__regex_new(pattern, length, &error);
    if (*box) return 1;
    const char *reason =
        error.code == CURIA_EPARSE
            ? lua_pushfstring(L, "%s at byte %I", error.reason, (lua_Integer)error.offset + 1)
            : error.reason;
    return curia__return_error(L, "validation", reason);
}

/* regex:find(text) -> whether it matches anywhere, the steps that took | nil, err. An error of kind
 * "validation" says that it took too much, or that the text is too long or no UTF-8. */
static int regex_find(lua_State *L) {
    const curia__regex *regex = check_regex(L);
    size_t length;
    const char *text = luaL_checklstring(L, 2, &length);
    int64_t steps;
    int found = curia__regex_find(regex, text, length, &steps);
    if (found < 0) return curia__return_error(L, "validation", curia_error_text(found));
    lua_pushboolean(L, found);
    lua_pushinteger(L, steps);
    return 2;
}

static int regex_gc(lua_State *L) {
    curia__regex **box = luaL_checkudata(L, 1, REGEX);
    curia__regex_free(*box);
    *box = NULL;
    return 0;
}

static const luaL_Reg metamethods[] = {{"__gc", regex_gc}, {NULL, NULL}};

static const luaL_Reg methods[] = {{"find", regex_find}, {NULL, NULL}};

static const luaL_Reg functions[] = {{"compile", regex_compile}, {NULL, NULL}};

int curia__open_regex(lua_State *L) {
    luaL_newmetatable(L, REGEX);
    luaL_setfuncs(L, metamethods, 0);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    luaL_newlib(L, functions);
    return 1;
}
