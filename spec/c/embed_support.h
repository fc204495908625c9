/* For the tests of curia.h: runtimes, their end, a council that is answered by a script, and who
 * watches.
 */
#ifndef EMBED_SUPPORT_H
#define EMBED_SUPPORT_H

#undef NDEBUG
#include <assert.h>
#include <lauxlib.h>
#include <lualib.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "curia.h"

/* Under the sanitizers and valgrind, which find leaks by other means, always 0. glibc counts what
 * its thread caches hold, at most CACHED. */
enum { CACHED = 256 * 1024 };

static inline size_t bytes_in_use(void) {
    return mallinfo2().uordblks;
}

static inline int open_files(void) {
    int count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += dup2(fd, fd) >= 0;
    return count;
}

/* ThreadSanitizer counts each yield of Lua as a frame and dies of too many; and it does not see
 * that libuv closes descriptors, so that it takes for a race when another thread gets the
 * number. */
#ifdef __SANITIZE_THREAD__
enum { IS_SLOW = 1, IS_TSAN = 1 };
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void) {
    return "race:^epoll_create1$\nrace:^eventfd$\nrace:^pipe2$\nrace:^socket$\nrace:^socketpair$\n";
}
#elif defined __SANITIZE_ADDRESS__
enum { IS_SLOW = 1, IS_TSAN = 0 };
#else
enum { IS_SLOW = 0, IS_TSAN = 0 };
#endif

/* Two members and a chair; offline, each answers something. */
static const char COUNCIL[] = "council 'pair' {\n"
                              "  member 'a' { model = 'openai/gpt-4o-mini', stream = true },\n"
                              "  member 'b' { model = 'openai/gpt-4o-mini' },\n"
                              "  round 'independent_analysis',\n"
                              "  chair { model = 'openai/gpt-4o-mini' },\n"
                              "}\n";
static const char OFFLINE[] = "{\"offline\":true}";

/* ---- a runtime's life ------------------------------------------------------------------------ */

static inline void log_to_stderr(void *arg, const char *level, const char *text) {
    (void)arg;
    fprintf(stderr, "%s: %s\n", level, text);
}

static inline curia_runtime *new_runtime(uv_loop_t *loop, unsigned states) {
    curia_options options;
    curia_options_init(&options);
    options.loop = loop;
    options.states = states;
    options.log = log_to_stderr;
    curia_runtime *rt;
    assert(curia_new(&options, &rt) == 0 && rt);
    return rt;
}

static inline void on_closed(void *status, int code) {
    *(int *)status = code;
}

/* `loop`: the borrowed one, or NULL. Returns what on_closed was told. */
static inline int close_runtime(curia_runtime *rt, uv_loop_t *loop) {
    int status = 1;
    assert(curia_close(rt, on_closed, &status) == 0);
    if (loop)
        uv_run(loop, UV_RUN_DEFAULT);
    else
        while (curia_step(rt, 0) >= 0)
            usleep(100);
    assert(curia_step(rt, 0) == CURIA_ECLOSED && status <= 0);
    return status;
}

static inline void load_council(curia_runtime *rt, const char *text) {
    if (curia_load_string(rt, text, strlen(text), "test.lua", NULL)) {
        fprintf(stderr, "%s\n", curia_error_message(rt));
        abort();
    }
}

/* ---- who watches ----------------------------------------------------------------------------- */

typedef struct {
    int events, tokens, ends;
    int last_seq;
    char status[20];
    char result[4000]; /* cut off there */
} watched;

static inline void on_event(void *arg, const char *run_id, const char *event, size_t length) {
    watched *w = arg;
    assert(run_id && strlen(event) == length && !w->ends);
    const char *seq = strstr(event, "\"seq\":");
    if (strstr(event, "\"type\":\"member_token\"")) {
        w->tokens++;
        return;
    }
    int number = seq ? (int)strtol(seq + 6, NULL, 10) : 0;
    assert(number == w->last_seq + 1);
    w->last_seq = number;
    w->events++;
}

static inline void on_end(void *arg, const char *run_id, const char *status, const char *result,
                          size_t length) {
    watched *w = arg;
    assert(run_id && (!result || strlen(result) == length));
    snprintf(w->status, sizeof w->status, "%s", status);
    snprintf(w->result, sizeof w->result, "%s", result ? result : "");
    w->ends++;
}

static inline curia_callbacks watch(watched *w) {
    return (curia_callbacks){.arg = w, .on_event = on_event, .on_end = on_end};
}

static inline void step_until_end(curia_runtime *rt, const watched *w) {
    while (!w->ends) {
        assert(curia_step(rt, 0) >= 0);
        usleep(50);
    }
}

/* A whole life: a runtime that runs a council to its end and is closed. */
static inline void live(void) {
    curia_runtime *rt = new_runtime(NULL, 1);
    watched w = {0};
    curia_callbacks callbacks = watch(&w);
    load_council(rt, COUNCIL);
    assert(curia_start(rt, "pair", "\"?\"", OFFLINE, &callbacks, NULL) == 0);
    while (!w.ends)
        curia_step(rt, 0);
    close_runtime(rt, NULL);
}

#endif
