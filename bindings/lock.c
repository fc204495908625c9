/* curia.core.lock: locks on files that the kernel gives back, however their process ends. */
#include <errno.h>
#include <string.h>

#include "error.h"
#include "host.h"
#include "lock.h"

#define LOCK "curia.lock"

typedef struct {
    int descriptor; /* < 0: it is not held any more */
} lua_lock;

static int fail(lua_State *L, const char *path, int rc) {
    const char *why = rc == CURIA_EBUSY ? "somebody holds the lock" : strerror(errno);
    int count = curia__return_error(L, "storage", lua_pushfstring(L, "%s: %s", path, why));
    lua_pushstring(L, rc == CURIA_EBUSY ? "busy" : "io");
    lua_setfield(L, -2, "code");
    return count;
}

/* acquire(path) -> lock | nil, err (kind storage; code busy: somebody holds it) */
static int lock_acquire(lua_State *L) {
    const char *path = luaL_checkstring(L, 1);
    lua_lock *lock = lua_newuserdatauv(L, sizeof *lock, 0);
    lock->descriptor = -1;
    luaL_setmetatable(L, LOCK);
    int rc = curia__lock_acquire(path);
    if (rc < 0) return fail(L, path, rc);
    lock->descriptor = rc;
    return 1;
}

/* lock:release(), also __close and __gc. Idempotent. */
static int lock_release(lua_State *L) {
    lua_lock *lock = luaL_checkudata(L, 1, LOCK);
    if (lock->descriptor >= 0) curia__lock_release(lock->descriptor);
    lock->descriptor = -1;
    return 0;
}

int curia__open_lock(lua_State *L) {
    static const luaL_Reg meta[] = {
        {"release", lock_release}, {"__close", lock_release}, {"__gc", lock_release}, {NULL, NULL}};
    luaL_newmetatable(L, LOCK);
    luaL_setfuncs(L, meta, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_newtable(L);
    lua_pushcfunction(L, lock_acquire);
    lua_setfield(L, -2, "acquire");
    return 1;
}
