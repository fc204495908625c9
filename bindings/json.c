/* curia.core.json: the module table, marks and options. */
#include "json.h"

#include <lauxlib.h>
#include <string.h>

static const char array_key, object_key; /* their addresses are registry keys */

void curia__json_push_mark(lua_State *L, bool object) {
    const void *key = object ? &object_key : &array_key;
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) == LUA_TTABLE) return;
    lua_pop(L, 1);
    lua_createtable(L, 0, 1);
    lua_pushstring(L, object ? "json.object" : "json.array");
    lua_setfield(L, -2, "__name");
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

void curia__json_need_stack(lua_State *L, int slots) {
    if (!lua_checkstack(L, slots)) luaL_error(L, "not enough memory");
}

bool curia__json_is_sequence(lua_State *L, int index, lua_Integer *length) {
    lua_Integer count = 0, last = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        lua_Integer key = lua_isinteger(L, -2) ? lua_tointeger(L, -2) : 0;
        if (key < 1) {
            lua_pop(L, 2);
            return false;
        }
        if (key > last) last = key;
        count++;
    }
    *length = last;
    return count == last;
}

/* ---- options --------------------------------------------------------------------------------- */

static bool is_known(lua_State *L, int index, const char *const *known) {
    if (lua_type(L, index) != LUA_TSTRING) return false;
    const char *name = lua_tostring(L, index);
    while (*known && strcmp(*known, name) != 0)
        known++;
    return *known != NULL;
}

static int unknown_option(lua_State *L, int index, int key, const char *const *known) {
    lua_pushvalue(L, lua_upvalueindex(CURIA__JSON_HINT));
    lua_pushvalue(L, key);
    lua_newtable(L);
    for (lua_Integer i = 0; known[i]; i++) {
        lua_pushstring(L, known[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_call(L, 2, 1);
    const char *hint = lua_tostring(L, -1);
    const char *name = luaL_tolstring(L, key, NULL);
    return luaL_argerror(L, index, lua_pushfstring(L, "unknown option '%s'%s", name, hint));
}

bool curia__json_has_options(lua_State *L, int index, const char *const *known) {
    if (lua_isnoneornil(L, index)) return false;
    luaL_checktype(L, index, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
        if (!is_known(L, -2, known)) unknown_option(L, index, lua_gettop(L) - 1, known);
    return true;
}

int curia__json_number_option(lua_State *L, int index, const char *name, int low, int high,
                              int otherwise) {
    lua_pushstring(L, name);
    int type = lua_rawget(L, index), is_integer = 0;
    lua_Integer value = type == LUA_TNUMBER ? lua_tointegerx(L, -1, &is_integer) : 0;
    lua_pop(L, 1);
    if (type == LUA_TNIL) return otherwise;
    if (is_integer && value >= low && value <= high) return (int)value;
    const char *expected =
        lua_pushfstring(L, "%s must be an integer from %d to %d", name, low, high);
    return luaL_argerror(L, index, expected);
}

int curia__json_return_error(lua_State *L, const char *field) {
    lua_createtable(L, 0, 3);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, field); /* detail message fields */
    lua_pushvalue(L, lua_upvalueindex(CURIA__JSON_NEW_ERROR));
    lua_pushliteral(L, "validation");
    lua_pushvalue(L, -4);
    lua_pushvalue(L, -4);
    lua_call(L, 3, 1);
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
}

/* ---- marks ----------------------------------------------------------------------------------- */

/* Whether the table at `index` carries the mark that is the upvalue `mark`. */
static bool has_mark(lua_State *L, int index, int mark) {
    if (!lua_getmetatable(L, index)) return false;
    bool same = lua_rawequal(L, -1, lua_upvalueindex(mark));
    lua_pop(L, 1);
    return same;
}

static int set_mark(lua_State *L, int mark, int other) {
    if (lua_isnoneornil(L, 1)) {
        lua_settop(L, 0);
        lua_newtable(L);
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    bool free = has_mark(L, 1, mark) || has_mark(L, 1, other) || !lua_getmetatable(L, 1);
    luaL_argcheck(L, free, 1, "the table has a metatable of its own");
    lua_pushvalue(L, lua_upvalueindex(mark));
    lua_setmetatable(L, 1);
    lua_settop(L, 1);
    return 1;
}

static int json_array(lua_State *L) {
    return set_mark(L, CURIA__JSON_ARRAY_MARK, CURIA__JSON_OBJECT_MARK);
}

static int json_object(lua_State *L) {
    return set_mark(L, CURIA__JSON_OBJECT_MARK, CURIA__JSON_ARRAY_MARK);
}

static bool is_array(lua_State *L, int index) {
    if (!lua_istable(L, index) || has_mark(L, index, CURIA__JSON_OBJECT_MARK)) return false;
    if (has_mark(L, index, CURIA__JSON_ARRAY_MARK)) return true;
    lua_Integer length;
    return curia__json_is_sequence(L, index, &length) && length > 0;
}

static int json_is_array(lua_State *L) {
    luaL_checkany(L, 1);
    lua_pushboolean(L, is_array(L, 1));
    return 1;
}

/* ---- the module ------------------------------------------------------------------------------ */

/* bind(new_error, hint) -> the functions of the module, which report with `errors.new` and
 * `suggest.hint`. */
static int json_bind(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"decode", curia__json_decode}, {"decoder", curia__json_decoder},
        {"encode", curia__json_encode}, {"encode_apart", curia__json_encode_apart},
        {"array", json_array},          {"object", json_object},
        {"is_array", json_is_array},    {NULL, NULL}};
    luaL_checktype(L, 1, LUA_TFUNCTION);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    luaL_newlibtable(L, functions);
    curia__json_push_mark(L, false);
    curia__json_push_mark(L, true);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    luaL_setfuncs(L, functions, CURIA__JSON_UPVALUES);
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
    return 1;
}

int curia__open_json(lua_State *L) {
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, json_bind);
    lua_setfield(L, -2, "bind");
    return 1;
}
