/* curia.core.clock: reading of time, and the virtual clock of tests. */
#include "error.h"
#include "host.h"

static curia__clock *clock_of(lua_State *L) {
    return &curia__host_of(L)->loop.clock;
}

/* ms() -> monotonic milliseconds, cached per loop turn (integer) */
static int clock_ms(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)curia__clock_ms(clock_of(L)));
    return 1;
}

/* us() -> monotonic microseconds, read now (integer) */
static int clock_us(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)curia__clock_us(clock_of(L)));
    return 1;
}

/* wall_ms() -> Unix milliseconds, UTC (integer) */
static int clock_wall_ms(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)curia__clock_wall_ms(clock_of(L)));
    return 1;
}

/* virtual(on) -> true | nil, err. Virtual time stands still while anything else can happen and
 * otherwise jumps to the next timer. */
static int clock_virtual(lua_State *L) {
    int rc = curia__clock_set_virtual(clock_of(L), lua_toboolean(L, 1));
    if (rc)
        return curia__return_error(L, "internal", "the clock cannot be changed while timers run");
    lua_pushboolean(L, 1);
    return 1;
}

/* advance(ms): moves virtual time. */
static int clock_advance(lua_State *L) {
    lua_Integer ms = luaL_checkinteger(L, 1);
    luaL_argcheck(L, ms >= 0, 1, "milliseconds, 0 or more");
    curia__clock *c = clock_of(L);
    luaL_argcheck(L, c->is_virtual, 1, "the clock is not virtual");
    curia__clock_advance(c, (uint64_t)ms);
    return 0;
}

/* timers() -> how many timers are active that keep the loop alive */
static int clock_timers(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)clock_of(L)->foreground);
    return 1;
}

int curia__open_clock(lua_State *L) {
    static const luaL_Reg functions[] = {{"ms", clock_ms},
                                         {"us", clock_us},
                                         {"wall_ms", clock_wall_ms},
                                         {"virtual", clock_virtual},
                                         {"advance", clock_advance},
                                         {"timers", clock_timers},
                                         {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
