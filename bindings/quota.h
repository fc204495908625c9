/* What the scripts of an isolated state may use: memory, and instructions from one wait to the
 * next.
 *
 * Who goes beyond is stopped as by the watchdog (watchdog.c), so that no pcall catches it. The
 * memory limit holds while scripts run; what the bindings themselves need then (to tell the error,
 * to start another run) may go a little beyond.
 */
#ifndef CURIA_QUOTA_H
#define CURIA_QUOTA_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct curia__host curia__host;
typedef struct curia__quota curia__quota;

struct curia__quota {
    void *(*allocate)(void *arg, void *block, size_t old_size, size_t new_size);
    void *allocate_arg;
    curia__host *host; /* NULL: nobody to stop yet */
    size_t memory_limit, used;
    size_t refused;    /* the size that was refused last, and nothing was granted since */
    unsigned refusals; /* of this turn */
    bool strict;       /* a script runs */
    uint64_t instruction_limit, instructions_left;
};

/* A lua_Alloc. Lua asks again for what was refused once it has collected all garbage; who is
 * refused then, or needs that too often, is stopped. */
void *curia__quota_allocate(void *quota, void *block, size_t old_size, size_t new_size);

/* A script begins to run in `L`, or has returned; `quota` may be NULL. */
void curia__quota_enter(curia__quota *quota, lua_State *L);
void curia__quota_leave(curia__quota *quota);

/* What runs in `L` may go on a little, although the turn's instructions are used up. */
void curia__quota_renew(curia__quota *quota, lua_State *L);

/* Counts the resume of a script's own coroutine, in which the counting begins anew. */
void curia__quota_charge(curia__quota *quota);

/* Takes the count hook off, if it is there. */
void curia__quota_unhook(lua_State *L);

#endif
