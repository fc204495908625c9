/* curia.core.interrupt: Ctrl-C as something to wait for, and as what stops a script that holds the loop.
 *
 * The first Ctrl-C is told to whoever waits; when the task that is marked as the foreground holds the loop just
 * then, it is stopped at once. A second one that comes before the loop has heard of the first stops whatever
 * holds it. */
#include "interrupt.h"

#include <signal.h>
#include <stdlib.h>

#include "host.h"

static struct {
    uv_async_t *async; /* NULL: not caught */
    curia__host *host;
    curia__signal pressed;
    struct sigaction before;
    _Atomic(curia__lua_task *) foreground;
    atomic_int unheard;
} keys;

/* On the main thread, wherever it is. */
static void on_sigint(int number) {
    (void)number;
    int unheard = atomic_fetch_add(&keys.unheard, 1);
    curia__lua_task *front = atomic_load(&keys.foreground);
    bool front_runs = front && keys.host->running == front;
    if (!front_runs && !unheard) {
        uv_async_send(keys.async);
        return;
    }
    atomic_store(&keys.unheard, 0);
    keys.host->asked = 1;
    curia__host_interrupt(keys.host);
}

static void on_async(uv_async_t *async) {
    (void)async;
    if (atomic_exchange(&keys.unheard, 0)) curia__signal_notify(&keys.pressed, 0);
}

static void on_closed(uv_handle_t *handle) {
    free(handle);
}

/* catch(): from now on SIGINT is heard here. */
static int interrupt_catch(lua_State *L) {
    if (keys.async) return luaL_error(L, "it is caught already");
    keys.host = curia__host_of(L);
    keys.async = calloc(1, sizeof *keys.async);
    if (!keys.async || uv_async_init(keys.host->loop.uv, keys.async, on_async))
        return luaL_error(L, "not enough memory");
    uv_unref((uv_handle_t *)keys.async);
    struct sigaction action = {.sa_handler = on_sigint, .sa_flags = SA_RESTART};
    sigaction(SIGINT, &action, &keys.before);
    return 0;
}

/* release(): gives the signal back; idempotent. */
static int interrupt_release(lua_State *L) {
    (void)L;
    if (!keys.async) return 0;
    sigaction(SIGINT, &keys.before, NULL);
    uv_close((uv_handle_t *)keys.async, on_closed);
    keys.async = NULL;
    return 0;
}

static int heard(lua_State *L, int status, lua_KContext ctx) {
    (void)L, (void)status, (void)ctx;
    return 0;
}

/* next(): waits for a Ctrl-C. */
static int interrupt_next(lua_State *L) {
    curia__host *host = curia__host_of(L);
    curia__wait *w = curia__await_begin(L, "interrupt.next");
    curia__wait_start(w, &host->loop, curia__current_task(host), &keys.pressed, -1);
    return curia__await(L, heard, 0);
}

/* foreground(on): whether the running task is the one that Ctrl-C stops. */
static int interrupt_foreground(lua_State *L) {
    atomic_store(&keys.foreground, lua_toboolean(L, 1) ? curia__host_of(L)->running : NULL);
    return 0;
}

static int open_interrupt(lua_State *L) {
    static const luaL_Reg functions[] = {{"catch", interrupt_catch},
                                         {"release", interrupt_release},
                                         {"next", interrupt_next},
                                         {"foreground", interrupt_foreground},
                                         {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}

void curia__preload_interrupt(lua_State *L) {
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(L, open_interrupt);
    lua_setfield(L, -2, "curia.core.interrupt");
    lua_pop(L, 1);
}
