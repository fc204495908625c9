#include "scope.h"

#include <stdlib.h>

#include "loop.h"

curia__scope *curia__scope_new(bool timed) {
    curia__scope *scope = calloc(1, sizeof *scope);
    if (!scope) return NULL;
    scope->holders = 1;
    scope->timed = timed;
    curia__clock_init_own(&scope->clock);
    return scope;
}

static void free_unused(curia__scope *scope) {
    if (scope->holders || scope->ready) return;
    curia__clock_deinit(&scope->clock);
    free(scope);
}

void curia__scope_release(curia__scope *scope) {
    scope->holders--;
    free_unused(scope);
}

void curia__scope_add(curia__scope *scope, curia__task *task) {
    task->scope = scope;
    scope->holders++;
    if (task->wait.op.state == CURIA__OP_READY) curia__scope_begin(scope);
}

curia__clock *curia__clock_of_task(curia__loop *loop, const curia__task *task) {
    return task && task->scope && task->scope->timed ? &task->scope->clock : &loop->clock;
}

void curia__scope_advance(curia__scope *scope, uint64_t to_ms) {
    curia__clock *clock = &scope->clock;
    uint64_t now = curia__clock_ms(clock);
    curia__clock_advance(clock, to_ms > now ? to_ms - now : 0);
    curia__clock_fire_due(clock);
}

void curia__scope_begin(curia__scope *scope) {
    scope->ready++;
}

void curia__scope_end(curia__scope *scope) {
    if (--scope->ready) return;
    curia__signal_notify(&scope->quiet, 0);
    free_unused(scope);
}
