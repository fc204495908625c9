/* curia.core.system: what Lua needs of the operating system and of the loop. */
#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "curia.h"
#include "error.h"
#include "hash.h"
#include "host.h"

static int random_bytes(void *data, size_t size) {
    return getrandom(data, size, 0) == (ssize_t)size ? 0 : CURIA_EIO;
}

/* uuid7([unix_ms]) -> RFC 9562 version 7 text: time first, so that ids sort by age. */
static int system_uuid7(lua_State *L) {
    static const char hex[] = "0123456789abcdef";
    unsigned char b[16];
    double now = luaL_optnumber(L, 1, curia__clock_wall_ms(&curia__host_of(L)->loop.clock));
    luaL_argcheck(L, now >= 0 && now < 281474976710656.0, 1, "milliseconds of 48 bits");
    uint64_t ms = (uint64_t)now;
    if (random_bytes(b, sizeof b)) return luaL_error(L, "no random bytes: %s", strerror(errno));
    for (int i = 0; i < 6; i++)
        b[i] = (unsigned char)(ms >> (40 - 8 * i));
    b[6] = 0x70 | (b[6] & 0x0f);
    b[8] = 0x80 | (b[8] & 0x3f);
    char text[36], *p = text;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *p++ = '-';
        *p++ = hex[b[i] >> 4];
        *p++ = hex[b[i] & 15];
    }
    lua_pushlstring(L, text, sizeof text);
    return 1;
}

/* random_integer() -> 64 random bits, for seeds */
static int system_random_integer(lua_State *L) {
    lua_Integer value;
    if (random_bytes(&value, sizeof value)) return luaL_error(L, "no random bytes");
    lua_pushinteger(L, value);
    return 1;
}

/* sha256(bytes) -> 64 hexadecimal digits */
static int system_sha256(lua_State *L) {
    size_t size;
    const char *bytes = luaL_checklstring(L, 1, &size);
    char text[CURIA__HASH_TEXT];
    if (curia__hash(bytes, size, text)) return luaL_error(L, "not enough memory");
    lua_pushstring(L, text);
    return 1;
}

/* turn([block]) -> whether anything is alive: one turn of the loop, from the main thread */
static int system_turn(lua_State *L) {
    curia__host *host = curia__host_of(L);
    bool foreign = host->foreign && host->foreign_runs(host);
    if (host->running || *host->loop.turning || foreign)
        return luaL_error(L, "the loop is running already");
    lua_pushboolean(L, curia__loop_turn(&host->loop, lua_toboolean(L, 1)) == 1);
    return 1;
}

/* cpu_us() -> user and system time of the process, in microseconds */
static int system_cpu_us(lua_State *L) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    lua_pushinteger(L, (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * (lua_Integer)1000000 +
                           u.ru_utime.tv_usec + u.ru_stime.tv_usec);
    return 1;
}

/* isatty(fd) */
static int system_isatty(lua_State *L) {
    lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
    return 1;
}

/* log(level, text): to the host's log; silence when it has none */
static int system_log(lua_State *L) {
    curia__log(curia__host_of(L), luaL_checkstring(L, 1), "%s", luaL_checkstring(L, 2));
    return 0;
}

/* setenv(name, value|nil): changes this process's environment (tests, the program's options) */
static int system_setenv(lua_State *L) {
    const char *name = luaL_checkstring(L, 1);
    int rc = lua_isnoneornil(L, 2) ? unsetenv(name) : setenv(name, luaL_checkstring(L, 2), 1);
    lua_pushboolean(L, rc == 0);
    return 1;
}

static char curl_text[300];

/* curl_version writes into one buffer for all threads. */
static void read_curl_version(void) {
    snprintf(curl_text, sizeof curl_text, "%s", curl_version());
}

static const char *version_of_curl(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, read_curl_version);
    return curl_text;
}

/* What the runtime is built on, as the libraries themselves say. */
static void push_versions(lua_State *L) {
    lua_createtable(L, 0, 3);
    lua_pushliteral(L, LUA_RELEASE);
    lua_setfield(L, -2, "lua");
    lua_pushstring(L, uv_version_string());
    lua_setfield(L, -2, "libuv");
    lua_pushstring(L, version_of_curl());
    lua_setfield(L, -2, "libcurl");
}

int curia__open_system(lua_State *L) {
    static const luaL_Reg functions[] = {{"uuid7", system_uuid7},
                                         {"random_integer", system_random_integer},
                                         {"turn", system_turn},
                                         {"cpu_us", system_cpu_us},
                                         {"isatty", system_isatty},
                                         {"log", system_log},
                                         {"setenv", system_setenv},
                                         {"sha256", system_sha256},
                                         {NULL, NULL}};
    luaL_newlib(L, functions);
    lua_pushstring(L, curia_version());
    lua_setfield(L, -2, "version");
    push_versions(L);
    lua_setfield(L, -2, "versions");
    return 1;
}
