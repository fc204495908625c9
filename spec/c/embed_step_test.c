/* Turning the loop: budgets, a poll loop of the host's, a borrowed uv loop, and the order of
 * states. */
#include <poll.h>

#include "embed_support.h"

static int events_told;

static void count_event(void *arg, const char *run_id, const char *event, size_t length) {
    (void)run_id;
    (void)length;
    events_told++;
    *(int *)arg += strstr(event, "run_completed") != NULL;
}

/* The most events that one step told of, while many runs had as much to do as they could. */
static int most_in_a_step(unsigned budget_us) {
    enum { RUNS = 30 };
    curia_runtime *rt = new_runtime(NULL, 2);
    load_council(rt, COUNCIL);
    int most = 0, ended = 0;
    curia_callbacks callbacks = {.arg = &ended, .on_event = count_event};
    for (int i = 0; i < RUNS; i++)
        assert(curia_start(rt, "pair", "\"?\"", OFFLINE, &callbacks, NULL) == 0);
    while (ended < RUNS) {
        events_told = 0;
        assert(curia_step(rt, budget_us) >= 0);
        if (events_told > most) most = events_told;
    }
    close_runtime(rt, NULL);
    return most;
}

/* A budget that is spent before anything has begun leaves one resume, which tells of one event. */
static void test_budget(void) {
    assert(most_in_a_step(0) >= 30);
    assert(most_in_a_step(1) == 1);
}

/* ---- a poll loop ----------------------------------------------------------------------------- */

static const char SLEEPS[] =
    "council 'sleeps' {\n"
    "  member 'a' { run = function(ctx) for i = 1, 3 do ctx:sleep(20) end return 'done' end },\n"
    "  round 'independent_analysis',\n"
    "}\n";

static int polls(curia_runtime *rt, const watched *w) {
    int count = 0;
    struct pollfd fd = {.fd = curia_fd(rt), .events = POLLIN};
    for (; !w->ends; count++) {
        poll(&fd, 1, curia_timeout_ms(rt));
        assert(curia_step(rt, 0) >= 0);
    }
    return count;
}

static void *post_later(void *rt);
static void note_posted(curia_runtime *rt, void *done) {
    (void)rt;
    *(int *)done = 1;
}

static int posted;
static void *post_later(void *rt) {
    usleep(20000);
    assert(curia_post(rt, note_posted, &posted) == 0);
    return NULL;
}

/* It sleeps while nothing happens, and what is posted wakes it. */
static void test_poll_loop(void) {
    curia_runtime *rt = new_runtime(NULL, 1);
    watched w = {0};
    curia_callbacks callbacks = watch(&w);
    load_council(rt, SLEEPS);
    assert(curia_start(rt, "sleeps", "\"?\"", NULL, &callbacks, NULL) == 0);
    assert(curia_timeout_ms(rt) == 0); /* its first step is ready */
    assert(polls(rt, &w) < 60);
    while (curia_step(rt, 0) > 0)
        ;
    for (int i = 0; i < 3; i++)
        curia_step(rt, 0);
    pthread_t thread;
    struct pollfd fd = {.fd = curia_fd(rt), .events = POLLIN};
    assert(curia_timeout_ms(rt) != 0);
    pthread_create(&thread, NULL, post_later, rt);
    for (int i = 0; i < 10 && !posted; i++) {
        poll(&fd, 1, curia_timeout_ms(rt));
        curia_step(rt, 0);
    }
    assert(posted);
    pthread_join(thread, NULL);
    close_runtime(rt, NULL);
}

/* What a host writes. */
static void test_closing_in_a_poll_loop(void) {
    curia_runtime *rt = new_runtime(NULL, 2);
    watched w = {0};
    curia_callbacks callbacks = watch(&w);
    load_council(rt, SLEEPS);
    assert(curia_start(rt, "sleeps", "\"?\"", NULL, &callbacks, NULL) == 0);
    struct pollfd fd = {.fd = curia_fd(rt), .events = POLLIN};
    assert(curia_close(rt, NULL, NULL) == 0);
    while (curia_step(rt, 0) >= 0)
        poll(&fd, 1, curia_timeout_ms(rt));
    assert(w.ends == 1);
}

/* ---- a borrowed loop ------------------------------------------------------------------------- */

static void test_borrowed_loop(void) {
    uv_loop_t loop;
    assert(uv_loop_init(&loop) == 0);
    curia_runtime *rt = new_runtime(&loop, 2);
    watched w = {0};
    curia_callbacks callbacks = watch(&w);
    load_council(rt, COUNCIL);
    uv_run(&loop, UV_RUN_DEFAULT); /* an idle runtime does not hold it */
    assert(curia_step(rt, 0) == CURIA_EBORROWED && curia_fd(rt) == CURIA_EBORROWED);
    assert(curia_timeout_ms(rt) == 0);
    assert(curia_start(rt, "pair", "\"?\"", OFFLINE, &callbacks, NULL) == 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert(w.ends == 1);
    assert(close_runtime(rt, &loop) == 0);
    assert(uv_loop_close(&loop) == 0);
}

static void test_two_runtimes_on_one_loop(void) {
    uv_loop_t loop;
    assert(uv_loop_init(&loop) == 0);
    curia_runtime *a = new_runtime(&loop, 1), *b = new_runtime(&loop, 1);
    watched w = {0}, v = {0};
    curia_callbacks first = watch(&w), second = watch(&v);
    load_council(a, COUNCIL);
    load_council(b, COUNCIL);
    assert(curia_start(a, "pair", "\"?\"", OFFLINE, &first, NULL) == 0);
    assert(curia_start(b, "pair", "\"?\"", OFFLINE, &second, NULL) == 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert(w.ends == 1 && v.ends == 1);
    assert(close_runtime(a, &loop) == 0 && close_runtime(b, &loop) == 0);
    assert(uv_loop_close(&loop) == 0);
}

/* ---- many lives ------------------------------------------------------------------------------ */

/* Load, run, close: nothing grows. */
static void test_many_lives(int lives) {
    for (int i = 0; i < 5; i++)
        live();
    size_t before = bytes_in_use();
    int files = open_files();
    for (int i = 0; i < lives; i++)
        live();
    assert(open_files() == files);
    assert(bytes_in_use() <= before + CACHED);
}

int main(int argc, char **argv) {
    test_budget();
    test_poll_loop();
    test_closing_in_a_poll_loop();
    test_borrowed_loop();
    test_two_runtimes_on_one_loop();
    test_many_lives(argc > 1 ? (int)strtol(argv[1], NULL, 10) : IS_SLOW ? 20 : 200);
    return 0;
}
