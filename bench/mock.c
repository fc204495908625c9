/* A fast mock of a model server, for the benchmark: POST .../chat/completions with one fixed answer,
 * whole or as a stream of events in one burst, at once or after a fixed latency.
 *
 *     mock [--port 18080] [--latency-ms 0] [--answer-bytes 320] [--pieces 64]
 *
 * It prints "ready PORT" when it listens (port 0: any free one) and ends on SIGTERM. GET /stats tells
 * what it has seen. One thread, level-triggered epoll, one request at a time per connection; since the
 * latency is the same for all, what waits is a plain queue. Loopback only.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "buffer.h"

enum { EVENTS = 512, CHUNK = 65536, HEAD_LIMIT = 65536 };

typedef struct connection connection;
struct connection {
    int fd;
    bool waiting, gone;    /* an answer is due; the client has left meanwhile */
    bool stream;           /* it is asked for as a stream */
    curia__buffer in, out; /* out: what the socket did not take at once */
    uint64_t due_ns;       /* when the answer goes out */
    connection *next;      /* in the queue of those that wait */
};

static struct { int port, latency_ms, answer_bytes, pieces; } options = {18080, 0, 320, 64};

static struct {
    uint64_t requests, in_flight, most_in_flight, connections, most_connections, body_bytes;
} seen;

static int poller;
static connection *first, *last; /* those that wait, in the order of their due times */
static connection *dead;         /* to be freed after this pass */
static curia__buffer whole, streamed;
static volatile sig_atomic_t stopping;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void add(curia__buffer *b, const char *text) {
    if (curia__buffer_append_text(b, text)) die("memory");
}

/* ---- the answers, made beforehand --------------------------------------------------------- */

static char *new_answer(void) {
    static const char *const words[] = {"alpha ", "beta ", "gamma ", "delta "};
    char *text = calloc(1, (size_t)options.answer_bytes + 8);
    if (!text) die("memory");
    for (int i = 0, at = 0; at < options.answer_bytes; i++) {
        strcpy(text + at, words[i % 4]);
        at += (int)strlen(words[i % 4]);
    }
    text[options.answer_bytes] = 0;
    return text;
}

static void add_response(curia__buffer *out, const char *type, const char *body) {
    char head[256];
    snprintf(head, sizeof head,
             "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n", type,
             strlen(body));
    add(out, head);
    add(out, body);
}

static void make_whole(const char *answer) {
    curia__buffer b = {0};
    add(&b, "{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion\",\"created\":1700000000,"
            "\"model\":\"mock-1\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
            "\"content\":\"");
    add(&b, answer);
    add(&b, "\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":"
            "{\"prompt_tokens\":100,\"completion_tokens\":64,\"total_tokens\":164}}");
    add_response(&whole, "application/json", b.data);
    curia__buffer_deinit(&b);
}

/* One server-sent event as one chunk of the transfer encoding; `choice` completes the object. */
static void add_event(curia__buffer *out, const char *choice) {
    char event[1024], size[24];
    snprintf(event, sizeof event,
             "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\","
             "\"created\":1700000000,\"model\":\"mock-1\",%s}\n\n",
             choice);
    snprintf(size, sizeof size, "%zx\r\n", strlen(event));
    add(out, size);
    add(out, event);
    add(out, "\r\n");
}

static void make_streamed(const char *answer) {
    char choice[512];
    add(&streamed, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n");
    add_event(&streamed, "\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\","
                         "\"content\":\"\"},\"finish_reason\":null}]");
    for (int i = 0, at = 0; i < options.pieces; i++) {
        int end = (int)((int64_t)options.answer_bytes * (i + 1) / options.pieces);
        snprintf(
            choice, sizeof choice,
            "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%.*s\"},\"finish_reason\":null}]",
            end - at < 256 ? end - at : 256, answer + at);
        add_event(&streamed, choice);
        at = end;
    }
    add_event(&streamed, "\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],"
                         "\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":64,"
                         "\"total_tokens\":164}");
    add(&streamed, "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n");
}

/* ---- connections -------------------------------------------------------------------------- */

static void watch(connection *c, int how, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    if (epoll_ctl(poller, how, c->fd, &event)) die("epoll_ctl");
}

static void bury(connection *c) {
    c->next = dead;
    dead = c;
}

static void free_dead(void) {
    while (dead) {
        connection *c = dead;
        dead = c->next;
        curia__buffer_deinit(&c->in);
        curia__buffer_deinit(&c->out);
        free(c);
    }
}

/* One that waits stays in the queue until its turn. */
static void hang_up(connection *c) {
    if (c->gone) return;
    close(c->fd);
    seen.connections--;
    c->gone = true;
    if (!c->waiting) bury(c);
}

static void send_rest(connection *c) {
    ssize_t n = send(c->fd, c->out.data, c->out.size, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) {
        hang_up(c);
        return;
    }
    if (n > 0) curia__buffer_consume(&c->out, (size_t)n);
    watch(c, EPOLL_CTL_MOD, c->out.size ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void answer_with(connection *c, const char *data, size_t size) {
    ssize_t n = send(c->fd, data, size, MSG_NOSIGNAL);
    if (n == (ssize_t)size) return;
    if (n < 0 && errno != EAGAIN) {
        hang_up(c);
        return;
    }
    size_t sent = n > 0 ? (size_t)n : 0;
    if (curia__buffer_append(&c->out, data + sent, size - sent)) die("memory");
    watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
}

static void answer(connection *c) {
    seen.in_flight--;
    const curia__buffer *with = c->stream ? &streamed : &whole;
    answer_with(c, with->data, with->size);
}

static void answer_due(uint64_t now) {
    while (first && first->due_ns <= now) {
        connection *c = first;
        first = c->next;
        if (!first) last = NULL;
        c->waiting = false;
        if (c->gone) {
            seen.in_flight--;
            bury(c);
        } else {
            answer(c);
        }
    }
}

static void enqueue(connection *c) {
    c->due_ns = now_ns() + (uint64_t)options.latency_ms * 1000000;
    c->waiting = true;
    c->next = NULL;
    if (last)
        last->next = c;
    else
        first = c;
    last = c;
}

static void answer_stats(connection *c) {
    char body[512];
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    snprintf(body, sizeof body,
             "{\"requests\":%llu,\"in_flight\":%llu,\"most_in_flight\":%llu,\"connections\":%llu,"
             "\"most_connections\":%llu,\"body_bytes\":%llu,\"cpu_s\":%.3f}",
             (unsigned long long)seen.requests, (unsigned long long)seen.in_flight,
             (unsigned long long)seen.most_in_flight, (unsigned long long)seen.connections,
             (unsigned long long)seen.most_connections, (unsigned long long)seen.body_bytes,
             (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
                 (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
    curia__buffer b = {0};
    add_response(&b, "application/json", body);
    answer_with(c, b.data, b.size);
    curia__buffer_deinit(&b);
}

static void on_request(connection *c, const char *body, size_t size) {
    if (strncmp(c->in.data, "GET ", 4) == 0) {
        answer_stats(c);
        return;
    }
    seen.requests++;
    seen.body_bytes += size;
    if (++seen.in_flight > seen.most_in_flight) seen.most_in_flight = seen.in_flight;
    c->stream = memmem(body, size, "\"stream\":true", 13) != NULL;
    if (options.latency_ms)
        enqueue(c);
    else
        answer(c);
}

/* Handles the request at the start of the input when all of it is there. Returns its size, or 0. */
static size_t take_request(connection *c) {
    const char *end = memmem(c->in.data, c->in.size, "\r\n\r\n", 4);
    if (!end) return 0;
    size_t head = (size_t)(end + 4 - c->in.data);
    const char *length = strcasestr(c->in.data, "\r\ncontent-length:");
    size_t body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
    if (c->in.size - head < body) return 0;
    on_request(c, end + 4, body);
    return head + body;
}

static void on_input(connection *c) {
    static char chunk[CHUNK];
    ssize_t n = recv(c->fd, chunk, sizeof chunk, 0);
    if (n < 0 && errno == EAGAIN) return;
    bool ok = n > 0 && !curia__buffer_append(&c->in, chunk, (size_t)n);
    if (!ok || (c->in.size > HEAD_LIMIT && !memmem(c->in.data, c->in.size, "\r\n\r\n", 4))) {
        hang_up(c);
        return;
    }
    if (c->waiting) return;
    size_t used = take_request(c);
    if (used) curia__buffer_consume(&c->in, used);
}

/* epoll has the only reference to a connection that is idle. */
static void on_connection(int listener) {
    int fd;
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        connection *c = calloc(1, sizeof *c);
        if (!c) die("memory");
        c->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        if (++seen.connections > seen.most_connections) seen.most_connections = seen.connections;
        watch(c, EPOLL_CTL_ADD, EPOLLIN);
    }
}

/* ---- the program -------------------------------------------------------------------------- */

static int open_listener(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&address, size)) die("bind");
    if (listen(fd, 65535)) die("listen");
    getsockname(fd, (struct sockaddr *)&address, &size);
    printf("ready %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void on_stop(int number) {
    (void)number;
    stopping = 1;
}

static int time_to_next(void) {
    if (!first) return -1;
    uint64_t now = now_ns();
    return first->due_ns > now ? (int)((first->due_ns - now + 999999) / 1000000) : 0;
}

static void serve(int listener) {
    struct epoll_event events[EVENTS];
    while (!stopping) {
        int count = epoll_wait(poller, events, EVENTS, time_to_next());
        for (int i = 0; i < count; i++) {
            connection *c = events[i].data.ptr;
            if (!c)
                on_connection(listener);
            else if (events[i].events & EPOLLOUT)
                send_rest(c);
            else
                on_input(c);
        }
        if (first) answer_due(now_ns());
        free_dead();
    }
}

static void read_options(int argc, char **argv) {
    static const struct {
        const char *name;
        int *value;
    } known[] = {{"--port", &options.port},
                 {"--latency-ms", &options.latency_ms},
                 {"--answer-bytes", &options.answer_bytes},
                 {"--pieces", &options.pieces}};
    for (int i = 1; i < argc; i += 2) {
        size_t k = 0;
        while (k < 4 && strcmp(argv[i], known[k].name) != 0)
            k++;
        if (k == 4 || i + 1 == argc) {
            fputs("usage: mock [--port N] [--latency-ms N] [--answer-bytes N] [--pieces N]\n",
                  stderr);
            exit(64);
        }
        *known[k].value = (int)strtol(argv[i + 1], NULL, 10);
    }
}

int main(int argc, char **argv) {
    read_options(argc, argv);
    signal(SIGTERM, on_stop);
    signal(SIGINT, on_stop);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    char *text = new_answer();
    make_whole(text);
    make_streamed(text);
    free(text);
    poller = epoll_create1(EPOLL_CLOEXEC);
    int listener = open_listener();
    struct epoll_event event = {.events = EPOLLIN};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event)) die("epoll_ctl");
    serve(listener);
    return 0;
}
