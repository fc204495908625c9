#include "watchdog.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "error.h"

/* Read by the signal handler, on any thread: in a shared library the usual model may allocate at a
 * thread's first access. */
static _Thread_local curia__watchdog *watching __attribute__((tls_model("initial-exec")));

/* A signal that comes late, when its delivery is over, must not hit the next one. */
static void on_signal(int number) {
    (void)number;
    int saved = errno;
    curia__watchdog *w = watching;
    if (w && atomic_load(&w->inside) && atomic_load(&w->entered) == atomic_load(&w->suspect))
        w->interrupt(w->arg);
    errno = saved;
}

static void take_signal(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGUSR2, &action, NULL);
}

/* The signal is taken anew: a script that listened to it (luv) would end the process or go on. */
static void strike(curia__watchdog *w, uint64_t delivery) {
    take_signal();
    atomic_store(&w->suspect, delivery);
    pthread_kill(w->target, SIGUSR2);
}

/* Sleeps for one tick; stopping wakes it, so that nobody waits for a watchdog to end. */
static void sleep_tick(curia__watchdog *w, uint64_t ms) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t ns = (uint64_t)until.tv_nsec + ms % 1000 * 1000000;
    until.tv_sec += (time_t)(ms / 1000 + ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    sem_clockwait(&w->wake, CLOCK_MONOTONIC, &until);
}

/* Sleeps for good until somebody enters. `asleep` is set before `inside` is read, and `inside` is set
 * before `asleep` is read (curia__watchdog_enter): one of the two sees it. */
static void sleep_until_entered(curia__watchdog *w) {
    atomic_store(&w->asleep, true);
    while (!atomic_load(&w->inside) && !atomic_load(&w->stop))
        sem_wait(&w->wake);
    atomic_store(&w->asleep, false);
    while (sem_trywait(&w->wake) == 0) {
    }
}

static void *watch(void *arg) {
    curia__watchdog *w = arg;
    uint64_t tick = w->limit_ms / 8 ? w->limit_ms / 8 : 1;
    uint64_t seen = 0, held = 0, quiet = 0;
    while (!atomic_load(&w->stop)) {
        sleep_tick(w, tick);
        uint64_t now = atomic_load(&w->entered);
        bool inside = atomic_load(&w->inside);
        held = now == seen && inside ? held + tick : 0;
        quiet = now == seen && !inside ? quiet + 1 : 0;
        seen = now;
        if (held >= w->limit_ms) strike(w, now);
        if (quiet > 8) sleep_until_entered(w);
    }
    return NULL;
}

int curia__watchdog_start(curia__watchdog *w, uint64_t limit_ms, void (*interrupt)(void *),
                          void *arg) {
    if (watching) return CURIA_EBUSY;
    w->limit_ms = limit_ms;
    w->interrupt = interrupt;
    w->arg = arg;
    w->target = pthread_self();
    sem_init(&w->wake, 0, 0);
    take_signal();
    watching = w;
    if (pthread_create(&w->thread, NULL, watch, w) == 0) return 0;
    watching = NULL;
    sem_destroy(&w->wake);
    return CURIA_ENOMEM;
}

void curia__watchdog_stop(curia__watchdog *w) {
    if (watching != w) return;
    atomic_store(&w->stop, true);
    sem_post(&w->wake);
    pthread_join(w->thread, NULL);
    watching = NULL;
    sem_destroy(&w->wake);
}
