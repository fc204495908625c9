/* Stopping a script that holds the loop, or takes more than it may: a debug hook, which the
 * watchdog's signal handler or the quota sets. In the coroutine at the bottom of what runs the hook
 * yields, which no pcall catches; elsewhere (a nested coroutine, a sort comparator) it raises at
 * each further instruction until that coroutine is reached (MEASURED 10). */
#include <stdio.h>

#include "host.h"
#include "watchdog.h"

static void note_place(lua_State *L, curia__host *host) {
    lua_Debug ar;
    for (int level = 0; lua_getstack(L, level, &ar); level++) {
        lua_getinfo(L, "Sl", &ar);
        if (ar.currentline < 0) continue;
        snprintf(host->stuck_at, sizeof host->stuck_at, "%s:%d", ar.short_src, ar.currentline);
        return;
    }
    snprintf(host->stuck_at, sizeof host->stuck_at, "a function in C");
}

const char *curia__host_stop_code(const curia__host *host) {
    static const char *const codes[] = {NULL, "time_limit", "memory_limit", "instruction_limit",
                                        "interrupted"};
    return codes[host->stop];
}

static void describe(const curia__host *host, char *text, size_t size) {
    const curia__quota *q = host->quota;
    if (host->stop == CURIA__STOP_MEMORY)
        snprintf(text, size, "needs more memory than its %zu bytes", q->memory_limit);
    else if (host->stop == CURIA__STOP_INSTRUCTIONS)
        snprintf(text, size, "took over %llu instructions without a wait",
                 (unsigned long long)q->instruction_limit);
    else
        snprintf(text, size, "held the loop for over %llu ms",
                 (unsigned long long)curia__watchdog_limit(host->watchdog));
}

void curia__host_stop_text(const curia__host *host, char *text, size_t size) {
    char what[100];
    const char *place = host->stuck_at;
    if (host->stop == CURIA__STOP_ASKED) {
        snprintf(text, size, "interrupted%s%s", *place ? " at " : "", place);
        return;
    }
    describe(host, what, sizeof what);
    snprintf(text, size, "stopped: the script %s%s%s", what, *place ? " at " : "", place);
}

/* The place in the source of the function at the bottom of the stack. */
static curia__place outermost(lua_State *L) {
    lua_Debug ar;
    int low = 0, high = 1;
    while (lua_getstack(L, high, &ar))
        high *= 2;
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (lua_getstack(L, middle, &ar))
            low = middle;
        else
            high = middle;
    }
    lua_getstack(L, low, &ar);
    lua_getinfo(L, "S", &ar);
    return (curia__place){ar.source, ar.linedefined};
}

/* Where a coroutine is being closed, each of its __close functions is at the bottom for a while. One
 * that was stopped must not take Curia's own with it: the next one begins anew, unless it is the same
 * once more. */
static bool closes_another(lua_State *L, curia__host *host) {
    if (!host->running || !host->running->closing || host->running->co != L) return false;
    curia__place closing = outermost(L), stopped = host->stopped;
    host->stopped = closing;
    return stopped.source && (stopped.source != closing.source || stopped.line != closing.line);
}

static void begin_anew(lua_State *L, curia__host *host) {
    host->stop = CURIA__STOP_NOT;
    host->stopped.source = NULL;
    lua_sethook(L, NULL, 0, 0);
    curia__quota_renew(host->quota, L);
    curia__watchdog_enter(host->watchdog);
}

void curia__host_on_stop(lua_State *L, lua_Debug *ar) {
    (void)ar;
    curia__host *host = curia__host_of(L);
    if (closes_another(L, host)) {
        begin_anew(L, host);
        return;
    }
    if (!host->stop) host->stop = host->asked ? CURIA__STOP_ASKED : CURIA__STOP_TIME;
    host->asked = 0;
    if (!*host->stuck_at) note_place(L, host);
    if (host->base == L && lua_isyieldable(L)) {
        lua_sethook(L, NULL, 0, 0);
        lua_yield(L, 0);
        return;
    }
    char text[320];
    curia__host_stop_text(host, text, sizeof text);
    luaL_error(L, "%s", text);
}

void curia__host_unhook(lua_State *L) {
    if (lua_gethook(L) == curia__host_on_stop) lua_sethook(L, NULL, 0, 0);
    curia__quota_unhook(L);
}

/* Runs in the signal handler: only reads atomics and sets the hook, as lua.c does. */
void curia__host_interrupt(void *arg) {
    curia__host *host = arg;
    lua_State *L = atomic_load_explicit(&host->active, memory_order_acquire);
    if (L) lua_sethook(L, curia__host_on_stop, LUA_MASKCOUNT, 1);
}

void curia__host_stop(curia__host *host, curia__stop why) {
    host->stop = why;
    curia__host_interrupt(host);
}

/* ---- turns ----------------------------------------------------------------------------------- */

void curia__turn_enter(curia__host *host, curia__turn *turn, lua_State *L, lua_State *base) {
    const curia__quota *q = host->quota;
    *turn = (curia__turn){host->active, host->base, host->stop, q ? q->instructions_left : 0,
                          q && q->strict};
    host->stop = CURIA__STOP_NOT;
    host->stopped.source = NULL;
    host->stuck_at[0] = '\0';
    host->base = base;
    atomic_store_explicit(&host->active, L, memory_order_release);
    curia__quota_enter(host->quota, L);
    curia__watchdog_enter(host->watchdog);
}

void curia__turn_leave(curia__host *host, const curia__turn *turn, lua_State *L) {
    curia__watchdog_leave(host->watchdog);
    atomic_store_explicit(&host->active, turn->active, memory_order_release);
    host->base = turn->base;
    curia__host_unhook(L);
    curia__quota_leave(host->quota);
    if (!turn->active) return;
    host->stop = turn->stop;
    if (host->quota) host->quota->instructions_left = turn->instructions_left;
    if (host->quota) host->quota->strict = turn->strict;
    curia__watchdog_enter(host->watchdog);
}
