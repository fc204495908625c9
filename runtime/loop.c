#include "loop.h"

#include <stdlib.h>

#include "error.h"
#include "scope.h"

/* For what is ready in a turn that nobody gives a budget: thousands of runs may have begun at once, and the
 * sockets wait meanwhile. */
enum { DRAIN_NS = 10 * 1000 * 1000 };

static void on_idle(uv_idle_t *handle) {
    (void)handle; /* being active is its work: the poll does not block */
}

static void wake(void *arg) {
    curia__loop *loop = arg;
    if (loop->idle) uv_idle_start(loop->idle, on_idle);
}

void curia__loop_queue(curia__loop *loop, curia__op *op) {
    op->next = NULL;
    if (loop->ready_last)
        loop->ready_last->next = op;
    else
        loop->ready_first = op;
    loop->ready_last = op;
    if (op->task && op->task->scope) curia__scope_begin(op->task->scope);
    if (!loop->draining) wake(loop);
}

void curia__loop_add_service(curia__loop *loop, curia__service *service) {
    service->next = loop->services;
    loop->services = service;
}

/* ---- chores ---------------------------------------------------------------------------------- */

void curia__loop_add_chore(curia__loop *loop, curia__chore *chore) {
    if (!loop->deferred) {
        chore->run(chore);
        return;
    }
    if (chore->queued) return;
    chore->queued = true;
    chore->next = NULL;
    chore->prev = loop->chores_last;
    if (loop->chores_last)
        loop->chores_last->next = chore;
    else
        loop->chores_first = chore;
    loop->chores_last = chore;
}

void curia__loop_drop_chore(curia__loop *loop, curia__chore *chore) {
    if (!chore->queued) return;
    chore->queued = false;
    if (chore->prev)
        chore->prev->next = chore->next;
    else
        loop->chores_first = chore->next;
    if (chore->next)
        chore->next->prev = chore->prev;
    else
        loop->chores_last = chore->prev;
}

static bool is_over(uint64_t until_ns) {
    return until_ns != UINT64_MAX && uv_hrtime() >= until_ns;
}

void curia__loop_do_chores(curia__loop *loop, uint64_t until_ns) {
    while (loop->chores_first) {
        curia__chore *chore = loop->chores_first;
        curia__loop_drop_chore(loop, chore);
        chore->run(chore);
        if (is_over(until_ns)) break;
    }
}

/* ---- delivering ------------------------------------------------------------------------------ */

static void flush_services(curia__loop *loop) {
    for (curia__service *s = loop->services; s; s = s->next)
        if (s->flush) s->flush(s);
}

/* The task may be gone afterwards, its scope is not yet. */
static void deliver_one(curia__loop *loop, curia__op *op) {
    curia__scope *scope = op->task ? op->task->scope : NULL;
    op->state = CURIA__OP_IDLE;
    loop->delivered++;
    loop->deliver(op, loop->host);
    if (scope) curia__scope_end(scope);
}

/* What is left of a snapshot stands before what has become ready since. */
static void put_back(curia__loop *loop, curia__op *first, curia__op *last) {
    if (!first) return;
    last->next = loop->ready_first;
    if (!loop->ready_first) loop->ready_last = last;
    loop->ready_first = first;
}

/* The poll must not block while there is something to do after it. */
static void stay_awake(curia__loop *loop) {
    if (!loop->idle) return;
    if (loop->ready_first || loop->clock.due_first)
        uv_idle_start(loop->idle, on_idle);
    else
        uv_idle_stop(loop->idle);
}

void curia__loop_drain(curia__loop *loop, uint64_t until_ns) {
    curia__op *op = loop->ready_first, *last = loop->ready_last;
    bool turned = *loop->turning;
    loop->ready_first = loop->ready_last = NULL;
    loop->draining = *loop->turning = true;
    while (op) {
        curia__op *next = op->next;
        deliver_one(loop, op);
        op = next;
        if (is_over(until_ns)) break;
    }
    put_back(loop, op, last);
    loop->draining = false;
    *loop->turning = turned;
    flush_services(loop);
    stay_awake(loop);
}

static void drain_turn(curia__loop *loop) {
    uint64_t began_ns = uv_hrtime(), delivered = loop->delivered;
    curia__loop_drain(loop, began_ns + DRAIN_NS);
    uint64_t held_ns = uv_hrtime() - began_ns;
    if (!loop->stall_ns || held_ns < loop->stall_ns) return;
    loop->stalled_ns = held_ns;
    loop->stalled_delivered = loop->delivered - delivered;
    curia__signal_notify(&loop->stalled, 0);
}

static void on_check(uv_check_t *handle) {
    curia__loop *loop = handle->data;
    loop->turns++;
    curia__clock_fire_due(&loop->clock);
    if (loop->deferred)
        stay_awake(loop);
    else
        drain_turn(loop);
}

static void free_handle(uv_handle_t *handle) {
    free(handle);
}

static int init_handles(curia__loop *loop) {
    loop->check = malloc(sizeof *loop->check);
    loop->idle = malloc(sizeof *loop->idle);
    if (!loop->check || !loop->idle) {
        free(loop->check);
        free(loop->idle);
        loop->check = NULL;
        loop->idle = NULL;
        return CURIA_ENOMEM;
    }
    uv_check_init(loop->uv, loop->check);
    loop->check->data = loop;
    uv_check_start(loop->check, on_check);
    uv_unref((uv_handle_t *)loop->check);
    uv_idle_init(loop->uv, loop->idle);
    loop->idle->data = loop;
    return 0;
}

/* Virtual time moves only when nothing else can (no ready work and no uv activity), and only while
 * something waits for it: background timers are passed on the way. */
void curia__loop_advance_virtual(curia__loop *loop) {
    if (!loop->clock.is_virtual || !loop->clock.foreground) return;
    if (loop->ready_first || uv_loop_alive(loop->uv)) return;
    int64_t next = curia__clock_next_ms(&loop->clock);
    if (next > 0) curia__clock_advance(&loop->clock, (uint64_t)next);
}

bool curia__loop_alive(const curia__loop *loop) {
    return loop->ready_first || loop->clock.foreground || uv_loop_alive(loop->uv);
}

int curia__loop_turn(curia__loop *loop, bool block) {
    if (*loop->turning) return CURIA_EBUSY;
    curia__loop_advance_virtual(loop);
    *loop->turning = true;
    uv_run(loop->uv, block ? UV_RUN_ONCE : UV_RUN_NOWAIT);
    *loop->turning = false;
    return curia__loop_alive(loop);
}

void curia__loop_close_own_handles(curia__loop *loop) {
    curia__clock_deinit(&loop->clock);
    if (loop->check) uv_close((uv_handle_t *)loop->check, free_handle);
    if (loop->idle) uv_close((uv_handle_t *)loop->idle, free_handle);
    loop->check = NULL;
    loop->idle = NULL;
}

int curia__loop_init(curia__loop *loop, uv_loop_t *uv, curia__deliver_fn deliver, void *host) {
    *loop = (curia__loop){.uv = uv, .owned = !uv, .deliver = deliver, .host = host};
    loop->turning = &loop->turning_alone;
    if (!uv) {
        if (uv_loop_init(&loop->own)) return CURIA_ENOMEM;
        loop->uv = &loop->own;
    }
    int rc = init_handles(loop);
    if (!rc) rc = curia__clock_init(&loop->clock, loop->uv, wake, loop);
    if (!rc) return 0;
    curia__loop_close_own_handles(loop);
    if (!loop->owned) return rc;
    uv_run(loop->uv, UV_RUN_NOWAIT);
    uv_loop_close(loop->uv);
    return rc;
}

static uint64_t now_ms(void) {
    return uv_hrtime() / 1000000;
}

void curia__loop_begin_close(curia__loop *loop) {
    loop->closing = true;
    curia__task_cancel_all(loop, "the runtime is closing");
}

bool curia__loop_is_quiet(const curia__loop *loop) {
    return !loop->task_count && !loop->ready_first;
}

/* Runs turns until no task is left; false when the time is over before. */
static bool run_tasks_out(curia__loop *loop, uint64_t end_ms) {
    while (!curia__loop_is_quiet(loop)) {
        if (now_ms() >= end_ms) return false;
        int alive = curia__loop_turn(loop, false);
        if (alive < 0) return false;
        if (alive == 1 && !loop->ready_first) uv_sleep(1);
    }
    return true;
}

void curia__loop_close_services(curia__loop *loop) {
    while (loop->services) {
        curia__service *s = loop->services;
        loop->services = s->next;
        s->close(s);
    }
}

/* False when the time is over before all parts of services have closed. */
static bool run_services_out(curia__loop *loop, uint64_t end_ms) {
    for (int i = 0; i < 16 && loop->ready_first; i++)
        curia__loop_turn(loop, false);
    while (loop->ending) {
        if (now_ms() >= end_ms || curia__loop_turn(loop, false) < 0) return false;
        uv_sleep(1);
    }
    return true;
}

/* Its owner, a luv object, frees the memory when Lua closes, as it sees that the handle is
 * closed. */
static void close_foreign(uv_handle_t *handle, void *arg) {
    (void)arg;
    if (!uv_is_closing(handle)) uv_close(handle, NULL);
}

static void count_handle(uv_handle_t *handle, void *arg) {
    (void)handle;
    ++*(size_t *)arg;
}

static bool has_handles(curia__loop *loop) {
    size_t count = 0;
    uv_walk(loop->uv, count_handle, &count);
    return count > 0;
}

/* Must happen while Lua is alive to hear of it: after lua_close the callbacks of scripts, and luv's
 * own, would run in freed memory (MEASURED 4). A callback may make new handles. */
bool curia__loop_close_handles(curia__loop *loop, uint64_t limit_ms) {
    uint64_t end_ms = now_ms() + limit_ms;
    while (loop->owned && (uv_loop_alive(loop->uv) || has_handles(loop))) {
        if (now_ms() >= end_ms) return false;
        uv_walk(loop->uv, close_foreign, NULL);
        int alive = curia__loop_turn(loop, false);
        if (alive < 0) return false;
        if (alive == 1) uv_sleep(1);
    }
    return true;
}

int curia__loop_close(curia__loop *loop, uint64_t limit_ms, void (*left)(const char *what)) {
    curia__loop_begin_close(loop);
    bool ended = run_tasks_out(loop, now_ms() + limit_ms);
    if (!ended && left) left("task");
    curia__loop_close_services(loop);
    if (!run_services_out(loop, now_ms() + limit_ms)) ended = false;
    curia__loop_close_own_handles(loop);
    if (!curia__loop_close_handles(loop, limit_ms)) ended = false;
    return ended ? 0 : CURIA_ETIMEOUT;
}

static void name_handle(uv_handle_t *handle, void *arg) {
    void (*left)(const char *) = *(void (**)(const char *))arg;
    left(uv_handle_type_name(handle->type));
}

int curia__loop_deinit(curia__loop *loop, void (*left)(const char *what)) {
    if (!loop->owned) return 0;
    if (uv_loop_close(loop->uv) != UV_EBUSY) return 0;
    if (left) uv_walk(loop->uv, name_handle, &left);
    return CURIA_EBUSY;
}
