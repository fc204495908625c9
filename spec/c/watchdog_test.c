/* The watchdog: it strikes what holds the loop, nothing else, and sleeps meanwhile. */
#include "loop_support.h"

#include <signal.h>
#include <time.h>

#include "watchdog.h"

enum { LIMIT_MS = 40 };

static _Thread_local volatile int interrupts;

static void interrupt(void *arg) {
    (void)arg;
    interrupts++;
}

static void pause_ms(long ms) {
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&t, &t)) {
    }
}

static double now_s(void) {
    return (double)uv_hrtime() / 1e9;
}

/* Holds the loop until the watchdog strikes. Returns the seconds that it took. */
static double hold(curia__watchdog *w) {
    double started = now_s();
    interrupts = 0;
    curia__watchdog_enter(w);
    while (!interrupts && now_s() - started < 5)
        pause_ms(1);
    curia__watchdog_leave(w);
    return now_s() - started;
}

static void test_strikes(void) {
    curia__watchdog w = {0};
    assert(curia__watchdog_start(&w, LIMIT_MS, interrupt, NULL) == 0);
    for (int i = 0; i < 3; i++) {
        double took = hold(&w);
        assert(took > LIMIT_MS / 1e3 * 0.8 && took < 20);
    }
    pause_ms(10 * LIMIT_MS); /* quiet: it falls asleep, and wakes for the next */
    assert(atomic_load(&w.asleep));
    assert(hold(&w) < 20);
    curia__watchdog_stop(&w);
    curia__watchdog_stop(&w);
}

static void test_leaves_alone(void) {
    curia__watchdog w = {0};
    assert(curia__watchdog_start(&w, LIMIT_MS, interrupt, NULL) == 0);
    interrupts = 0;
    for (double till = now_s() + 5 * LIMIT_MS / 1e3; now_s() < till;) {
        curia__watchdog_enter(&w);
        pause_ms(1);
        curia__watchdog_leave(&w);
    }
    pause_ms(3 * LIMIT_MS);
    assert(interrupts == 0);
    curia__watchdog_stop(&w);
}

/* A signal that comes when its delivery is over must not hit the next one. */
static void test_late_signal(void) {
    curia__watchdog w = {0};
    assert(curia__watchdog_start(&w, 10000, interrupt, NULL) == 0);
    interrupts = 0;
    curia__watchdog_enter(&w);
    atomic_store(&w.suspect, atomic_load(&w.entered));
    curia__watchdog_leave(&w);
    curia__watchdog_enter(&w);
    raise(SIGUSR2);
    assert(interrupts == 0);
    atomic_store(&w.suspect, atomic_load(&w.entered));
    raise(SIGUSR2);
    assert(interrupts == 1);
    curia__watchdog_leave(&w);
    curia__watchdog_stop(&w);
    raise(SIGUSR2); /* nobody watches any more */
    assert(interrupts == 1);
}

static void *watched_thread(void *arg) {
    (void)arg;
    curia__watchdog w = {0}, second = {0};
    assert(curia__watchdog_start(&w, LIMIT_MS, interrupt, NULL) == 0);
    assert(curia__watchdog_start(&second, LIMIT_MS, interrupt, NULL) == CURIA_EBUSY);
    assert(hold(&w) < 20);
    curia__watchdog_stop(&w);
    return NULL;
}

static void test_threads(void) {
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert(pthread_create(&threads[i], NULL, watched_thread, NULL) == 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

static void test_none(void) {
    curia__watchdog_enter(NULL);
    curia__watchdog_leave(NULL);
    assert(curia__watchdog_limit(NULL) == 0);
}

static void test_start_and_stop(void) {
    for (int i = 0; i < 200; i++) {
        curia__watchdog w = {0};
        assert(curia__watchdog_start(&w, 1 + (uint64_t)i % 3, interrupt, NULL) == 0);
        curia__watchdog_enter(&w);
        curia__watchdog_leave(&w);
        curia__watchdog_stop(&w);
    }
}

int main(void) {
    test_strikes();
    test_leaves_alone();
    test_late_signal();
    test_threads();
    test_none();
    test_start_and_stop();
    return 0;
}
