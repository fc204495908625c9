/* curia.h: making, turning and closing a runtime, and posting to it. */
#include "runtime.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"

#ifndef CURIA_VERSION
#define CURIA_VERSION "0.0.0"
#endif

enum { CLOSE_LIMIT_MS = 2000, TICK_MS = 1, MOST_TICKS = 16 };

const char *curia_version(void) {
    return CURIA_VERSION;
}

/* ---- the open runtimes ----------------------------------------------------------------------- */

/* The only thing that runtimes share: it tells a handle that was freed, and keeps a runtime alive
 * while another thread posts to it. */
static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static curia_runtime *registry;

struct curia__posted {
    void (*fn)(curia_runtime *rt, void *arg);
    void *arg;
    curia__posted *next;
};

static void add_to_registry(curia_runtime *rt) {
    pthread_mutex_lock(&registry_lock);
    rt->next = registry;
    registry = rt;
    pthread_mutex_unlock(&registry_lock);
}

/* Nobody can post from here on; returns what was posted before. */
static curia__posted *remove_from_registry(curia_runtime *rt) {
    pthread_mutex_lock(&registry_lock);
    curia_runtime **at = &registry;
    while (*at != rt)
        at = &(*at)->next;
    *at = rt->next;
    curia__posted *first = rt->posted_first;
    rt->posted_first = rt->posted_last = NULL;
    pthread_mutex_unlock(&registry_lock);
    return first;
}

static bool is_registered(const curia_runtime *rt) {
    for (const curia_runtime *known = registry; known; known = known->next)
        if (known == rt) return true;
    return false;
}

static int check_open(curia_runtime *rt) {
    pthread_mutex_lock(&registry_lock);
    bool open = is_registered(rt);
    bool own = open && pthread_equal(rt->thread, pthread_self());
    pthread_mutex_unlock(&registry_lock);
    return own ? 0 : open ? CURIA_ETHREAD : CURIA_ECLOSED;
}

int curia__runtime_check(curia_runtime *rt) {
    int rc = check_open(rt);
    return rc ? rc : rt->phase == CURIA__OPEN ? 0 : CURIA_ECLOSED;
}

/* ---- posting --------------------------------------------------------------------------------- */

static void run_posted(curia_runtime *rt, curia__posted *first) {
    while (first) {
        curia__posted *next = first->next;
        first->fn(rt, first->arg);
        free(first);
        first = next;
    }
}

static void on_wake(uv_async_t *handle) {
    curia_runtime *rt = handle->data;
    pthread_mutex_lock(&registry_lock);
    curia__posted *first = rt->posted_first;
    rt->posted_first = rt->posted_last = NULL;
    pthread_mutex_unlock(&registry_lock);
    run_posted(rt, first);
}

static bool append_posted(curia_runtime *rt, curia__posted *posted) {
    pthread_mutex_lock(&registry_lock);
    bool open = is_registered(rt);
    if (open) {
        if (rt->posted_last)
            rt->posted_last->next = posted;
        else
            rt->posted_first = posted;
        rt->posted_last = posted;
        uv_async_send(&rt->wake);
    }
    pthread_mutex_unlock(&registry_lock);
    return open;
}

int curia_post(curia_runtime *rt, void (*fn)(curia_runtime *rt, void *arg), void *arg) {
    if (!fn) return CURIA_EINVAL;
    curia__posted *posted = malloc(sizeof *posted);
    if (!posted) return CURIA_ENOMEM;
    *posted = (curia__posted){fn, arg, NULL};
    if (append_posted(rt, posted)) return 0;
    free(posted);
    return CURIA_ECLOSED;
}

/* ---- making ---------------------------------------------------------------------------------- */

void curia_options_init(curia_options *options) {
    *options =
        (curia_options){.size = sizeof *options, .states = 1, .close_limit_ms = CLOSE_LIMIT_MS};
}

/* The options as this version knows them: what the caller's does not know keeps its default. */
static int read_options(curia_options *own, const curia_options *given) {
    curia_options_init(own);
    if (!given) return 0;
    if (given->size < sizeof given->size || given->size > sizeof *own) return CURIA_EINVAL;
    memcpy(own, given, given->size);
    own->size = sizeof *own;
    return 0;
}

static void init_handles(curia_runtime *rt) {
    uv_timer_init(rt->uv, &rt->tick);
    uv_async_init(rt->uv, &rt->wake, on_wake);
    uv_unref((uv_handle_t *)&rt->wake);
    rt->tick.data = rt->wake.data = rt;
    rt->open_handles = 2;
}

static curia_runtime *new_runtime(const curia_options *options) {
    curia_runtime *rt = calloc(1, sizeof *rt);
    if (!rt) return NULL;
    rt->options = *options;
    rt->thread = pthread_self();
    rt->owned = !options->loop;
    rt->uv = rt->owned ? &rt->own : options->loop;
    if (rt->owned && uv_loop_init(&rt->own)) {
        free(rt);
        return NULL;
    }
    init_handles(rt);
    add_to_registry(rt);
    return rt;
}

static void finish_at_once(curia_runtime *rt);

int curia_new(const curia_options *options, curia_runtime **runtime) {
    if (!runtime) return CURIA_EINVAL;
    *runtime = NULL;
    curia_options own;
    if (read_options(&own, options)) return CURIA_EINVAL;
    curia_runtime *rt = new_runtime(&own);
    if (!rt) return CURIA_ENOMEM;
    int rc = 0;
    for (unsigned i = 0; !rc && i < own.states; i++)
        rc = curia__state_open(rt, NULL);
    if (rc)
        finish_at_once(rt);
    else
        *runtime = rt;
    return rc;
}

int curia_open(curia_runtime *rt, struct lua_State *L) {
    int rc = curia__runtime_check(rt);
    return rc ? rc : curia__state_open(rt, L);
}

bool curia__runtime_uses(const curia_runtime *rt, const curia__state *state) {
    if (state->isolated) return true;
    for (const curia__state *s = rt->states; s; s = s->next)
        if (s->isolated) return false;
    return true;
}

/* ---- errors and callbacks -------------------------------------------------------------------- */

int curia__runtime_fail(curia_runtime *rt, int code, const char *message, const char *json) {
    free(rt->error_message);
    free(rt->error_json);
    rt->error_message = strdup(message ? message : curia_error_text(code));
    rt->error_json = json ? strdup(json) : NULL;
    return code;
}

const char *curia_error_message(curia_runtime *rt) {
    if (check_open(rt)) return "";
    return rt->error_message ? rt->error_message : "";
}

const char *curia_error_json(curia_runtime *rt) {
    if (check_open(rt)) return "null";
    return rt->error_json ? rt->error_json : "null";
}

void curia__runtime_enter_callback(curia_runtime *rt) {
    rt->callbacks++;
}

void curia__runtime_leave_callback(curia_runtime *rt) {
    rt->callbacks--;
}

/* ---- turning --------------------------------------------------------------------------------- */

static void defer(curia_runtime *rt, bool on) {
    for (curia__state *s = rt->states; s; s = s->next)
        s->host->loop.deferred = on;
}

/* One poll. An idle loop is polled too: somebody may have posted. */
static void poll_once(curia_runtime *rt) {
    for (curia__state *s = rt->states; s; s = s->next)
        curia__loop_advance_virtual(&s->host->loop);
    uv_ref((uv_handle_t *)&rt->wake);
    uv_run(rt->uv, UV_RUN_NOWAIT);
    uv_unref((uv_handle_t *)&rt->wake);
}

/* The state that was served first goes to the end of the line. */
static void rotate(curia_runtime *rt) {
    curia__state *first = rt->states;
    if (!first || !first->next) return;
    curia__state **end = &first->next;
    while (*end)
        end = &(*end)->next;
    rt->states = first->next;
    first->next = NULL;
    *end = first;
}

static bool is_over(uint64_t until_ns) {
    return until_ns != UINT64_MAX && uv_hrtime() >= until_ns;
}

/* These two return whether there was something to do. */
static bool read_sockets(curia_runtime *rt, uint64_t until_ns) {
    bool any = false;
    for (curia__state *s = rt->states; s; s = s->next) {
        if (!s->host->loop.chores_first) continue;
        any = true;
        curia__loop_do_chores(&s->host->loop, until_ns);
        if (is_over(until_ns)) break;
    }
    return any;
}

static bool resume_ready(curia_runtime *rt, uint64_t until_ns) {
    bool any = false;
    for (curia__state *s = rt->states; s; s = s->next) {
        if (!s->host->loop.ready_first) continue;
        any = true;
        curia__loop_drain(&s->host->loop, until_ns);
        if (is_over(until_ns)) break;
    }
    return any;
}

/* What becomes ready meanwhile is resumed too while there is time. */
static bool resume_until(curia_runtime *rt, uint64_t until_ns) {
    bool any = false;
    while (resume_ready(rt, until_ns)) {
        any = true;
        if (is_over(until_ns)) break;
    }
    return any;
}

/* In turns one kind of work goes first, and the other comes only where half of the budget is left:
 * the first of a kind costs far more than the next, whose code and data are in the caches then. What
 * a socket has is read later in larger pieces, which cost less. */
static void work_within(curia_runtime *rt, uint64_t from_ns, uint64_t budget_ns) {
    bool (*first)(curia_runtime *, uint64_t) = rt->sockets_first ? read_sockets : resume_until;
    bool (*second)(curia_runtime *, uint64_t) = rt->sockets_first ? resume_until : read_sockets;
    rt->sockets_first = !rt->sockets_first;
    rt->until_ns = from_ns + budget_ns;
    if (!first(rt, rt->until_ns) || !is_over(from_ns + budget_ns / 2)) second(rt, rt->until_ns);
    rt->until_ns = 0;
}

static void work(curia_runtime *rt, uint64_t from_ns, uint64_t budget_ns) {
    if (budget_ns) {
        work_within(rt, from_ns, budget_ns);
    } else {
        read_sockets(rt, UINT64_MAX);
        resume_ready(rt, UINT64_MAX);
    }
    rotate(rt);
}

static bool is_alive(const curia_runtime *rt) {
    if (rt->phase != CURIA__OPEN || uv_loop_alive(rt->uv)) return true;
    for (const curia__state *s = rt->states; s; s = s->next)
        if (curia__loop_alive(&s->host->loop)) return true;
    return false;
}

static void finish(curia_runtime *rt);

int curia_step(curia_runtime *rt, unsigned budget_us) {
    int rc = check_open(rt);
    if (rc) return rc;
    if (!rt->owned) return CURIA_EBORROWED;
    if (rt->turning || rt->callbacks) return CURIA_EBUSY;
    uint64_t from_ns = uv_hrtime();
    rt->turning = true;
    defer(rt, true);
    poll_once(rt);
    defer(rt, false);
    work(rt, from_ns, (uint64_t)budget_us * 1000);
    rt->turning = false;
    if (!rt->open_handles) {
        finish(rt);
        return CURIA_ECLOSED;
    }
    return is_alive(rt);
}

static int check_own_loop(curia_runtime *rt) {
    int rc = check_open(rt);
    return rc ? rc : rt->owned ? 0 : CURIA_EBORROWED;
}

int curia_fd(curia_runtime *rt) {
    int rc = check_own_loop(rt);
    return rc ? rc : uv_backend_fd(rt->uv);
}

static bool has_ready(const curia_runtime *rt) {
    for (const curia__state *s = rt->states; s; s = s->next)
        if (s->host->loop.ready_first || s->host->loop.chores_first ||
            s->host->loop.clock.due_first)
            return true;
    return false;
}

/* As of a loop that waits for posts: else libuv would say 0 for one that is idle. */
int curia_timeout_ms(curia_runtime *rt) {
    if (check_own_loop(rt)) return 0;
    if (has_ready(rt) || uv_is_closing((uv_handle_t *)&rt->wake)) return 0;
    if (!rt->turning) uv_update_time(rt->uv);
    uv_ref((uv_handle_t *)&rt->wake);
    int timeout_ms = uv_backend_timeout(rt->uv);
    uv_unref((uv_handle_t *)&rt->wake);
    return timeout_ms;
}

/* ---- closing --------------------------------------------------------------------------------- */

static void free_runtime(curia_runtime *rt) {
    free(rt->text);
    free(rt->error_message);
    free(rt->error_json);
    free(rt);
}

/* Its handles are closed: the last that happens. */
static void finish(curia_runtime *rt) {
    run_posted(rt, remove_from_registry(rt));
    bool in_use =
        rt->owned && uv_loop_close(rt->uv) == UV_EBUSY; /* a foreign handle: its memory must stay */
    if (rt->on_closed) rt->on_closed(rt->on_closed_arg, in_use ? CURIA_ETIMEOUT : rt->status);
    if (!in_use) free_runtime(rt);
}

/* On an own loop curia_step finishes, as the loop must not be closed while it turns. */
static void on_handle_closed(uv_handle_t *handle) {
    curia_runtime *rt = handle->data;
    if (--rt->open_handles == 0 && !rt->owned) finish(rt);
}

static void close_runtime_handles(curia_runtime *rt) {
    uv_close((uv_handle_t *)&rt->wake, on_handle_closed);
    uv_close((uv_handle_t *)&rt->tick, on_handle_closed);
}

static void free_states(curia_runtime *rt) {
    while (rt->states) {
        curia__state *state = rt->states;
        rt->states = state->next;
        curia__state_free(state);
    }
}

/* Every handle on an own loop that is not the runtime's; its owner, if it has one, frees it as it
 * sees that it is closed. */
static void close_foreign(uv_handle_t *handle, void *arg) {
    curia_runtime *rt = arg;
    bool own = handle == (uv_handle_t *)&rt->wake || handle == (uv_handle_t *)&rt->tick;
    if (!own && !uv_is_closing(handle)) uv_close(handle, NULL);
}

static void count_handle(uv_handle_t *handle, void *count) {
    (void)handle;
    ++*(unsigned *)count;
}

static bool has_foreign(curia_runtime *rt) {
    unsigned count = 0;
    uv_walk(rt->uv, count_handle, &count);
    return count > 2;
}

static bool is_late(const curia_runtime *rt) {
    return uv_hrtime() / 1000000 >= rt->end_ms;
}

/* Each of these says whether its phase is over. */
static bool tasks_have_ended(curia_runtime *rt) {
    bool quiet = true;
    for (curia__state *s = rt->states; s; s = s->next)
        quiet = quiet && curia__loop_is_quiet(&s->host->loop);
    if (!quiet && !is_late(rt)) return false;
    if (!quiet) rt->status = CURIA_ETIMEOUT;
    for (curia__state *s = rt->states; s; s = s->next)
        curia__loop_close_services(&s->host->loop);
    return true;
}

static bool services_have_ended(curia_runtime *rt) {
    bool ready = false;
    for (curia__state *s = rt->states; s; s = s->next)
        ready = ready || s->host->loop.ready_first || s->host->loop.ending;
    if (ready && rt->ticks < MOST_TICKS) return false;
    for (curia__state *s = rt->states; s; s = s->next)
        curia__loop_close_own_handles(&s->host->loop);
    return true;
}

static bool handles_have_ended(curia_runtime *rt) {
    if (rt->owned && has_foreign(rt) && rt->ticks < rt->options.close_limit_ms) {
        uv_walk(rt->uv, close_foreign, rt);
        return false;
    }
    free_states(rt);
    close_runtime_handles(rt);
    return true;
}

static void on_tick(uv_timer_t *handle) {
    static bool (*const ended[])(curia_runtime *) = {
        [CURIA__ENDS_TASKS] = tasks_have_ended,
        [CURIA__ENDS_SERVICES] = services_have_ended,
        [CURIA__ENDS_HANDLES] = handles_have_ended,
    };
    curia_runtime *rt = handle->data;
    rt->ticks++;
    while (rt->phase < CURIA__ENDS_LOOP && ended[rt->phase](rt)) {
        rt->phase++;
        rt->ticks = 0;
    }
}

int curia_close(curia_runtime *rt, void (*on_closed)(void *arg, int status), void *arg) {
    int rc = curia__runtime_check(rt);
    if (rc) return rc;
    if (rt->callbacks) return CURIA_EBUSY;
    rt->phase = CURIA__ENDS_TASKS;
    rt->on_closed = on_closed;
    rt->on_closed_arg = arg;
    rt->end_ms = uv_hrtime() / 1000000 + rt->options.close_limit_ms;
    for (curia__state *s = rt->states; s; s = s->next)
        curia__loop_begin_close(&s->host->loop);
    uv_timer_start(&rt->tick, on_tick, 0, TICK_MS);
    return 0;
}

/* The end of a runtime that nobody has seen: nothing is under way in it. A borrowed loop closes its
 * handles with its next turn. */
static void finish_at_once(curia_runtime *rt) {
    for (curia__state *s = rt->states; s; s = s->next) {
        curia__loop_begin_close(&s->host->loop);
        curia__loop_close_services(&s->host->loop);
        curia__loop_close_own_handles(&s->host->loop);
    }
    free_states(rt);
    rt->phase = CURIA__ENDS_LOOP;
    close_runtime_handles(rt);
    if (!rt->owned) return;
    uv_run(rt->uv, UV_RUN_DEFAULT);
    finish(rt);
}
