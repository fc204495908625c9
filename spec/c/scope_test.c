/* A scope is quiet when its tasks only wait, and knows nothing of others. */
#include "error.h"
#include "loop_support.h"
#include "scope.h"

enum { STEPS = 5 };

typedef struct {
    curia__task task; /* first member */
    int steps;        /* left, each in a delivery of its own */
    int64_t then_ms;  /* sleeps for that long before it ends; < 0: does not */
} body;

static curia__loop loop;
static int delivered;

static void on_ended(curia__task *task) {
    (void)task;
}

static const curia__task_host host = {on_ended};

static void step(body *b) {
    if (b->steps-- > 0) {
        b->task.state = CURIA__TASK_WAITING;
        curia__wait_start(&b->task.wait, &loop, &b->task, NULL, -1);
        curia__op_complete(&b->task.wait.op, 0);
    } else if (b->then_ms >= 0) {
        b->task.state = CURIA__TASK_WAITING;
        curia__wait_start(&b->task.wait, &loop, &b->task, NULL, b->then_ms);
        b->then_ms = -1;
    } else {
        curia__task_finish(&b->task, 0);
    }
}

static void deliver(curia__op *op, void *arg) {
    (void)arg;
    if (!op->task) return;
    delivered++;
    step((body *)op->task);
}

static void begin(curia__scope *scope, body *b, curia__task *parent) {
    assert(curia__task_init(&b->task, &loop, parent, NULL, &host) == 0);
    if (scope) curia__scope_add(scope, &b->task);
}

static void wait_quiet(curia__scope *scope) {
    curia__wait w = {0};
    curia__wait_start(&w, &loop, NULL, &scope->quiet, -1);
    TURN_UNTIL(&loop, w.op.state == CURIA__OP_IDLE);
}

static void quiet_comes_when_all_wait(void) {
    curia__scope *scope = curia__scope_new(false);
    body first = {.steps = STEPS, .then_ms = 20}, second = {.steps = 2 * STEPS, .then_ms = 40};
    begin(scope, &first, NULL);
    begin(scope, &second, NULL);
    assert(scope->ready == 2);
    wait_quiet(scope);
    assert(delivered == 3 * STEPS + 2 && scope->ready == 0);
    wait_quiet(scope); /* the first has ended */
    assert(first.task.state == CURIA__TASK_ENDED && second.task.state == CURIA__TASK_WAITING);
    wait_quiet(scope);
    assert(second.task.state == CURIA__TASK_ENDED && scope->holders == 1);
    curia__scope_release(scope);
}

static void children_belong_to_it(void) {
    curia__scope *scope = curia__scope_new(false);
    body parent = {.then_ms = 10}, child = {.steps = STEPS, .then_ms = -1};
    begin(scope, &parent, NULL);
    begin(NULL, &child, &parent.task);
    assert(child.task.scope == scope && scope->ready == 2 && scope->holders == 3);
    wait_quiet(scope);
    assert(child.task.state == CURIA__TASK_ENDED);
    curia__scope_release(scope); /* its tasks keep it */
    TURN_UNTIL(&loop, parent.task.state == CURIA__TASK_ENDED);
}

static void others_do_not_matter(void) {
    curia__scope *scope = curia__scope_new(false);
    body inside = {.then_ms = 30}, outside = {.steps = 100000, .then_ms = -1};
    begin(scope, &inside, NULL);
    begin(NULL, &outside, NULL);
    wait_quiet(scope);
    assert(outside.task.state != CURIA__TASK_ENDED);
    curia__task_cancel(&inside.task, CURIA_ECANCELLED, NULL);
    assert(scope->ready == 1);
    wait_quiet(scope);
    TURN_UNTIL(&loop, outside.task.state == CURIA__TASK_ENDED);
    curia__scope_release(scope);
}

/* Tasks of a scope with its own clock wait on that one, however late it is outside. */
static void its_time_is_its_own(void) {
    curia__scope *scope = curia__scope_new(true);
    body sleeper = {.then_ms = 30}, limited = {.then_ms = 1000000};
    begin(scope, &sleeper, NULL);
    begin(scope, &limited, NULL);
    assert(curia__task_set_deadline(&limited.task, 70) == 0);
    wait_quiet(scope);
    assert(loop.clock.foreground == 0 && curia__clock_next_ms(&scope->clock) == 30);
    curia__clock_set_ms(&scope->clock, 30);
    assert(sleeper.task.state == CURIA__TASK_WAITING && curia__clock_next_ms(&scope->clock) == 0);
    curia__scope_advance(scope, 30);
    wait_quiet(scope);
    assert(sleeper.task.state == CURIA__TASK_ENDED && limited.task.cancelled == 0);
    curia__scope_advance(scope, 70);
    assert(limited.task.cancelled == CURIA_EDEADLINE);
    wait_quiet(scope);
    curia__scope_release(scope);
}

int main(void) {
    assert(curia__loop_init(&loop, NULL, deliver, NULL) == 0);
    quiet_comes_when_all_wait();
    children_belong_to_it();
    others_do_not_matter();
    its_time_is_its_own();
    close_loop(&loop);
    return 0;
}
