/* The watchdog: notices code that holds the loop for too long. One per loop thread, optional.
 *
 * A thread of its own sleeps while nothing runs and otherwise looks a few times per limit whether
 * the same delivery still runs; then it sends SIGUSR2 to the loop's thread, and the handler calls
 * `interrupt` there, on whatever it was doing. `interrupt` must be async-signal-safe (bindings/ sets
 * a debug hook, as lua.c does on Ctrl-C). Entering and leaving cost a few atomic operations; leaving
 * one that was started meanwhile is harmless.
 *
 * It takes a process-wide signal, for good, so only the program uses it, or a host that asks for it.
 */
#ifndef CURIA_WATCHDOG_H
#define CURIA_WATCHDOG_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct curia__watchdog curia__watchdog;

struct curia__watchdog {
    uint64_t limit_ms;
    void (*interrupt)(void *arg);
    void *arg;
    pthread_t thread, target;
    sem_t wake;
    _Atomic uint64_t entered; /* counts deliveries */
    atomic_bool inside;       /* one runs */
    _Atomic uint64_t suspect; /* the delivery that the signal is meant for */
    atomic_bool asleep, stop;
};

/* Starts watching the calling thread. Returns 0, CURIA_EBUSY when this thread is watched already,
 * or CURIA_ENOMEM. */
int curia__watchdog_start(curia__watchdog *w, uint64_t limit_ms, void (*interrupt)(void *),
                          void *arg);
/* Ends the thread; idempotent. */
void curia__watchdog_stop(curia__watchdog *w);

static inline void curia__watchdog_enter(curia__watchdog *w) {
    if (!w) return;
    atomic_fetch_add(&w->entered, 1);
    atomic_store(&w->inside, true);
    if (atomic_load(&w->asleep)) sem_post(&w->wake);
}

static inline void curia__watchdog_leave(curia__watchdog *w) {
    if (w) atomic_store(&w->inside, false);
}

static inline uint64_t curia__watchdog_limit(const curia__watchdog *w) {
    return w ? w->limit_ms : 0;
}

#endif
