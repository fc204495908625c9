#include "quota.h"

#include "host.h"

/* A hook of Lua costs the more the oftener it is called; this much is counted at a time. */
enum { QUANTUM = 1000, LITTLE = 10 * QUANTUM };

/* Beyond the limit, for the bindings. */
enum { RESERVE = 256 * 1024 };

/* Each refusal is a whole collection: a script at its limit crawls. */
enum { MOST_REFUSALS = 50 };

/* ---- memory ---------------------------------------------------------------------------------- */

static bool is_over(const curia__quota *q, size_t growth) {
    if (!q->memory_limit) return false;
    size_t limit = q->memory_limit + (q->strict ? 0 : RESERVE);
    return growth > limit || q->used > limit - growth;
}

static void *refuse(curia__quota *q, size_t size) {
    bool in_vain = size == q->refused || size > q->memory_limit || ++q->refusals > MOST_REFUSALS;
    q->refused = size;
    if (in_vain && q->strict) curia__host_stop(q->host, CURIA__STOP_MEMORY);
    return NULL;
}

void *curia__quota_allocate(void *quota, void *block, size_t old_size, size_t new_size) {
    curia__quota *q = quota;
    size_t had = block ? old_size : 0; /* else it tells the kind of object */
    bool grows = new_size > had;
    if (grows && is_over(q, new_size - had)) return refuse(q, new_size);
    void *now = q->allocate(q->allocate_arg, block, had, new_size);
    if (!now && new_size) return NULL;
    q->used += new_size - had;
    if (grows) q->refused = 0;
    return now;
}

/* ---- instructions ---------------------------------------------------------------------------- */

static void on_count(lua_State *L, lua_Debug *ar) {
    curia__quota *q = curia__host_of(L)->quota;
    curia__quota_charge(q);
    if (!q->instructions_left) curia__host_on_stop(L, ar);
}

void curia__quota_charge(curia__quota *q) {
    if (!q || !q->instruction_limit) return;
    q->instructions_left -= q->instructions_left < QUANTUM ? q->instructions_left : QUANTUM;
    if (!q->instructions_left) curia__host_stop(q->host, CURIA__STOP_INSTRUCTIONS);
}

static void count(curia__quota *q, lua_State *L, uint64_t instructions) {
    q->instructions_left = instructions;
    if (instructions) lua_sethook(L, on_count, LUA_MASKCOUNT, QUANTUM);
}

void curia__quota_renew(curia__quota *q, lua_State *L) {
    if (q && q->instruction_limit) count(q, L, LITTLE);
}

void curia__quota_unhook(lua_State *L) {
    if (lua_gethook(L) == on_count) lua_sethook(L, NULL, 0, 0);
}

/* ---- both ------------------------------------------------------------------------------------ */

void curia__quota_enter(curia__quota *q, lua_State *L) {
    if (!q) return;
    q->strict = true;
    q->refusals = 0;
    q->refused = 0;
    count(q, L, q->instruction_limit);
}

void curia__quota_leave(curia__quota *q) {
    if (q) q->strict = false;
}
