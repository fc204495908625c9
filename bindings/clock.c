/* curia.core.clock: reading of time, and the virtual clock of tests. */
#include "error.h"
#include "host.h"
#include "scope.h"

static curia__clock *clock_of(lua_State *L) {
    return &curia__host_of(L)->loop.clock;
}

/* That of the running task: a scope may have a time of its own. */
static curia__clock *clock_here(lua_State *L) {
    curia__host *host = curia__host_of(L);
    return curia__clock_of_task(&host->loop, curia__current_task(host));
}

/* ms() -> monotonic milliseconds, cached per loop turn (integer) */
static int clock_ms(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)curia__clock_ms(clock_here(L)));
    return 1;
}

/* us() -> monotonic microseconds, read now (integer) */
static int clock_us(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)curia__clock_us(clock_here(L)));
    return 1;
}

/* wall_ms() -> Unix milliseconds, UTC (integer) */
static int clock_wall_ms(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)curia__clock_wall_ms(clock_here(L)));
    return 1;
}

/* virtual(on [, wall_ms]) -> true | nil, err. Virtual time stands still while anything else can happen
 * and otherwise jumps to the next timer. It begins at that Unix time, else now. */
static int clock_virtual(lua_State *L) {
    bool on = lua_toboolean(L, 1);
    double wall_ms = luaL_optnumber(L, 2, -1);
    int rc = curia__clock_set_virtual(clock_of(L), on);
    if (rc)
        return curia__return_error(L, "internal", "the clock cannot be changed while timers run");
    if (on && wall_ms >= 0) curia__clock_set_wall(clock_of(L), wall_ms);
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

/* watch_stalls(ms or nil): from now on turns that hold the loop for so long are told by next_stall. */
static int clock_watch_stalls(lua_State *L) {
    lua_Number ms = luaL_optnumber(L, 1, 0);
    curia__host_of(L)->loop.stall_ns = (uint64_t)(ms * 1e6);
    return 0;
}

static int stalled(lua_State *L, int status, lua_KContext ctx) {
    const curia__loop *loop = &curia__host_of(L)->loop;
    lua_pushinteger(L, (lua_Integer)(loop->stalled_ns / 1000));
    lua_pushinteger(L, (lua_Integer)loop->stalled_delivered);
    return 2;
}

/* next_stall() -> microseconds, how many operations were delivered. Waits for the next one. */
static int clock_next_stall(lua_State *L) {
    curia__wait *w = curia__await_begin(L, "next_stall");
    curia__host *host = curia__host_of(L);
    curia__wait_start(w, &host->loop, curia__current_task(host), &host->loop.stalled, -1);
    return curia__await(L, stalled, 0);
}

int curia__open_clock(lua_State *L) {
    static const luaL_Reg functions[] = {{"ms", clock_ms},
                                         {"us", clock_us},
                                         {"wall_ms", clock_wall_ms},
                                         {"virtual", clock_virtual},
                                         {"advance", clock_advance},
                                         {"timers", clock_timers},
                                         {"watch_stalls", clock_watch_stalls},
                                         {"next_stall", clock_next_stall},
                                         {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
