#include "scope.h"

#include <stdlib.h>

curia__scope *curia__scope_new(void) {
    curia__scope *scope = calloc(1, sizeof *scope);
    if (scope) scope->holders = 1;
    return scope;
}

static void free_unused(curia__scope *scope) {
    if (!scope->holders && !scope->ready) free(scope);
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

void curia__scope_begin(curia__scope *scope) {
    scope->ready++;
}

void curia__scope_end(curia__scope *scope) {
    if (--scope->ready) return;
    curia__signal_notify(&scope->quiet, 0);
    free_unused(scope);
}
