/* The loop and its ready queue: snapshots, waits and signals, services, closing, borrowing. */
#include "loop_support.h"

static int delivered;
static curia__op *order[16];
static curia__wait *restart; /* started and completed again by each delivery */

static void count(curia__op *op, void *host) {
    (void)host;
    order[delivered++ % 16] = op;
    if (!restart || delivered > 100) return;
    curia__wait_start(restart, op->loop, NULL, NULL, -1);
    curia__op_complete(&restart->op, 0);
}

static void test_order_and_once(void) {
    curia__loop loop;
    curia__wait w[3] = {0};
    delivered = 0;
    assert(curia__loop_init(&loop, NULL, count, NULL) == 0);
    for (int i = 0; i < 3; i++)
        assert(curia__wait_start(&w[i], &loop, NULL, NULL, -1) == 0);
    curia__op_complete(&w[2].op, 0);
    curia__op_complete(&w[0].op, CURIA_EIO);
    curia__op_complete(&w[0].op, 0);
    curia__op_cancel(&w[0].op);
    assert(curia__loop_turn(&loop, true) >= 0);
    assert(delivered == 2 && order[0] == &w[2].op && order[1] == &w[0].op);
    assert(w[0].op.status == CURIA_EIO && w[0].op.state == CURIA__OP_IDLE);
    curia__op_cancel(&w[1].op);
    curia__loop_turn(&loop, true);
    assert(delivered == 3 && w[1].op.status == CURIA_ECANCELLED);
    close_loop(&loop);
}

/* What becomes ready during a drain waits for the next turn. */
static void test_snapshot(void) {
    curia__loop loop;
    curia__wait w = {0};
    delivered = 0;
    restart = &w;
    assert(curia__loop_init(&loop, NULL, count, NULL) == 0);
    curia__wait_start(&w, &loop, NULL, NULL, -1);
    curia__op_complete(&w.op, 0);
    for (int i = 1; i <= 5; i++) {
        assert(curia__loop_turn(&loop, true) == 1);
        assert(delivered == i);
    }
    restart = NULL;
    curia__loop_turn(&loop, true);
    close_loop(&loop);
}

static int gave_up;

static void on_cancel(curia__signal *signal) {
    (void)signal;
    gave_up++;
}

static void test_signal(void) {
    curia__loop loop;
    curia__signal signal = {.on_cancel = on_cancel};
    curia__wait w[4] = {0};
    delivered = 0;
    assert(curia__loop_init(&loop, NULL, count, NULL) == 0);
    for (int i = 0; i < 4; i++)
        curia__wait_start(&w[i], &loop, NULL, &signal, i == 2 ? 1 : 100000);
    curia__op_cancel(&w[1].op);
    assert(gave_up == 1);
    TURN_UNTIL(&loop, delivered == 2);
    assert(w[1].op.status == CURIA_ECANCELLED && w[2].op.status == CURIA_ETIMEOUT);
    curia__signal_notify(&signal, 0);
    curia__signal_notify(&signal, CURIA_EIO);
    TURN_UNTIL(&loop, delivered == 4);
    assert(w[0].op.status == 0 && w[3].op.status == 0 && !signal.first && !signal.last);
    assert(loop.clock.count == 0);
    curia__wait_start(&w[0], &loop, NULL, NULL, 1);
    TURN_UNTIL(&loop, delivered == 5);
    assert(w[0].op.status == 0); /* a sleep that is over is no time-out */
    close_loop(&loop);
}

typedef struct {
    curia__service service; /* first member */
    int flushed, closed;
} counter;

static int closed_order;

static void flush(curia__service *s) {
    ((counter *)s)->flushed++;
}

static void close_service(curia__service *s) {
    ((counter *)s)->closed = ++closed_order;
}

static void test_services(void) {
    curia__loop loop;
    counter a = {{"a", flush, close_service, NULL}, 0, 0};
    counter b = {{"b", NULL, close_service, NULL}, 0, 0};
    curia__wait w = {0};
    assert(curia__loop_init(&loop, NULL, count, NULL) == 0);
    curia__loop_add_service(&loop, &a.service);
    curia__loop_add_service(&loop, &b.service);
    curia__wait_start(&w, &loop, NULL, NULL, -1);
    curia__op_complete(&w.op, 0);
    curia__loop_turn(&loop, false);
    assert(a.flushed == 1);
    close_loop(&loop);
    assert(b.closed == 1 && a.closed == 2);
}

static int turn_inside;

static void turn_in_delivery(curia__op *op, void *host) {
    (void)host;
    turn_inside = curia__loop_turn(op->loop, false);
}

static void test_no_reentry(void) {
    curia__loop loop;
    curia__wait w = {0};
    assert(curia__loop_init(&loop, NULL, turn_in_delivery, NULL) == 0);
    curia__wait_start(&w, &loop, NULL, NULL, -1);
    curia__op_complete(&w.op, 0);
    curia__loop_turn(&loop, false);
    assert(turn_inside == CURIA_EBUSY);
    close_loop(&loop);
}

/* A borrowed loop is run by its owner; idle, Curia does not keep it alive. */
static void test_borrowed(void) {
    uv_loop_t uv;
    curia__loop loop;
    curia__wait w = {0};
    delivered = 0;
    uv_loop_init(&uv);
    assert(curia__loop_init(&loop, &uv, count, NULL) == 0);
    assert(!uv_loop_alive(&uv));
    curia__wait_start(&w, &loop, NULL, NULL, 5);
    assert(uv_loop_alive(&uv));
    uv_run(&uv, UV_RUN_DEFAULT);
    assert(delivered == 1);
    assert(curia__loop_close(&loop, 100, NULL) == 0);
    uv_run(&uv, UV_RUN_DEFAULT);
    assert(curia__loop_deinit(&loop, NULL) == 0);
    assert(uv_loop_close(&uv) == 0);
}

static void nothing(uv_timer_t *timer) {
    (void)timer;
}

/* Handles that others have left are closed with an owned loop. */
static void test_foreign_handles(void) {
    curia__loop loop;
    uv_timer_t active, idle;
    assert(curia__loop_init(&loop, NULL, count, NULL) == 0);
    uv_timer_init(loop.uv, &active);
    uv_timer_init(loop.uv, &idle);
    uv_timer_start(&active, nothing, 1000000, 0);
    close_loop(&loop);
}

int main(void) {
    test_order_and_once();
    test_snapshot();
    test_signal();
    test_services();
    test_no_reentry();
    test_borrowed();
    test_foreign_handles();
    return 0;
}
