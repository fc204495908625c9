/* The tree of tasks, without Lua: a host whose bodies are C functions. */
#include "loop_support.h"

typedef struct body body;
struct body {
    curia__task task; /* first member */
    void (*resume)(body *b);
    int resumed, ended;
    int64_t sleep_ms;
};

static int ends;

static void on_ended(curia__task *task) {
    ((body *)task)->ended = ++ends;
}

static const curia__task_host host = {on_ended};

static void deliver(curia__op *op, void *arg) {
    (void)arg;
    body *b = (body *)op->task;
    b->task.state = CURIA__TASK_RUNNING;
    b->resumed++;
    b->resume(b);
}

/* Waits once, then ends with how the wait ended. */
static void sleeper(body *b) {
    if (b->resumed > 1 || b->task.cancelled) {
        curia__task_finish(&b->task, b->task.wait.op.status);
        return;
    }
    b->task.state = CURIA__TASK_WAITING;
    curia__wait_start(&b->task.wait, b->task.loop, &b->task, NULL, b->sleep_ms);
}

static void ender(body *b) {
    curia__task_finish(&b->task, 0);
}

static void failer(body *b) {
    curia__task_finish(&b->task, CURIA_ESCRIPT);
}

static body make(void (*resume)(body *), int64_t sleep_ms) {
    return (body){.resume = resume, .sleep_ms = sleep_ms};
}

static void spawn(curia__loop *loop, body *b, body *parent, curia__group *group) {
    assert(curia__task_init(&b->task, loop, parent ? &parent->task : NULL, group, &host) == 0);
}

static void open_loop(curia__loop *loop) {
    ends = 0;
    assert(curia__loop_init(loop, NULL, deliver, NULL) == 0);
}

static void test_parent_waits(void) {
    curia__loop loop;
    open_loop(&loop);
    body parent = make(ender, 0), child = make(sleeper, 5);
    spawn(&loop, &parent, NULL, NULL);
    spawn(&loop, &child, &parent, NULL);
    curia__loop_turn(&loop, false);
    assert(parent.task.state == CURIA__TASK_ENDING && loop.task_count == 2);
    TURN_UNTIL(&loop, ends == 2);
    assert(child.ended == 1 && parent.ended == 2 && parent.task.status == 0);
    assert(loop.task_count == 0 && !loop.tasks);
    close_loop(&loop);
}

static void test_failure_cancels_children(void) {
    curia__loop loop;
    open_loop(&loop);
    body parent = make(failer, 0), a = make(sleeper, 100000), b = a;
    spawn(&loop, &a, NULL, NULL); /* a root, not concerned */
    spawn(&loop, &parent, NULL, NULL);
    spawn(&loop, &b, &parent, NULL);
    TURN_UNTIL(&loop, parent.ended);
    assert(b.task.cancelled == CURIA_ECANCELLED && b.ended == 1 && !a.task.cancelled);
    close_loop(&loop);
    assert(a.task.cancelled == CURIA_ECANCELLED && a.ended == 3);
}

static void test_cancel_tree(void) {
    enum { COUNT = 1000 };
    static body b[COUNT];
    curia__loop loop;
    open_loop(&loop);
    for (int i = 0; i < COUNT; i++) {
        b[i] = make(sleeper, 100000);
        spawn(&loop, &b[i], i ? &b[(i - 1) / 3] : NULL, NULL);
    }
    for (int i = 0; i < 3; i++)
        curia__loop_turn(&loop, false);
    curia__task_cancel(&b[1].task, CURIA_EDEADLINE, "for a reason");
    curia__task_cancel(&b[1].task, CURIA_ECANCELLED, "too late");
    assert(strcmp(b[1].task.reason, "for a reason") == 0);
    TURN_UNTIL(&loop, b[1].ended);
    assert(b[1].task.cancelled == CURIA_EDEADLINE && !b[0].task.cancelled && !b[2].task.cancelled);
    for (int i = 4; i < COUNT; i++) {
        int up = i;
        while (up > 3)
            up = (up - 1) / 3;
        assert(!b[i].ended == (up != 1));
    }
    curia__task_cancel(&b[0].task, CURIA_ECANCELLED, NULL);
    TURN_UNTIL(&loop, ends == COUNT);
    assert(b[0].ended == COUNT);
    close_loop(&loop);
}

static void test_long_chain(void) {
    enum { COUNT = 200000 };
    body *b = calloc(COUNT, sizeof *b);
    curia__loop loop;
    open_loop(&loop);
    for (int i = 0; i < COUNT; i++) {
        b[i] = make(i == COUNT - 1 ? sleeper : ender, 100000);
        spawn(&loop, &b[i], i ? &b[i - 1] : NULL, NULL);
    }
    curia__loop_turn(&loop, false);
    assert(loop.task_count == COUNT);
    curia__task_cancel(&b[0].task, CURIA_ECANCELLED, NULL);
    TURN_UNTIL(&loop, ends == COUNT);
    assert(b[COUNT - 1].ended == 1 && b[0].ended == COUNT);
    close_loop(&loop);
    free(b);
}

static void test_group(void) {
    curia__loop loop;
    curia__group group = {0};
    open_loop(&loop);
    body a = make(sleeper, 20), b = make(sleeper, 1), c = make(failer, 0);
    spawn(&loop, &a, NULL, &group);
    spawn(&loop, &b, NULL, &group);
    spawn(&loop, &c, NULL, &group);
    assert(group.live == 3 && !curia__group_take(&group));
    TURN_UNTIL(&loop, group.live == 0);
    assert(curia__group_take(&group) == &c.task && c.task.status == CURIA_ESCRIPT);
    assert(curia__group_take(&group) == &b.task && curia__group_take(&group) == &a.task);
    assert(!curia__group_take(&group));
    close_loop(&loop);
}

static void test_deadline(void) {
    curia__loop loop;
    open_loop(&loop);
    body a = make(sleeper, 100000), b = make(sleeper, 5), c = a;
    spawn(&loop, &a, NULL, NULL);
    spawn(&loop, &b, NULL, NULL);
    spawn(&loop, &c, &a, NULL);
    assert(curia__task_set_deadline(&a.task, 1) == 0);
    assert(curia__task_set_deadline(&b.task, 1) == 0);
    assert(curia__task_set_deadline(&b.task, -1) == 0);
    TURN_UNTIL(&loop, ends == 3);
    assert(a.task.cancelled == CURIA_EDEADLINE && c.task.cancelled == CURIA_EDEADLINE);
    assert(b.task.cancelled == 0 && b.task.status == 0);
    assert(curia__task_set_deadline(&b.task, 1) == 0 && loop.clock.count == 0);
    close_loop(&loop);
}

static void stubborn(body *b) {
    b->task.state = CURIA__TASK_WAITING;
    curia__wait_start(&b->task.wait, b->task.loop, &b->task, NULL, 5);
}

static int told;

static void tell(const char *what) {
    told += strcmp(what, "task") == 0;
}

static void test_closing(void) {
    curia__loop loop;
    open_loop(&loop);
    body a = make(stubborn, 0), b = make(ender, 0);
    spawn(&loop, &a, NULL, NULL);
    curia__loop_turn(&loop, false);
    assert(curia__loop_close(&loop, 50, tell) == CURIA_ETIMEOUT && told == 1);
    assert(curia__task_init(&b.task, &loop, NULL, NULL, &host) == CURIA_ECLOSED);
    assert(curia__loop_deinit(&loop, NULL) == 0);
    free(a.task.reason);
}

int main(void) {
    test_parent_waits();
    test_failure_cancels_children();
    test_cancel_tree();
    test_long_chain();
    test_group();
    test_deadline();
    test_closing();
    return 0;
}
