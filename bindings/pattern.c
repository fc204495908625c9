/* curia.core.pattern: string.find, match, gmatch, gsub and rep with a bound on their work.
 *
 * They behave as Lua's own, messages included, and raise where a call would cost more than the
 * limits that all functions of one state share (the first upvalue). */
#include "../runtime/pattern.h"

#include <string.h>

#include "error.h"
#include "host.h"

#define DEFAULT_STEPS 100000000 /* below 0.1 s */
#define DEFAULT_BYTES (256 << 20)

typedef struct {
    lua_Integer steps; /* of one call, or of one step of gmatch */
    size_t bytes;      /* of a result of rep and gsub */
} limits;

static const limits *limits_of(lua_State *L) {
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* Raises for a matcher that failed. */
static int raise_failure(lua_State *L, const curia__pattern *m, lua_Integer steps) {
    if (m->error != CURIA_ELIMIT) return luaL_error(L, "%s", m->reason);
    size_t length = (size_t)(m->pattern_end - m->pattern);
    lua_pushlstring(L, m->pattern, length < 60 ? length : 60);
    return luaL_error(L, "%s: '%s%s' took more than %I steps on %I bytes", m->reason,
                      lua_tostring(L, -1), length < 60 ? "" : "...", steps,
                      (lua_Integer)(m->subject_end - m->subject));
}

/* ---- captures ------------------------------------------------------------------------------------ */

/* Pushes capture `i`; without captures, 0 is the whole match from `start` to `end`. */
static void push_capture(lua_State *L, const curia__pattern *m, int i, const char *start,
                         const char *end) {
    if (i >= m->count) {
        if (i > 0) luaL_error(L, "invalid capture index %%%d", i + 1);
        lua_pushlstring(L, start, (size_t)(end - start));
        return;
    }
    const curia__capture *capture = &m->captures[i];
    if (capture->length == CURIA__CAPTURE_OPEN) luaL_error(L, "unfinished capture");
    if (capture->length == CURIA__CAPTURE_POSITION)
        lua_pushinteger(L, capture->start - m->subject + 1);
    else
        lua_pushlstring(L, capture->start, (size_t)capture->length);
}

/* Pushes all captures; without any, the whole match. Returns how many. */
static int push_captures(lua_State *L, const curia__pattern *m, const char *start,
                         const char *end) {
    int count = m->count ? m->count : 1;
    luaL_checkstack(L, count, "too many captures");
    for (int i = 0; i < count; i++)
        push_capture(L, m, i, start, end);
    return count;
}

/* ---- find, match --------------------------------------------------------------------------------- */

/* A position as Lua writes it (from 1, negative from the end) as an offset, at most length + 1. */
static size_t offset_of(lua_Integer position, size_t length) {
    if (position > (lua_Integer)length + 1) return length + 1;
    if (position > 0) return (size_t)position - 1;
    if (position == 0 || position < -(lua_Integer)length) return 0;
    return length + (size_t)position;
}

static int return_place(lua_State *L, const char *subject, const char *start, size_t length) {
    lua_pushinteger(L, start - subject + 1);
    lua_pushinteger(L, start - subject + (lua_Integer)length);
    return 2;
}

static int return_fail(lua_State *L) {
    luaL_pushfail(L);
    return 1;
}

static int search(lua_State *L, bool find) {
    size_t length, pattern_length;
    const char *subject = luaL_checklstring(L, 1, &length);
    const char *pattern = luaL_checklstring(L, 2, &pattern_length);
    size_t from = offset_of(luaL_optinteger(L, 3, 1), length);
    if (from > length) return return_fail(L);
    const char *at = subject + from, *start;
    if (find && (lua_toboolean(L, 4) || curia__pattern_is_plain(pattern, pattern_length))) {
        start = curia__find_plain(at, length - from, pattern, pattern_length);
        return start ? return_place(L, subject, start, pattern_length) : return_fail(L);
    }
    curia__pattern m;
    lua_Integer steps = limits_of(L)->steps;
    curia__pattern_init(&m, subject, length, pattern, pattern_length, steps, true);
    const char *end = curia__pattern_search(&m, at, &start);
    if (!end) return m.error ? raise_failure(L, &m, steps) : return_fail(L);
    if (!find) return push_captures(L, &m, start, end);
    return_place(L, subject, start, (size_t)(end - start));
    return 2 + (m.count ? push_captures(L, &m, start, end) : 0);
}

/* find(s, pattern [, init [, plain]]) -> first, last, captures... | nil */
static int pattern_find(lua_State *L) {
    return search(L, true);
}

/* match(s, pattern [, init]) -> captures... | nil */
static int pattern_match(lua_State *L) {
    return search(L, false);
}

/* ---- gmatch -------------------------------------------------------------------------------------- */

typedef struct {
    curia__pattern matcher;
    const char *at;   /* where the next search begins; NULL: nothing is left */
    const char *last; /* where the last match ended */
    lua_Integer steps;
} iteration;

/* Upvalues: the iteration, subject and pattern. */
static int gmatch_next(lua_State *L) {
    iteration *it = lua_touserdata(L, lua_upvalueindex(1));
    curia__pattern *m = &it->matcher;
    m->steps = it->steps;
    m->error = 0;
    for (const char *at = it->at; at && at <= m->subject_end; at++) {
        const char *end = curia__pattern_match(m, at);
        if (m->error) return raise_failure(L, m, it->steps);
        if (!end || end == it->last) continue;
        it->at = it->last = end;
        return push_captures(L, m, at, end);
    }
    it->at = NULL;
    return 0;
}

/* gmatch(s, pattern [, init]) -> iterator of the captures of every match */
static int pattern_gmatch(lua_State *L) {
    size_t length, pattern_length;
    const char *subject = luaL_checklstring(L, 1, &length);
    const char *pattern = luaL_checklstring(L, 2, &pattern_length);
    size_t from = offset_of(luaL_optinteger(L, 3, 1), length);
    lua_settop(L, 2);
    iteration *it = lua_newuserdatauv(L, sizeof *it, 0);
    it->steps = limits_of(L)->steps;
    it->at = from <= length ? subject + from : NULL;
    it->last = NULL;
    curia__pattern_init(&it->matcher, subject, length, pattern, pattern_length, it->steps, false);
    lua_insert(L, 1);
    lua_pushcclosure(L, gmatch_next, 3);
    return 1;
}

/* ---- gsub ---------------------------------------------------------------------------------------- */

typedef struct {
    lua_State *L;
    curia__pattern matcher;
    luaL_Buffer result;
    size_t max_bytes;
    int type; /* of the replacement */
} substitution;

static void need_room(substitution *sub, size_t extra) {
    size_t used = luaL_bufflen(&sub->result);
    if (used > sub->max_bytes || extra > sub->max_bytes - used)
        luaL_error(sub->L, "resulting string too large");
}

static void append(substitution *sub, const char *text, size_t length) {
    need_room(sub, length);
    luaL_addlstring(&sub->result, text, length);
}

/* Moves a string or number from the stack's top to the result. */
static void append_value(substitution *sub) {
    size_t length;
    lua_tolstring(sub->L, -1, &length);
    need_room(sub, length);
    luaL_addvalue(&sub->result);
}

/* What follows a '%' in a replacement string. */
static void append_escape(substitution *sub, char c, const char *start, const char *end) {
    if (c == '%') {
        append(sub, &c, 1);
    } else if (c == '0') {
        append(sub, start, (size_t)(end - start));
    } else if (c >= '1' && c <= '9') {
        push_capture(sub->L, &sub->matcher, c - '1', start, end);
        append_value(sub);
    } else {
        luaL_error(sub->L, "invalid use of '%%' in replacement string");
    }
}

static void append_template(substitution *sub, const char *start, const char *end) {
    size_t length;
    const char *at = lua_tolstring(sub->L, 3, &length), *stop = at + length, *escape;
    while ((escape = memchr(at, '%', (size_t)(stop - at)))) {
        append(sub, at, (size_t)(escape - at));
        append_escape(sub, escape + 1 < stop ? escape[1] : 0, start, end);
        at = escape + 2;
    }
    append(sub, at, (size_t)(stop - at));
}

static void append_replacement(substitution *sub, const char *start, const char *end) {
    lua_State *L = sub->L;
    if (sub->type == LUA_TFUNCTION) {
        lua_pushvalue(L, 3);
        lua_call(L, push_captures(L, &sub->matcher, start, end), 1);
    } else if (sub->type == LUA_TTABLE) {
        push_capture(L, &sub->matcher, 0, start, end);
        lua_gettable(L, 3);
    } else {
        append_template(sub, start, end);
        return;
    }
    if (lua_isstring(L, -1)) {
        append_value(sub);
        return;
    }
    if (lua_toboolean(L, -1))
        luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    lua_pop(L, 1);
    append(sub, start, (size_t)(end - start));
}

/* Replaces at most `max`; returns how many there were. */
static lua_Integer substitute(substitution *sub, lua_Integer max, lua_Integer steps) {
    curia__pattern *m = &sub->matcher;
    const char *at = m->subject, *last = NULL;
    lua_Integer count = 0;
    while (count < max) {
        const char *end = curia__pattern_match(m, at);
        if (m->error) raise_failure(sub->L, m, steps);
        if (end && end != last) {
            count++;
            append_replacement(sub, at, end);
            at = last = end;
        } else if (at < m->subject_end) {
            luaL_addchar(&sub->result, *at++);
        } else {
            break;
        }
        if (m->anchored) break;
    }
    append(sub, at, (size_t)(m->subject_end - at));
    return count;
}

/* gsub(s, pattern, repl [, n]) -> string, how many were replaced */
static int pattern_gsub(lua_State *L) {
    substitution sub; /* large: not worth zeroing */
    sub.L = L;
    sub.type = lua_type(L, 3);
    sub.max_bytes = limits_of(L)->bytes;
    size_t length, pattern_length;
    const char *subject = luaL_checklstring(L, 1, &length);
    const char *pattern = luaL_checklstring(L, 2, &pattern_length);
    lua_Integer max = luaL_optinteger(L, 4, (lua_Integer)length + 1);
    luaL_argexpected(L,
                     sub.type == LUA_TNUMBER || sub.type == LUA_TSTRING ||
                         sub.type == LUA_TFUNCTION || sub.type == LUA_TTABLE,
                     3, "string/function/table");
    lua_Integer steps = limits_of(L)->steps;
    curia__pattern_init(&sub.matcher, subject, length, pattern, pattern_length, steps, true);
    luaL_buffinit(L, &sub.result);
    lua_Integer count = substitute(&sub, max, steps);
    luaL_pushresult(&sub.result);
    lua_pushinteger(L, count);
    return 2;
}

/* ---- rep ----------------------------------------------------------------------------------------- */

/* Fills `total` bytes with repetitions of their first `unit` bytes. */
static void repeat(char *out, size_t unit, size_t total) {
    for (size_t filled = unit; filled < total;) {
        size_t more = filled < total - filled ? filled : total - filled;
        memcpy(out + filled, out, more);
        filled += more;
    }
}

/* rep(s, n [, sep]) -> string */
static int pattern_rep(lua_State *L) {
    size_t length, separator_length, max = limits_of(L)->bytes;
    const char *text = luaL_checklstring(L, 1, &length);
    lua_Integer n = luaL_checkinteger(L, 2);
    const char *separator = luaL_optlstring(L, 3, "", &separator_length);
    size_t unit = length + separator_length;
    if (n <= 0 || unit == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    if (length > max || (lua_Unsigned)n - 1 > (max - length) / unit)
        return luaL_error(L, "resulting string too large");
    size_t total = ((size_t)n - 1) * unit + length;
    luaL_Buffer b;
    char *out = luaL_buffinitsize(L, &b, total);
    memcpy(out, text, length);
    if (n > 1) memcpy(out + length, separator, separator_length);
    repeat(out, unit, total);
    luaL_pushresultsize(&b, total);
    return 1;
}

/* ---- the module ---------------------------------------------------------------------------------- */

static const luaL_Reg replacements[] = {{"find", pattern_find},     {"match", pattern_match},
                                        {"gmatch", pattern_gmatch}, {"gsub", pattern_gsub},
                                        {"rep", pattern_rep},       {NULL, NULL}};

/* install([steps [, bytes]]): sets the limits of this state, by default 100 million steps and
 * 256 MiB, and puts the functions in the place of those in `string`, for method calls, too.
 * Upvalues: the limits, the module. */
static int pattern_install(lua_State *L) {
    lua_Integer steps = luaL_optinteger(L, 1, DEFAULT_STEPS);
    lua_Integer bytes = luaL_optinteger(L, 2, DEFAULT_BYTES);
    luaL_argcheck(L, steps > 0, 1, "more than 0 steps");
    luaL_argcheck(L, bytes > 0, 2, "more than 0 bytes");
    limits *shared = lua_touserdata(L, lua_upvalueindex(1));
    *shared = (limits){steps, (size_t)bytes};
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    luaL_argcheck(L, lua_getfield(L, -1, "string") == LUA_TTABLE, 1, "no string library is open");
    for (const luaL_Reg *f = replacements; f->name; f++) {
        lua_getfield(L, lua_upvalueindex(2), f->name);
        lua_setfield(L, -2, f->name);
    }
    return 0;
}

/* Sets module.stock: Lua's own functions, as they are before anything was installed. */
static void keep_stock(lua_State *L, int module) {
    lua_newtable(L);
    lua_getglobal(L, "string");
    for (const luaL_Reg *f = replacements; f->name; f++) {
        lua_getfield(L, -1, f->name);
        lua_setfield(L, -3, f->name);
    }
    lua_pop(L, 1);
    lua_setfield(L, module, "stock");
}

int curia__open_pattern(lua_State *L) {
    luaL_newlibtable(L, replacements);
    limits *shared = lua_newuserdatauv(L, sizeof *shared, 0);
    *shared = (limits){DEFAULT_STEPS, DEFAULT_BYTES};
    lua_pushvalue(L, -1);
    lua_pushvalue(L, -3); /* module limits limits module */
    lua_pushcclosure(L, pattern_install, 2);
    lua_setfield(L, -3, "install");
    luaL_setfuncs(L, replacements, 1);
    keep_stock(L, lua_gettop(L));
    return 1;
}
