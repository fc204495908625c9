#include <stdlib.h>

#include "error.h"
#include "http/client.h"

#define NEVER UINT64_MAX

static uint64_t now_ms(const curia__http_multi *m) {
    return uv_now(m->client->loop->uv);
}

/* ---- curl's timer ------------------------------------------------------------------------------ */

static void on_uv_timer(uv_timer_t *handle);

/* The uv timer may go off early, for nothing, but never late: libcurl moves its time with each
 * request, and most of these moves need no work. An unneeded timer does not keep the loop alive. */
static void arm(curia__http_multi *m) {
    if (m->due_ms == NEVER) {
        uv_unref((uv_handle_t *)&m->timer);
        return;
    }
    uv_ref((uv_handle_t *)&m->timer);
    if (m->due_ms >= m->armed_ms) return;
    uint64_t now = now_ms(m);
    m->armed_ms = m->due_ms;
    uv_timer_start(&m->timer, on_uv_timer, m->due_ms > now ? m->due_ms - now : 0, 0);
}

/* A timer of 0 ms would go off in this same turn, for ever (MEASURED 12). */
static void on_uv_timer(uv_timer_t *handle) {
    curia__http_multi *m = handle->data;
    m->armed_ms = NEVER;
    if (curia__http_slice_over(m->client, &m->client->timers_slice))
        uv_timer_start(handle, on_uv_timer, 1, 0);
    else if (m->due_ms <= now_ms(m))
        curia__http_multi_act(m, CURL_SOCKET_TIMEOUT, 0);
    else
        arm(m);
}

/* Called from within many functions of libcurl, so it only takes note (PITFALLS C3). */
static int on_curl_timer(CURLM *curl, long ms, void *arg) {
    (void)curl;
    curia__http_multi *m = arg;
    m->due_ms = ms < 0 ? NEVER : now_ms(m) + (uint64_t)ms;
    return 0;
}

/* ---- the handles -------------------------------------------------------------------------------- */

static bool append(curia__http_client *client, curia__http_multi *m) {
    size_t count = client->stats.multis;
    if (count == client->multi_capacity) {
        size_t capacity = count ? count * 2 : 8;
        curia__http_multi **multis = realloc(client->multis, capacity * sizeof(*multis));
        if (!multis) return false;
        client->multis = multis;
        client->multi_capacity = capacity;
    }
    m->place = count;
    client->multis[count] = m;
    client->stats.multis++;
    return true;
}

static void take_out(curia__http_client *client, const curia__http_multi *m) {
    curia__http_multi *last = client->multis[--client->stats.multis];
    client->multis[m->place] = last;
    last->place = m->place;
    client->hint = 0;
}

/* Connections of all origins that the exchanges of one multi use in turn stay open. */
static void set_options(curia__http_multi *m) {
    CURLM *curl = m->curl;
    curl_multi_setopt(curl, CURLMOPT_SOCKETFUNCTION, curia__http_socket_watch);
    curl_multi_setopt(curl, CURLMOPT_SOCKETDATA, m);
    curl_multi_setopt(curl, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    curl_multi_setopt(curl, CURLMOPT_TIMERDATA, m);
    curl_multi_setopt(curl, CURLMOPT_MAXCONNECTS, (long)m->client->fill * 4);
    curl_multi_setopt(curl, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
}

static curia__http_multi *multi_new(curia__http_client *client) {
    curia__http_multi *m = calloc(1, sizeof *m);
    if (!m) return NULL;
    m->client = client;
    m->due_ms = m->armed_ms = NEVER;
    m->curl = curl_multi_init();
    if (!m->curl || !append(client, m)) {
        if (m->curl) curl_multi_cleanup(m->curl);
        free(m);
        return NULL;
    }
    set_options(m);
    uv_timer_init(client->loop->uv, &m->timer);
    m->timer.data = m;
    return m;
}

/* The first one with room, so that the later ones fall idle when there is less to do, and their
 * connections are used again when there is more. */
curia__http_multi *curia__http_multi_pick(curia__http_client *client) {
    size_t i = client->hint, count = client->stats.multis;
    while (i < count && client->multis[i]->active >= client->fill)
        i++;
    client->hint = i;
    return i < count ? client->multis[i] : multi_new(client);
}

/* ---- work -------------------------------------------------------------------------------------- */

static void link_in(curia__http_multi *m, curia__exchange *ex) {
    ex->multi = m;
    ex->prev = NULL;
    ex->next = m->exchanges;
    if (ex->next) ex->next->prev = ex;
    m->exchanges = ex;
    m->active++;
    m->client->stats.active++;
}

static void unlink_from(curia__http_multi *m, curia__exchange *ex) {
    if (ex->prev)
        ex->prev->next = ex->next;
    else
        m->exchanges = ex->next;
    if (ex->next) ex->next->prev = ex->prev;
    ex->multi = NULL;
    m->active--;
    m->client->stats.active--;
    if (m->place < m->client->hint) m->client->hint = m->place;
    if (m->active) return;
    m->idle_since_ms = now_ms(m);
    curia__http_client_idle(m->client);
}

int curia__http_multi_add(curia__http_multi *m, curia__exchange *ex) {
    if (curl_multi_add_handle(m->curl, ex->easy->curl)) return CURIA_ENOMEM;
    link_in(m, ex);
    curia__http_multi_kick(m);
    return 0;
}

void curia__http_multi_remove(curia__http_multi *m, curia__exchange *ex) {
    curl_multi_remove_handle(m->curl, ex->easy->curl);
    unlink_from(m, ex);
    if (!m->acting) arm(m);
}

/* Within a delivery the flush that follows it begins the work; elsewhere curl's own timer does. */
void curia__http_multi_kick(curia__http_multi *m) {
    curia__http_client *client = m->client;
    if (!client->loop->draining) arm(m);
    if (m->kicked) return;
    m->kicked = true;
    m->next_kicked = client->kicked;
    client->kicked = m;
}

/* Reaps whatever has ended, always (PITFALLS C4). */
static void reap(curia__http_multi *m) {
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(m->curl, &left))) {
        if (message->msg != CURLMSG_DONE) continue;
        CURLcode outcome = message->data.result; /* the message dies with the handle's removal */
        char *easy = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &easy);
        curia__exchange_finish(((curia__http_easy *)easy)->exchange, outcome);
    }
}

void curia__http_multi_act(curia__http_multi *m, curl_socket_t fd, int what) {
    int running;
    m->acting = true;
    if (fd == CURL_SOCKET_TIMEOUT) m->due_ms = NEVER; /* libcurl does not say so if none is left */
    CURLMcode rc = curl_multi_socket_action(m->curl, fd, what, &running);
    reap(m);
    m->acting = false;
    if (rc)
        curia__http_multi_close(m, CURIA_EIO);
    else
        arm(m);
}

static void unkick(curia__http_multi *m) {
    curia__http_multi **at = &m->client->kicked;
    while (*at && *at != m)
        at = &(*at)->next_kicked;
    if (*at) *at = m->next_kicked;
}

static void on_closed(uv_handle_t *handle) {
    free(handle->data);
}

/* The order of PITFALLS C7: handles, connections (with callbacks still in place), then our own. */
void curia__http_multi_close(curia__http_multi *m, int code) {
    m->acting = true;
    while (m->exchanges)
        curia__exchange_end(m->exchanges, code, NULL);
    curl_multi_cleanup(m->curl);
    unkick(m);
    take_out(m->client, m);
    uv_close((uv_handle_t *)&m->timer, on_closed);
}
