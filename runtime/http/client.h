/* The inside of the HTTP client; only runtime/http/ includes this.
 *
 *   client   the service: settings, start and end                          client.c
 *   multi    one curl multi handle on uv: timer, reaping                   multi.c
 *   socket   the poll watch of one connection, kept while it lives         socket.c
 *   easy     a pooled curl easy handle: options and callbacks              easy.c
 *   exchange one request and its answer: limits, decoding, outcome         exchange.c
 */
#ifndef CURIA_HTTP_CLIENT_H
#define CURIA_HTTP_CLIENT_H

#include <curl/curl.h>
#include <uv.h>

#include "http/http.h"

typedef struct curia__http_client curia__http_client;
typedef struct curia__http_socket curia__http_socket;

struct curia__http_multi {
    curia__http_client *client;
    size_t place; /* among the client's */
    CURLM *curl;
    uv_timer_t timer;           /* the multi is freed by its close callback */
    uint64_t due_ms;            /* when curl wants to be called; UINT64_MAX: never */
    uint64_t armed_ms;          /* when `timer` goes off; UINT64_MAX: it is stopped */
    curia__exchange *exchanges; /* under way */
    size_t active;
    uint64_t idle_since_ms;
    curia__http_multi *next_kicked; /* has new exchanges that curl has not begun */
    bool kicked;
    bool acting; /* inside of libcurl, or closing: the timer is armed afterwards */
};

/* What a turn of the loop spends on one kind of work. */
typedef struct {
    uint64_t turn, began_ns;
} curia__http_slice;

struct curia__http_client {
    curia__service service; /* first member */
    curia__loop *loop;
    CURLSH *share; /* DNS and TLS sessions; NULL until the first exchange */
    curia__http_multi **multis;
    size_t multi_capacity;
    size_t hint;   /* no multi before this one has room */
    unsigned fill; /* exchanges at once in one multi */
    curia__http_multi *kicked;
    curia__http_easy *easies; /* idle */
    size_t idle_easies;
    curia__http_socket **sockets; /* by file descriptor */
    size_t socket_slots;
    curia__http_slice sockets_slice, timers_slice;
    uv_timer_t sweep; /* lets go of what stays idle; the client is freed by its close callback */
    char *ca_file;    /* NULL: none was found */
    unsigned trust;   /* how often ca_file was changed */
    bool direct;      /* no proxy is named in the environment */
    curia__http_stats stats;
};

enum {
    /* libcurl's cost per request grows with the connections in one multi handle, so there are many
     * small ones (measured: with 3,000 requests at once 34 us each at 96, 38 at 256, 43 at 1,000).
     * It may not be much over 100, the streams that libcurl puts on one HTTP/2 connection: beyond,
     * 500 requests have opened 250 connections. Nor be much smaller: over TLS each multi reads the
     * certificate store once (20 ms). */
    CURIA__HTTP_FILL = 96,
    CURIA__HTTP_IDLE_S = 90 /* connections idle for longer are closed */
};

/* ---- client.c ---- */

/* A multi has fallen idle. */
void curia__http_client_idle(curia__http_client *client);

/* ---- multi.c ---- */

/* A multi with room; NULL without memory. */
curia__http_multi *curia__http_multi_pick(curia__http_client *client);
/* Adds the exchange's easy handle to its multi. Returns 0 or a code. */
int curia__http_multi_add(curia__http_multi *multi, curia__exchange *ex);
void curia__http_multi_remove(curia__http_multi *multi, curia__exchange *ex);
/* Lets curl begin what was added. */
void curia__http_multi_kick(curia__http_multi *multi);
/* curl reports on a socket; fd may be CURL_SOCKET_TIMEOUT. */
void curia__http_multi_act(curia__http_multi *multi, curl_socket_t fd, int what);
/* Ends its exchanges with `code`, closes its connections, frees it. */
void curia__http_multi_close(curia__http_multi *multi, int code);

/* ---- socket.c ---- */

/* CURLMOPT_SOCKETFUNCTION, CURLOPT_OPENSOCKETFUNCTION, CURLOPT_CLOSESOCKETFUNCTION. */
int curia__http_socket_watch(CURL *easy, curl_socket_t fd, int what, void *multi, void *assigned);
curl_socket_t curia__http_socket_open(void *easy, curlsocktype purpose,
                                      struct curl_sockaddr *address);
int curia__http_socket_close(void *client, curl_socket_t fd);

/* ---- easy.c ---- */

struct curia__http_easy {
    CURL *curl;
    curia__http_client *client;
    curia__exchange *exchange; /* that it serves now */
    curia__http_easy *next;    /* idle ones */
    char *url;                 /* as set; kept to save setting it again */
    CURLU *parsed;             /* likewise */
    curia__http_method method; /* as set */
    uint64_t connect_ms;       /* as set */
    long version;              /* as set */
    bool unproxied;            /* as set, where the environment names a proxy */
    bool prepared;             /* these are set */
    unsigned trust;            /* the client's when it was made */
    char error[CURL_ERROR_SIZE];
};

/* An idle or new easy handle; NULL without memory. */
curia__http_easy *curia__http_easy_get(curia__http_client *client);
/* Keeps it for the next exchange, or frees it when it trusts what is no longer trusted. */
void curia__http_easy_put(curia__http_client *client, curia__http_easy *easy);
/* Frees idle handles until `keep` are left. */
void curia__http_easy_trim(curia__http_client *client, size_t keep);
/* Sets what the request states; URL, headers and body are read from the exchange's copy. */
void curia__http_easy_prepare(curia__http_easy *easy, curia__exchange *ex,
                              const curia__http_request *request);

/* ---- request.c ---- */

/* Copies the request into the exchange's block. Returns 0, CURIA_EINVAL or CURIA_ENOMEM. */
int curia__http_request_pack(curia__exchange *ex, const curia__http_request *request);
/* Of a URL that was packed. */
bool curia__http_is_tls(const char *url);

/* ---- exchange.c ---- */

/* Prepares zeroed memory, without starting anything. Returns 0 or a code. */
int curia__exchange_init(curia__exchange *ex, curia__loop *loop,
                         const curia__http_request *request);
/* Begins to watch its limits. Returns 0 or CURIA_ENOMEM. */
int curia__exchange_guard(curia__exchange *ex);
/* The callbacks' share: curl is about to connect or to send to an address; a header line, a piece of body has come. They return
 * 0, a code that makes curl give up, or (body) CURIA_EBUSY: not taken, pause. */
int curia__exchange_connecting(curia__exchange *ex, const struct sockaddr *address);
int curia__exchange_sending(curia__exchange *ex, const char *address);
int curia__exchange_head(curia__exchange *ex, const char *line, size_t length);
int curia__exchange_body(curia__exchange *ex, const char *bytes, size_t length);
/* curl is through with it. */
void curia__exchange_finish(curia__exchange *ex, CURLcode outcome);
/* Ends it with a code; its message is made of `text` (NULL: of the code). */
void curia__exchange_end(curia__exchange *ex, int code, const char *text);

/* Whether this turn has spent its share on this kind of work: thousands of sockets may speak, and as many
 * requests begin, at once, and each takes some 30 us. The rest has to wait for the next turn. */
bool curia__http_slice_over(const curia__http_client *client, curia__http_slice *slice);

#endif
