/* A scope: some tasks and all that they spawn, which can be waited for until none of them has anything
 * left to do but wait.
 *
 * What a set of tasks does between two things that come from outside is determined by their order alone.
 * Whoever hands such things to a scope one at a time, and waits until it is quiet in between, can do the
 * same again (SPEC 16). Time comes from outside too: a scope may have a clock of its own, on which its
 * tasks wait and which stands still until somebody moves it. Loop thread only.
 */
#ifndef CURIA_SCOPE_H
#define CURIA_SCOPE_H

#include "task.h"

struct curia__scope {
    size_t ready;   /* complete operations of its tasks that have not been delivered to the end */
    size_t holders; /* its tasks, and whoever made it */
    curia__signal quiet; /* notified when `ready` has become 0 */
    bool timed;          /* `clock` is that of its tasks; else they have the loop's */
    curia__clock clock;
};

/* `timed`: with a clock of its own, at 0. Returns NULL when out of memory. */
curia__scope *curia__scope_new(bool timed);
void curia__scope_release(curia__scope *scope);

/* Puts a task that has not begun into a scope; its children are in that of their parent. */
void curia__scope_add(curia__scope *scope, curia__task *task);

/* The clock of a task of `loop` (NULL: of what is no task). */
curia__clock *curia__clock_of_task(curia__loop *loop, const curia__task *task);

/* Moves a scope's own clock and fires what has become due by then, in its order. */
void curia__scope_advance(curia__scope *scope, uint64_t to_ms);

/* One of its operations is complete (used by the loop), and has been delivered. */
void curia__scope_begin(curia__scope *scope);
void curia__scope_end(curia__scope *scope);

#endif
