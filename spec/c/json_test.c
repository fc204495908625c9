/* JSON in C: tokens, skipping, text, numbers; and the binding when memory runs out. */
#undef NDEBUG
#include <assert.h>
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../bindings/json.h"
#include "error.h"
#include "json.h"

/* ---- the tokenizer --------------------------------------------------------------------------- */

static const char token_letters[] = ".{}[]ks#tfn!";

/* One letter per token, with the text of keys, strings and numbers. */
static const char *tokens(const char *text, int max_depth) {
    static char out[512];
    size_t at = 0;
    curia__json_reader r;
    curia__json_reader_init(&r, text, strlen(text), max_depth);
    curia__json_token token;
    do {
        token = curia__json_next(&r);
        bool has_text = token >= CURIA__JSON_KEY && token <= CURIA__JSON_NUMBER;
        at += (size_t)snprintf(out + at, sizeof out - at, "%c%.*s", token_letters[token],
                               has_text ? (int)r.length : 0, has_text ? r.text : "");
    } while (token != CURIA__JSON_END && token != CURIA__JSON_ERROR);
    assert(curia__json_next(&r) == token);
    return out;
}

static void test_tokens(void) {
    assert(!strcmp(tokens(" {\"a\" : [1, -2.5e3,true ,false,null], \"b\":{}}", 9),
                   "{ka[#1#-2.5e3tfn]kb{}}."));
    assert(!strcmp(tokens("\"a\\nb\"", 9), "sa\\nb."));
    assert(!strcmp(tokens("\xEF\xBB\xBF[]", 9), "[]."));
    assert(!strcmp(tokens("[1,]", 9), "[#1!"));
    assert(!strcmp(tokens("[[[]]]", 2), "[[!"));
    assert(!strcmp(tokens("[[1],[{}]]", 3), "[[#1][{}]]."));
    assert(!strcmp(tokens("", 9), "!"));
}

static void test_flags(void) {
    static const struct {
        const char *text;
        bool escaped, ill_formed;
    } cases[] = {{"\"plain text\"", false, false},
                 {"\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"", false, false},
                 {"\"a\\u0041\"", true, false},
                 {"\"a\xFF\"", true, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        curia__json_reader r;
        curia__json_reader_init(&r, cases[i].text, strlen(cases[i].text), 1);
        assert(curia__json_next(&r) == CURIA__JSON_STRING);
        assert(r.escaped == cases[i].escaped && r.ill_formed == cases[i].ill_formed);
    }
}

static void test_errors_are_final(void) {
    const char *text = "{\"a\":1,]";
    curia__json_reader r;
    curia__json_reader_init(&r, text, strlen(text), 0);
    assert(r.max_depth == 1);
    while (curia__json_next(&r) != CURIA__JSON_ERROR)
        ;
    assert(r.error == CURIA_EPARSE && r.error_at == 7 && !strcmp(r.reason, "expected a key"));
    assert(curia__json_next(&r) == CURIA__JSON_ERROR && curia__json_skip(&r) == CURIA_EPARSE);
    curia__json_reader_init(&r, "[[", 2, 1);
    curia__json_next(&r);
    assert(curia__json_next(&r) == CURIA__JSON_ERROR && r.error == CURIA_EDEPTH);
    curia__json_reader_init(&r, "[", 1, 99999);
    assert(r.max_depth == CURIA__JSON_MAX_DEPTH);
}

static void test_skip(void) {
    const char *text = "{\"a\":[1,{\"x\":[]}],\"b\":2,\"c\":{\"d\":3},\"e\":4}";
    curia__json_reader r;
    curia__json_reader_init(&r, text, strlen(text), 9);
    assert(curia__json_next(&r) == CURIA__JSON_OBJECT);
    assert(curia__json_next(&r) == CURIA__JSON_KEY && curia__json_skip(&r) == 0);
    assert(curia__json_next(&r) == CURIA__JSON_KEY && *r.text == 'b' && curia__json_skip(&r) == 0);
    assert(curia__json_next(&r) == CURIA__JSON_KEY && *r.text == 'c');
    assert(curia__json_next(&r) == CURIA__JSON_OBJECT && curia__json_skip(&r) == 0);
    assert(curia__json_next(&r) == CURIA__JSON_KEY && *r.text == 'e');
    assert(curia__json_next(&r) == CURIA__JSON_NUMBER && curia__json_skip(&r) == 0);
    assert(curia__json_next(&r) == CURIA__JSON_OBJECT_END);
    assert(curia__json_next(&r) == CURIA__JSON_END);
    curia__json_reader_init(&r, "[[1,]]", 6, 9);
    curia__json_next(&r);
    assert(curia__json_skip(&r) == CURIA_EPARSE && r.error_at == 4);
}

/* ---- text and numbers ------------------------------------------------------------------------ */

static void assert_unescaped(const char *raw, const char *expected) {
    char out[64];
    size_t size = curia__json_unescape(raw, strlen(raw), out);
    assert(size == strlen(expected) && !memcmp(out, expected, size));
}

static void test_unescape(void) {
    assert_unescaped("", "");
    assert_unescaped("a\\\"\\\\\\/\\b\\f\\n\\r\\t", "a\"\\/\b\f\n\r\t");
    assert_unescaped("\\u0041\\u00e9\\u20AC\\uD83D\\uDE00",
                     "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
    assert_unescaped("\\uD83D\\uD83D", "\xEF\xBF\xBD\xEF\xBF\xBD");
    assert_unescaped("\\uDE00x", "\xEF\xBF\xBDx");
    assert_unescaped("\xE2\x82", "\xEF\xBF\xBD");
}

static void test_write(void) {
    curia__buffer b = {0};
    assert(curia__json_write_string(&b, "a\"\n\x01/\xFF\xC3\xA9", 8) == 0);
    assert(!strcmp(b.data, "\"a\\\"\\n\\u0001/\xEF\xBF\xBD\xC3\xA9\""));
    curia__buffer_clear(&b);
    assert(curia__json_write_integer(&b, INT64_MIN) == 0);
    assert(!strcmp(b.data, "-9223372036854775808"));
    curia__buffer_clear(&b);
    assert(curia__json_write_double(&b, 0.1) == 0 && !strcmp(b.data, "0.1"));
    assert(curia__json_write_double(&b, (double)NAN) == CURIA_EINVAL);
    assert(curia__json_write_double(&b, -(double)INFINITY) == CURIA_EINVAL);
    assert(!strcmp(b.data, "0.1"));
    curia__buffer_deinit(&b);
}

static uint64_t random_bits(void) {
    static uint64_t state = UINT64_C(88172645463325252);
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

/* Doubles of every size, and of the sizes that are common. */
static double random_double(int kind) {
    uint64_t bits = random_bits();
    double value, unit = (double)(bits >> 11) * 0x1p-53;
    switch (kind) {
    case 0: memcpy(&value, &bits, sizeof value); return value;
    case 1: return unit;
    case 2: return (double)(int64_t)(bits % 2000000) / 1000;
    case 3: return exp((unit - 0.5) * 100);
    default: return (float)(unit * 20 - 10);
    }
}

/* Against the C library: the digits are the fewest of 15, 16, 17, and both ways round correctly. */
static void check_number(double value) {
    char text[64], digits[32];
    int64_t integer;
    double real;
    text[curia__json_format_double(value, text)] = 0;
    assert(strtod(text, NULL) == value);
    assert(curia__json_number(text, strlen(text), &integer, &real) == 2);
    assert(real == value && signbit(real) == signbit(value));
    int precision = 15;
    do
        snprintf(digits, sizeof digits, "%.*e", precision - 1, value);
    while (precision++ < 17 && strtod(digits, NULL) != value);
    assert(strlen(text) <= strlen(digits) + 8 && strtod(digits, NULL) == value);
    snprintf(text, sizeof text, "%.*e", (int)(random_bits() % 25), value);
    int kind = curia__json_number(text, strlen(text), &integer, &real);
    double expected = strtod(text, NULL);
    assert(isinf(expected) ? kind == CURIA_ETOOBIG : kind == 2 && real == expected);
}

static void test_numbers(void) {
    for (int i = 0; i < 300000; i++) {
        double value = random_double(i % 5);
        if (isfinite(value)) check_number(value);
    }
}

/* ---- the binding when memory runs out -------------------------------------------------------- */

/* An allocator that fails from the `left`-th request on that asks for more, and beyond `limit`. */
struct memory {
    size_t used, limit;
    long left;
};

static void *allocate(void *data, void *block, size_t old_size, size_t size) {
    struct memory *m = data;
    size_t before = block ? old_size : 0;
    if (size > before && (m->used - before + size > m->limit || m->left-- <= 0)) return NULL;
    void *moved = size ? realloc(block, size) : NULL;
    if (!size) free(block);
    if (moved || !size) m->used += size - before;
    return moved;
}

static int no_error(lua_State *L) {
    lua_settop(L, 3);
    return 1;
}

/* A state whose global `json` is the codec. */
static lua_State *open_state(struct memory *m) {
    *m = (struct memory){.limit = SIZE_MAX, .left = 1L << 60};
    lua_State *L = lua_newstate(allocate, m);
    assert(L);
    curia__open_json(L);
    lua_getfield(L, -1, "bind");
    lua_pushcfunction(L, no_error);
    lua_pushcfunction(L, no_error);
    lua_call(L, 2, 1);
    lua_setglobal(L, "json");
    lua_settop(L, 0);
    return L;
}

/* Calls json.<name> with the value on top, which it leaves there; pushes result or message. */
static int call_json(lua_State *L, const char *name) {
    lua_getglobal(L, "json");
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
    lua_pushvalue(L, -2);
    return lua_pcall(L, 1, 1, 0);
}

static void assert_no_memory(lua_State *L, int status) {
    assert(status == LUA_ERRMEM);
    assert(!strcmp(lua_tostring(L, -1), "not enough memory"));
    lua_pop(L, 1);
}

/* A table with members, items and a text that outgrow everything the encoder has at first. */
static void push_document(lua_State *L, int members) {
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    luaL_addchar(&b, '{');
    for (int i = 0; i < members; i++) {
        char member[96];
        snprintf(member, sizeof member, "\"key %d\":[%d,%d.5,\"a longer text with\\n escape\",{}],",
                 i, i, i);
        luaL_addstring(&b, member);
    }
    luaL_addstring(&b, "\"last\":\"");
    for (int i = 0; i < 300; i++)
        luaL_addstring(&b, "\\u00e9\\n");
    luaL_addstring(&b, "\"}");
    luaL_pushresult(&b);
}

static void test_limit(void) {
    struct memory m;
    lua_State *L = open_state(&m);
    push_document(L, 5000);
    m.limit = m.used + 200000;
    assert_no_memory(L, call_json(L, "decode"));
    m.limit = SIZE_MAX;
    assert(call_json(L, "decode") == LUA_OK && lua_istable(L, -1));
    lua_gc(L, LUA_GCCOLLECT);
    m.limit = m.used + 200000;
    assert_no_memory(L, call_json(L, "encode"));
    m.limit = SIZE_MAX;
    assert(call_json(L, "encode") == LUA_OK && lua_rawlen(L, -1) > 200000);
    lua_close(L);
    assert(m.used == 0);
}

/* Fails every single allocation of a call in turn, until the call needs no more. */
static long fail_each_allocation(lua_State *L, struct memory *m, const char *name) {
    for (long allowed = 0;; allowed++) {
        m->left = 1L << 60;
        lua_gc(L, LUA_GCCOLLECT);
        luaL_checkstack(L, 8, NULL);
        m->left = allowed;
        int status = call_json(L, name);
        m->left = 1L << 60;
        if (status == LUA_OK) return allowed;
        assert_no_memory(L, status);
    }
}

static void test_failing_allocations(void) {
    struct memory m;
    lua_State *L = open_state(&m);
    lua_pushliteral(L, "not enough memory"); /* the texts of the call itself must be there */
    lua_pushliteral(L, "encode");
    lua_pushliteral(L, "decode");
    push_document(L, 80);
    assert(fail_each_allocation(L, &m, "decode") > 300 && lua_istable(L, -1));
    assert(fail_each_allocation(L, &m, "encode") > 3 && lua_isstring(L, -1));
    lua_close(L);
    assert(m.used == 0);
}

/* ---- curia__json_push ------------------------------------------------------------------------ */

static int push(lua_State *L, const char *text, bool nulls) {
    return curia__json_push(L, text, strlen(text), CURIA__JSON_DEFAULT_DEPTH, nulls);
}

static void assert_pushed_error(lua_State *L, const char *text, int code, const char *message) {
    int top = lua_gettop(L);
    assert(push(L, text, true) == code && lua_gettop(L) == top + 1);
    assert(!strcmp(lua_tostring(L, -1), message));
    lua_pop(L, 1);
}

static void test_push(void) {
    struct memory m;
    lua_State *L = open_state(&m);
    assert(push(L, "[1,{\"a\":null}]", false) == 0 && lua_gettop(L) == 1);
    lua_rawgeti(L, 1, 2);
    lua_pushnil(L);
    assert(lua_next(L, 2) == 0);
    lua_settop(L, 1);
    assert(call_json(L, "encode") == LUA_OK && !strcmp(lua_tostring(L, -1), "[1,{}]"));
    assert_pushed_error(L, "[1", CURIA_EPARSE,
                        "expected ',' or ']' at byte 3, where the text ends");
    assert_pushed_error(L, "[1e999]", CURIA_ETOOBIG, "number too large at byte 2");
    char deep[200];
    memset(deep, '[', sizeof deep - 1);
    deep[sizeof deep - 1] = 0;
    assert_pushed_error(L, deep, CURIA_EDEPTH, "nested too deeply at byte 129");
    lua_close(L);
    assert(m.used == 0);
}

int main(void) {
    test_tokens();
    test_flags();
    test_errors_are_final();
    test_skip();
    test_unescape();
    test_write();
    test_numbers();
    test_limit();
    test_failing_allocations();
    test_push();
    return 0;
}
