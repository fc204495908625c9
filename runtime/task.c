#include "task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "loop.h"
#include "scope.h"

static curia__task **siblings(curia__task *task) {
    return task->parent ? &task->parent->children : &task->loop->tasks;
}

static curia__clock *clock_of(const curia__task *task) {
    return curia__clock_of_task(task->loop, task);
}

static void link_in(curia__task *task) {
    curia__task **head = siblings(task);
    task->next = *head;
    if (*head) (*head)->prev = task;
    *head = task;
}

static void unlink_from(curia__task *task) {
    if (task->prev)
        task->prev->next = task->next;
    else
        *siblings(task) = task->next;
    if (task->next) task->next->prev = task->prev;
    task->next = task->prev = NULL;
}

int curia__task_init(curia__task *task, curia__loop *loop, curia__task *parent, curia__group *group,
                     const curia__task_host *host) {
    if (loop->closing) return CURIA_ECLOSED;
    task->loop = loop;
    task->host = host;
    task->parent = parent;
    task->group = group;
    task->id = ++loop->task_ids;
    task->state = CURIA__TASK_READY;
    loop->task_count++;
    if (group) group->live++;
    link_in(task);
    task->scope = parent ? parent->scope : NULL;
    if (task->scope) task->scope->holders++;
    curia__wait_start(&task->wait, loop, task, NULL, -1);
    curia__op_complete(&task->wait.op, 0);
    return 0;
}

void curia__task_set_background(curia__task *task) {
    if (task->background) return;
    task->background = true;
    task->loop->background_tasks++;
}

static void group_add(curia__group *group, curia__task *task) {
    group->live--;
    task->group_next = NULL;
    if (group->last)
        group->last->group_next = task;
    else
        group->first = task;
    group->last = task;
    curia__signal_notify(&group->changed, 0);
}

curia__task *curia__group_take(curia__group *group) {
    curia__task *task = group->first;
    if (!task) return NULL;
    group->first = task->group_next;
    if (!group->first) group->last = NULL;
    return task;
}

static void end_one(curia__task *task) {
    task->state = CURIA__TASK_ENDED;
    curia__timer_stop(clock_of(task), &task->deadline);
    free(task->reason);
    task->reason = NULL;
    unlink_from(task);
    task->loop->task_count--;
    if (task->background) task->loop->background_tasks--;
    curia__signal_notify(&task->ended, 0);
    if (task->group) group_add(task->group, task);
    if (task->scope) curia__scope_release(task->scope);
    task->host->on_ended(task);
}

/* Ends the task, and each of its ancestors that only waited for it. No recursion: a chain of tasks
 * may be as long as a script makes it. */
static void end(curia__task *task) {
    do {
        curia__task *parent = task->parent;
        end_one(task);
        task = parent;
    } while (task && task->state == CURIA__TASK_ENDING && !task->children);
}

static void cancel_children(curia__task *task, int code, const char *reason) {
    for (curia__task *child = task->children; child; child = child->next)
        curia__task_cancel(child, code, reason);
}

static void cancel_bound(curia__task *task) {
    for (curia__task *child = task->children; child; child = child->next)
        if (child->bound) curia__task_cancel(child, CURIA_ECANCELLED, "the owning task has ended");
}

void curia__task_finish(curia__task *task, int status) {
    task->status = status;
    task->state = CURIA__TASK_ENDING;
    if (task->children && status)
        cancel_children(task, CURIA_ECANCELLED, "the parent task failed");
    else
        cancel_bound(task);
    if (!task->children) end(task);
}

static bool cancel_one(curia__task *task, int code, const char *reason) {
    if (task->state == CURIA__TASK_ENDED || task->cancelled) return false;
    task->cancelled = code;
    task->reason = reason ? strdup(reason) : NULL;
    curia__timer_stop(clock_of(task), &task->deadline);
    if (task->state == CURIA__TASK_WAITING) curia__op_cancel(&task->wait.op);
    return true;
}

/* The task after `task` in the tree below `root`, parents first; `below`: its children too. */
static curia__task *next_of(curia__task *task, const curia__task *root, bool below) {
    if (below && task->children) return task->children;
    while (task != root && !task->next)
        task = task->parent;
    return task == root ? NULL : task->next;
}

/* What is below a cancelled task has been cancelled with it. No recursion, as in end(). */
void curia__task_cancel(curia__task *task, int code, const char *reason) {
    bool below = true;
    for (curia__task *t = task; t; t = next_of(t, task, below))
        below = cancel_one(t, code, reason);
}

void curia__task_cancel_all(curia__loop *loop, const char *reason) {
    for (curia__task *task = loop->tasks; task; task = task->next)
        curia__task_cancel(task, CURIA_ECANCELLED, reason);
}

static void on_deadline(curia__timer *timer) {
    curia__task *task = (curia__task *)((char *)timer - offsetof(curia__task, deadline));
    curia__task_cancel(task, CURIA_EDEADLINE, "its deadline has passed");
}

int curia__task_set_deadline(curia__task *task, int64_t ms) {
    if (task->cancelled || task->state == CURIA__TASK_ENDED) return 0;
    curia__timer_stop(clock_of(task), &task->deadline);
    if (ms < 0) return 0;
    return curia__timer_start(clock_of(task), &task->deadline, (uint64_t)ms, on_deadline);
}
