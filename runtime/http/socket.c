#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/client.h"

/* libcurl asks to stop watching a socket whenever a request on it ends. Obeying costs two epoll_ctl
 * calls per request, so the watch of a connection stays until it is closed, and is dropped earlier
 * only when the idle connection speaks. That needs to be told of the closing, which libcurl does for
 * established connections only: not for its own sockets (resolver wake-ups), nor for those that did
 * not get through. With these it is obeyed to the letter (PITFALLS C5). */
struct curia__http_socket {
    uv_poll_t poll;
    curia__chore chore; /* tells libcurl of `found` */
    int found;          /* of CURL_CSELECT_*, not told yet */
    curia__http_multi *multi;
    curl_socket_t fd;
    int events;       /* polled for; 0: not polling */
    bool watched;     /* libcurl wants to know */
    bool connection;  /* not a socket of libcurl's own */
    bool established; /* libcurl has asked for what comes in */
};

static bool make_room(curia__http_client *client, curl_socket_t fd) {
    size_t slots = client->socket_slots;
    if ((size_t)fd < slots) return true;
    size_t wanted = (size_t)fd * 2 + 64;
    curia__http_socket **sockets = realloc(client->sockets, wanted * sizeof(*sockets));
    if (!sockets) return false;
    memset(sockets + slots, 0, (wanted - slots) * sizeof(*sockets));
    client->sockets = sockets;
    client->socket_slots = wanted;
    return true;
}

static bool is_connection(curl_socket_t fd) {
    int domain = AF_UNIX;
    socklen_t size = sizeof domain;
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain != AF_UNIX;
}

static void tell_found(curia__chore *chore) {
    curia__http_socket *s =
        (curia__http_socket *)((char *)chore - offsetof(curia__http_socket, chore));
    int found = s->found;
    s->found = 0;
    if (s->watched) curia__http_multi_act(s->multi, s->fd, found);
}

static curia__http_socket *add(curia__http_client *client, curl_socket_t fd) {
    curia__http_socket *s = calloc(1, sizeof *s);
    if (!s || !make_room(client, fd) || uv_poll_init_socket(client->loop->uv, &s->poll, fd)) {
        free(s);
        return NULL;
    }
    s->poll.data = s;
    s->chore.run = tell_found;
    s->fd = fd;
    s->connection = is_connection(fd);
    client->sockets[fd] = s;
    client->stats.sockets += s->connection;
    return s;
}

static curia__http_socket *find(const curia__http_client *client, curl_socket_t fd) {
    return (size_t)fd < client->socket_slots ? client->sockets[fd] : NULL;
}

static void on_closed(uv_handle_t *handle) {
    free(handle->data);
}

/* uv_close ends the epoll watch at once, so the caller may close the descriptor next. */
static void drop(curia__http_client *client, curia__http_socket *s) {
    client->sockets[s->fd] = NULL;
    curia__loop_drop_chore(client->loop, &s->chore);
    client->stats.sockets -= s->connection;
    uv_close((uv_handle_t *)&s->poll, on_closed);
}

curl_socket_t curia__http_socket_open(void *arg, curlsocktype purpose,
                                      struct curl_sockaddr *address) {
    (void)purpose;
    curia__http_easy *easy = arg;
    if (curia__exchange_connecting(easy->exchange, &address->addr)) return CURL_SOCKET_BAD;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0) return CURL_SOCKET_BAD;
    easy->client->stats.connections++;
    return fd;
}

int curia__http_socket_close(void *arg, curl_socket_t fd) {
    curia__http_client *client = arg;
    curia__http_socket *s = find(client, fd);
    if (s) drop(client, s);
    return close(fd);
}

static void stop(curia__http_socket *s) {
    uv_poll_stop(&s->poll);
    s->events = 0;
}

/* On an error libuv has stopped the handle (PITFALLS P9). libcurl is to find out by reading, since
 * an answer may have come before the error; it is called again until it has seen the end. */
static void on_poll(uv_poll_t *handle, int status, int events) {
    curia__http_socket *s = handle->data;
    if (!s->watched) {
        stop(s);
        return;
    }
    curia__http_client *client = s->multi->client;
    if (status >= 0 && curia__http_slice_over(client, &client->sockets_slice))
        return; /* polling is level-triggered: it is told again */
    if (status < 0) {
        uv_poll_start(handle, s->events, on_poll);
        events = UV_READABLE | UV_WRITABLE;
    }
    if (events & UV_READABLE) s->found |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE) s->found |= CURL_CSELECT_OUT;
    curia__loop_add_chore(s->multi->client->loop, &s->chore);
}

static void unwatch(curia__http_client *client, curia__http_socket *s) {
    s->watched = false;
    if (s->connection && s->established)
        uv_unref((uv_handle_t *)&s->poll);
    else
        drop(client, s);
}

/* A failure here makes libcurl give the whole multi handle up, which is then closed. */
int curia__http_socket_watch(CURL *easy, curl_socket_t fd, int what, void *arg, void *assigned) {
    (void)easy, (void)assigned;
    curia__http_multi *multi = arg;
    curia__http_client *client = multi->client;
    curia__http_socket *s = find(client, fd);
    if (what == CURL_POLL_REMOVE) {
        if (s) unwatch(client, s);
        return 0;
    }
    if (!s) s = add(client, fd);
    if (!s) return -1;
    s->multi = multi;
    s->watched = true;
    s->established = s->established || what & CURL_POLL_IN;
    uv_ref((uv_handle_t *)&s->poll);
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    if (events == s->events) return 0;
    s->events = events;
    return uv_poll_start(&s->poll, events, on_poll) ? -1 : 0;
}
