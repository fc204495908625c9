/* curia.core.http: exchanges for Lua. The sugar stands in lua/curia/http.lua. */
#include <string.h>

#include "decoder.h"
#include "error.h"
#include "host.h"
#include "http/http.h"
#include "json.h"

#define EXCHANGE "curia.http.exchange"
#define PREPARED "curia.http.prepared"
#define MAX_HEADERS 64

enum { HEADERS_VALUE = 1, BODY_VALUE = 2, USER_VALUES = 2 };

/* Upvalue 1 of all that takes an exchange is the metatable of exchanges. */
static curia__exchange *check_exchange(lua_State *L) {
    return curia__check_own(L, 1, EXCHANGE);
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

static void read_public_only(lua_State *L, const char *name, parsed *p) {
    p->request.public_only = boolean_of(L, name);
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
                                 {"public_only", read_public_only},
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

/* Reads the table at 1. Returns 0, or 2: false and the name of an unknown option are on top. */
static int parse(lua_State *L, parsed *p) {
    lua_settop(L, 1);
    p->request = (curia__http_request){.connect_ms = 10000};
    p->has_method = false;
    if (read_options(L, p)) return 0;
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
}

/* -> exchange | nil, err. Upvalue 2: the metatable of exchanges. */
static int begin(lua_State *L, curia__http_request *request, bool has_method) {
    if (!has_method) request->method = request->body ? CURIA__HTTP_POST : CURIA__HTTP_GET;
    curia__host *host = curia__host_of(L);
    curia__exchange *ex = lua_newuserdatauv(L, sizeof *ex, USER_VALUES);
    memset(ex, 0, sizeof *ex);
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_setmetatable(L, -2);
    int rc = curia__http_start(&host->loop, request, ex);
    if (!rc) return 1;
    lua_pushnil(L);
    push_failure(L, ex, rc);
    return 2;
}

/* start(options) -> exchange | nil, err | false, the name of an unknown option.
 * Begins a request; does not wait. Raises for options of a wrong type. */
static int http_start(lua_State *L) {
    parsed p;
    int refused = parse(L, &p);
    return refused ? refused : begin(L, &p.request, p.has_method);
}

/* ---- prepared requests ------------------------------------------------------------------------- */

/* Options that have been read once, for many requests; the texts stand behind the headers. */
typedef struct {
    curia__http_request request;
    bool has_method;
    curia__http_header headers[];
} prepared;

static size_t size_of_texts(const curia__http_request *r) {
    size_t size = r->url ? strlen(r->url) + 1 : 1;
    for (size_t i = 0; i < r->header_count; i++)
        size += strlen(r->headers[i].name) + strlen(r->headers[i].value) + 2;
    return size;
}

static const char *keep_text(char **at, const char *text) {
    if (!text) text = ""; /* an absent URL is refused when the request is made */
    size_t size = strlen(text) + 1;
    char *kept = memcpy(*at, text, size);
    *at += size;
    return kept;
}

/* prepare(options) -> prepared | false, the name of an unknown option. All options but body, paths
 * and watch, which each request has of its own. */
static int http_prepare(lua_State *L) {
    parsed p;
    int refused = parse(L, &p);
    if (refused) return refused;
    bool own = !p.request.body && !p.request.paths && !p.request.watch;
    luaL_argcheck(L, own, 1, "body, paths and watch are told to `send`");
    size_t headers = p.request.header_count * sizeof *p.headers;
    prepared *made = lua_newuserdatauv(L, sizeof *made + headers + size_of_texts(&p.request), 0);
    char *at = (char *)made + sizeof *made + headers;
    made->request = p.request;
    made->has_method = p.has_method;
    made->request.headers = made->headers;
    made->request.url = keep_text(&at, p.request.url);
    for (size_t i = 0; i < p.request.header_count; i++) {
        made->headers[i].name = keep_text(&at, p.headers[i].name);
        made->headers[i].value = keep_text(&at, p.headers[i].value);
    }
    luaL_setmetatable(L, PREPARED);
    return 1;
}

static int begin_with_text(lua_State *L, const char *text, size_t size, void *arg) {
    curia__http_request *request = arg;
    request->body = text;
    request->body_size = size;
    return begin(L, request, true);
}

/* A table as the body: its JSON is written without becoming a Lua string. */
static int begin_with_json(lua_State *L, curia__http_request *request, bool has_method) {
    if (!has_method) request->method = CURIA__HTTP_POST;
    int count = curia__json_encode_for(L, 2, begin_with_text, request);
    if (count == 1 || lua_type(L, -1) != LUA_TSTRING) return count;
    return curia__return_error(L, "validation", lua_tostring(L, -1));
}

/* send(prepared [, body [, paths [, watch]]]) -> exchange | nil, err. Like start; the body is a text,
 * or a table, which is sent as JSON. Upvalue 1: the metatable of prepared requests. */
static int http_send(lua_State *L) {
    const prepared *of = curia__check_own(L, 1, PREPARED);
    lua_settop(L, 4);
    curia__http_request request = of->request;
    if (!lua_isnil(L, 3)) request.paths = curia__to_paths(L, 3);
    luaL_argexpected(L, lua_isnil(L, 3) || request.paths, 3, "decoder paths");
    request.watch = lua_toboolean(L, 4);
    if (lua_istable(L, 2)) return begin_with_json(L, &request, of->has_method);
    if (!lua_isnil(L, 2)) request.body = luaL_checklstring(L, 2, &request.body_size);
    return begin(L, &request, of->has_method);
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

static int wait_for_change(lua_State *L, curia__exchange *ex, lua_KFunction then) {
    curia__wait *w = curia__await_begin(L, "exchange:next");
    curia__host *host = curia__host_of(L);
    curia__wait_start(w, &host->loop, curia__current_task(host), &ex->changed, -1);
    return curia__await(L, then, 0);
}

static int next_or_wait(lua_State *L, int status, lua_KContext ctx) {
    curia__exchange *ex = lua_touserdata(L, 1);
    return curia__exchange_ready(ex) ? tell(L, ex) : wait_for_change(L, ex, next_or_wait);
}

/* exchange:next() -> segments | nil, finished, err. Waits until there is something to tell. */
static int exchange_next(lua_State *L) {
    check_exchange(L);
    lua_settop(L, 1);
    return next_or_wait(L, LUA_OK, 0);
}

static void push_headers(lua_State *L, const curia__exchange *ex);

static int answer_or_wait(lua_State *L, int status, lua_KContext ctx) {
    curia__exchange *ex = lua_touserdata(L, 1);
    if (!ex->done) return wait_for_change(L, ex, answer_or_wait);
    if (ex->error) {
        lua_pushnil(L);
        push_failure(L, ex, ex->error);
        return 2;
    }
    lua_pushinteger(L, ex->status);
    push_headers(L, ex);
    if (ex->decoding)
        lua_pushnil(L);
    else
        lua_pushlstring(L, ex->body.data, ex->body.size);
    return 3;
}

/* answer(exchange) -> status, headers, body | nil, err. Waits for the end: all of an answer that is
 * neither decoded nor streamed in one call. */
static int http_answer(lua_State *L) {
    check_exchange(L);
    lua_settop(L, 1);
    return answer_or_wait(L, LUA_OK, 0);
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
    char small[64];
    luaL_Buffer b;
    bool fits = text.length <= sizeof small;
    char *out = fits ? small : luaL_buffinitsize(L, &b, text.length);
    for (size_t i = 0; i < text.length; i++) {
        char c = text.at[i];
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
    }
    if (fits)
        lua_pushlstring(L, small, text.length);
    else
        luaL_pushresultsize(&b, text.length);
}

static int count_lines(const curia__exchange *ex) {
    int lines = 0;
    for (size_t i = 0; i < ex->head.size; i++)
        lines += ex->head.data[i] == '\n';
    return lines;
}

/* {lower-case name = value}; values of one name are joined by ", ". */
static void push_headers(lua_State *L, const curia__exchange *ex) {
    curia__slice name, value;
    lua_createtable(L, 0, count_lines(ex));
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

/* Methods (upvalue 2), then fields. */
static int exchange_index(lua_State *L) {
    curia__exchange *ex = check_exchange(L);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(2)) != LUA_TNIL) return 1;
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

/* Pushes the metatable of exchanges, which is upvalue 1 of its functions. */
static void push_exchange_class(lua_State *L) {
    luaL_newmetatable(L, EXCHANGE);
    lua_pushvalue(L, -1);
    luaL_setfuncs(L, metamethods, 1);
    lua_pushvalue(L, -1);
    luaL_newlibtable(L, methods);
    lua_pushvalue(L, -2);
    luaL_setfuncs(L, methods, 1);
    lua_pushcclosure(L, exchange_index, 2);
    lua_setfield(L, -2, "__index");
}

static void set_closure(lua_State *L, int module, const char *name, lua_CFunction fn, int first,
                        int second) {
    lua_pushvalue(L, first);
    lua_pushvalue(L, second);
    lua_pushcclosure(L, fn, 2);
    lua_setfield(L, module, name);
}

int curia__open_http(lua_State *L) {
    luaL_newlib(L, functions);
    int module = lua_gettop(L);
    push_exchange_class(L);
    luaL_newmetatable(L, PREPARED);
    push_option_numbers(L);
    set_closure(L, module, "start", http_start, module + 3, module + 1);
    set_closure(L, module, "prepare", http_prepare, module + 3, module + 1);
    set_closure(L, module, "send", http_send, module + 2, module + 1);
    set_closure(L, module, "answer", http_answer, module + 1, module + 1);
    lua_setfield(L, module, "options");
    lua_settop(L, module);
    return 1;
}
