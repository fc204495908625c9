/* Lua values to JSON text.
 *
 * Nothing that waits here is kept from the collector by luck: the members of an object stand on the
 * Lua stack while they are sorted and written, the output is a userdata at a fixed stack index once
 * it outgrows the encoder. Both need no clean-up when an allocation raises. */
#include <lauxlib.h>
#include <stdarg.h>
#include <string.h>

#include "../runtime/hash.h"
#include "../runtime/json.h"
#include "json.h"

enum {
    FIRST_BYTES = 16384, /* output that needs no userdata: most requests and results */
    FIRST_ENTRIES = 48,
    FEW = 12,       /* entries that insertion sorts best */
    PATH_STEPS = 8, /* of a path that an error shows */
    PATH_KEY = 40,  /* bytes of a key that an error shows */
    MAX_INDENT = 16,
    MOST_SLOTS = LUAI_MAXSTACK / 10 * 9, /* of the Lua stack that members may take */
    ROOM_FOR = 8,                        /* members for which LUA_MINSTACK slots are enough */
    FRAGMENT_BYTES = 256,                /* a shorter one costs more to keep than to write again */
    FRAGMENT_KEPT = 1,                   /* of what stands lower each copy would cost too */
    FRAGMENT_DEPTH = CURIA__JSON_DEFAULT_DEPTH / 2
};

/* A member of an object that is being written. */
struct entry {
    uint64_t prefix; /* the key's first eight bytes as a number, which orders as they do */
    const char *key;
    size_t length;
    int value; /* stack index; the key stands below it */
};

/* The way from the document to a value, innermost first. */
struct step {
    const struct step *up;
    const char *key; /* NULL: an item */
    lua_Integer index;
};

struct encoder {
    lua_State *L;
    char *data; /* the text so far: `bytes`, or the userdata at stack index `buffer` */
    size_t size, capacity;
    int buffer;
    struct entry *entries; /* a stack: `first_entries`, or the userdata at index `more_entries` */
    size_t used, room;
    int more_entries;
    const void *array_mark, *object_mark;
    int depth, max_depth, indent;
    size_t apart_from; /* texts of so many bytes stand apart; SIZE_MAX: none do */
    int parts;         /* stack index of their list; nil: there is none yet */
    int known;         /* of the table of hashes that are known, by text; 0: there is none */
    lua_Integer part_count;
    bool ambiguous; /* an object has a key that means a text that stands apart */
    int fragments;  /* of the table of what is written already, by table; 0: there is none */
    int deepest;    /* depth so far */
    struct entry first_entries[FIRST_ENTRIES];
    char bytes[FIRST_BYTES];
};

/* ---- failure --------------------------------------------------------------------------------- */

/* Replaces the text on top by itself and one step. */
static void append_step(lua_State *L, const struct step *step) {
    if (step->key) {
        lua_pushlstring(L, step->key, strnlen(step->key, PATH_KEY));
        lua_pushfstring(L, "%s.%s", lua_tostring(L, -2), lua_tostring(L, -1));
        lua_remove(L, -2);
    } else {
        lua_pushfstring(L, "%s[%I]", lua_tostring(L, -1), step->index);
    }
    lua_remove(L, -2);
}

static void push_steps(lua_State *L, const struct step *step) {
    if (!step) {
        lua_pushliteral(L, "$");
        return;
    }
    push_steps(L, step->up);
    append_step(L, step);
}

/* Pushes the path of a value, "$.messages[2].content"; of a long one the outermost steps. */
static void push_path(lua_State *L, const struct step *step) {
    int count = 0;
    for (const struct step *s = step; s; s = s->up)
        count++;
    bool cut = count > PATH_STEPS;
    for (; count > PATH_STEPS; count--)
        step = step->up;
    push_steps(L, step);
    if (!cut) return;
    lua_pushliteral(L, "...");
    lua_concat(L, 2);
}

/* Pushes the path, then the formatted message with the path in it. Returns false. */
static bool fail(struct encoder *e, const struct step *step, const char *format, ...) {
    curia__json_need_stack(e->L, LUA_MINSTACK);
    push_path(e->L, step);
    va_list arguments;
    va_start(arguments, format);
    lua_pushvfstring(e->L, format, arguments);
    va_end(arguments);
    lua_pushfstring(e->L, "%s at %s", lua_tostring(e->L, -1), lua_tostring(e->L, -2));
    lua_remove(e->L, -2);
    return false;
}

/* ---- output ---------------------------------------------------------------------------------- */

/* Moves `size` bytes into a userdata of `capacity` bytes, which takes its place at stack index
 * `slot`. */
static void *enlarge(lua_State *L, int slot, const void *data, size_t size, size_t capacity) {
    void *larger = lua_newuserdatauv(L, capacity, 0);
    memcpy(larger, data, size);
    lua_replace(L, slot);
    return larger;
}

static void grow(struct encoder *e, size_t extra) {
    size_t needed = e->size + extra;
    if (needed < 2 * e->capacity) needed = 2 * e->capacity;
    e->data = enlarge(e->L, e->buffer, e->data, e->size, needed);
    e->capacity = needed;
}

/* Where the next `size` bytes go; e->size does not count them yet. */
static inline char *reserve(struct encoder *e, size_t size) {
    if (e->capacity - e->size < size) grow(e, size);
    return e->data + e->size;
}

static inline void put(struct encoder *e, const char *text, size_t size) {
    memcpy(reserve(e, size), text, size);
    e->size += size;
}

static inline void put_char(struct encoder *e, char c) {
    *reserve(e, 1) = c;
    e->size++;
}

static void put_string(struct encoder *e, const char *at, size_t length) {
    const char *end = at + length;
    char *to = reserve(e, length + length / 8 + 2); /* with room for the escapes of prose */
    *to++ = '"';
    for (;;) {
        const char *run = curia__json_plain_run(at, end);
        memcpy(to, at, (size_t)(run - at));
        to += run - at;
        if (run == end) break;
        at = run;
        e->size = (size_t)(to - e->data);
        to = reserve(e, (size_t)(end - at) + 1 + CURIA__JSON_ESCAPE_SIZE);
        to += curia__json_escape(&at, end, to);
    }
    *to++ = '"';
    e->size = (size_t)(to - e->data);
}

static void put_line(struct encoder *e, int depth) {
    size_t blanks = (size_t)depth * (size_t)e->indent;
    char *to = reserve(e, blanks + 1);
    *to = '\n';
    memset(to + 1, ' ', blanks);
    e->size += blanks + 1;
}

/* Before item or member number `index`, from 0. */
static inline void put_separator(struct encoder *e, lua_Integer index) {
    if (index) put_char(e, ',');
    if (e->indent) put_line(e, e->depth);
}

static void put_end(struct encoder *e, char bracket) {
    if (e->indent) put_line(e, e->depth - 1);
    put_char(e, bracket);
}

/* ---- values ---------------------------------------------------------------------------------- */

static bool put_table(struct encoder *e, int index, const struct step *step);

/* Pushes the hash of the text at `index`: an answer stands in many values, and is hashed once. */
static const char *push_hash(struct encoder *e, int index, const char *text, size_t length) {
    lua_State *L = e->L;
    if (e->known) {
        lua_pushvalue(L, index);
        if (lua_rawget(L, e->known) == LUA_TSTRING) return lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    char hash[CURIA__HASH_TEXT];
    if (curia__hash(text, length, hash)) luaL_error(L, "not enough memory");
    lua_pushstring(L, hash);
    if (!e->known) return lua_tostring(L, -1);
    lua_pushvalue(L, index);
    lua_pushvalue(L, -2);
    lua_rawset(L, e->known);
    return lua_tostring(L, -1);
}

/* Writes the hash of a text in its place, and notes both. */
static bool put_apart(struct encoder *e, int index, const char *text, size_t length) {
    lua_State *L = e->L;
    curia__json_need_stack(L, LUA_MINSTACK);
    if (e->part_count == 0) {
        lua_newtable(L);
        lua_replace(L, e->parts);
    }
    const char *hash = push_hash(e, index, text, length);
    put(e, "{\"$blob\":\"", 10);
    put(e, hash, CURIA__HASH_TEXT - 1);
    put(e, "\"}", 2);
    lua_rawseti(L, e->parts, ++e->part_count);
    lua_pushvalue(L, index);
    lua_rawseti(L, e->parts, ++e->part_count);
    return true;
}

static bool put_number(struct encoder *e, int index, const struct step *step) {
    char *to = reserve(e, CURIA__JSON_NUMBER_SIZE);
    if (lua_isinteger(e->L, index)) {
        e->size += curia__json_format_integer(lua_tointeger(e->L, index), to);
        return true;
    }
    double value = lua_tonumber(e->L, index);
    if (value != value) return fail(e, step, "cannot encode a NaN");
    if (value - value != 0) return fail(e, step, "cannot encode an infinite number");
    e->size += curia__json_format_double(value, to);
    return true;
}

static bool put_value(struct encoder *e, int index, const struct step *step) {
    int type = lua_type(e->L, index);
    size_t length;
    const char *text;
    switch (type) {
    case LUA_TSTRING:
        text = lua_tolstring(e->L, index, &length);
        if (length >= e->apart_from) return put_apart(e, index, text, length);
        put_string(e, text, length);
        return true;
    case LUA_TNUMBER: return put_number(e, index, step);
    case LUA_TTABLE: return put_table(e, index, step);
    case LUA_TBOOLEAN:
        if (lua_toboolean(e->L, index))
            put(e, "true", 4);
        else
            put(e, "false", 5);
        return true;
    case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(e->L, index)) break;
        /* fall through */
    case LUA_TNIL: put(e, "null", 4); return true;
    default: break;
    }
    return fail(e, step, "cannot encode a %s", lua_typename(e->L, type));
}

/* ---- arrays ---------------------------------------------------------------------------------- */

/* Writes item `number` (from 1), which is on top, and pops it. */
static bool put_item(struct encoder *e, lua_Integer number, const struct step *up) {
    struct step step = {up, NULL, number};
    put_separator(e, number - 1);
    if (!put_value(e, lua_gettop(e->L), &step)) return false;
    lua_pop(e->L, 1);
    return true;
}

static bool fail_array(struct encoder *e, int index, const struct step *step) {
    for (lua_pushnil(e->L); lua_next(e->L, index); lua_pop(e->L, 1))
        if (!lua_isinteger(e->L, -2))
            return fail(e, step, "cannot encode a %s key in an array", luaL_typename(e->L, -2));
    return fail(e, step, "cannot encode a sparse array");
}

/* Writes the items behind the first `done` of an array whose items do not come in order. */
static bool put_scattered(struct encoder *e, int index, const struct step *step, lua_Integer done) {
    lua_Integer length;
    if (!curia__json_is_sequence(e->L, index, &length)) return fail_array(e, index, step);
    while (done < length) {
        lua_rawgeti(e->L, index, ++done);
        if (!put_item(e, done, step)) return false;
    }
    put_end(e, ']');
    return true;
}

/* Its first key and value are on top; both are popped. The keys of an array nearly always come in
 * order, so that one walk both checks and writes it. */
static bool put_array(struct encoder *e, int index, const struct step *step) {
    lua_Integer done = 0;
    put_char(e, '[');
    do {
        if (!lua_isinteger(e->L, -2) || lua_tointeger(e->L, -2) != done + 1) {
            lua_pop(e->L, 2);
            return put_scattered(e, index, step, done);
        }
        if (!put_item(e, ++done, step)) return false;
    } while (lua_next(e->L, index));
    put_end(e, ']');
    return true;
}

/* ---- objects --------------------------------------------------------------------------------- */

/* The order of the keys' bytes. */
static bool is_before(const struct entry *a, const struct entry *b) {
    if (a->prefix != b->prefix) return a->prefix < b->prefix;
    int order = memcmp(a->key, b->key, a->length < b->length ? a->length : b->length);
    return order < 0 || (order == 0 && a->length < b->length);
}

static void sort_few(struct entry *entries, size_t count) {
    for (size_t i = 1; i < count; i++) {
        struct entry moving = entries[i];
        size_t to = i;
        for (; to > 0 && is_before(&moving, &entries[to - 1]); to--)
            entries[to] = entries[to - 1];
        entries[to] = moving;
    }
}

/* Lets the entry at `root` sink to its place in the heap of the first `count`. */
static void sink(struct entry *entries, size_t root, size_t count) {
    struct entry sinking = entries[root];
    for (size_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && is_before(&entries[child], &entries[child + 1])) child++;
        if (!is_before(&sinking, &entries[child])) break;
        entries[root] = entries[child];
    }
    entries[root] = sinking;
}

static void sort_many(struct entry *entries, size_t count) {
    for (size_t root = count / 2; root-- > 0;)
        sink(entries, root, count);
    for (size_t last = count; --last > 0;) {
        struct entry largest = entries[0];
        entries[0] = entries[last];
        entries[last] = largest;
        sink(entries, 0, last);
    }
}

static uint64_t prefix_of(const char *key, size_t length) {
    unsigned char bytes[8] = {0};
    uint64_t prefix = 0;
    memcpy(bytes, key, length < 8 ? length : 8);
    for (int i = 0; i < 8; i++)
        prefix = prefix << 8 | bytes[i];
    return prefix;
}

/* Puts the sorted entries of the `count` members on top of the stack on the stack of entries. */
static void add_entries(struct encoder *e, size_t count) {
    if (e->room - e->used < count) {
        size_t size = e->used * sizeof(struct entry), needed = e->used + count;
        if (needed < 2 * e->room) needed = 2 * e->room;
        e->entries =
            enlarge(e->L, e->more_entries, e->entries, size, needed * sizeof(struct entry));
        e->room = needed;
    }
    struct entry *entries = e->entries + e->used;
    int value = lua_gettop(e->L) - 2 * (int)count;
    for (size_t i = 0; i < count; i++) {
        value += 2;
        entries[i].value = value;
        entries[i].key = lua_tolstring(e->L, value - 1, &entries[i].length);
        entries[i].prefix = prefix_of(entries[i].key, entries[i].length);
    }
    e->used += count;
    if (count > FEW)
        sort_many(entries, count);
    else
        sort_few(entries, count);
}

static bool has_room(struct encoder *e, const struct step *step) {
    if (lua_gettop(e->L) > MOST_SLOTS) return fail(e, step, "too many keys");
    curia__json_need_stack(e->L, LUA_MINSTACK);
    return true;
}

/* Pushes the members behind the first, which is on top, in the table's order; counts them all. */
static bool push_members(struct encoder *e, int index, const struct step *step, size_t *count) {
    lua_State *L = e->L;
    *count = 0;
    do {
        if (lua_type(L, -2) != LUA_TSTRING)
            return fail(e, step, "cannot encode a %s key in an object", luaL_typename(L, -2));
        if (*count % ROOM_FOR == 0 && !has_room(e, step)) return false;
        lua_pushvalue(L, -2);
        ++*count;
    } while (lua_next(L, index));
    return true;
}

static bool is_ambiguous(const struct entry *member) {
    return (member->length == 5 && !memcmp(member->key, "$blob", 5)) ||
           (member->length == 7 && !memcmp(member->key, "$object", 7));
}

/* Its first key and value are on top; both are popped. */
static bool put_object(struct encoder *e, int index, const struct step *up) {
    int base = lua_gettop(e->L) - 2;
    size_t count, first = e->used;
    if (!push_members(e, index, up, &count)) return false;
    add_entries(e, count);
    put_char(e, '{');
    for (size_t i = 0; i < count; i++) {
        struct entry member = e->entries[first + i]; /* writing the value may move the entries */
        struct step step = {up, member.key, 0};
        put_separator(e, (lua_Integer)i);
        if (is_ambiguous(&member)) e->ambiguous = true;
        put_string(e, member.key, member.length);
        put(e, ": ", e->indent ? 2 : 1);
        if (!put_value(e, member.value, &step)) return false;
    }
    put_end(e, '}');
    e->used = first;
    lua_settop(e->L, base);
    return true;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static const void *mark_of(lua_State *L, int index) {
    if (!lua_getmetatable(L, index)) return NULL;
    const void *mark = lua_topointer(L, -1);
    lua_pop(L, 1);
    return mark;
}

/* Writes a table as it was written before, if it was. */
static bool put_fragment(struct encoder *e, int index) {
    lua_State *L = e->L;
    if (!e->fragments || e->depth > FRAGMENT_DEPTH) return false;
    lua_pushvalue(L, index);
    size_t length;
    const char *text =
        lua_rawget(L, e->fragments) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
    if (text) put(e, text, length);
    lua_pop(L, 1);
    return text != NULL;
}

/* Keeps the text on top, which is the table's, and pops it. Its long texts are in the list of this value alone. */
static void keep_text(struct encoder *e, int index) {
    lua_pushvalue(e->L, index);
    lua_insert(e->L, -2);
    lua_rawset(e->L, e->fragments);
}

static bool is_kept(const struct encoder *e, size_t from) {
    if (!e->fragments || e->size - from < FRAGMENT_BYTES) return false;
    return !e->ambiguous && e->deepest <= FRAGMENT_DEPTH;
}

static void keep_fragment(struct encoder *e, int index, size_t from) {
    if (e->depth != FRAGMENT_KEPT || !is_kept(e, from)) return;
    lua_pushlstring(e->L, e->data + from, e->size - from);
    keep_text(e, index);
}

/* Pushes the whole text, which is kept as that of the value: no further copy. */
static void push_text(struct encoder *e, int index) {
    lua_pushlstring(e->L, e->data, e->size);
    if (!lua_istable(e->L, index) || !is_kept(e, 0)) return;
    lua_pushvalue(e->L, -1);
    keep_text(e, index);
}

static bool put_members(struct encoder *e, int index, const struct step *step) {
    const void *mark = mark_of(e->L, index);
    lua_pushnil(e->L);
    if (!lua_next(e->L, index)) {
        put(e, mark == e->array_mark ? "[]" : "{}", 2);
        return true;
    }
    bool array = mark == e->array_mark || (mark != e->object_mark && lua_isinteger(e->L, -2));
    return array ? put_array(e, index, step) : put_object(e, index, step);
}

static bool put_table(struct encoder *e, int index, const struct step *step) {
    if (e->depth == e->max_depth) return fail(e, step, "nested too deeply");
    curia__json_need_stack(e->L, LUA_MINSTACK);
    if (put_fragment(e, index)) return true;
    size_t from = e->size;
    if (++e->depth > e->deepest) e->deepest = e->depth;
    bool done = put_members(e, index, step);
    e->depth--;
    if (done) keep_fragment(e, index, from);
    return done;
}

/* ---- the function ---------------------------------------------------------------------------- */

static void read_options(lua_State *L, struct encoder *e) {
    static const char *const known[] = {"indent", "max_depth", NULL};
    e->indent = 0;
    e->max_depth = CURIA__JSON_DEFAULT_DEPTH;
    if (!curia__json_has_options(L, 2, known)) return;
    e->indent = curia__json_number_option(L, 2, "indent", 0, MAX_INDENT, 0);
    e->max_depth =
        curia__json_number_option(L, 2, "max_depth", 1, CURIA__JSON_MAX_DEPTH, e->max_depth);
}

/* Pushes the slots of the two userdata, which are nil until they are needed. */
static void start(lua_State *L, struct encoder *e) {
    lua_pushnil(L);
    lua_pushnil(L);
    e->L = L;
    e->data = e->bytes;
    e->size = 0;
    e->capacity = FIRST_BYTES;
    e->buffer = lua_gettop(L) - 1;
    e->entries = e->first_entries;
    e->used = 0;
    e->room = FIRST_ENTRIES;
    e->more_entries = lua_gettop(L);
    e->depth = 0;
    e->apart_from = SIZE_MAX;
    e->parts = e->known = 0;
    e->part_count = 0;
    e->ambiguous = false;
    e->fragments = e->deepest = 0;
}

int curia__json_encode(lua_State *L) {
    struct encoder e;
    luaL_checkany(L, 1);
    read_options(L, &e);
    lua_settop(L, 1);
    start(L, &e);
    e.array_mark = lua_topointer(L, lua_upvalueindex(CURIA__JSON_ARRAY_MARK));
    e.object_mark = lua_topointer(L, lua_upvalueindex(CURIA__JSON_OBJECT_MARK));
    if (!put_value(&e, 1, NULL)) return curia__json_return_error(L, "path");
    lua_pushlstring(L, e.data, e.size);
    return 1;
}

int curia__json_encode_apart(lua_State *L) {
    struct encoder e;
    luaL_checkany(L, 1);
    lua_Integer from = luaL_checkinteger(L, 2);
    luaL_argcheck(L, from > 0, 2, "bytes, 1 or more");
    lua_settop(L, 4);
    for (int i = 3; i <= 4; i++)
        luaL_argcheck(L, lua_isnil(L, i) || lua_istable(L, i), i, "a table, or nothing");
    lua_pushnil(L);
    e.indent = 0;
    e.max_depth = CURIA__JSON_DEFAULT_DEPTH;
    start(L, &e);
    e.apart_from = (size_t)from;
    e.parts = 5;
    e.known = lua_istable(L, 3) ? 3 : 0;
    e.fragments = lua_istable(L, 4) ? 4 : 0;
    e.array_mark = lua_topointer(L, lua_upvalueindex(CURIA__JSON_ARRAY_MARK));
    e.object_mark = lua_topointer(L, lua_upvalueindex(CURIA__JSON_OBJECT_MARK));
    if (!put_value(&e, 1, NULL)) return curia__json_return_error(L, "path");
    push_text(&e, 1);
    lua_pushvalue(L, 5);
    lua_pushboolean(L, e.ambiguous);
    return 3;
}

static const void *mark_pointer(lua_State *L, bool object) {
    curia__json_push_mark(L, object);
    const void *mark = lua_topointer(L, -1);
    lua_pop(L, 1);
    return mark;
}

int curia__json_encode_for(lua_State *L, int index,
                           int (*use)(lua_State *L, const char *text, size_t size, void *arg),
                           void *arg) {
    struct encoder e;
    e.indent = 0;
    e.max_depth = CURIA__JSON_DEFAULT_DEPTH;
    start(L, &e);
    e.array_mark = mark_pointer(L, false);
    e.object_mark = mark_pointer(L, true);
    if (put_value(&e, index, NULL)) return use(L, e.data, e.size, arg);
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
}
