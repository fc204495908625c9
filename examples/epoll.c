/* A host with an event loop of its own: Curia is one descriptor and one time-out in its epoll.
 *
 *     epoll [COUNCIL.lua [QUESTION]]          without: a council of two, offline
 *
 * Beside the run a timer of the host's ticks, as its sockets would. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "curia.h"

static const char COUNCIL[] =
    "council 'panel' { profile = 'fast', member 'optimist' {}, member 'skeptic' {},\n"
    "  round 'independent_analysis' {}, chair {} }\n";

typedef struct {
    int epoll, timer, ticks, ended;
} host;

static void on_event(void *arg, const char *run_id, const char *event, size_t length) {
    (void)arg, (void)run_id;
    printf("%.*s%s\n", length > 100 ? 100 : (int)length, event, length > 100 ? "..." : "");
}

static void on_end(void *arg, const char *run_id, const char *status, const char *result,
                   size_t length) {
    (void)result, (void)length;
    printf("%s: %s after %d ticks\n", run_id, status, ((host *)arg)->ticks);
    ((host *)arg)->ended = 1;
}

static void watch(int epoll, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void open_host(host *h, curia_runtime *rt) {
    struct itimerspec every = {{0, 5000000}, {0, 5000000}};
    h->epoll = epoll_create1(EPOLL_CLOEXEC);
    h->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    timerfd_settime(h->timer, 0, &every, NULL);
    watch(h->epoll, h->timer);
    watch(h->epoll, curia_fd(rt));
}

/* One turn of the host's loop: waits for what comes first, then lets Curia work for a millisecond. */
static int turn(host *h, curia_runtime *rt) {
    struct epoll_event events[8];
    int count = epoll_wait(h->epoll, events, 8, curia_timeout_ms(rt));
    for (int i = 0; i < count; i++) {
        uint64_t expired;
        if (events[i].data.fd == h->timer && read(h->timer, &expired, sizeof expired) > 0)
            h->ticks += (int)expired;
    }
    return curia_step(rt, 1000);
}

/* A text as a JSON string, as much of it as there is room for; a host would use its JSON library. */
static void quote(const char *text, char *out, size_t size) {
    const char *end = out + size - sizeof "\\u0000\"";
    *out++ = '"';
    for (; *text && out < end; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') *out++ = '\\';
        if (c < ' ')
            out += snprintf(out, 7, "\\u%04x", c);
        else
            *out++ = *text;
    }
    memcpy(out, "\"", 2);
}

int main(int argc, char **argv) {
    host h = {0};
    curia_runtime *rt;
    const char *name = NULL;
    if (curia_new(NULL, &rt)) return 1;
    int rc = argc > 1 ? curia_load_file(rt, argv[1], &name)
                      : curia_load_string(rt, COUNCIL, strlen(COUNCIL), "panel.lua", &name);
    char council[128], input[1024];
    snprintf(council, sizeof council, "%s", rc ? "" : name);
    quote(argc > 2 ? argv[2] : "Ship on Friday?", input, sizeof input);
    curia_callbacks callbacks = {.arg = &h, .on_event = on_event, .on_end = on_end};
    const char *how = argc > 1 ? NULL : "{\"offline\": true}";
    if (!rc) rc = curia_start(rt, council, input, how, &callbacks, NULL);
    if (rc) fprintf(stderr, "%s\n", curia_error_message(rt));

    open_host(&h, rt);
    while (!rc && !h.ended)
        turn(&h, rt);
    curia_close(rt, NULL, NULL);
    while (turn(&h, rt) >= 0) {
    }
    close(h.timer);
    close(h.epoll);
    return rc != 0;
}
