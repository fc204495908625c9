/* What Curia takes of a frame: a loop of 60 frames a second calls curia_step while the members of a
 * council stream into it from a server of another process.
 *
 *     frame [--seconds 5] [--members 16] [--rate 50] [--budget-us 100]
 *
 * Prints the percentiles of the time that one curia_step took, as the clock and as the processor
 * saw it (the difference is the machine's), and how many tokens came. `rate`: pieces a second of
 * each member. */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "curia.h"

enum { FRAME_NS = 16666667, MOST_MEMBERS = 64, HEAD_LIMIT = 16384, BILLION = 1000000000 };

static struct { int seconds, members, rate, budget_us; } options = {5, 16, 50, 100};

static void die(const char *what) {
    perror(what);
    exit(1);
}

static uint64_t now_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * BILLION + (uint64_t)t.tv_nsec;
}

static void sleep_until(uint64_t ns) {
    struct timespec t = {(time_t)(ns / BILLION), (long)(ns % BILLION)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

/* ---- the server: each connection gets a piece of an answer again and again ------------------- */

typedef struct {
    int fd;
    bool asked;
    uint64_t next_ns;
} stream;

static stream streams[MOST_MEMBERS + 1];
static int stream_count;

static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
static const char piece[] =
    "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,"
    "\"model\":\"mock-1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" token\"},"
    "\"finish_reason\":null}]}\n\n";

static void accept_stream(int listener) {
    int fd = accept(listener, NULL, NULL);
    if (fd < 0) return;
    if (stream_count > MOST_MEMBERS) {
        close(fd);
        return;
    }
    streams[stream_count++] = (stream){.fd = fd};
}

/* The request is of no interest beyond that it is there. */
static void read_request(stream *s) {
    static char request[HEAD_LIMIT];
    ssize_t n = recv(s->fd, request, sizeof request, MSG_DONTWAIT);
    if (n <= 0 || s->asked) return;
    s->asked = true;
    send(s->fd, head, sizeof head - 1, MSG_NOSIGNAL);
    uint64_t gap = BILLION / (uint64_t)options.rate;
    s->next_ns =
        now_ns(CLOCK_MONOTONIC) + gap * (uint64_t)(s - streams) / (uint64_t)options.members;
}

static void send_due(uint64_t now) {
    for (int i = 0; i < stream_count; i++) {
        stream *s = &streams[i];
        while (s->asked && s->next_ns <= now) {
            send(s->fd, piece, sizeof piece - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
            s->next_ns += BILLION / (uint64_t)options.rate;
        }
    }
}

static void serve(int listener) {
    for (;;) {
        struct pollfd fd = {.fd = listener, .events = POLLIN};
        if (poll(&fd, 1, 1) > 0) accept_stream(listener);
        for (int i = 0; i < stream_count; i++)
            read_request(&streams[i]);
        send_due(now_ns(CLOCK_MONOTONIC));
    }
}

static pid_t start_server(int *port) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 64)) die("listen");
    getsockname(listener, (struct sockaddr *)&address, &size);
    *port = ntohs(address.sin_port);
    pid_t child = fork();
    if (child == 0) serve(listener);
    close(listener);
    return child;
}

/* ---- the frames ------------------------------------------------------------------------------ */

static uint64_t tokens;

static void on_event(void *arg, const char *run_id, const char *event, size_t length) {
    (void)arg;
    (void)run_id;
    (void)length;
    tokens += strstr(event, "\"member_token\"") != NULL;
}

static void start_run(curia_runtime *rt, int members) {
    static char council[64 * MOST_MEMBERS + 200];
    int at = snprintf(council, sizeof council, "council 'frame' {\n");
    for (int i = 0; i < members; i++)
        at += snprintf(council + at, sizeof council - (size_t)at,
                       "  member 'm%d' { provider = 'mock', model = 'm', stream = true },\n", i);
    snprintf(council + at, sizeof council - (size_t)at, "  round 'independent_analysis',\n}\n");
    curia_callbacks callbacks = {.on_event = on_event, .tokens = true};
    int rc = curia_load_string(rt, council, strlen(council), "frame.lua", NULL);
    if (!rc) rc = curia_start(rt, "frame", "\"Why?\"", NULL, &callbacks, NULL);
    if (!rc) return;
    fprintf(stderr, "frame: %s\n", curia_error_message(rt));
    exit(1);
}

static curia_runtime *open_runtime(int port) {
    char config[200];
    snprintf(config, sizeof config,
             "{\"providers\":{\"mock\":{\"adapter\":\"openai_chat\",\"api_key\":\"none\","
             "\"base_url\":\"http://127.0.0.1:%d/v1\"}}}",
             port);
    curia_options made;
    curia_options_init(&made);
    made.config = config;
    curia_runtime *rt;
    if (curia_new(&made, &rt)) die("curia_new");
    return rt;
}

static int ascending(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* In microseconds; the times must be sorted. */
static double percentile(const uint64_t *ns, int count, int percent) {
    int place = (count - 1) * percent / 100;
    return (double)ns[place] / 1e3;
}

static void report(const char *what, uint64_t *ns, int count) {
    qsort(ns, (size_t)count, sizeof *ns, ascending);
    printf("%-9s p50 %6.1f us   p99 %6.1f us   max %6.1f us\n", what, percentile(ns, count, 50),
           percentile(ns, count, 99), percentile(ns, count, 100));
}

/* The first second connects and warms up. */
static void run_frames(curia_runtime *rt) {
    int warm_up = 60, frames = options.seconds * 60;
    uint64_t *wall = calloc((size_t)frames, sizeof *wall),
             *cpu = calloc((size_t)frames, sizeof *cpu);
    if (!wall || !cpu) die("memory");
    uint64_t next = now_ns(CLOCK_MONOTONIC);
    for (int i = -warm_up; i < frames; i++) {
        if (i == 0) tokens = 0;
        sleep_until(next += FRAME_NS);
        uint64_t from = now_ns(CLOCK_MONOTONIC), cpu_from = now_ns(CLOCK_THREAD_CPUTIME_ID);
        curia_step(rt, (unsigned)options.budget_us);
        if (i < 0) continue;
        cpu[i] = now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_from;
        wall[i] = now_ns(CLOCK_MONOTONIC) - from;
    }
    printf("%d members, %d pieces a second each: %d frames, %.0f token events a second\n",
           options.members, options.rate, frames, (double)tokens / options.seconds);
    report("clock", wall, frames);
    report("processor", cpu, frames);
    free(wall);
    free(cpu);
}

static void read_options(int argc, char **argv) {
    static const struct {
        const char *name;
        int *value;
    } known[] = {{"--seconds", &options.seconds},
                 {"--members", &options.members},
                 {"--rate", &options.rate},
                 {"--budget-us", &options.budget_us}};
    for (int i = 1; i < argc; i += 2) {
        size_t k = 0;
        while (k < 4 && strcmp(argv[i], known[k].name) != 0)
            k++;
        if (k == 4 || i + 1 == argc) {
            fputs("usage: frame [--seconds N] [--members N] [--rate N] [--budget-us N]\n", stderr);
            exit(64);
        }
        *known[k].value = (int)strtol(argv[i + 1], NULL, 10);
    }
    if (options.members > MOST_MEMBERS) options.members = MOST_MEMBERS;
}

int main(int argc, char **argv) {
    read_options(argc, argv);
    int port;
    pid_t server = start_server(&port);
    curia_runtime *rt = open_runtime(port);
    start_run(rt, options.members);
    run_frames(rt);
    curia_close(rt, NULL, NULL);
    while (curia_step(rt, 0) >= 0)
        usleep(1000);
    kill(server, SIGTERM);
    waitpid(server, NULL, 0);
    return 0;
}
