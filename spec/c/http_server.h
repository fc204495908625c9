/* A server for the tests of the HTTP client: one thread, loopback, ill-behaved on request.
 *
 * What it does is named by the path of the request; the list stands in `answers` below. It counts
 * requests and connections.
 */
#ifndef CURIA_SPEC_HTTP_SERVER_H
#define CURIA_SPEC_HTTP_SERVER_H

#undef NDEBUG
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SERVER_CONNECTIONS = 4096, SERVER_TICK_MS = 10 };

typedef struct {
    const char *path;
    const char *send;   /* at once; NULL: nothing */
    const char *repeat; /* then at each tick; NULL: nothing */
    bool close;         /* after `send` */
    bool once;          /* close the connection at its second request, without a word */
} server_answer;

static const server_answer server_answers[] = {
    {"/ok", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-One: a\r\nx-one: b\r\n\r\nhello", NULL, 0,
     0},
    {"/once", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst", NULL, 0, 1},
    {"/empty", "HTTP/1.1 204 No Content\r\n\r\n", NULL, 0, 0},
    {"/early",
     "HTTP/1.1 103 Early Hints\r\nX-Hint: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
     NULL, 0, 0},
    {"/redirect", "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n", NULL, 0, 0},
    {"/html",
     "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\n<p>no</p>",
     NULL, 0, 0},
    {"/never", NULL, NULL, 0, 0},
    {"/hangup", NULL, NULL, 1, 0},
    {"/head", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", NULL, 0, 0},
    {"/silence", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", NULL, 0, 0},
    {"/drip", "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", "x", 0, 0},
    {"/blank", "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", "\n", 0, 0},
    {"/short", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", NULL, 1, 0},
    {"/chunkcut", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", NULL, 1,
     0},
    {"/promise", "HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n", NULL, 0, 0},
    {"/garbage", "SSH-2.0-nothing\r\n", NULL, 1, 0},
    {"/lies", "HTTP/1.1 200 OK\r\nContent-Length: +-5\r\n\r\nhello", NULL, 1, 0},
    {"/sse",
     "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {\"t\":\"first\"}\n\n"
     "data: {\"t\":\"one \"}\n\ndata: {\"t\":\"two\"}\n\ndata: [DONE]\n\n",
     NULL, 1, 0},
    {"/ssecut",
     "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 1000\r\n\r\n"
     "data: {\"t\":\"first\"}\n\ndata: {\"t\":\"one \"}\n\n",
     NULL, 1, 0},
    {"/sselive",
     "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {\"t\":\"first\"}\n\n",
     "data: {\"t\":\"x\"}\n\n", 0, 0},
    {"/live/chat/completions", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n",
     "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"word \"}}]}\n\n", 0, 0},
    {"/comments",
     "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {\"t\":\"first\"}\n\n",
     ": still thinking\n\n", 0, 0},
    {"/pings", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n",
     "event: ping\ndata: {\"type\": \"ping\"}\n\n", 0, 0},
    {"/json", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
     NULL, 0, 0},
    {NULL, NULL, NULL, 0, 0},
};

/* "/flood" is answered with chunks without end, "/echo" with the request's body; "/refuse"
 * hangs up on it with an answer. */

typedef struct {
    int fd;
    char *in; /* of the request that is being read */
    size_t size;
    int served;
    const char *repeat;
    bool flood;
} server_connection;

typedef struct {
    int port;
    int listener, wake[2];
    pthread_t thread;
    atomic_int requests, connections, open;
    atomic_llong flooded;
    char last[4096]; /* the last request's head; read it when its answer has come */
    server_connection all[SERVER_CONNECTIONS];
    int count;
} http_server;

static void server_write(int fd, const char *bytes, size_t size) {
    while (size) {
        ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);
        if (n <= 0) return;
        bytes += n;
        size -= (size_t)n;
    }
}

static void server_drop(http_server *s, int i) {
    close(s->all[i].fd);
    free(s->all[i].in);
    s->all[i] = s->all[--s->count];
    s->open--;
}

/* Returns false when the connection is to be closed. */
static bool server_answer_request(http_server *s, server_connection *c, const char *head,
                                  const char *body, size_t body_size) {
    char path[64] = "";
    sscanf(head, "%*s %63[^ ?]", path);
    snprintf(s->last, sizeof s->last, "%.*s", (int)(body - head), head);
    s->requests++;
    c->served++;
    c->repeat = NULL;
    if (strcmp(path, "/echo") == 0) {
        char line[128];
        int n = snprintf(line, sizeof line, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
                         body_size);
        server_write(c->fd, line, (size_t)n);
        server_write(c->fd, body, body_size);
        return true;
    }
    if (strcmp(path, "/flood") == 0) {
        static const char flood_head[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
        server_write(c->fd, flood_head, strlen(flood_head));
        c->flood = true;
        return true;
    }
    for (const server_answer *a = server_answers; a->path; a++) {
        if (strcmp(a->path, path) != 0) continue;
        if (a->once && c->served > 1) return false;
        if (a->send) server_write(c->fd, a->send, strlen(a->send));
        c->repeat = a->repeat;
        return !a->close;
    }
    static const char missing[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    server_write(c->fd, missing, strlen(missing));
    return true;
}

/* Answers the requests that are complete. Returns false when the connection is to be closed. */
static bool server_serve(http_server *s, server_connection *c) {
    static const char refusal[] =
        "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig";
    for (;;) {
        char *end = c->size ? strstr(c->in, "\r\n\r\n") : NULL;
        if (!end) return true;
        size_t head = (size_t)(end + 4 - c->in), body = 0;
        const char *length = strcasestr(c->in, "\r\ncontent-length:");
        if (length && length < end) body = strtoul(length + 17, NULL, 10);
        if (strncmp(c->in, "POST /refuse ", 13) == 0) { /* does not wait for the body */
            server_write(c->fd, refusal, strlen(refusal));
            return false;
        }
        if (c->size < head + body) return true;
        if (!server_answer_request(s, c, c->in, c->in + head, body)) return false;
        memmove(c->in, c->in + head + body, c->size - head - body + 1);
        c->size -= head + body;
    }
}

static bool server_read(http_server *s, server_connection *c) {
    char bytes[65536];
    ssize_t n = recv(c->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN)) return false;
    if (n < 0) return true;
    c->in = realloc(c->in, c->size + (size_t)n + 1);
    memcpy(c->in + c->size, bytes, (size_t)n);
    c->size += (size_t)n;
    c->in[c->size] = 0;
    return server_serve(s, c);
}

static bool server_flood(http_server *s, server_connection *c) {
    static const char bytes[65536];
    ssize_t n = send(c->fd, bytes, sizeof bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) s->flooded += n;
    return n > 0 || errno == EAGAIN;
}

static void server_accept(http_server *s) {
    int fd = accept(s->listener, NULL, NULL);
    if (fd < 0 || s->count == SERVER_CONNECTIONS) return;
    s->all[s->count++] = (server_connection){.fd = fd};
    s->connections++;
    s->open++;
}

static void *server_run(void *arg) {
    http_server *s = arg;
    static __thread struct pollfd fds[SERVER_CONNECTIONS + 2];
    struct timespec last, now;
    clock_gettime(CLOCK_MONOTONIC, &last);
    for (;;) {
        fds[0] = (struct pollfd){s->listener, POLLIN, 0};
        fds[1] = (struct pollfd){s->wake[0], POLLIN, 0};
        for (int i = 0; i < s->count; i++)
            fds[i + 2] = (struct pollfd){s->all[i].fd, POLLIN | (s->all[i].flood ? POLLOUT : 0), 0};
        poll(fds, (nfds_t)s->count + 2, SERVER_TICK_MS);
        if (fds[1].revents) return NULL;
        clock_gettime(CLOCK_MONOTONIC, &now);
        bool tick = (now.tv_sec - last.tv_sec) * 1000 + (now.tv_nsec - last.tv_nsec) / 1000000 >=
                    SERVER_TICK_MS;
        if (tick) last = now;
        for (int i = s->count - 1; i >= 0; i--) {
            server_connection *c = &s->all[i];
            bool keep = true;
            if (fds[i + 2].revents & (POLLIN | POLLHUP | POLLERR)) keep = server_read(s, c);
            if (keep && fds[i + 2].revents & POLLOUT && c->flood) keep = server_flood(s, c);
            if (keep && tick && c->repeat) server_write(c->fd, c->repeat, strlen(c->repeat));
            if (!keep) server_drop(s, i);
        }
        if (fds[0].revents) server_accept(s);
    }
}

static void server_start(http_server *s) {
    memset(s, 0, sizeof *s);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert(bind(s->listener, (struct sockaddr *)&address, sizeof address) == 0);
    assert(listen(s->listener, 4096) == 0);
    assert(getsockname(s->listener, (struct sockaddr *)&address, &length) == 0);
    s->port = ntohs(address.sin_port);
    assert(pipe(s->wake) == 0);
    assert(pthread_create(&s->thread, NULL, server_run, s) == 0);
}

static void server_stop(http_server *s) {
    assert(write(s->wake[1], "x", 1) == 1);
    pthread_join(s->thread, NULL);
    while (s->count)
        server_drop(s, 0);
    close(s->listener);
    close(s->wake[0]);
    close(s->wake[1]);
}

#endif
