/* HTTP client: many exchanges at once on one loop, over connections that are kept alive.
 *
 * There is one client per loop, a service that comes into being with the first use. An exchange is
 * one request and its answer; it lives in its owner's memory from curia__http_start (whatever that
 * returns) to curia__exchange_deinit and must not move. The client never repeats a request and never
 * follows a redirect: both would be a second payment (PITFALLS C10). TLS is always verified. Whoever
 * waits for an exchange waits on its `changed` and looks again. Loop thread only.
 */
#ifndef CURIA_HTTP_H
#define CURIA_HTTP_H

#include "buffer.h"
#include "decode/decoder.h"
#include "loop.h"
#include "stream.h"

typedef struct curia__http_easy curia__http_easy;
typedef struct curia__http_multi curia__http_multi;

typedef struct {
    const char *name, *value; /* NUL-terminated */
} curia__http_header;

typedef enum {
    CURIA__HTTP_GET,
    CURIA__HTTP_HEAD,
    CURIA__HTTP_POST,
    CURIA__HTTP_PUT,
    CURIA__HTTP_PATCH,
    CURIA__HTTP_DELETE
} curia__http_method;

/* What to do. Copied by curia__http_start, except `paths`, to which a reference is taken.
 * A time of 0 means no limit. */
typedef struct {
    curia__http_method method;
    const char *url; /* http or https, absolute */
    const curia__http_header *headers;
    size_t header_count;
    const char *body; /* sent with all methods but GET and HEAD */
    size_t body_size;
    curia__paths *paths;    /* decode a streamed answer with these; NULL: never */
    bool watch;             /* tell of each batch of segments, not of the end only */
    bool stream;            /* hand the body on as it comes; not with paths */
    bool public_only;       /* CURIA_EPRIVATE for addresses that are not public; no proxy is used */
    uint64_t connect_ms;    /* name, connection and TLS */
    uint64_t first_byte_ms; /* from sending the request to the first byte of the body */
    uint64_t silence_ms;    /* the longest gap after that */
    uint64_t total_ms;      /* for everything */
    size_t max_body_bytes;  /* of the answer; 0: CURIA__HTTP_MAX_BODY */
} curia__http_request;

#define CURIA__HTTP_MAX_BODY ((size_t)64 << 20)

typedef struct {
    uint64_t first_byte_us; /* since the start; 0: none came */
    uint64_t total_us;      /* since the start, up to the end or now */
    uint64_t bytes;         /* of the body */
    int version;            /* 10, 11 or 20; 0: no answer */
    bool reused;            /* sent on a connection that was there already */
} curia__http_timing;

typedef struct curia__exchange curia__exchange;
struct curia__exchange {
    curia__signal changed; /* there is more to take, or it has ended */
    bool done;
    bool sent; /* the request may have reached the server, at least in part */
    bool watch;
    bool decoding;        /* the answer is a stream being decoded */
    int error;            /* once done: 0 or a code */
    int status;           /* of HTTP; 0: no answer yet */
    curia__buffer head;   /* the answer's header lines */
    curia__stream stream; /* of a streamed answer, the pieces that wait */
    curia__buffer body;   /* of an answer that is neither decoded nor streamed */

    /* ---- private ---- */
    curia__loop *loop;
    curia__http_multi *multi;     /* NULL: not under way */
    curia__http_easy *easy;       /* likewise */
    curia__exchange *next, *prev; /* in its multi */
    char *request;                /* header list, URL and body, in one block; freed when it ends */
    char *url;                    /* within it, as the next two */
    const char *request_body;
    const char *origin; /* "host:port", for messages */
    int origin_length;
    char *message; /* NULL: that of `error` */
    curia__decoder decoder;
    curia__segments taken;
    curia__timer timer; /* goes off no later than the next limit, see exchange.c */
    uint64_t first_byte_ms, silence_ms, total_ms;
    uint64_t started_ms, sent_ms, arrival_ms; /* on the loop's clock */
    uint64_t started_us, first_byte_us, ended_us;
    uint64_t received, max_body;
    curia__paths *paths;
    int version;
    int refusal; /* why a callback made curl give up */
    bool streamed, paused, answered, reused, public_only;
};

/* Starts an exchange in zeroed memory. Returns 0; CURIA_EINVAL (not an http or https URL; a header
 * that is none; paths and stream together), CURIA_ENOMEM or CURIA_ECLOSED. All other failures are
 * told by the exchange. */
int curia__http_start(curia__loop *loop, const curia__http_request *request, curia__exchange *ex);

/* Ends it at once, with `code`; its connection is closed. No effect on one that has ended. */
void curia__exchange_cancel(curia__exchange *ex, int code);

/* Cancels it and frees what it holds. Idempotent. */
void curia__exchange_deinit(curia__exchange *ex);

/* Whether there is something to tell: it has ended, or it is watched or streamed and has got more. */
bool curia__exchange_ready(const curia__exchange *ex);

/* From now on tells of each batch (or of the end only). */
void curia__exchange_watch(curia__exchange *ex, bool on);

/* What a decoded stream has gathered since the last call. Valid until the next one. */
const curia__segments *curia__exchange_take(curia__exchange *ex);

/* Drops the oldest piece of a streamed body (ex->stream.first), which has been read. May let a
 * paused transfer go on. */
void curia__exchange_drop_piece(curia__exchange *ex);

/* Walks over the answer's header lines; *at starts at 0. Returns false after the last. */
bool curia__exchange_header(const curia__exchange *ex, size_t *at, curia__slice *name,
                            curia__slice *value);

/* Why it failed: curl's own text with host and port; never a header or a body. */
const char *curia__exchange_message(const curia__exchange *ex);

curia__http_timing curia__exchange_timing(const curia__exchange *ex);

typedef struct {
    const char *ca_file;    /* NULL: as before (at first: the environment's, then the system's) */
    unsigned max_per_multi; /* 0: as before */
} curia__http_config;

/* Changes the client of this loop; connections that exist stay. Returns 0, CURIA_EINVAL,
 * CURIA_ENOMEM or CURIA_ECLOSED. */
int curia__http_configure(curia__loop *loop, const curia__http_config *config);

typedef struct {
    size_t active;  /* exchanges under way */
    size_t sockets; /* open, idle ones included */
    size_t multis, easies;
    uint64_t exchanges, connections; /* since the start */
} curia__http_stats;

curia__http_stats curia__http_stats_of(curia__loop *loop);

#endif
