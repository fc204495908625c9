/* curia.core.sql: databases for Lua. The sugar stands in lua/curia/sql.lua. */
#include "sql/sql.h"

#include <string.h>

#include "error.h"
#include "host.h"
#include "sql/sqlite.h"

#define DATABASE "curia.sql.database"
#define UNIT "curia.sql.unit"

typedef struct {
    curia__sql *sql; /* NULL: released */
} database_box;

typedef struct {
    curia__sql_unit *unit; /* NULL: released */
} unit_box;

static database_box *check_database(lua_State *L) {
    database_box *box = luaL_checkudata(L, 1, DATABASE);
    luaL_argcheck(L, box->sql, 1, "the database is closed");
    return box;
}

/* ---- opening ------------------------------------------------------------------------------------ */

#ifdef CURIA_SQLITE
/* open(path, read_only, busy_ms) -> database | nil, err. What is wrong with the file, its units tell. */
static int sql_open(lua_State *L) {
    const char *path = luaL_checkstring(L, 1);
    curia__sqlite_options options = {.read_only = lua_toboolean(L, 2),
                                     .busy_ms = (unsigned)luaL_checkinteger(L, 3)};
    database_box *box = lua_newuserdatauv(L, sizeof *box, 0);
    box->sql = NULL;
    luaL_setmetatable(L, DATABASE);
    int rc = curia__sqlite_open(&curia__host_of(L)->loop, path, &options, &box->sql);
    return rc ? curia__return_error(L, "storage", curia_error_text(rc)) : 1;
}
#else
static int sql_open(lua_State *L) {
    return curia__return_error(L, "storage", "this build has no SQLite (CMake: -DCURIA_SQLITE=ON)");
}
#endif

/* ---- filling a unit in -------------------------------------------------------------------------- */

static void need(lua_State *L, int rc) {
    if (rc) luaL_error(L, "not enough memory");
}

/* Bytes are a table {bytes = "..."}: text may be stored in another way. */
static void add_bytes(lua_State *L, curia__sql_unit *unit) {
    size_t length;
    if (lua_getfield(L, -1, "bytes") != LUA_TSTRING)
        luaL_error(L, "a value is a text, a number, a boolean, null or sql.bytes, not a table");
    const char *bytes = lua_tolstring(L, -1, &length);
    need(L, curia__sql_unit_text(unit, CURIA__SQL_BYTES, bytes, length));
    lua_pop(L, 1);
}

static void add_number(lua_State *L, curia__sql_unit *unit) {
    if (lua_isinteger(L, -1))
        need(L, curia__sql_unit_integer(unit, lua_tointeger(L, -1)));
    else
        need(L, curia__sql_unit_real(unit, lua_tonumber(L, -1)));
}

/* The value on top; json.null is a light userdata. */
static void add_value(lua_State *L, curia__sql_unit *unit) {
    size_t length;
    switch (lua_type(L, -1)) {
    case LUA_TNIL:
    case LUA_TLIGHTUSERDATA: need(L, curia__sql_unit_null(unit)); return;
    case LUA_TBOOLEAN: need(L, curia__sql_unit_integer(unit, lua_toboolean(L, -1))); return;
    case LUA_TNUMBER: add_number(L, unit); return;
    case LUA_TSTRING: {
        const char *text = lua_tolstring(L, -1, &length);
        need(L, curia__sql_unit_text(unit, CURIA__SQL_TEXT, text, length));
        return;
    }
    case LUA_TTABLE: add_bytes(L, unit); return;
    default:
        luaL_error(L, "a value is a text, a number, a boolean, null or sql.bytes, not a %s",
                   luaL_typename(L, -1));
    }
}

static lua_Integer integer_field(lua_State *L, const char *name, lua_Integer otherwise) {
    lua_Integer value = otherwise;
    if (lua_getfield(L, -1, name) != LUA_TNIL) value = luaL_checkinteger(L, -1);
    lua_pop(L, 1);
    return value;
}

/* The values of the list on top, from place `first` on. */
static void add_values(lua_State *L, curia__sql_unit *unit, lua_Integer first, lua_Integer count) {
    for (lua_Integer i = first; i < first + count; i++) {
        lua_rawgeti(L, -1, i);
        add_value(L, unit);
        lua_pop(L, 1);
    }
}

/* The values of the rows on top, `width` of each. */
static void add_rows(lua_State *L, curia__sql_unit *unit, lua_Integer width) {
    lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = 1; i <= count; i++) {
        if (lua_rawgeti(L, -1, i) != LUA_TTABLE) luaL_error(L, "a row is a list of values");
        add_values(L, unit, 1, width);
        lua_pop(L, 1);
    }
}

/* The statement on top: {text, values..., n = number of values, expect_rows = n}, or with
 * `rows` = lists of `n` values in place of the values. */
static void add_statement(lua_State *L, curia__sql_unit *unit) {
    if (!lua_istable(L, -1) || lua_rawgeti(L, -1, 1) != LUA_TSTRING)
        luaL_error(L, "a statement is a table {text, values...}");
    lua_Integer expect = (lua_pop(L, 1), integer_field(L, "expect_rows", -1));
    lua_Integer count = integer_field(L, "n", (lua_Integer)lua_rawlen(L, -1) - 1);
    lua_rawgeti(L, -1, 1);
    need(L, curia__sql_unit_statement(unit, lua_tostring(L, -1), expect));
    lua_pop(L, 1);
    if (lua_getfield(L, -1, "rows") == LUA_TTABLE) {
        add_rows(L, unit, count);
        lua_pop(L, 1);
    } else {
        lua_pop(L, 1);
        add_values(L, unit, 2, count);
    }
}

static curia__sql_mode check_mode(lua_State *L, int arg) {
    static const char *const names[] = {"write", "read", NULL};
    return (curia__sql_mode)luaL_checkoption(L, arg, NULL, names);
}

/* Pushes a new unit, which keeps the database at 1. */
static curia__sql_unit *push_unit(lua_State *L, curia__sql_mode mode) {
    unit_box *box = lua_newuserdatauv(L, sizeof *box, 1);
    box->unit = NULL;
    luaL_setmetatable(L, UNIT);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    box->unit = curia__sql_unit_new(mode);
    if (!box->unit) luaL_error(L, "not enough memory");
    return box->unit;
}

/* database:submit(mode, statements) -> unit. Does not wait. */
static int database_submit(lua_State *L) {
    database_box *database = check_database(L);
    curia__sql_mode mode = check_mode(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    lua_Integer count = (lua_Integer)lua_rawlen(L, 3);
    luaL_argcheck(L, count > 0, 3, "a unit has one statement or more");
    curia__sql_unit *unit = push_unit(L, mode);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, 3, i);
        add_statement(L, unit);
        lua_pop(L, 1);
    }
    curia__sql_submit(database->sql, unit);
    return 1;
}

/* database:backup(path) -> unit. Does not wait. */
static int database_backup(lua_State *L) {
    database_box *database = check_database(L);
    size_t length;
    const char *path = luaL_checklstring(L, 2, &length);
    curia__sql_unit *unit = push_unit(L, CURIA__SQL_BACKUP);
    need(L, curia__sql_unit_statement(unit, "VACUUM INTO ?", -1));
    need(L, curia__sql_unit_text(unit, CURIA__SQL_TEXT, path, length));
    curia__sql_submit(database->sql, unit);
    return 1;
}

/* ---- what came of it ---------------------------------------------------------------------------- */

static void push_value(lua_State *L, const curia__sql_unit *unit, const curia__sql_value *value) {
    if (value->type == CURIA__SQL_INTEGER)
        lua_pushinteger(L, value->integer);
    else if (value->type == CURIA__SQL_REAL)
        lua_pushnumber(L, value->real);
    else if (value->type == CURIA__SQL_NULL)
        lua_pushnil(L);
    else
        lua_pushlstring(L, unit->answer.data + value->text.at, value->text.length);
}

/* Each row is a table by column, in which NULL is absent. */
static void push_rows(lua_State *L, const curia__sql_unit *unit, const curia__sql_result *result) {
    const curia__sql_value *names = curia__sql_unit_cells(unit) + result->first_name;
    const curia__sql_value *cell = curia__sql_unit_cells(unit) + result->first_cell;
    lua_createtable(L, (int)result->rows, 1);
    for (size_t row = 0; row < result->rows; row++) {
        lua_createtable(L, 0, (int)result->columns);
        for (size_t i = 0; i < result->columns; i++, cell++) {
            push_value(L, unit, &names[i]);
            push_value(L, unit, cell);
            lua_rawset(L, -3);
        }
        lua_rawseti(L, -2, (lua_Integer)row + 1);
    }
    lua_pushinteger(L, result->changes);
    lua_setfield(L, -2, "changes");
}

static const char *kind_of(const curia__sql_unit *unit) {
    return unit->error == CURIA_ECANCELLED ? "cancelled" : "storage";
}

static int push_failure(lua_State *L, const curia__sql_unit *unit) {
    const char *words = unit->message.data ? unit->message.data : curia_error_text(unit->error);
    lua_pushnil(L);
    curia__push_error(L, kind_of(unit), words);
    lua_pushstring(L, unit->code ? unit->code : curia_error_name(unit->error));
    lua_setfield(L, -2, "code");
    lua_pushinteger(L, (lua_Integer)unit->failed + 1);
    lua_setfield(L, -2, "statement");
    return 2;
}

static int push_outcome(lua_State *L, const curia__sql_unit *unit) {
    if (unit->error) return push_failure(L, unit);
    size_t count = curia__sql_unit_count(unit);
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        push_rows(L, unit, &curia__sql_unit_results(unit)[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static curia__sql_unit *check_unit(lua_State *L) {
    unit_box *box = luaL_checkudata(L, 1, UNIT);
    return box->unit;
}

static int outcome_or_wait(lua_State *L, int status, lua_KContext ctx) {
    curia__sql_unit *unit = check_unit(L);
    if (unit->finished) return push_outcome(L, unit);
    curia__host *host = curia__host_of(L);
    curia__wait *w = curia__await_begin(L, "unit:await");
    curia__wait_start(w, &host->loop, curia__current_task(host), &unit->changed, -1);
    return curia__await(L, outcome_or_wait, 0);
}

/* unit:await() -> results, one table of rows with `changes` for each statement | nil, err */
static int unit_await(lua_State *L) {
    lua_settop(L, 1);
    return outcome_or_wait(L, LUA_OK, 0);
}

/* unit:finished() -> whether `await` would not wait */
static int unit_finished(lua_State *L) {
    lua_pushboolean(L, check_unit(L)->finished);
    return 1;
}

/* unit:cancel(): see curia__sql_cancel. */
static int unit_cancel(lua_State *L) {
    curia__sql_cancel(check_unit(L));
    return 0;
}

static int unit_gc(lua_State *L) {
    unit_box *box = luaL_checkudata(L, 1, UNIT);
    curia__sql_unit_release(box->unit);
    box->unit = NULL;
    return 0;
}

/* ---- closing ------------------------------------------------------------------------------------ */

static int closed_or_wait(lua_State *L, int status, lua_KContext ctx) {
    database_box *box = luaL_checkudata(L, 1, DATABASE);
    if (!box->sql || box->sql->has_closed) {
        if (box->sql) curia__sql_release(box->sql);
        box->sql = NULL;
        return 0;
    }
    curia__host *host = curia__host_of(L);
    curia__wait *w = curia__await_begin(L, "database:close");
    curia__wait_start(w, &host->loop, curia__current_task(host), &box->sql->closed, -1);
    return curia__await(L, closed_or_wait, 0);
}

/* database:close(): carries out what was submitted, and waits for the end. Idempotent. */
static int database_close(lua_State *L) {
    database_box *box = luaL_checkudata(L, 1, DATABASE);
    lua_settop(L, 1);
    if (box->sql) curia__sql_close(box->sql);
    return closed_or_wait(L, LUA_OK, 0);
}

static int database_gc(lua_State *L) {
    database_box *box = luaL_checkudata(L, 1, DATABASE);
    if (box->sql) curia__sql_release(box->sql);
    box->sql = NULL;
    return 0;
}

static const luaL_Reg database_methods[] = {{"submit", database_submit},
                                            {"backup", database_backup},
                                            {"close", database_close},
                                            {NULL, NULL}};
/* A to-be-closed variable cannot wait (PITFALLS P3): it lets the database close by itself. */
static const luaL_Reg database_metamethods[] = {
    {"__gc", database_gc}, {"__close", database_gc}, {NULL, NULL}};

static const luaL_Reg unit_methods[] = {
    {"await", unit_await}, {"finished", unit_finished}, {"cancel", unit_cancel}, {NULL, NULL}};
static const luaL_Reg unit_metamethods[] = {{"__gc", unit_gc}, {NULL, NULL}};

static const luaL_Reg functions[] = {{"open", sql_open}, {NULL, NULL}};

static void new_class(lua_State *L, const char *name, const luaL_Reg *metamethods,
                      const luaL_Reg *methods) {
    luaL_newmetatable(L, name);
    luaL_setfuncs(L, metamethods, 0);
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

int curia__open_sql(lua_State *L) {
    new_class(L, DATABASE, database_metamethods, database_methods);
    new_class(L, UNIT, unit_metamethods, unit_methods);
    luaL_newlib(L, functions);
    return 1;
}
