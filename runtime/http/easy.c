#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "http/client.h"

enum {
    READ_BYTES = 2048,   /* most of a body that is handed on at once; held while a request waits */
    WRITE_BYTES = 16384, /* the smallest that libcurl allows; held by each TLS request */
    KEEPALIVE_S = 60     /* TCP probes for models that think for minutes behind a NAT */
};

/* ---- callbacks: they fill the exchange in, and touch neither Lua nor the multi (C1, C2) -------- */

static int on_send(void *arg, char *remote, char *local, int remote_port, int local_port) {
    (void)local, (void)remote_port, (void)local_port;
    curia__http_easy *easy = arg;
    return curia__exchange_sending(easy->exchange, remote) ? CURL_PREREQFUNC_ABORT
                                                           : CURL_PREREQFUNC_OK;
}

static size_t on_header(char *line, size_t size, size_t count, void *arg) {
    curia__http_easy *easy = arg;
    size_t length = size * count;
    return curia__exchange_head(easy->exchange, line, length) ? length + 1 : length;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *arg) {
    curia__http_easy *easy = arg;
    size_t length = size * count;
    int rc = curia__exchange_body(easy->exchange, bytes, length);
    return rc == 0 ? length : rc == CURIA_EBUSY ? CURL_WRITEFUNC_PAUSE : length + 1;
}

/* ---- options that never change ----------------------------------------------------------------- */

static void set_callbacks(curia__http_easy *easy) {
    CURL *curl = easy->curl;
    curl_easy_setopt(curl, CURLOPT_PRIVATE, easy);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, easy->error);
    curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, on_send);
    curl_easy_setopt(curl, CURLOPT_PREREQDATA, easy);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, easy);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, easy);
}

/* The closing of a socket is told to whoever opened it, which outlives every exchange. */
static void set_connection(curia__http_easy *easy) {
    CURL *curl = easy->curl;
    curia__http_client *client = easy->client;
    curl_easy_setopt(curl, CURLOPT_SHARE, client->share);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, curia__http_socket_open);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, easy);
    curl_easy_setopt(curl, CURLOPT_CLOSESOCKETFUNCTION, curia__http_socket_close);
    curl_easy_setopt(curl, CURLOPT_CLOSESOCKETDATA, client);
    curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, (long)CURIA__HTTP_IDLE_S);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_S);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_S);
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, (long)READ_BYTES);
    curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, (long)WRITE_BYTES);
    if (client->direct) curl_easy_setopt(curl, CURLOPT_PROXY, "");
}

/* Without CAPATH = NULL libcurl would read the store anew for each connection. */
static void set_trust(CURL *curl, const curia__http_client *client) {
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(curl, CURLOPT_CAINFO, client->ca_file);
    curl_easy_setopt(curl, CURLOPT_PROXY_CAPATH, NULL);
    curl_easy_setopt(curl, CURLOPT_PROXY_CAINFO, client->ca_file);
}

static void set_protocol(CURL *curl) {
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L); /* cancelling does not wait for a name lookup */
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(curl, CURLOPT_PIPEWAIT, 1L);
}

static curia__http_easy *easy_new(curia__http_client *client) {
    curia__http_easy *easy = calloc(1, sizeof *easy);
    if (!easy) return NULL;
    easy->curl = curl_easy_init();
    if (!easy->curl) {
        free(easy);
        return NULL;
    }
    easy->client = client;
    set_callbacks(easy);
    set_connection(easy);
    set_trust(easy->curl, client);
    set_protocol(easy->curl);
    easy->trust = client->trust;
    client->stats.easies++;
    return easy;
}

/* ---- the pool ---------------------------------------------------------------------------------- */

curia__http_easy *curia__http_easy_get(curia__http_client *client) {
    curia__http_easy *easy = client->easies;
    if (!easy) return easy_new(client);
    client->easies = easy->next;
    client->idle_easies--;
    return easy;
}

static void easy_free(curia__http_client *client, curia__http_easy *easy) {
    curl_easy_cleanup(easy->curl);
    curl_url_cleanup(easy->parsed);
    free(easy->url);
    free(easy);
    client->stats.easies--;
}

void curia__http_easy_put(curia__http_client *client, curia__http_easy *easy) {
    if (easy->trust != client->trust) {
        easy_free(client, easy);
        return;
    }
    easy->exchange = NULL;
    easy->next = client->easies;
    client->easies = easy;
    client->idle_easies++;
}

void curia__http_easy_trim(curia__http_client *client, size_t keep) {
    while (client->idle_easies > keep)
        easy_free(client, curia__http_easy_get(client));
}

/* ---- options of a request ---------------------------------------------------------------------- */

static CURLU *parse(const char *url) {
    CURLU *parsed = curl_url();
    if (parsed && curl_url_set(parsed, CURLUPART_URL, url, 0)) {
        curl_url_cleanup(parsed);
        parsed = NULL;
    }
    return parsed;
}

/* Given parsed, as libcurl would parse it anew and put it together again for each request. One that
 * cannot be parsed libcurl complains of itself. */
static void set_url(curia__http_easy *easy, const char *url) {
    if (easy->url && strcmp(easy->url, url) == 0) return;
    free(easy->url);
    easy->url = strdup(url);
    curl_easy_setopt(easy->curl, CURLOPT_URL, url);
    CURLU *parsed = parse(url);
    curl_easy_setopt(easy->curl, CURLOPT_CURLU, parsed);
    curl_url_cleanup(easy->parsed);
    easy->parsed = parsed;
}

static void set_method(curia__http_easy *easy, curia__http_method method) {
    static const char *const custom[] = {
        [CURIA__HTTP_PUT] = "PUT", [CURIA__HTTP_PATCH] = "PATCH", [CURIA__HTTP_DELETE] = "DELETE"};
    if (easy->prepared && easy->method == method) return;
    CURLoption option = method == CURIA__HTTP_GET    ? CURLOPT_HTTPGET
                        : method == CURIA__HTTP_HEAD ? CURLOPT_NOBODY
                                                     : CURLOPT_POST;
    curl_easy_setopt(easy->curl, option, 1L);
    curl_easy_setopt(easy->curl, CURLOPT_CUSTOMREQUEST, custom[method]);
    easy->method = method;
}

/* A streamed body may have to wait, and libcurl would buffer up to 32 MB of an HTTP/2 stream that
 * does (C11). Over plain http nothing is gained by asking for HTTP/2. */
static void set_version(curia__http_easy *easy, bool plain) {
    long version = plain ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS;
    if (easy->prepared && easy->version == version) return;
    curl_easy_setopt(easy->curl, CURLOPT_HTTP_VERSION, version);
    easy->version = version;
}

static void set_connect_time(curia__http_easy *easy, uint64_t ms) {
    if (easy->prepared && easy->connect_ms == ms) return;
    curl_easy_setopt(easy->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)(ms ? ms : LONG_MAX));
    easy->connect_ms = ms;
}

/* Behind a proxy the address that is connected to could not be seen. */
static void set_proxy(curia__http_easy *easy, bool public_only) {
    if (easy->client->direct || easy->unproxied == public_only) return;
    curl_easy_setopt(easy->curl, CURLOPT_PROXY, public_only ? "" : NULL);
    easy->unproxied = public_only;
}

static void set_body(CURL *curl, const char *body, size_t size) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
}

void curia__http_easy_prepare(curia__http_easy *easy, curia__exchange *ex,
                              const curia__http_request *r) {
    easy->exchange = ex;
    easy->error[0] = 0;
    set_url(easy, ex->url);
    if (r->method > CURIA__HTTP_HEAD) set_body(easy->curl, ex->request_body, r->body_size);
    set_method(easy, r->method);
    set_version(easy, r->stream || !curia__http_is_tls(ex->url));
    set_connect_time(easy, r->connect_ms);
    set_proxy(easy, r->public_only);
    curl_easy_setopt(easy->curl, CURLOPT_HTTPHEADER, ex->request);
    easy->prepared = true;
}
