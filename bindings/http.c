/* curia.core.http: exchanges for Lua. The sugar stands in lua/curia/http.lua. */
#include <string.h>

#include "decoder.h"
#include "error.h"
#include "host.h"
#include "http/http.h"

#define EXCHANGE "curia.http.exchange"
#define MAX_HEADERS 64

enum { HEADERS_VALUE = 1, BODY_VALUE = 2, USER_VALUES = 2 };

static curia__exchange *check_exchange(lua_State *L) {
    return luaL_checkudata(L, 1, EXCHANGE);
}

/* ---- errors ------------------------------------------------------------------------------------ */

static const char *kind_of(int code) {
    switch (code) {
    case CURIA_ECONNTIMEOUT:
    case CURIA_EFIRSTBYTE:
    case CURIA_ESILENCE:
    case CURIA_ETOTAL: return "timeout";
    case CURIA_ERESOLVE:
    case CURIA_ECONNECT:
    case CURIA_ERESET:
    case CURIA_ECUT:
    case CURIA_EPROTO:
    case CURIA_EIO: return "transient";
    case CURIA_ECANCELLED:
    case CURIA_ECLOSED: return "cancelled";
    case CURIA_ENOMEM: return "internal";
    default: return "permanent";
    }
}

static void push_failure(lua_State *L, const curia__exchange *ex, int code) {
    curia__push_error(L, kind_of(code), curia__exchange_message(ex));
    lua_pushstring(L, curia_error_name(code));
    lua_setfield(L, -2, "code");
    lua_pushboolean(L, ex->sent);
    lua_setfield(L, -2, "sent");
}

/* ---- the options of a request ------------------------------------------------------------------ */

typedef struct {
    curia__http_request request;
    curia__http_header headers[MAX_HEADERS];
    bool has_method;
} parsed;

typedef struct {
    const char *name;
    void (*read)(lua_State *L, const char *name, parsed *p); /* the value is on top */
} option;

static int refuse(lua_State *L, const char *name, const char *expected) {
    const char *text =
        lua_pushfstring(L, "%s: %s expected, got %s", name, expected, luaL_typename(L, -1));
    return luaL_argerror(L, 1, text);
}

/* A text without NUL bytes; it lives as long as the options do. */
static const char *text_of(lua_State *L, const char *name) {
    size_t length = 0;
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
    if (!text || strlen(text) != length) refuse(L, name, "text");
    return text;
}

static uint64_t number_of(lua_State *L, const char *name) {
    lua_Number number = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : -1;
    if (!(number >= 0 && number <= 1e15)) refuse(L, name, "number, 0 or more,");
    return (uint64_t)number;
}

static bool boolean_of(lua_State *L, const char *name) {
    if (!lua_isboolean(L, -1)) refuse(L, name, "boolean");
    return lua_toboolean(L, -1);
}

static void read_url(lua_State *L, const char *name, parsed *p) {
    p->request.url = text_of(L, name);
}

static void read_method(lua_State *L, const char *name, parsed *p) {
    static const char *const methods[] = {
        [CURIA__HTTP_GET] = "GET", [CURIA__HTTP_HEAD] = "HEAD",   [CURIA__HTTP_POST] = "POST",
        [CURIA__HTTP_PUT] = "PUT", [CURIA__HTTP_PATCH] = "PATCH", [CURIA__HTTP_DELETE] = "DELETE"};
    const char *method = text_of(L, name);
    for (int i = CURIA__HTTP_GET; i <= CURIA__HTTP_DELETE; i++) {
        if (strcmp(method, methods[i]) != 0) continue;
        p->request.method = (curia__http_method)i;
        p->has_method = true;
        return;
    }
    refuse(L, name, "GET, HEAD, POST, PUT, PATCH or DELETE");
}

static void read_headers(lua_State *L, const char *name, parsed *p) {
    if (!lua_istable(L, -1)) refuse(L, name, "table");
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        if (p->request.header_count == MAX_HEADERS) refuse(L, name, "fewer headers");
        curia__http_header *h = &p->headers[p->request.header_count++];
        h->value = text_of(L, name);
        lua_pushvalue(L, -2);
        h->name = text_of(L, name);
        lua_pop(L, 1);
    }
    p->request.headers = p->headers;
}

static void read_body(lua_State *L, const char *name, parsed *p) {
    if (lua_type(L, -1) != LUA_TSTRING) refuse(L, name, "string");
    p->request.body = lua_tolstring(L, -1, &p->request.body_size);
}

static void read_paths(lua_State *L, const char *name, parsed *p) {
    p->request.paths = curia__to_paths(L, -1);
    if (!p->request.paths) refuse(L, name, "decoder paths");
}

static void read_watch(lua_State *L, const char *name, parsed *p) {
    p->request.watch = boolean_of(L, name);
}

static void read_stream(lua_State *L, const char *name, parsed *p) {
    p->request.stream = boolean_of(L, name);
}

static void read_connect(lua_State *L, const char *name, parsed *p) {
    p->request.connect_ms = number_of(L, name);
}

static void read_first_byte(lua_State *L, const char *name, parsed *p) {
    p->request.first_byte_ms = number_of(L, name);
}

static void read_silence(lua_State *L, const char *name, parsed *p) {
    p->request.silence_ms = number_of(L, name);
}

static void read_total(lua_State *L, const char *name, parsed *p) {
    p->request.total_ms = number_of(L, name);
}

static void read_max_body(lua_State *L, const char *name, parsed *p) {
    p->request.max_body_bytes = (size_t)number_of(L, name);
    if (p->request.max_body_bytes == 0) refuse(L, name, "positive number");
}

static const option options[] = {{"url", read_url},
                                 {"method", read_method},
                                 {"headers", read_headers},
                                 {"body", read_body},
                                 {"paths", read_paths},
                                 {"watch", read_watch},
                                 {"stream", read_stream},
                                 {"connect_timeout_ms", read_connect},
                                 {"first_byte_timeout_ms", read_first_byte},
                                 {"silence_timeout_ms", read_silence},
                                 {"total_timeout_ms", read_total},
                                 {"max_body_bytes", read_max_body}};

enum { OPTIONS = sizeof options / sizeof *options };

/* {option name = its number}, the upvalue of `start`. */
static void push_option_numbers(lua_State *L) {
    lua_createtable(L, 0, OPTIONS);
    for (lua_Integer i = 0; i < OPTIONS; i++) {
        lua_pushinteger(L, i);
        lua_setfield(L, -2, options[i].name);
    }
}

/* Reads the table at 1. Returns false, with the option's name on top, when one is unknown. */
static bool read_options(lua_State *L, parsed *p) {
    luaL_checktype(L, 1, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        lua_pushvalue(L, -2); /* name value name */
        bool known = lua_rawget(L, lua_upvalueindex(1)) == LUA_TNUMBER;
        lua_Integer number = lua_tointeger(L, -1);
        lua_pop(L, 1);
        if (!known) {
            lua_pop(L, 1);
            return false;
        }
        options[number].read(L, options[number].name, p);
    }
    if (!p->request.url) luaL_argerror(L, 1, "url: text expected, got nothing");
    return true;
}

/* start(options) -> exchange | nil, err | false, the name of an unknown option.
 * Begins a request; does not wait. Raises for options of a wrong type. */
static int http_start(lua_State *L) {
    lua_settop(L, 1);
    parsed p;
    p.request = (curia__http_request){.connect_ms = 10000};
    p.has_method = false;
    if (!read_options(L, &p)) {
        lua_pushboolean(L, 0);
        lua_insert(L, -2);
        return 2;
    }
    if (!p.has_method) p.request.method = p.request.body ? CURIA__HTTP_POST : CURIA__HTTP_GET;
    curia__host *host = curia__host_of(L);
    curia__exchange *ex = lua_newuserdatauv(L, sizeof *ex, USER_VALUES);
    memset(ex, 0, sizeof *ex);
    luaL_setmetatable(L, EXCHANGE);
    int rc = curia__http_start(&host->loop, &p.request, ex);
    if (!rc) return 1;
    lua_pushnil(L);
    push_failure(L, ex, rc);
    return 2;
}

/* ---- waiting ----------------------------------------------------------------------------------- */

static int push_pieces(lua_State *L, curia__exchange *ex) {
    lua_createtable(L, (int)ex->stream.count * 3, 0);
    for (lua_Integer at = 1; ex->stream.count; at += 3) {
        const curia__stream_item *item = ex->stream.first;
        lua_pushliteral(L, "bytes");
        lua_rawseti(L, -2, at);
        lua_pushlstring(L, item->bytes, item->size);
        lua_rawseti(L, -2, at + 1);
        lua_pushboolean(L, 0);
        lua_rawseti(L, -2, at + 2);
        curia__exchange_drop_piece(ex);
    }
    return 1;
}

static void push_batch(lua_State *L, curia__exchange *ex) {
    if (ex->decoding) {
        curia__push_segments(L, curia__exchange_take(ex));
        lua_pop(L, 1);
    } else if (ex->stream.count) {
        push_pieces(L, ex);
    } else {
        lua_pushnil(L);
    }
}

/* (exchange) -> segments or nil, finished, err or nil */
static int tell(lua_State *L, curia__exchange *ex) {
    push_batch(L, ex);
    lua_pushboolean(L, ex->done);
    if (!ex->done || !ex->error) return 2;
    push_failure(L, ex, ex->error);
    return 3;
}

static int next_or_wait(lua_State *L, int status, lua_KContext ctx) {
    curia__exchange *ex = lua_touserdata(L, 1);
    if (curia__exchange_ready(ex)) return tell(L, ex);
    curia__wait *w = curia__await_begin(L, "exchange:next");
    curia__host *host = curia__host_of(L);
    curia__wait_start(w, &host->loop, curia__current_task(host), &ex->changed, -1);
    return curia__await(L, next_or_wait, ctx);
}

/* exchange:next() -> segments | nil, finished, err. Waits until there is something to tell. */
static int exchange_next(lua_State *L) {
    check_exchange(L);
    lua_settop(L, 1);
    return next_or_wait(L, LUA_OK, 0);
}

/* ---- other methods ----------------------------------------------------------------------------- */

/* exchange:watch(on): tell of each batch from now on, or of the end only. */
static int exchange_watch(lua_State *L) {
    luaL_checktype(L, 2, LUA_TBOOLEAN);
    curia__exchange_watch(check_exchange(L), lua_toboolean(L, 2));
    return 0;
}

/* exchange:cancel(): ends it at once; whoever waits gets ECANCELLED. */
static int exchange_cancel(lua_State *L) {
    curia__exchange_cancel(check_exchange(L), CURIA_ECANCELLED);
    return 0;
}

/* exchange:close(): cancels it and forgets its answer; also as a to-be-closed variable. */
static int exchange_close(lua_State *L) {
    curia__exchange_deinit(check_exchange(L));
    return 0;
}

static void set_number(lua_State *L, const char *name, lua_Number value) {
    lua_pushnumber(L, value);
    lua_setfield(L, -2, name);
}

/* exchange:timing() -> {first_byte_ms or nil, total_ms, bytes, reused, version} */
static int exchange_timing(lua_State *L) {
    curia__http_timing t = curia__exchange_timing(check_exchange(L));
    lua_createtable(L, 0, 5);
    if (t.first_byte_us) set_number(L, "first_byte_ms", (lua_Number)t.first_byte_us / 1e3);
    set_number(L, "total_ms", (lua_Number)t.total_us / 1e3);
    lua_pushinteger(L, (lua_Integer)t.bytes);
    lua_setfield(L, -2, "bytes");
    lua_pushboolean(L, t.reused);
    lua_setfield(L, -2, "reused");
    if (t.version) {
        lua_pushstring(L, t.version == 20 ? "2" : t.version == 10 ? "1.0" : "1.1");
        lua_setfield(L, -2, "version");
    }
    return 1;
}

static void push_lower(lua_State *L, curia__slice text) {
    luaL_Buffer b;
    char *out = luaL_buffinitsize(L, &b, text.length);
    for (size_t i = 0; i < text.length; i++) {
        char c = text.at[i];
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
    }
    luaL_pushresultsize(&b, text.length);
}

/* {lower-case name = value}; values of one name are joined by ", ". */
static void push_headers(lua_State *L, const curia__exchange *ex) {
    curia__slice name, value;
    lua_newtable(L);
    for (size_t at = 0; curia__exchange_header(ex, &at, &name, &value);) {
        push_lower(L, name);
        lua_pushvalue(L, -1); /* headers name name */
        bool again = lua_rawget(L, -3) == LUA_TSTRING;
        if (again)
            lua_pushliteral(L, ", ");
        else
            lua_pop(L, 1);
        lua_pushlstring(L, value.at, value.length);
        if (again) lua_concat(L, 3);
        lua_rawset(L, -3);
    }
}

/* Made once: the headers when they are complete, the body at the end; its C memory is then given
 * back. */
static int get_headers(lua_State *L, curia__exchange *ex) {
    if (lua_getiuservalue(L, 1, HEADERS_VALUE) != LUA_TNIL || !ex->status) return 1;
    push_headers(L, ex);
    if (!ex->done) return 1;
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, 1, HEADERS_VALUE);
    return 1;
}

static int get_body(lua_State *L, curia__exchange *ex) {
    bool whole = ex->done && ex->status && !ex->decoding;
    if (lua_getiuservalue(L, 1, BODY_VALUE) != LUA_TNIL || !whole) return 1;
    lua_pushlstring(L, ex->body.data, ex->body.size);
    curia__buffer_deinit(&ex->body);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, 1, BODY_VALUE);
    return 1;
}

static int get_status(lua_State *L, curia__exchange *ex) {
    if (ex->status)
        lua_pushinteger(L, ex->status);
    else
        lua_pushnil(L);
    return 1;
}

static int get_sent(lua_State *L, curia__exchange *ex) {
    lua_pushboolean(L, ex->sent);
    return 1;
}

static int get_done(lua_State *L, curia__exchange *ex) {
    lua_pushboolean(L, ex->done);
    return 1;
}

static const struct {
    const char *name;
    int (*get)(lua_State *L, curia__exchange *ex);
} fields[] = {{"status", get_status},
              {"headers", get_headers},
              {"body", get_body},
              {"sent", get_sent},
              {"done", get_done}};

/* Methods (upvalue 1), then fields. */
static int exchange_index(lua_State *L) {
    curia__exchange *ex = check_exchange(L);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (strcmp(name, fields[i].name) == 0) return fields[i].get(L, ex);
    return 0;
}

static int exchange_tostring(lua_State *L) {
    const curia__exchange *ex = check_exchange(L);
    const char *state = !ex->loop ? "closed" : !ex->done ? "under way" : "ended";
    lua_pushfstring(L, EXCHANGE " (%s): %p", state, (const void *)ex);
    return 1;
}

/* ---- the client -------------------------------------------------------------------------------- */

/* configure(ca_file or nil, max_per_multi or nil) -> true | nil, err */
static int http_configure(lua_State *L) {
    lua_Integer most = luaL_optinteger(L, 2, 0);
    luaL_argcheck(L, most >= 0 && most <= 10000, 2, "1 to 10000");
    curia__http_config config = {luaL_optstring(L, 1, NULL), (unsigned)most};
    int rc = curia__http_configure(&curia__host_of(L)->loop, &config);
    if (rc) return curia__return_error(L, kind_of(rc), curia_error_text(rc));
    lua_pushboolean(L, 1);
    return 1;
}

/* stats() -> {active, sockets, multis, easies, exchanges, connections} */
static int http_stats(lua_State *L) {
    curia__http_stats s = curia__http_stats_of(&curia__host_of(L)->loop);
    const struct {
        const char *name;
        uint64_t value;
    } values[] = {{"active", s.active}, {"sockets", s.sockets},     {"multis", s.multis},
                  {"easies", s.easies}, {"exchanges", s.exchanges}, {"connections", s.connections}};
    lua_createtable(L, 0, 6);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        lua_pushinteger(L, (lua_Integer)values[i].value);
        lua_setfield(L, -2, values[i].name);
    }
    return 1;
}

static const luaL_Reg methods[] = {{"next", exchange_next},     {"watch", exchange_watch},
                                   {"cancel", exchange_cancel}, {"close", exchange_close},
                                   {"timing", exchange_timing}, {NULL, NULL}};

static const luaL_Reg metamethods[] = {{"__gc", exchange_close},
                                       {"__close", exchange_close},
                                       {"__tostring", exchange_tostring},
                                       {NULL, NULL}};

static const luaL_Reg functions[] = {
    {"configure", http_configure}, {"stats", http_stats}, {NULL, NULL}};

int curia__open_http(lua_State *L) {
    if (luaL_newmetatable(L, EXCHANGE)) {
        luaL_setfuncs(L, metamethods, 0);
        luaL_newlib(L, methods);
        lua_pushcclosure(L, exchange_index, 1);
        lua_setfield(L, -2, "__index");
    }
    luaL_newlib(L, functions);
    push_option_numbers(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "options");
    lua_pushcclosure(L, http_start, 1);
    lua_setfield(L, -2, "start");
    return 1;
}
