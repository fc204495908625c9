/* curia.core.decoder: stream decoding for Lua (tests, the conformance runner); the fields of plain
 * answers; and, for other bindings, paths and segments as Lua values. */
#include "decoder.h"

#include <limits.h>
#include <string.h>

#include "../runtime/json.h"
#include "error.h"
#include "host.h"
#include "json.h"

#define PATHS "curia.decoder.paths"
#define DECODER "curia.decoder"
#define MAX_DEPTH 128
#define SHORT_TEXT 512

typedef struct {
    curia__decoder decoder;
    curia__segments taken; /* on their way to Lua; their memory serves again */
    bool open, finished;
} lua_decoder;

/* ---- segments ---------------------------------------------------------------------------------- */

/* Pushes an event's kind and value. */
static void push_event(lua_State *L, curia__slice json) {
    lua_pushliteral(L, "event");
    if (curia__json_push(L, json.at, json.length, MAX_DEPTH, false) == 0) return;
    lua_pop(L, 2);
    lua_pushliteral(L, "data");
    lua_pushlstring(L, json.at, json.length);
}

static void push_kind_and_value(lua_State *L, curia__segment_kind kind, curia__slice value) {
    static const char *const names[] = {"text", "reasoning", "event", "data"};
    if (kind == CURIA__SEGMENT_EVENT) {
        push_event(L, value);
        return;
    }
    lua_pushstring(L, names[kind]);
    lua_pushlstring(L, value.at, value.length);
}

int curia__push_segments(lua_State *L, const curia__segments *s) {
    luaL_checkstack(L, 4, "segments");
    lua_createtable(L, s->count < INT_MAX / 3 ? (int)s->count * 3 : INT_MAX, 0);
    for (size_t i = 0; i < s->count; i++) {
        lua_Integer at = (lua_Integer)i * 3;
        curia__slice name = curia__segment_name(s, i);
        push_kind_and_value(L, s->items[i].kind, curia__segment_value(s, i));
        lua_rawseti(L, -3, at + 2);
        lua_rawseti(L, -2, at + 1);
        if (name.length)
            lua_pushlstring(L, name.at, name.length);
        else
            lua_pushboolean(L, 0);
        lua_rawseti(L, -2, at + 3);
    }
    lua_pushinteger(L, (lua_Integer)s->count);
    return 2;
}

/* ---- paths ------------------------------------------------------------------------------------- */

static const char *const framings[] = {"sse", "ndjson", NULL};

typedef struct {
    const char *name;
    curia__path_role role;
} list;

static const list stream_lists[] = {{"text", CURIA__PATH_TEXT},
                                    {"reasoning", CURIA__PATH_REASONING},
                                    {"whole", CURIA__PATH_WHOLE},
                                    {"ignore", CURIA__PATH_IGNORE},
                                    {NULL, 0}};

static const list field_lists[] = {{"strings", CURIA__PATH_STRING},
                                   {"integers", CURIA__PATH_INTEGER},
                                   {"whole", CURIA__PATH_WHOLE},
                                   {"ignore", CURIA__PATH_IGNORE},
                                   {NULL, 0}};

/* An adapter's `stream` table is passed as it is, with its functions. */
static const char *const path_fields[] = {"framing", "text",  "reasoning", "whole",  "ignore",
                                          "when",    "start", "push",      "finish", NULL};

curia__paths *curia__to_paths(lua_State *L, int index) {
    curia__paths **box = luaL_testudata(L, index, PATHS);
    return box ? *box : NULL;
}

static void check(lua_State *L, int rc, const char *what, const char *text) {
    if (rc == CURIA_ENOMEM) luaL_error(L, "not enough memory");
    if (rc)
        luaL_argerror(L, 1, lua_pushfstring(L, "%s: '%s' is %s", what, text, curia_error_text(rc)));
}

/* Raises for the field named at the stack's top, with the nearest known one. */
static void refuse_field(lua_State *L, int arg, const char *const *known) {
    luaL_argexpected(L, lua_type(L, -1) == LUA_TSTRING, arg, "table with fields that have names");
    lua_getglobal(L, "require");
    lua_pushliteral(L, "curia.suggest");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "hint");
    lua_pushvalue(L, -3);
    lua_newtable(L);
    for (int i = 0; known[i]; i++) {
        lua_pushstring(L, known[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_call(L, 2, 1); /* name suggest hint */
    luaL_argerror(
        L, arg,
        lua_pushfstring(L, "unknown field '%s'%s", lua_tostring(L, -3), lua_tostring(L, -1)));
}

/* Raises unless the fields of the table at `arg` are among the known ones. */
static void check_fields(lua_State *L, int arg, const char *const *known) {
    luaL_checktype(L, arg, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, arg);) {
        lua_pop(L, 1);
        const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
        int i = 0;
        while (name && known[i] && strcmp(name, known[i]) != 0)
            i++;
        if (!name || !known[i]) refuse_field(L, arg, known);
    }
}

static int check_framing(lua_State *L) {
    lua_getfield(L, 1, "framing");
    const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
    for (int i = 0; framings[i]; i++)
        if (strcmp(name, framings[i]) == 0) return i;
    return luaL_argerror(L, 1, "framing: 'sse' or 'ndjson' expected");
}

static const char *check_text(lua_State *L, const char *what, size_t *length) {
    if (lua_type(L, -1) != LUA_TSTRING)
        luaL_argerror(
            L, 1, lua_pushfstring(L, "%s: string expected, got %s", what, luaL_typename(L, -1)));
    return lua_tolstring(L, -1, length);
}

static void add_list(lua_State *L, curia__paths *p, const char *name, curia__path_role role) {
    int type = lua_getfield(L, 1, name);
    if (type != LUA_TTABLE && type != LUA_TNIL)
        luaL_argerror(L, 1, lua_pushfstring(L, "%s: list of paths expected", name));
    for (lua_Integer i = 1; type == LUA_TTABLE && lua_rawgeti(L, -1, i) != LUA_TNIL; i++) {
        size_t length;
        const char *path = check_text(L, name, &length);
        check(L, curia__paths_add(p, role, path, length), name, path);
        lua_pop(L, 1);
    }
    lua_settop(L, 2);
}

static int roles_of(const char *name) {
    if (strcmp(name, "both") == 0) return CURIA__PATH_TEXT | CURIA__PATH_REASONING;
    if (strcmp(name, "text") == 0) return CURIA__PATH_TEXT;
    return strcmp(name, "reasoning") == 0 ? CURIA__PATH_REASONING : 0;
}

/* { "type", { [value] = "text" | "reasoning" | "both" } } */
static void add_when(lua_State *L, curia__paths *p) {
    if (lua_getfield(L, 1, "when") != LUA_TNIL) {
        luaL_argexpected(L, lua_istable(L, -1), 1, "'when' = { field, { value = kind } }");
        lua_rawgeti(L, -1, 2);
        lua_rawgeti(L, -2, 1);
        luaL_argexpected(L, lua_istable(L, -2), 1, "'when' = { field, { value = kind } }");
        size_t length;
        const char *text = check_text(L, "when", &length);
        check(L, curia__paths_when(p, text, length), "when", text);
        lua_pop(L, 1);
        for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
            int roles = roles_of(check_text(L, "when", &length));
            lua_pushvalue(L, -2);
            text = check_text(L, "when", &length);
            check(L, curia__paths_when_value(p, text, length, roles), "when", text);
            lua_pop(L, 1);
        }
    }
    lua_settop(L, 2);
}

/* Pushes an empty table of paths and fills it from the lists in the table at 1. */
static curia__paths *push_paths(lua_State *L, curia__framing framing, const list *lists) {
    lua_settop(L, 1);
    curia__paths **box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = NULL;
    luaL_setmetatable(L, PATHS);
    *box = curia__paths_new(framing);
    if (!*box) luaL_error(L, "not enough memory");
    for (; lists->name; lists++)
        add_list(L, *box, lists->name, lists->role);
    return *box;
}

/* paths(table) -> paths. The table is an adapter's `stream`: framing = "sse" | "ndjson"; text,
 * reasoning, whole, ignore = lists of paths; when = { field, { value = "text" | "reasoning" |
 * "both" } }. Raises for anything else in it, except the functions start, push and finish. */
static int decoder_paths(lua_State *L) {
    check_fields(L, 1, path_fields);
    curia__framing framing = check_framing(L) ? CURIA__FRAMING_NDJSON : CURIA__FRAMING_SSE;
    curia__paths *paths = push_paths(L, framing, stream_lists);
    add_when(L, paths);
    luaL_argcheck(L, curia__paths_check(paths) == 0, 1,
                  "a path is both text and reasoning, and 'when' does not tell which");
    return 1;
}

static int paths_gc(lua_State *L) {
    curia__paths **box = luaL_checkudata(L, 1, PATHS);
    curia__paths_unref(*box);
    *box = NULL;
    return 0;
}

static int paths_tostring(lua_State *L) {
    curia__paths *paths = curia__to_paths(L, 1);
    lua_pushfstring(L, "decoder paths (%s)",
                    paths ? framings[curia__paths_framing(paths)] : "closed");
    return 1;
}

/* ---- fields ------------------------------------------------------------------------------------ */

/* Answers are read in full into tables only where they say more than most do: a tree of tables
 * costs several times what reading its text does. */
static const char *const field_fields[] = {"strings", "integers", "whole", "ignore", NULL};

static void push_string(lua_State *L, const curia__gathered *item) {
    char small[SHORT_TEXT];
    if (!item->escaped) {
        lua_pushlstring(L, item->text, item->length);
        return;
    }
    if (item->bound <= sizeof small) {
        lua_pushlstring(L, small, curia__json_unescape(item->text, item->length, small));
        return;
    }
    luaL_Buffer b;
    char *out = luaL_buffinitsize(L, &b, item->bound);
    luaL_pushresultsize(&b, curia__json_unescape(item->text, item->length, out));
}

static void push_integer(lua_State *L, const curia__gathered *item) {
    int64_t value = 0;
    double unused;
    curia__json_number(item->text, item->length, &value, &unused);
    lua_pushinteger(L, value);
}

static void push_field(lua_State *L, const curia__gathered *item) {
    if (!item)
        lua_pushnil(L);
    else if (item->roles & CURIA__PATH_STRING)
        push_string(L, item);
    else
        push_integer(L, item);
}

static int push_fields(lua_State *L, const curia__paths *paths, const curia__gathering *g) {
    const curia__gathered *of[CURIA__GATHER_MAX] = {NULL};
    int count = curia__paths_fields(paths);
    for (int i = 0; i < g->count; i++)
        of[g->items[i].field] = &g->items[i];
    luaL_checkstack(L, count + LUA_MINSTACK, "fields");
    lua_pushboolean(L, 1);
    for (int i = 0; i < count; i++)
        push_field(L, of[i]);
    return 1 + count;
}

/* (text) -> true, the fields | false. Upvalue 1: the paths. */
static int read_fields(lua_State *L) {
    curia__paths *const *box = lua_touserdata(L, lua_upvalueindex(1));
    curia__slice text;
    text.at = luaL_checklstring(L, 1, &text.length);
    curia__gathering g;
    if (curia__paths_read(*box, text, &g) == CURIA__EVENT_SIMPLE) return push_fields(L, *box, &g);
    lua_pushboolean(L, 0);
    return 1;
}

/* fields(table) -> function(text) -> true, the fields | false. The table has lists of paths:
 * strings and integers, whose values are given in this order (nil for what is null or not there);
 * whole, where anything telling makes the function give false; ignore. It also gives false for a
 * text that is no JSON, without any field, or with a field that is neither null nor of its type. */
static int decoder_fields(lua_State *L) {
    check_fields(L, 1, field_fields);
    push_paths(L, CURIA__FRAMING_NDJSON, field_lists);
    lua_pushcclosure(L, read_fields, 1);
    return 1;
}

/* ---- decoders ---------------------------------------------------------------------------------- */

static const char *const limit_fields[] = {"max_event_bytes", "max_pending_bytes", NULL};

static size_t limit_option(lua_State *L, const char *name) {
    if (lua_isnoneornil(L, 2)) return 0;
    lua_getfield(L, 2, name);
    lua_Integer limit = luaL_optinteger(L, -1, 0);
    luaL_argcheck(L, limit >= 0, 2, "limits are 0 or more");
    lua_pop(L, 1);
    return (size_t)limit;
}

/* new(paths [, {max_event_bytes=, max_pending_bytes=}]) -> decoder. A limit of 0 is the default:
 * 16 MiB for one event, 64 MiB for what waits to be taken. */
static int decoder_new(lua_State *L) {
    curia__paths *paths = curia__to_paths(L, 1);
    luaL_argexpected(L, paths, 1, PATHS);
    if (!lua_isnoneornil(L, 2)) check_fields(L, 2, limit_fields);
    size_t max_event = limit_option(L, "max_event_bytes");
    size_t max_pending = limit_option(L, "max_pending_bytes");
    lua_decoder *d = lua_newuserdatauv(L, sizeof *d, 0);
    memset(d, 0, sizeof *d);
    luaL_setmetatable(L, DECODER);
    curia__decoder_init(&d->decoder, paths, max_event, max_pending);
    d->open = true;
    return 1;
}

static lua_decoder *check_decoder(lua_State *L) {
    lua_decoder *d = luaL_checkudata(L, 1, DECODER);
    luaL_argcheck(L, d->open, 1, "the decoder is closed");
    return d;
}

static int result(lua_State *L, int rc) {
    if (rc == CURIA_ENOMEM) return luaL_error(L, "not enough memory");
    if (rc) return curia__return_error(L, "invalid_output", curia_error_text(rc));
    lua_pushboolean(L, 1);
    return 1;
}

/* d:feed(bytes) -> true | nil, err. Raises after finish. */
static int decoder_feed(lua_State *L) {
    lua_decoder *d = check_decoder(L);
    size_t length;
    const char *bytes = luaL_checklstring(L, 2, &length);
    luaL_argcheck(L, !d->finished, 1, "the decoder is finished");
    return result(L, curia__decoder_feed(&d->decoder, bytes, length));
}

/* d:finish() -> true | nil, err. The body ended. Idempotent. */
static int decoder_finish(lua_State *L) {
    lua_decoder *d = check_decoder(L);
    d->finished = true;
    return result(L, curia__decoder_finish(&d->decoder));
}

/* d:take() -> { kind, value, name or false, kind, value, name or false, ... }, count */
static int decoder_take(lua_State *L) {
    lua_decoder *d = check_decoder(L);
    curia__decoder_take(&d->decoder, &d->taken);
    return curia__push_segments(L, &d->taken);
}

/* d:close(), also __gc and __close. Idempotent. */
static int decoder_close(lua_State *L) {
    lua_decoder *d = luaL_checkudata(L, 1, DECODER);
    if (!d->open) return 0;
    d->open = false;
    curia__decoder_deinit(&d->decoder);
    curia__segments_deinit(&d->taken);
    return 0;
}

static int decoder_tostring(lua_State *L) {
    lua_decoder *d = luaL_checkudata(L, 1, DECODER);
    lua_pushfstring(L, "decoder (%s)", !d->open ? "closed" : d->finished ? "finished" : "open");
    return 1;
}

static const luaL_Reg paths_meta[] = {
    {"__gc", paths_gc}, {"__tostring", paths_tostring}, {NULL, NULL}};

static const luaL_Reg decoder_meta[] = {{"__gc", decoder_close},
                                        {"__close", decoder_close},
                                        {"__tostring", decoder_tostring},
                                        {NULL, NULL}};

static const luaL_Reg decoder_methods[] = {{"feed", decoder_feed},
                                           {"finish", decoder_finish},
                                           {"take", decoder_take},
                                           {"close", decoder_close},
                                           {NULL, NULL}};

static const luaL_Reg functions[] = {
    {"paths", decoder_paths}, {"fields", decoder_fields}, {"new", decoder_new}, {NULL, NULL}};

int curia__open_decoder(lua_State *L) {
    luaL_newmetatable(L, PATHS);
    luaL_setfuncs(L, paths_meta, 0);
    luaL_newmetatable(L, DECODER);
    luaL_setfuncs(L, decoder_meta, 0);
    luaL_newlib(L, decoder_methods);
    lua_setfield(L, -2, "__index");
    luaL_newlib(L, functions);
    return 1;
}
