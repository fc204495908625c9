#include "clock.h"

#include <stdlib.h>
#include <time.h>

#include "error.h"

#define STOPPED UINT64_MAX

static bool earlier(const curia__timer *a, const curia__timer *b) {
    return a->due_ms < b->due_ms || (a->due_ms == b->due_ms && a->order < b->order);
}

static void put(curia__clock *c, size_t i, curia__timer *t) {
    c->heap[i] = t;
    t->place = i + 1;
}

static void sift_up(curia__clock *c, size_t i, curia__timer *t) {
    while (i > 0 && earlier(t, c->heap[(i - 1) / 2])) {
        put(c, i, c->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    put(c, i, t);
}

static void sift_down(curia__clock *c, size_t i, curia__timer *t) {
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= c->count) break;
        if (child + 1 < c->count && earlier(c->heap[child + 1], c->heap[child])) child++;
        if (!earlier(c->heap[child], t)) break;
        put(c, i, c->heap[child]);
        i = child;
    }
    put(c, i, t);
}

static void heap_remove(curia__clock *c, curia__timer *t) {
    size_t i = t->place - 1;
    curia__timer *last = c->heap[--c->count];
    t->place = 0;
    if (last == t) return;
    if (i > 0 && earlier(last, c->heap[(i - 1) / 2]))
        sift_up(c, i, last);
    else
        sift_down(c, i, last);
}

static int heap_insert(curia__clock *c, curia__timer *t) {
    if (c->count == c->capacity) {
        size_t capacity = c->capacity ? c->capacity * 2 : 64;
        curia__timer **heap = realloc(c->heap, capacity * sizeof *heap);
        if (!heap) return CURIA_ENOMEM;
        c->heap = heap;
        c->capacity = capacity;
    }
    sift_up(c, c->count++, t);
    return 0;
}

static void due_append(curia__clock *c, curia__timer *t) {
    t->due = true;
    t->next = NULL;
    t->prev = c->due_last;
    if (c->due_last)
        c->due_last->next = t;
    else
        c->due_first = t;
    c->due_last = t;
}

static void due_unlink(curia__clock *c, curia__timer *t) {
    if (t->prev)
        t->prev->next = t->next;
    else
        c->due_first = t->next;
    if (t->next)
        t->next->prev = t->prev;
    else
        c->due_last = t->prev;
    t->due = false;
}

static void count_foreground(curia__clock *c, const curia__timer *t, int by) {
    if (t->background) return;
    c->foreground += (size_t)by;
    if (!c->handle) return;
    if (c->foreground)
        uv_ref((uv_handle_t *)c->handle);
    else
        uv_unref((uv_handle_t *)c->handle);
}

static void on_uv_timer(uv_timer_t *handle);

/* The uv timer may go off early (its timer was stopped meanwhile), never late. */
static void arm(curia__clock *c) {
    if (c->is_virtual || c->count == 0) return;
    uint64_t first = c->heap[0]->due_ms;
    if (first >= c->armed_ms) return;
    uint64_t now = uv_now(c->uv);
    c->armed_ms = first;
    uv_timer_start(c->handle, on_uv_timer, first > now ? first - now : 0, 0);
}

static void mark_due(curia__clock *c) {
    uint64_t now = curia__clock_ms(c);
    bool any = false;
    while (c->count && c->heap[0]->due_ms <= now) {
        curia__timer *t = c->heap[0];
        heap_remove(c, t);
        due_append(c, t);
        any = true;
    }
    if (any && c->on_due) c->on_due(c->on_due_arg);
}

static void on_uv_timer(uv_timer_t *handle) {
    curia__clock *c = handle->data;
    c->armed_ms = STOPPED;
    mark_due(c);
    arm(c);
}

int curia__clock_init(curia__clock *c, uv_loop_t *uv, void (*on_due)(void *), void *arg) {
    *c = (curia__clock){.uv = uv, .armed_ms = STOPPED, .on_due = on_due, .on_due_arg = arg};
    c->handle = malloc(sizeof *c->handle);
    if (!c->handle) return CURIA_ENOMEM;
    uv_timer_init(uv, c->handle);
    uv_unref((uv_handle_t *)c->handle);
    c->handle->data = c;
    c->open = true;
    return 0;
}

void curia__clock_init_own(curia__clock *c) {
    *c = (curia__clock){.armed_ms = STOPPED, .is_virtual = true, .open = true};
}

static void on_closed(uv_handle_t *handle) {
    free(handle);
}

void curia__clock_deinit(curia__clock *c) {
    while (c->count)
        heap_remove(c, c->heap[0]);
    while (c->due_first)
        due_unlink(c, c->due_first);
    free(c->heap);
    c->heap = NULL;
    c->capacity = 0;
    c->foreground = 0;
    c->open = false;
    if (c->handle) uv_close((uv_handle_t *)c->handle, on_closed);
    c->handle = NULL;
}

uint64_t curia__clock_ms(curia__clock *c) {
    return c->is_virtual ? c->virtual_ms : uv_now(c->uv);
}

uint64_t curia__clock_us(curia__clock *c) {
    return c->is_virtual ? c->virtual_ms * 1000 : uv_hrtime() / 1000;
}

static double unix_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    int64_t ms = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
    return (double)ms;
}

double curia__clock_wall_ms(curia__clock *c) {
    return c->is_virtual ? c->wall_base_ms + (double)c->virtual_ms : unix_ms();
}

/* Read now, as code that held the loop has made the loop's own time stale. */
static uint64_t exact_ms(const curia__clock *c) {
    return c->is_virtual ? c->virtual_ms : uv_hrtime() / 1000000;
}

int curia__timer_start(curia__clock *c, curia__timer *t, uint64_t delay_ms, curia__timer_fn fn) {
    curia__timer_stop(c, t);
    if (!c->open) return CURIA_ECLOSED;
    t->fire = fn;
    t->due_ms = exact_ms(c) + delay_ms;
    t->order = c->starts++;
    int rc = heap_insert(c, t);
    if (rc) return rc;
    count_foreground(c, t, 1);
    arm(c);
    if (c->is_virtual && delay_ms == 0) mark_due(c);
    return 0;
}

void curia__timer_stop(curia__clock *c, curia__timer *t) {
    if (!curia__timer_active(t)) return;
    if (t->due)
        due_unlink(c, t);
    else
        heap_remove(c, t);
    count_foreground(c, t, -1);
}

bool curia__timer_active(const curia__timer *t) {
    return t->due || t->place;
}

void curia__clock_fire_due(curia__clock *c) {
    curia__timer *last = c->due_last; /* those marked from here on wait for another poll */
    while (c->due_first) {
        curia__timer *t = c->due_first;
        due_unlink(c, t);
        count_foreground(c, t, -1);
        bool end = t == last;
        t->fire(t);
        if (end) break;
    }
}

int curia__clock_set_virtual(curia__clock *c, bool on) {
    if (c->foreground) return CURIA_EBUSY;
    if (c->handle) uv_timer_stop(c->handle); /* else it would count as something that may happen */
    c->armed_ms = STOPPED;
    c->is_virtual = on;
    c->virtual_ms = uv_now(c->uv);
    c->wall_base_ms = unix_ms() - (double)c->virtual_ms;
    arm(c);
    return 0;
}

void curia__clock_set_wall(curia__clock *c, double wall_ms) {
    c->wall_base_ms = wall_ms - (double)c->virtual_ms;
}

void curia__clock_advance(curia__clock *c, uint64_t ms) {
    c->virtual_ms += ms;
    mark_due(c);
}

void curia__clock_set_ms(curia__clock *c, uint64_t ms) {
    c->virtual_ms = ms;
}

int64_t curia__clock_next_ms(curia__clock *c) {
    if (c->due_first) return 0;
    if (c->count == 0) return -1;
    uint64_t now = curia__clock_ms(c);
    return c->heap[0]->due_ms > now ? (int64_t)(c->heap[0]->due_ms - now) : 0;
}
