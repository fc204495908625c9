#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "http/client.h"

enum {
    SWEEP_MS = 30 * 1000,      /* how often idle things are looked through */
    MULTI_IDLE_MS = 90 * 1000, /* an idle multi is closed after this, with its connections */
    SPARE_EASIES = 16,         /* stay pooled when nothing is under way */
    SLICE_NS = 5 * 1000 * 1000
};

/* ---- surroundings ------------------------------------------------------------------------------ */

/* Never undone: other libraries of the process may use libcurl, too. */
static void init_curl(void) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool is_set(const char *variable) {
    const char *value = getenv(variable);
    return value && *value;
}

/* libcurl reads these for each request; where none is set it need not look. */
static bool has_proxy(void) {
    static const char *const variables[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                            "ALL_PROXY"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        if (is_set(variables[i])) return true;
    return false;
}

/* The file that holds the certificates to trust. A file, because with a folder libcurl reads the
 * store anew for each connection (21 ms and 894 kB, MEASURED 3). */
static const char *find_ca_file(void) {
    static const char *const files[] = {"/etc/ssl/certs/ca-certificates.crt",
                                        "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"};
    if (is_set("SSL_CERT_FILE")) return getenv("SSL_CERT_FILE");
    if (is_set("CURL_CA_BUNDLE")) return getenv("CURL_CA_BUNDLE");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (access(files[i], R_OK) == 0) return files[i];
    return NULL;
}

bool curia__http_slice_over(const curia__http_client *client, curia__http_slice *slice) {
    uint64_t now = uv_hrtime();
    if (slice->turn != client->loop->turns || !slice->began_ns)
        *slice = (curia__http_slice){client->loop->turns, now};
    return now - slice->began_ns > SLICE_NS;
}

/* ---- the service ------------------------------------------------------------------------------- */

static void flush(curia__service *service) {
    curia__http_client *client = (curia__http_client *)service;
    while (client->kicked) {
        curia__http_multi *m = client->kicked;
        client->kicked = m->next_kicked;
        m->kicked = false;
        curia__http_multi_act(m, CURL_SOCKET_TIMEOUT, 0);
    }
}

static void on_closed(uv_handle_t *handle) {
    free(handle->data);
}

static void close_client(curia__service *service) {
    curia__http_client *client = (curia__http_client *)service;
    while (client->stats.multis)
        curia__http_multi_close(client->multis[client->stats.multis - 1], CURIA_ECLOSED);
    curia__http_easy_trim(client, 0);
    if (client->share) curl_share_cleanup(client->share);
    free(client->multis);
    free(client->sockets);
    free(client->ca_file);
    uv_close((uv_handle_t *)&client->sweep, on_closed);
}

/* From the last to the first: closing one puts the last in its place. */
static void on_sweep(uv_timer_t *timer) {
    curia__http_client *client = timer->data;
    uint64_t now = uv_now(client->loop->uv);
    for (size_t i = client->stats.multis; i-- > 0;) {
        curia__http_multi *m = client->multis[i];
        if (m->active == 0 && now - m->idle_since_ms >= MULTI_IDLE_MS)
            curia__http_multi_close(m, 0);
    }
    if (client->stats.active == 0) curia__http_easy_trim(client, SPARE_EASIES);
    if (client->stats.multis) curia__http_client_idle(client);
}

/* In real time, whatever the loop's clock does: connections age with it. */
void curia__http_client_idle(curia__http_client *client) {
    if (!uv_is_active((uv_handle_t *)&client->sweep))
        uv_timer_start(&client->sweep, on_sweep, SWEEP_MS, 0);
}

static curia__http_client *client_new(curia__loop *loop) {
    curia__http_client *client = calloc(1, sizeof *client);
    if (!client) return NULL;
    const char *ca_file = find_ca_file();
    if (ca_file && !(client->ca_file = strdup(ca_file))) {
        free(client);
        return NULL;
    }
    client->service = (curia__service){.name = "http", .flush = flush, .close = close_client};
    client->loop = loop;
    client->direct = !has_proxy();
    client->fill = CURIA__HTTP_FILL;
    uv_timer_init(loop->uv, &client->sweep);
    uv_unref((uv_handle_t *)&client->sweep);
    client->sweep.data = client;
    curia__loop_add_service(loop, &client->service);
    return client;
}

static curia__http_client *find_client(const curia__loop *loop) {
    for (curia__service *s = loop->services; s; s = s->next)
        if (s->close == close_client) return (curia__http_client *)s;
    return NULL;
}

static curia__http_client *client_of(curia__loop *loop) {
    curia__http_client *client = find_client(loop);
    return client ? client : client_new(loop);
}

/* The multis share what they would else learn several times. All is on one thread: no locks. */
static bool prepare(curia__http_client *client) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (client->share) return true;
    pthread_once(&once, init_curl);
    client->share = curl_share_init();
    if (!client->share) return false;
    curl_share_setopt(client->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    curl_share_setopt(client->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    return true;
}

/* ---- interface --------------------------------------------------------------------------------- */

int curia__http_configure(curia__loop *loop, const curia__http_config *config) {
    if (loop->closing) return CURIA_ECLOSED;
    curia__http_client *client = client_of(loop);
    if (!client) return CURIA_ENOMEM;
    if (config->ca_file) {
        char *ca_file = strdup(config->ca_file);
        if (!ca_file) return CURIA_ENOMEM;
        free(client->ca_file);
        client->ca_file = ca_file;
        client->trust++;
        curia__http_easy_trim(client, 0);
    }
    if (config->max_per_multi) client->fill = config->max_per_multi;
    return 0;
}

curia__http_stats curia__http_stats_of(curia__loop *loop) {
    curia__http_client *client = find_client(loop);
    return client ? client->stats : (curia__http_stats){0};
}

static int begin(curia__http_client *client, const curia__http_request *request,
                 curia__exchange *ex) {
    curia__http_multi *m = curia__http_multi_pick(client);
    if (!m) return CURIA_ENOMEM;
    ex->easy = curia__http_easy_get(client);
    if (!ex->easy) return CURIA_ENOMEM;
    curia__http_easy_prepare(ex->easy, ex, request);
    int rc = curia__http_multi_add(m, ex);
    if (!rc) return 0;
    curia__http_easy_put(client, ex->easy);
    ex->easy = NULL;
    return rc;
}

static int start(curia__loop *loop, const curia__http_request *request, curia__exchange *ex) {
    int rc = curia__exchange_init(ex, loop, request);
    if (rc) return rc;
    if (loop->closing) return CURIA_ECLOSED;
    curia__http_client *client = client_of(loop);
    if (!client || !prepare(client)) return CURIA_ENOMEM;
    rc = curia__exchange_guard(ex); /* first, so that its end always stops the timer */
    if (!rc) rc = begin(client, request, ex);
    if (!rc) client->stats.exchanges++;
    return rc;
}

int curia__http_start(curia__loop *loop, const curia__http_request *request, curia__exchange *ex) {
    int rc = start(loop, request, ex);
    if (rc) curia__exchange_end(ex, rc, NULL);
    return rc;
}
