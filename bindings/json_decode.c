/* JSON text to Lua values.
 *
 * One loop over the tokens; nesting costs a `level`, not C stack. The values of an open container
 * wait on the Lua stack above its slot and are stored in batches, so that nearly every table is
 * created in its final size. */
#include <lauxlib.h>

#include "../runtime/json.h"
#include "error.h"
#include "json.h"

enum {
    BATCH = 64,      /* stack slots that wait above a container's slot */
    SCRATCH = 512,   /* longer strings with escapes are unescaped in a userdata */
    ROOM = BATCH + 8 /* what a level may need, with what storing it takes */
};

/* An open container; the lowest level stands for the document. */
struct level {
    int slot;           /* stack index of its table: nil until something is stored */
    int waiting;        /* slots above it: values, or keys and values */
    lua_Integer stored; /* items that its table has already */
    bool object;
};

struct builder {
    lua_State *L;
    bool nulls;
    int array_mark; /* stack index */
    int scratch;    /* stack index of the userdata for long strings, or nil */
    size_t scratch_size;
    struct level *level; /* the innermost open one */
    curia__json_reader reader;
    struct level levels[CURIA__JSON_MAX_DEPTH + 1];
};

static int fail_at(struct builder *b, int code, const char *at, const char *reason) {
    b->reader.reason = reason;
    b->reader.error_at = (size_t)(at - b->reader.start);
    return b->reader.error = code;
}

/* ---- containers ------------------------------------------------------------------------------ */

static void open_level(struct builder *b, bool object) {
    curia__json_need_stack(b->L, ROOM);
    lua_pushnil(b->L);
    *++b->level = (struct level){.slot = lua_gettop(b->L), .object = object};
}

static void create_table(struct builder *b, const struct level *level) {
    if (level->object) {
        lua_createtable(b->L, 0, level->waiting / 2);
    } else {
        lua_createtable(b->L, level->waiting, 0);
        lua_pushvalue(b->L, b->array_mark);
        lua_setmetatable(b->L, -2);
    }
    lua_replace(b->L, level->slot);
}

/* In the order of the text, so that the last of equal keys wins. */
static void store_members(lua_State *L, struct level *level) {
    int top = lua_gettop(L);
    for (int key = level->slot + 1; key < top; key += 2) {
        lua_pushvalue(L, key);
        lua_pushvalue(L, key + 1);
        lua_rawset(L, level->slot);
    }
    lua_settop(L, level->slot);
}

static void store_items(lua_State *L, struct level *level) {
    for (int i = level->waiting; i > 0; i--)
        lua_rawseti(L, level->slot, level->stored + i);
}

/* Moves what waits into the level's table. */
static void store(struct builder *b, struct level *level) {
    if (!level->stored) create_table(b, level);
    if (level->object)
        store_members(b->L, level);
    else
        store_items(b->L, level);
    level->stored += level->waiting;
    level->waiting = 0;
}

/* Leaves the table of the innermost level on top. */
static void close_level(struct builder *b) {
    if (b->level->waiting || !b->level->stored) store(b, b->level);
    b->level--;
}

/* Counts the value on top, which belongs to the innermost level. */
static inline void add_value(struct builder *b) {
    struct level *level = b->level;
    level->waiting += 1 + level->object;
    if (level->waiting == BATCH) store(b, level);
}

/* ---- scalars --------------------------------------------------------------------------------- */

static char *scratch(struct builder *b, size_t size) {
    if (size > b->scratch_size) {
        lua_newuserdatauv(b->L, size, 0);
        lua_replace(b->L, b->scratch);
        b->scratch_size = size;
    }
    return lua_touserdata(b->L, b->scratch);
}

static void push_unescaped(struct builder *b) {
    char small[SCRATCH];
    size_t bound = curia__json_unescaped_bound(&b->reader);
    char *value = bound <= sizeof small ? small : scratch(b, bound);
    lua_pushlstring(b->L, value, curia__json_unescape(b->reader.text, b->reader.length, value));
}

static inline void push_string(struct builder *b) {
    if (b->reader.escaped)
        push_unescaped(b);
    else
        lua_pushlstring(b->L, b->reader.text, b->reader.length);
}

static int push_number(struct builder *b) {
    int64_t integer;
    double real;
    int kind = curia__json_number(b->reader.text, b->reader.length, &integer, &real);
    if (kind < 0) return fail_at(b, kind, b->reader.text, "number too large");
    if (kind == 1)
        lua_pushinteger(b->L, integer);
    else
        lua_pushnumber(b->L, real);
    return 0;
}

/* ---- documents ------------------------------------------------------------------------------- */

/* Pushes the value that `token` begins, or what of it is known yet. Returns 1 when a value is
 * complete, 0 when it is not, negative on failure. */
static int take(struct builder *b, curia__json_token token) {
    int rc;
    switch (token) {
    case CURIA__JSON_KEY: push_string(b); return 0;
    case CURIA__JSON_STRING: push_string(b); return 1;
    case CURIA__JSON_NUMBER: rc = push_number(b); return rc ? rc : 1;
    case CURIA__JSON_TRUE: lua_pushboolean(b->L, 1); return 1;
    case CURIA__JSON_FALSE: lua_pushboolean(b->L, 0); return 1;
    case CURIA__JSON_NULL:
        if (b->nulls || !b->level->object) {
            lua_pushlightuserdata(b->L, NULL);
            return 1;
        }
        lua_pop(b->L, 1); /* the key of a member that is left out */
        return 0;
    case CURIA__JSON_OBJECT: open_level(b, true); return 0;
    case CURIA__JSON_ARRAY: open_level(b, false); return 0;
    case CURIA__JSON_OBJECT_END:
    case CURIA__JSON_ARRAY_END: close_level(b); return 1;
    default: return b->reader.error;
    }
}

/* Pushes the document's value and returns 0; or returns b->reader.error with the stack higher by
 * anything. The mark of arrays must be on top of the stack. */
static int build(struct builder *b, lua_State *L, const char *data, size_t length, int max_depth,
                 bool nulls) {
    curia__json_need_stack(L, ROOM);
    b->L = L;
    b->nulls = nulls;
    b->array_mark = lua_gettop(L);
    lua_pushnil(L);
    b->scratch = lua_gettop(L);
    b->scratch_size = 0;
    b->level = b->levels;
    *b->level = (struct level){.slot = b->scratch};
    curia__json_reader_init(&b->reader, data, length, max_depth);
    curia__json_token token;
    while ((token = curia__json_next(&b->reader)) != CURIA__JSON_END) {
        int done = take(b, token);
        if (done < 0) return done;
        if (done) add_value(b);
    }
    return 0;
}

/* Pushes the text of the reader's error: what, where. */
static void push_message(lua_State *L, const curia__json_reader *r) {
    lua_Integer position = (lua_Integer)r->error_at + 1;
    bool ended = r->start + r->error_at == r->end;
    lua_pushfstring(L, "%s at byte %I%s", r->reason, position,
                    ended ? ", where the text ends" : "");
}

int curia__json_push(lua_State *L, const char *data, size_t length, int max_depth, bool nulls) {
    struct builder b;
    int base = lua_gettop(L) + 1;
    curia__json_need_stack(L, ROOM);
    curia__json_push_mark(L, false);
    int rc = build(&b, L, data, length, max_depth, nulls);
    if (rc) {
        lua_settop(L, base);
        push_message(L, &b.reader);
    }
    lua_replace(L, base);
    lua_settop(L, base);
    return rc;
}

/* ---- the functions --------------------------------------------------------------------------- */

struct options {
    int max_depth;
    bool nulls;
};

static struct options read_options(lua_State *L, int index) {
    static const char *const known[] = {"max_depth", "nulls", NULL};
    struct options o = {.max_depth = CURIA__JSON_DEFAULT_DEPTH, .nulls = true};
    if (!curia__json_has_options(L, index, known)) return o;
    o.max_depth =
        curia__json_number_option(L, index, "max_depth", 1, CURIA__JSON_MAX_DEPTH, o.max_depth);
    lua_pushliteral(L, "nulls");
    int type = lua_rawget(L, index);
    luaL_argcheck(L, type == LUA_TNIL || type == LUA_TBOOLEAN, index, "nulls must be a boolean");
    o.nulls = type == LUA_TNIL || lua_toboolean(L, -1);
    lua_pop(L, 1);
    return o;
}

/* Decodes the text at stack index 1, which stays there. */
static int decode(lua_State *L, struct options o) {
    struct builder b;
    luaL_checktype(L, 1, LUA_TSTRING);
    size_t length;
    const char *text = lua_tolstring(L, 1, &length);
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(CURIA__JSON_ARRAY_MARK));
    if (build(&b, L, text, length, o.max_depth, o.nulls) == 0) return 1;
    lua_settop(L, 1);
    lua_pushinteger(L, (lua_Integer)b.reader.error_at + 1);
    push_message(L, &b.reader);
    return curia__json_return_error(L, "position");
}

int curia__json_decode(lua_State *L) {
    return decode(L, read_options(L, 2));
}

static int decode_as_bound(lua_State *L) {
    struct options o = {.max_depth = (int)lua_tointeger(L, lua_upvalueindex(5)),
                        .nulls = lua_toboolean(L, lua_upvalueindex(6))};
    return decode(L, o);
}

int curia__json_decoder(lua_State *L) {
    struct options o = read_options(L, 1);
    for (int i = 1; i <= CURIA__JSON_UPVALUES; i++)
        lua_pushvalue(L, lua_upvalueindex(i));
    lua_pushinteger(L, o.max_depth);
    lua_pushboolean(L, o.nulls);
    lua_pushcclosure(L, decode_as_bound, CURIA__JSON_UPVALUES + 2);
    return 1;
}
