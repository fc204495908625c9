/* The clock: order, restarting, stopping, due timers after a poll, virtual time. */
#include "loop_support.h"

enum { COUNT = 2000 };

typedef struct {
    curia__timer timer; /* first member */
    int number;
} numbered;

static int fired[COUNT], fired_count;
static curia__loop loop;
static curia__clock *const clk = &loop.clock;

static void note(curia__timer *timer) {
    fired[fired_count++] = ((numbered *)timer)->number;
}

static void start(numbered *n, int number, uint64_t ms) {
    n->number = number;
    assert(curia__timer_start(clk, &n->timer, ms, note) == 0);
}

static void reset(bool is_virtual) {
    fired_count = 0;
    assert(curia__clock_set_virtual(clk, is_virtual) == 0);
}

static void turn(int times) {
    for (int i = 0; i < times; i++)
        curia__loop_turn(&loop, false);
}

static void test_order(void) {
    static numbered n[COUNT];
    reset(true);
    for (int i = 0; i < COUNT; i++)
        start(&n[i], i, 1 + (uint64_t)(i * 7919 % 100));
    curia__clock_advance(clk, 200);
    turn(1);
    assert(fired_count == COUNT);
    for (int i = 1; i < COUNT; i++) {
        int before = fired[i - 1] * 7919 % 100, now = fired[i] * 7919 % 100;
        assert(before < now || (before == now && fired[i - 1] < fired[i]));
    }
    assert(clk->foreground == 0 && curia__clock_next_ms(clk) == -1);
}

static void test_stop_and_restart(void) {
    numbered a = {0}, b = {0}, c = {0};
    reset(true);
    start(&a, 1, 10);
    start(&b, 2, 20);
    start(&c, 3, 30);
    curia__timer_stop(clk, &b.timer);
    curia__timer_stop(clk, &b.timer);
    assert(!curia__timer_active(&b.timer));
    start(&a, 1, 40);
    curia__clock_advance(clk, 35);
    turn(1);
    assert(fired_count == 1 && fired[0] == 3);
    curia__clock_advance(clk, 5);
    turn(1);
    assert(fired_count == 2 && fired[1] == 1);
    assert(clk->foreground == 0);
}

/* A timer that is due and has not fired can still be taken back, or started anew. */
static void test_stop_when_due(void) {
    numbered a = {0}, b = {0};
    reset(true);
    start(&a, 1, 10);
    start(&b, 2, 10);
    curia__clock_advance(clk, 10);
    assert(a.timer.due && b.timer.due && fired_count == 0);
    curia__timer_stop(clk, &a.timer);
    start(&b, 2, 10);
    turn(1);
    assert(fired_count == 0 && clk->count == 1);
    curia__clock_advance(clk, 10);
    turn(1);
    assert(fired_count == 1 && fired[0] == 2);
}

static numbered again;
static int again_left;

static void start_again(curia__timer *timer) {
    note(timer);
    if (again_left-- > 0) curia__timer_start(clk, timer, 0, start_again);
}

/* One that starts itself with 0 ms fires once per turn: sockets come between (MEASURED 12). */
static void test_no_starving(bool is_virtual) {
    reset(is_virtual);
    again_left = 3;
    again.number = 9;
    assert(curia__timer_start(clk, &again.timer, 0, start_again) == 0);
    for (int i = 1; i <= 4; i++) {
        uint64_t turns = loop.turns;
        TURN_UNTIL(&loop, fired_count == i);
        assert(loop.turns > turns);
    }
    turn(3);
    assert(fired_count == 4);
}

static int pipe_first;
static numbered late;

static void on_readable(uv_poll_t *handle, int status, int events) {
    (void)status;
    (void)events;
    pipe_first = fired_count == 0 ? 1 : -1;
    curia__timer_stop(clk, &late.timer);
    uv_poll_stop(handle);
}

/* libuv runs due timers before it polls; ours wait for the poll, so that what has arrived while the
 * loop was held is seen before the deadline (SPEC 10). */
static void test_due_after_poll(void) {
    int ends[2];
    uv_poll_t poll;
    reset(false);
    assert(pipe(ends) == 0);
    uv_poll_init(loop.uv, &poll, ends[0]);
    uv_poll_start(&poll, UV_READABLE, on_readable);
    start(&late, 1, 5);
    uv_sleep(20);
    assert(write(ends[1], "x", 1) == 1);
    TURN_UNTIL(&loop, pipe_first);
    turn(3);
    assert(pipe_first == 1 && fired_count == 0);
    uv_close((uv_handle_t *)&poll, NULL);
    turn(2);
    close(ends[0]);
    close(ends[1]);
}

static void test_real_time(void) {
    numbered a = {0}, b = {0};
    reset(false);
    uint64_t started = uv_hrtime();
    start(&b, 2, 30);
    start(&a, 1, 5);
    assert(curia__clock_set_virtual(clk, true) == CURIA_EBUSY);
    while (fired_count < 2)
        assert(curia__loop_turn(&loop, true) >= 0);
    double ms = (double)(uv_hrtime() - started) / 1e6;
    assert(fired[0] == 1 && fired[1] == 2 && ms > 27 && ms < 2000);
}

/* A timer counts from now, also when the loop has been held since it last looked at the time. */
static void test_stale_loop_time(void) {
    numbered a = {0};
    reset(false);
    turn(1);
    uv_sleep(40);
    uint64_t started = uv_hrtime();
    start(&a, 1, 20);
    TURN_UNTIL(&loop, fired_count == 1);
    assert((double)(uv_hrtime() - started) / 1e6 > 17);
}

static void test_background(void) {
    numbered a = {0};
    reset(false);
    a.timer.background = true;
    start(&a, 1, 50);
    assert(curia__loop_turn(&loop, true) == 0);
    start(&a, 1, 0);
    curia__timer_stop(clk, &a.timer);
}

/* A background timer does not hinder a change of clocks, and virtual time does not move for it alone. */
static void test_background_virtual(void) {
    numbered a = {0}, b = {0};
    reset(false);
    a.timer.background = true;
    start(&a, 1, 50);
    assert(curia__clock_set_virtual(clk, true) == 0);
    uint64_t before = curia__clock_ms(clk);
    assert(curia__loop_turn(&loop, true) == 0);
    assert(curia__clock_ms(clk) == before);
    start(&b, 2, 1000);
    TURN_UNTIL(&loop, fired_count == 2);
    assert(fired[0] == 1 && fired[1] == 2);
    reset(false);
}

static void test_virtual_jumps(void) {
    numbered a = {0};
    reset(true);
    uint64_t before = curia__clock_ms(clk);
    double wall = curia__clock_wall_ms(clk);
    start(&a, 1, 86400000);
    TURN_UNTIL(&loop, fired_count == 1);
    assert(curia__clock_ms(clk) - before == 86400000);
    assert(curia__clock_wall_ms(clk) - wall == 86400000);
    assert(curia__clock_us(clk) == curia__clock_ms(clk) * 1000);
    curia__clock_set_wall(clk, 5000);
    assert(curia__clock_wall_ms(clk) == 5000 && curia__clock_ms(clk) - before == 86400000);
    reset(false);
}

static void test_closed(void) {
    numbered a = {0};
    start(&a, 1, 1000);
    close_loop(&loop);
    assert(fired_count == 0);
    assert(curia__timer_start(clk, &a.timer, 1, note) == CURIA_ECLOSED);
}

int main(void) {
    assert(curia__loop_init(&loop, NULL, NULL, NULL) == 0);
    test_order();
    test_stop_and_restart();
    test_stop_when_due();
    test_no_starving(true);
    test_no_starving(false);
    test_due_after_poll();
    test_real_time();
    test_stale_loop_time();
    test_background();
    test_background_virtual();
    test_virtual_jumps();
    test_closed();
    return 0;
}
