#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "error.h"
#include "http/address.h"
#include "http/client.h"

#define NEVER UINT64_MAX

enum {
    HEAD_MAX = 256 * 1024,        /* bytes of header lines */
    RESERVE_MAX = 1024 * 1024,    /* of a promised length, memory is taken in advance */
    STREAM_QUEUE_MAX = 256 * 1024 /* bytes of a streamed body that wait before the server has to */
};

static curia__exchange *of_signal(curia__signal *signal) {
    return (curia__exchange *)((char *)signal - offsetof(curia__exchange, changed));
}

static curia__exchange *of_stream(curia__stream *stream) {
    return (curia__exchange *)((char *)stream - offsetof(curia__exchange, stream));
}

static curia__exchange *of_timer(curia__timer *timer) {
    return (curia__exchange *)((char *)timer - offsetof(curia__exchange, timer));
}

static uint64_t now_ms(const curia__exchange *ex) {
    return curia__clock_ms(&ex->loop->clock);
}

static uint64_t now_us(const curia__exchange *ex) {
    return curia__clock_us(&ex->loop->clock);
}

/* ---- beginning --------------------------------------------------------------------------------- */

/* The task that waits was cancelled: nobody wants the answer any more. */
static void on_cancel(curia__signal *signal) {
    curia__exchange_end(of_signal(signal), CURIA_ECANCELLED, NULL);
}

static void on_room(curia__stream *stream) {
    curia__exchange *ex = of_stream(stream);
    if (!ex->easy || !ex->paused) return;
    ex->paused = false;
    ex->arrival_ms = now_ms(ex);
    curl_easy_pause(ex->easy->curl, CURLPAUSE_CONT);
    curia__http_multi_kick(ex->multi);
}

int curia__exchange_init(curia__exchange *ex, curia__loop *loop, const curia__http_request *r) {
    ex->loop = loop;
    ex->changed.on_cancel = on_cancel;
    ex->watch = r->watch;
    ex->streamed = r->stream;
    ex->public_only = r->public_only;
    ex->first_byte_ms = r->first_byte_ms;
    ex->silence_ms = r->silence_ms;
    ex->total_ms = r->total_ms;
    ex->max_body = r->max_body_bytes ? r->max_body_bytes : CURIA__HTTP_MAX_BODY;
    ex->started_ms = now_ms(ex);
    ex->started_us = now_us(ex);
    curia__stream_init(&ex->stream, CURIA__OVERFLOW_PAUSE, STREAM_QUEUE_MAX);
    ex->stream.on_room = on_room;
    int rc = curia__http_request_pack(ex, r);
    if (!rc && r->paths) ex->paths = curia__paths_ref(r->paths);
    return rc;
}

/* ---- limits ------------------------------------------------------------------------------------ */

typedef struct {
    uint64_t at_ms;
    int code;
} limit;

static void consider(limit *l, uint64_t from_ms, uint64_t length_ms, int code) {
    if (length_ms == 0 || from_ms + length_ms >= l->at_ms) return;
    *l = (limit){from_ms + length_ms, code};
}

/* The limit that is reached first if nothing more happens. A server that waits for us (paused) is
 * not silent, and connecting is libcurl's to limit. */
static limit next_limit(const curia__exchange *ex) {
    limit l = {NEVER, 0};
    consider(&l, ex->started_ms, ex->total_ms, CURIA_ETOTAL);
    if (ex->paused) return l;
    if (ex->first_byte_us)
        consider(&l, ex->arrival_ms, ex->silence_ms, CURIA_ESILENCE);
    else if (ex->sent)
        consider(&l, ex->sent_ms, ex->first_byte_ms, CURIA_EFIRSTBYTE);
    return l;
}

static void on_time(curia__timer *timer);

/* The timer is never moved by what arrives: it goes off when a limit may have been reached that
 * could have begun since it was set, looks, and is set again. Most exchanges end before. */
static int look_again(curia__exchange *ex, limit l) {
    uint64_t now = now_ms(ex);
    if (!ex->sent) consider(&l, now, ex->first_byte_ms, 0);
    consider(&l, now, ex->silence_ms, 0);
    if (l.at_ms == NEVER) return 0;
    return curia__timer_start(&ex->loop->clock, &ex->timer, l.at_ms - now, on_time);
}

static void on_time(curia__timer *timer) {
    curia__exchange *ex = of_timer(timer);
    limit l = next_limit(ex);
    int code = l.at_ms <= now_ms(ex) ? l.code : look_again(ex, l);
    if (code) curia__exchange_end(ex, code, NULL);
}

int curia__exchange_guard(curia__exchange *ex) {
    return look_again(ex, next_limit(ex));
}

/* ---- the answer -------------------------------------------------------------------------------- */

/* Makes libcurl give up, for a reason of our own. */
static int refuse(curia__exchange *ex, int code) {
    ex->refusal = code;
    return code;
}

int curia__exchange_connecting(curia__exchange *ex, const struct sockaddr *address) {
    if (!ex->public_only || curia__address_is_public(address)) return 0;
    return refuse(ex, CURIA_EPRIVATE);
}

/* Looks at the address once more, since a connection that was kept may be another request's.
 * libcurl sends a request again when a kept connection dies before the first byte of an answer.
 * For a paid call that is a second payment that nobody counts, so it is stopped here (C10). */
int curia__exchange_sending(curia__exchange *ex, const char *address) {
    if (ex->public_only && !curia__address_text_is_public(address))
        return refuse(ex, CURIA_EPRIVATE);
    ex->refusal = 0; /* of another address of the same name */
    if (ex->sent) return refuse(ex, CURIA_ERESET);
    long connects = 1;
    curl_easy_getinfo(ex->easy->curl, CURLINFO_NUM_CONNECTS, &connects);
    ex->reused = connects == 0;
    ex->sent = true;
    ex->sent_ms = now_ms(ex);
    return 0;
}

static bool begins(curia__slice text, const char *prefix) {
    size_t length = strlen(prefix);
    return text.length >= length && strncasecmp(text.at, prefix, length) == 0;
}

/* "HTTP/1.1 200 OK". Begins the header lines anew: what came before was provisional (1xx). */
static void status_line(curia__exchange *ex, const char *line, size_t length) {
    curia__buffer_clear(&ex->head);
    ex->version = line[5] == '1' && length > 7 ? 10 + (line[7] == '1') : (line[5] - '0') * 10;
    const char *code = memchr(line, ' ', length);
    ex->status = code ? (int)strtol(code + 1, NULL, 10) : 0;
}

static bool is_document(const curia__exchange *ex) {
    curia__slice name, value;
    for (size_t at = 0; curia__exchange_header(ex, &at, &name, &value);)
        if (name.length == 12 && begins(name, "content-type"))
            return begins(value, "application/json") || begins(value, "text/html");
    return false;
}

/* The header lines are complete: what will become of the body? */
static void head_ended(curia__exchange *ex) {
    if (ex->status < 200) return;
    ex->answered = true;
    bool good = ex->status < 300;
    ex->streamed = ex->streamed && good;
    if (!ex->paths || !good || is_document(ex)) return;
    ex->decoding = true;
    curia__decoder_init(&ex->decoder, ex->paths, 0, ex->max_body);
}

/* Lines that follow the body (trailers) tell us nothing. */
int curia__exchange_head(curia__exchange *ex, const char *line, size_t length) {
    if (ex->answered) return 0;
    if (length > 7 && memcmp(line, "HTTP/", 5) == 0) {
        status_line(ex, line, length);
        return 0;
    }
    if (line[0] == '\r' || line[0] == '\n') {
        head_ended(ex);
        return 0;
    }
    if (ex->head.size + length > HEAD_MAX) return refuse(ex, CURIA_ETOOBIG);
    return curia__buffer_append(&ex->head, line, length) ? refuse(ex, CURIA_ENOMEM) : 0;
}

static void arrived(curia__exchange *ex) {
    ex->arrival_ms = now_ms(ex);
    if (!ex->first_byte_us) ex->first_byte_us = now_us(ex);
}

/* Some servers send blank lines while they think. */
static bool is_all_blank(const char *bytes, size_t length) {
    size_t i = 0;
    while (i < length && (bytes[i] == '\n' || bytes[i] == '\r' || bytes[i] == ' '))
        i++;
    return i == length;
}

/* Memory for a body of promised length, within reason: the promise is the server's. */
static int reserve(curia__exchange *ex) {
    curl_off_t promised = -1;
    curl_easy_getinfo(ex->easy->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &promised);
    if (promised <= 0) return 0;
    if ((uint64_t)promised > ex->max_body) return CURIA_ETOOBIG;
    return curia__buffer_reserve(&ex->body,
                                 promised < RESERVE_MAX ? (size_t)promised : RESERVE_MAX);
}

static int keep(curia__exchange *ex, const char *bytes, size_t length) {
    if (!is_all_blank(bytes, length)) arrived(ex);
    int rc = ex->body.data ? 0 : reserve(ex);
    return rc ? rc : curia__buffer_append(&ex->body, bytes, length);
}

static int hand_on(curia__exchange *ex, const char *bytes, size_t length) {
    int rc = curia__stream_put(&ex->stream, 0, bytes, length);
    if (rc == CURIA_EBUSY) {
        ex->paused = true;
        return rc;
    }
    arrived(ex);
    curia__signal_notify(&ex->changed, 0);
    return rc;
}

/* Comments and pings are no bytes (SPEC 10): they do not end a silence. */
static int decode(curia__exchange *ex, const char *bytes, size_t length) {
    uint64_t told = ex->decoder.told;
    int rc = curia__decoder_feed(&ex->decoder, bytes, length);
    if (ex->decoder.told != told || curia__decoder_inside(&ex->decoder)) arrived(ex);
    if (curia__exchange_ready(ex)) curia__signal_notify(&ex->changed, 0);
    return rc;
}

int curia__exchange_body(curia__exchange *ex, const char *bytes, size_t length) {
    if (length > ex->max_body - ex->received) return refuse(ex, CURIA_ETOOBIG);
    int rc = ex->decoding   ? decode(ex, bytes, length)
             : ex->streamed ? hand_on(ex, bytes, length)
                            : keep(ex, bytes, length);
    if (rc == CURIA_EBUSY) return rc;
    ex->received += length;
    return rc ? refuse(ex, rc) : 0;
}

/* ---- the end ----------------------------------------------------------------------------------- */

/* What libcurl's outcome means where the answer had not begun. */
static int code_of(CURLcode outcome) {
    switch (outcome) {
    case CURLE_OK: return 0;
    case CURLE_OUT_OF_MEMORY: return CURIA_ENOMEM;
    case CURLE_URL_MALFORMAT: return CURIA_EINVAL;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return CURIA_ERESOLVE;
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY: return CURIA_ECONNECT;
    case CURLE_OPERATION_TIMEDOUT: return CURIA_ECONNTIMEOUT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH: return CURIA_ETLS;
    case CURLE_SEND_ERROR:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING: return CURIA_ERESET;
    case CURLE_PARTIAL_FILE: return CURIA_ECUT;
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_CONTENT_ENCODING: return CURIA_EPROTO;
    default: return CURIA_EIO;
    }
}

/* A connection lost in the midst of an answer cuts it, by whatever name. */
static int judge(const curia__exchange *ex, CURLcode outcome) {
    if (ex->refusal) return ex->refusal;
    int code = code_of(outcome);
    bool lost = code == CURIA_ERESET || outcome == CURLE_HTTP2 || outcome == CURLE_HTTP2_STREAM;
    return lost && ex->answered ? CURIA_ECUT : code;
}

void curia__exchange_finish(curia__exchange *ex, CURLcode outcome) {
    const char *text = ex->easy->error[0] ? ex->easy->error : curl_easy_strerror(outcome);
    curia__exchange_end(ex, judge(ex, outcome), ex->refusal ? NULL : text);
}

/* The numbers that make a limit's message useful. */
static void explain(const curia__exchange *ex, int code, const char **text, char *out,
                    size_t size) {
    uint64_t ms = code == CURIA_EFIRSTBYTE ? ex->first_byte_ms
                  : code == CURIA_ESILENCE ? ex->silence_ms
                  : code == CURIA_ETOTAL   ? ex->total_ms
                                           : 0;
    if (ms)
        snprintf(out, size, "%s (limit %llu ms)", curia_error_text(code), (unsigned long long)ms);
    else if (code == CURIA_ETOOBIG)
        snprintf(out, size, "the answer is larger than %llu bytes",
                 (unsigned long long)ex->max_body);
    else
        return;
    *text = out;
}

static void set_message(curia__exchange *ex, int code, const char *text) {
    if (ex->message) return; /* the request was refused */
    char own[128], line[CURL_ERROR_SIZE + 320];
    if (!text) {
        text = curia_error_text(code);
        explain(ex, code, &text, own, sizeof own);
    }
    int n = ex->origin_length < 256 ? ex->origin_length : 256;
    snprintf(line, sizeof line, n ? "%s (%.*s)" : "%s", text, n, ex->origin);
    ex->message = strdup(line);
}

static void release(curia__exchange *ex) {
    curia__http_easy *easy = ex->easy;
    curia__http_client *client = ex->multi->client;
    curia__http_multi_remove(ex->multi, ex);
    curia__http_easy_put(client, easy);
    ex->easy = NULL;
}

static void forget_request(curia__exchange *ex) {
    free(ex->request);
    ex->request = NULL;
    ex->url = NULL;
    ex->origin = ex->request_body = NULL;
    ex->origin_length = 0;
}

void curia__exchange_end(curia__exchange *ex, int code, const char *text) {
    if (ex->done) return;
    if (!code && ex->decoding) {
        code = curia__decoder_finish(&ex->decoder);
        text = NULL;
    }
    if (code) set_message(ex, code, text);
    ex->done = true;
    ex->error = code;
    ex->ended_us = now_us(ex);
    curia__timer_stop(&ex->loop->clock, &ex->timer);
    if (ex->multi) release(ex);
    forget_request(ex);
    curia__stream_close(&ex->stream, code);
    curia__signal_notify(&ex->changed, 0);
}

void curia__exchange_cancel(curia__exchange *ex, int code) {
    curia__exchange_end(ex, code, NULL);
}

void curia__exchange_deinit(curia__exchange *ex) {
    if (!ex->loop) return;
    curia__exchange_end(ex, CURIA_ECANCELLED, NULL);
    if (ex->decoding) curia__decoder_deinit(&ex->decoder);
    curia__segments_deinit(&ex->taken);
    curia__stream_deinit(&ex->stream);
    curia__paths_unref(ex->paths);
    curia__buffer_deinit(&ex->head);
    curia__buffer_deinit(&ex->body);
    free(ex->message);
    ex->message = NULL;
    ex->paths = NULL;
    ex->decoding = false;
    ex->loop = NULL;
}

/* ---- looking at it ----------------------------------------------------------------------------- */

bool curia__exchange_ready(const curia__exchange *ex) {
    if (ex->done || ex->stream.count) return true;
    return ex->watch && ex->decoding && curia__decoder_count(&ex->decoder) > 0;
}

void curia__exchange_watch(curia__exchange *ex, bool on) {
    ex->watch = on;
    if (curia__exchange_ready(ex)) curia__signal_notify(&ex->changed, 0);
}

const curia__segments *curia__exchange_take(curia__exchange *ex) {
    if (ex->decoding) curia__decoder_take(&ex->decoder, &ex->taken);
    return &ex->taken;
}

void curia__exchange_drop_piece(curia__exchange *ex) {
    free(curia__stream_take(&ex->stream));
}

static curia__slice trim(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    while (end > at && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
        end--;
    return (curia__slice){at, (size_t)(end - at)};
}

bool curia__exchange_header(const curia__exchange *ex, size_t *at, curia__slice *name,
                            curia__slice *value) {
    while (*at < ex->head.size) {
        const char *line = ex->head.data + *at, *end = memchr(line, '\n', ex->head.size - *at);
        if (!end) end = ex->head.data + ex->head.size;
        *at = (size_t)(end - ex->head.data) + 1;
        const char *colon = memchr(line, ':', (size_t)(end - line));
        if (!colon) continue;
        *name = trim(line, colon);
        *value = trim(colon + 1, end);
        return true;
    }
    return false;
}

const char *curia__exchange_message(const curia__exchange *ex) {
    return ex->message ? ex->message : curia_error_text(ex->error);
}

curia__http_timing curia__exchange_timing(const curia__exchange *ex) {
    return (curia__http_timing){
        .first_byte_us = ex->first_byte_us ? ex->first_byte_us - ex->started_us : 0,
        .total_us = (ex->done ? ex->ended_us : now_us(ex)) - ex->started_us,
        .bytes = ex->received,
        .version = ex->version,
        .reused = ex->reused,
    };
}
