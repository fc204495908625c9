/* The clock service: all timers and all reading of time of one loop.
 *
 * Timers are intrusive and sit in one heap behind one uv_timer_t. libuv runs due timers before it
 * polls, so a timer that is due is only marked; it fires after the sockets have been polled once
 * more (curia__clock_fire_due, called by the loop), so that a stalled loop or a suspended process
 * does not throw a waiting answer away (SPEC 10).
 *
 * A virtual clock stands still until curia__clock_advance moves it: tests of time-outs and back-off
 * take no time. Loop thread only.
 */
#ifndef CURIA_CLOCK_H
#define CURIA_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

typedef struct curia__clock curia__clock;
typedef struct curia__timer curia__timer;

/* Fills its operation in and queues it; may start and stop timers; touches no Lua. */
typedef void (*curia__timer_fn)(curia__timer *timer);

struct curia__timer {
    curia__timer_fn fire;
    uint64_t due_ms;           /* on the clock's own scale */
    uint64_t order;            /* of starting: decides between equal times */
    size_t place;              /* heap place + 1; 0: not in the heap */
    curia__timer *next, *prev; /* among the due ones */
    bool due;                  /* marked, fires after the next poll */
    bool background;           /* does not keep the loop alive */
};

struct curia__clock {
    uv_loop_t *uv;
    uv_timer_t *handle; /* own allocation: freed by its close callback */
    curia__timer **heap;
    size_t count, capacity;
    bool open;         /* takes timers */
    uint64_t starts;   /* how many timers were ever started */
    size_t foreground; /* timers that keep the loop alive, due ones included */
    curia__timer *due_first, *due_last;
    uint64_t armed_ms; /* when the uv timer goes off; UINT64_MAX: it is stopped */
    bool is_virtual;
    uint64_t virtual_ms;
    double wall_base_ms;                 /* Unix time at virtual time 0 */
    void (*on_due)(void *), *on_due_arg; /* tells the loop that a poll must not block */
};

/* on_due is called when timers have become due. Returns 0 or CURIA_ENOMEM. */
int curia__clock_init(curia__clock *c, uv_loop_t *uv, void (*on_due)(void *), void *arg);

/* A clock that is nobody's but its owner's: virtual from 0 on, behind no loop, until it is moved. */
void curia__clock_init_own(curia__clock *c);

/* Forgets all timers without firing them and closes the handle (asynchronously). */
void curia__clock_deinit(curia__clock *c);

/* Monotonic milliseconds, cached per loop turn. */
uint64_t curia__clock_ms(curia__clock *c);
/* Monotonic microseconds, read now. */
uint64_t curia__clock_us(curia__clock *c);
/* Unix milliseconds, UTC, read now. */
double curia__clock_wall_ms(curia__clock *c);

/* Starts or restarts `timer` to fire in delay_ms; what is due at the same time fires in the order of
 * starting. Returns 0, CURIA_ENOMEM or CURIA_ECLOSED. */
int curia__timer_start(curia__clock *c, curia__timer *timer, uint64_t delay_ms, curia__timer_fn fn);
/* Idempotent; also takes back a timer that is due and has not fired. */
void curia__timer_stop(curia__clock *c, curia__timer *timer);
bool curia__timer_active(const curia__timer *timer);

/* Fires what was marked before this call. Called by the loop after it polled. */
void curia__clock_fire_due(curia__clock *c);

/* Switches to virtual time, or back. Only while no timer keeps the loop alive (else CURIA_EBUSY).
 * Background timers keep the time at which they are due, on the scale that begins. */
int curia__clock_set_virtual(curia__clock *c, bool on);
/* Says what Unix time it is, in ms, on a clock that is virtual. */
void curia__clock_set_wall(curia__clock *c, double wall_ms);
/* Moves virtual time and marks what has become due. */
void curia__clock_advance(curia__clock *c, uint64_t ms);
/* Moves virtual time alone: what has become due is marked when time moves on by curia__clock_advance. */
void curia__clock_set_ms(curia__clock *c, uint64_t ms);
/* Milliseconds until the next timer; -1: there is none; 0: one is due. */
int64_t curia__clock_next_ms(curia__clock *c);

#endif
