/* The HTTP client against a server that misbehaves on request. */
#include "http_server.h"

#include <dlfcn.h>
#include <netdb.h>

#include "error.h"
#include "http/http.h"

/* Takes the place of libc's for libcurl, too: a name server that is slow to answer. */
enum { SLOW_MS = 1500 };

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **out) {
    static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    if (strcmp(node, "slow.test") == 0) {
        usleep(SLOW_MS * 1000);
        return EAI_NONAME;
    }
    return real(node, service, hints, out);
}

static curia__loop loop;
static http_server server;

static void deliver(curia__op *op, void *host) {
    (void)op, (void)host;
}

static const char *url_of(const char *path) {
    static char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", server.port, path);
    return url;
}

static curia__http_request get(const char *path) {
    return (curia__http_request){.url = url_of(path), .connect_ms = 5000, .total_ms = 20000};
}

static void begin(curia__exchange *ex, const curia__http_request *r) {
    memset(ex, 0, sizeof *ex);
    assert(curia__http_start(&loop, r, ex) == 0);
}

/* Waits until there is something to tell. */
static void next(curia__exchange *ex) {
    while (!curia__exchange_ready(ex)) {
        curia__wait w = {0};
        curia__wait_start(&w, &loop, NULL, &ex->changed, -1);
        while (w.op.state != CURIA__OP_IDLE)
            assert(curia__loop_turn(&loop, true) == 1 || w.op.state == CURIA__OP_IDLE);
    }
}

static void finish(curia__exchange *ex) {
    next(ex);
    assert(ex->done);
}

static void turns(int ms) {
    uint64_t end = uv_hrtime() + (uint64_t)ms * 1000000;
    while (uv_hrtime() < end) {
        curia__loop_turn(&loop, false);
        uv_sleep(1);
    }
}

/* Waits for what other threads do. */
#define EVENTUALLY(condition)                           \
    do {                                                \
        for (int n = 0; n < 30000 && !(condition); n++) \
            turns(1);                                   \
        assert(condition);                              \
    } while (0)

static bool body_is(const curia__exchange *ex, const char *text) {
    return ex->body.size == strlen(text) && (!*text || strcmp(ex->body.data, text) == 0);
}

static void expect_error(const curia__http_request *r, int code, bool sent) {
    curia__exchange ex;
    begin(&ex, r);
    finish(&ex);
    if (ex.error != code || ex.sent != sent) {
        fprintf(stderr, "%s: %s, sent %d: %s\n", r->url, curia_error_name(ex.error), ex.sent,
                curia__exchange_message(&ex));
        abort();
    }
    assert(strlen(curia__exchange_message(&ex)) > 8);
    curia__exchange_deinit(&ex);
}

static void expect_get(const char *path, int code, bool sent) {
    curia__http_request r = get(path);
    expect_error(&r, code, sent);
}

/* ---- answers ----------------------------------------------------------------------------------- */

static void test_answer(void) {
    curia__exchange ex;
    curia__http_request r = get("/ok");
    begin(&ex, &r);
    assert(!ex.done);
    finish(&ex);
    assert(ex.error == 0 && ex.status == 200 && body_is(&ex, "hello"));
    curia__http_timing t = curia__exchange_timing(&ex);
    assert(t.bytes == 5 && t.version == 11 && t.first_byte_us > 0 && t.total_us >= t.first_byte_us);
    curia__slice name, value;
    int ones = 0;
    for (size_t at = 0; curia__exchange_header(&ex, &at, &name, &value);)
        if (name.length == 5 && value.length == 1) ones++;
    assert(ones == 2);
    curia__exchange_deinit(&ex);
    curia__exchange_deinit(&ex);
}

static void test_request(void) {
    static const curia__http_header headers[] = {{"X-Key", "secret"}, {"X-Empty", ""}};
    curia__http_request r = get("/echo?x=1");
    r.method = CURIA__HTTP_POST;
    r.headers = headers;
    r.header_count = 2;
    r.body = "a\0b";
    r.body_size = 3;
    curia__exchange ex;
    begin(&ex, &r);
    finish(&ex);
    assert(ex.status == 200 && ex.body.size == 3 && memcmp(ex.body.data, "a\0b", 3) == 0);
    assert(strncmp(server.last, "POST /echo?x=1 HTTP/1.1\r\n", 25) == 0);
    assert(strstr(server.last, "\r\nX-Key: secret\r\n") && strstr(server.last, "\r\nX-Empty:\r\n"));
    assert(strstr(server.last, "\r\nUser-Agent: curia/"));
    assert(!strcasestr(server.last, "expect") && !strcasestr(server.last, "urlencoded"));
    curia__exchange_deinit(&ex);
}

static void test_methods(void) {
    static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
    for (int round = 0; round < 2; round++)
        for (int i = CURIA__HTTP_GET; i <= CURIA__HTTP_DELETE; i++) {
            curia__http_request r = get("/ok");
            r.method = (curia__http_method)i;
            curia__exchange ex;
            begin(&ex, &r);
            finish(&ex);
            assert(ex.error == 0 && ex.status == 200);
            assert(strncmp(server.last, names[i], strlen(names[i])) == 0);
            assert(body_is(&ex, i == CURIA__HTTP_HEAD ? "" : "hello"));
            curia__exchange_deinit(&ex);
            if (i == CURIA__HTTP_HEAD) turns(20); /* its server sent a body: not kept alive */
        }
}

static void test_large_body(void) {
    size_t size = 3 << 20;
    char *body = malloc(size);
    memset(body, 'x', size);
    curia__http_request r = get("/echo");
    r.method = CURIA__HTTP_POST;
    r.body = body;
    r.body_size = size;
    curia__exchange ex;
    begin(&ex, &r);
    finish(&ex);
    assert(ex.error == 0 && ex.body.size == size && memcmp(ex.body.data, body, size) == 0);
    curia__exchange_deinit(&ex);
    free(body);
}

/* An answer that comes before the request is through, and then a reset. */
static void test_early_answer(void) {
    size_t size = 200 << 10;
    char *body = calloc(1, size);
    int answered = 0;
    for (int i = 0; i < 20; i++) {
        curia__http_request r = get("/refuse");
        r.method = CURIA__HTTP_POST;
        r.body = body;
        r.body_size = size;
        curia__exchange ex;
        begin(&ex, &r);
        finish(&ex);
        assert(ex.error == 0 ? ex.status == 413 && body_is(&ex, "big") : ex.error == CURIA_ERESET);
        answered += ex.error == 0;
        curia__exchange_deinit(&ex);
    }
    assert(answered > 0);
    free(body);
}

static void test_statuses(void) {
    static const struct {
        const char *path;
        int status;
        const char *body;
    } cases[] = {{"/empty", 204, ""},
                 {"/early", 200, "ok"},
                 {"/redirect", 302, ""},
                 {"/html", 502, "<p>no</p>"},
                 {"/nowhere", 404, ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        curia__http_request r = get(cases[i].path);
        curia__exchange ex;
        begin(&ex, &r);
        finish(&ex);
        /* The server may have closed the kept connection meanwhile; nothing repeats but the caller. */
        for (int tries = 0; ex.error == CURIA_ERESET && tries < 5; tries++) {
            curia__exchange_deinit(&ex);
            begin(&ex, &r);
            finish(&ex);
        }
        assert(ex.error == 0 && ex.status == cases[i].status && body_is(&ex, cases[i].body));
        curia__slice name, value;
        for (size_t at = 0; curia__exchange_header(&ex, &at, &name, &value);)
            assert(strncmp(name.at, "X-Hint", 6) != 0);
        curia__exchange_deinit(&ex);
    }
}

/* ---- connections ------------------------------------------------------------------------------- */

static void test_keep_alive(void) {
    int connections = server.connections;
    curia__http_stats before = curia__http_stats_of(&loop);
    for (int i = 0; i < 50; i++) {
        curia__http_request r = get("/ok");
        curia__exchange ex;
        begin(&ex, &r);
        finish(&ex);
        assert(ex.error == 0);
        if (i > 0) assert(curia__exchange_timing(&ex).reused);
        curia__exchange_deinit(&ex);
    }
    curia__http_stats after = curia__http_stats_of(&loop);
    assert(after.sockets > 0 && !uv_loop_alive(loop.uv)); /* what is idle does not hold the loop */
    assert(server.connections - connections <= 1);
    assert(after.easies == before.easies && after.exchanges - before.exchanges == 50);
}

/* C10: the server answers one request, reads the next one on the same connection, and closes. */
static void test_no_repeat(void) {
    static http_server once;
    server_start(&once);
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/once", once.port);
    curia__http_request r = {
        .method = CURIA__HTTP_POST, .url = url, .body = "paid", .body_size = 4};
    curia__exchange ex;
    begin(&ex, &r);
    finish(&ex);
    assert(ex.error == 0 && body_is(&ex, "first"));
    curia__exchange_deinit(&ex);
    begin(&ex, &r);
    finish(&ex);
    assert(ex.error == CURIA_ERESET && ex.sent && ex.status == 0);
    assert(curia__exchange_timing(&ex).reused);
    curia__exchange_deinit(&ex);
    turns(50);
    assert(once.requests == 2); /* libcurl may have connected again, but sent nothing */
    server_stop(&once);
}

static void test_no_growth(void) {
    curia__http_request r = get("/ok");
    for (int i = 0; i < 10000; i++) {
        curia__exchange ex;
        begin(&ex, &r);
        finish(&ex);
        assert(ex.error == 0);
        curia__exchange_deinit(&ex);
    }
    curia__http_stats stats = curia__http_stats_of(&loop);
    assert(stats.easies <= 2 && stats.sockets <= 3 && stats.multis == 1 && stats.active == 0);
    assert(loop.clock.count <= 2);
}

static void test_parallel(void) {
    enum { N = 1000 };
    curia__exchange *all = calloc(N, sizeof *all);
    curia__http_request r = get("/ok");
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < N; i++)
            begin(&all[i], &r);
        for (int i = 0; i < N; i++) {
            finish(&all[i]);
            assert(all[i].error == 0 && body_is(&all[i], "hello"));
            curia__exchange_deinit(&all[i]);
        }
    }
    assert(curia__http_stats_of(&loop).active == 0);
    free(all);
}

/* ---- failures ---------------------------------------------------------------------------------- */

static void test_refused(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0); /* bound, but nobody listens */
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    assert(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    getsockname(fd, (struct sockaddr *)&address, &length);
    char url[64];
    snprintf(url, sizeof url, "http://user:word@127.0.0.1:%d/secret", ntohs(address.sin_port));
    curia__http_request r = get("/");
    r.url = url;
    curia__exchange ex;
    begin(&ex, &r);
    finish(&ex);
    assert(ex.error == CURIA_ECONNECT && !ex.sent);
    const char *message = curia__exchange_message(&ex);
    assert(strstr(message, "(127.0.0.1:") && !strstr(message, "word") &&
           !strstr(message, "secret"));
    curia__exchange_deinit(&ex);
    close(fd);
}

static void test_unresolved(void) {
    curia__http_request r = get("/");
    r.url = "http://no.such.host.invalid/";
    expect_error(&r, CURIA_ERESOLVE, false);
}

static void test_malformed(void) {
    static const char *const urls[] = {"ftp://127.0.0.1/", "127.0.0.1", "", "http://127.0.0.1/a b",
                                       "http://127.0.0.1/\r\nX: y"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        curia__exchange ex = {0};
        curia__http_request r = {.url = urls[i]};
        assert(curia__http_start(&loop, &r, &ex) == CURIA_EINVAL && ex.done);
        curia__exchange_deinit(&ex);
    }
    static const curia__http_header bad[] = {{"Key", "a\r\nX: y"}, {"Ke y", "a"}, {"", "a"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        curia__exchange ex = {0};
        curia__http_request r = get("/ok");
        r.headers = &bad[i];
        r.header_count = 1;
        assert(curia__http_start(&loop, &r, &ex) == CURIA_EINVAL);
        assert(!strstr(curia__exchange_message(&ex), "X: y"));
        curia__exchange_deinit(&ex);
    }
}

static void test_cut(void) {
    expect_get("/hangup", CURIA_ERESET, true);
    expect_get("/short", CURIA_ECUT, true);
    expect_get("/chunkcut", CURIA_ECUT, true);
    expect_get("/garbage", CURIA_EPROTO, true);
    expect_get("/lies", CURIA_EPROTO, true);
}

static void test_limits(void) {
    curia__http_request r = get("/never");
    r.first_byte_ms = 60;
    expect_error(&r, CURIA_EFIRSTBYTE, true);
    r = get("/head");
    r.first_byte_ms = 60;
    expect_error(&r, CURIA_EFIRSTBYTE, true);
    r = get("/blank");
    r.first_byte_ms = 100;
    expect_error(&r, CURIA_EFIRSTBYTE, true);
    r = get("/silence");
    r.first_byte_ms = 5000;
    r.silence_ms = 60;
    expect_error(&r, CURIA_ESILENCE, true);
    r = get("/drip");
    r.silence_ms = 2000;
    r.total_ms = 150;
    expect_error(&r, CURIA_ETOTAL, true);
}

/* A network that swallows the packets: connecting ends in time, whatever the kernel would do. */
static void test_connect_time(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), more[8];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    assert(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 0) == 0);
    getsockname(fd, (struct sockaddr *)&address, &length);
    for (int i = 0; i < 8; i++) { /* fills the backlog */
        more[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        assert(connect(more[i], (struct sockaddr *)&address, length) <= 0);
    }
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", ntohs(address.sin_port));
    curia__http_request r = get("/");
    r.url = url;
    r.connect_ms = 100;
    uint64_t start = uv_hrtime();
    expect_error(&r, CURIA_ECONNTIMEOUT, false);
    assert(uv_hrtime() - start < 3000000000u);
    for (int i = 0; i < 8; i++)
        close(more[i]);
    close(fd);
}

static void test_too_big(void) {
    curia__http_request r = get("/promise");
    r.max_body_bytes = 1 << 20;
    r.first_byte_ms = 200;
    expect_error(&r, CURIA_EFIRSTBYTE, true); /* a promise alone is no body */
    r = get("/flood");
    r.max_body_bytes = 1 << 20;
    curia__exchange ex;
    begin(&ex, &r);
    finish(&ex);
    assert(ex.error == CURIA_ETOOBIG && ex.body.size <= 1 << 20 && ex.body.capacity <= 4 << 20);
    curia__exchange_deinit(&ex);
}

/* ---- streams ----------------------------------------------------------------------------------- */

static curia__paths *text_paths(void) {
    curia__paths *p = curia__paths_new(CURIA__FRAMING_SSE);
    assert(p && curia__paths_add(p, CURIA__PATH_TEXT, "t", 1) == 0);
    return p;
}

static bool segment_is(const curia__segments *s, size_t i, curia__segment_kind kind,
                       const char *text) {
    curia__slice value = curia__segment_value(s, i);
    return i < s->count && s->items[i].kind == kind && value.length == strlen(text) &&
           memcmp(value.at, text, value.length) == 0;
}

static void test_decoded(void) {
    curia__http_request r = get("/sse");
    r.paths = text_paths();
    curia__exchange ex;
    begin(&ex, &r);
    finish(&ex); /* unwatched: one wake-up, at the end */
    assert(ex.error == 0 && ex.decoding && ex.body.size == 0);
    const curia__segments *s = curia__exchange_take(&ex);
    assert(s->count == 3 && segment_is(s, 0, CURIA__SEGMENT_EVENT, "{\"t\":\"first\"}"));
    assert(segment_is(s, 1, CURIA__SEGMENT_TEXT, "one two"));
    assert(segment_is(s, 2, CURIA__SEGMENT_DATA, "[DONE]"));
    assert(curia__exchange_take(&ex)->count == 0);
    curia__exchange_deinit(&ex);
    r.url = url_of("/ssecut");
    begin(&ex, &r);
    finish(&ex);
    assert(ex.error == CURIA_ECUT);
    s = curia__exchange_take(&ex); /* what came before the cut is still told */
    assert(s->count == 2 && segment_is(s, 1, CURIA__SEGMENT_TEXT, "one "));
    curia__exchange_deinit(&ex);
    curia__paths_unref(r.paths);
}

static void test_not_decoded(void) {
    static const char *const paths[] = {"/json", "/html", "/nowhere"};
    curia__http_request r = get("/");
    r.paths = text_paths();
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        r.url = url_of(paths[i]);
        curia__exchange ex;
        begin(&ex, &r);
        finish(&ex);
        assert(ex.error == 0 && !ex.decoding && curia__exchange_take(&ex)->count == 0);
        curia__exchange_deinit(&ex);
    }
    curia__paths_unref(r.paths);
}

static void test_watched(void) {
    curia__http_request r = get("/sselive");
    r.paths = text_paths();
    r.watch = true;
    r.silence_ms = 2000;
    curia__exchange ex;
    begin(&ex, &r);
    int texts = 0;
    while (texts < 5) {
        next(&ex);
        assert(!ex.done);
        const curia__segments *s = curia__exchange_take(&ex);
        for (size_t i = 0; i < s->count; i++)
            texts += s->items[i].kind == CURIA__SEGMENT_TEXT;
    }
    curia__exchange_watch(&ex, false);
    curia__exchange_take(&ex);
    EVENTUALLY(curia__decoder_count(&ex.decoder) == 1);
    turns(60);
    assert(!curia__exchange_ready(&ex) && curia__decoder_count(&ex.decoder) == 1); /* merged */
    curia__exchange_watch(&ex, true);
    assert(curia__exchange_ready(&ex));
    curia__exchange_deinit(&ex);
    curia__paths_unref(r.paths);
}

/* Comments and pings are no bytes (SPEC 10). */
static void test_thinking(void) {
    curia__http_request r = get("/comments");
    r.paths = text_paths();
    r.silence_ms = 100;
    expect_error(&r, CURIA_ESILENCE, true);
    r.url = url_of("/pings");
    r.first_byte_ms = 100;
    expect_error(&r, CURIA_EFIRSTBYTE, true);
    curia__paths_unref(r.paths);
}

/* The server must wait while nobody takes, and nothing is lost. */
static void test_backpressure(void) {
    curia__http_request r = get("/flood");
    r.stream = true;
    r.silence_ms = 300;
    r.max_body_bytes = 64 << 20;
    curia__exchange ex;
    begin(&ex, &r);
    EVENTUALLY(ex.paused);
    turns(500);
    long long stalled = server.flooded;
    assert(!ex.done && ex.paused && ex.stream.bytes <= 300 * 1024);
    turns(100);
    assert(server.flooded == stalled);
    size_t taken = 0;
    while (taken < 20 << 20) {
        next(&ex);
        assert(ex.stream.count);
        taken += ex.stream.first->size;
        curia__exchange_drop_piece(&ex);
        assert(ex.stream.bytes <= 300 * 1024);
    }
    assert(curia__exchange_timing(&ex).bytes >= taken);
    while (!ex.done) {
        next(&ex);
        while (ex.stream.count)
            curia__exchange_drop_piece(&ex);
    }
    assert(ex.error == CURIA_ETOOBIG);
    curia__exchange_deinit(&ex);
}

/* ---- cancelling -------------------------------------------------------------------------------- */

static void expect_cancelled(curia__exchange *ex) {
    curia__exchange_cancel(ex, CURIA_ECANCELLED);
    assert(ex->done && ex->error == CURIA_ECANCELLED);
    curia__exchange_cancel(ex, CURIA_ECLOSED);
    assert(ex->error == CURIA_ECANCELLED);
    curia__exchange_deinit(ex);
    assert(curia__http_stats_of(&loop).active == 0);
}

static void test_cancel(void) {
    curia__exchange ex;
    curia__http_request r = get("/never");
    begin(&ex, &r); /* before anything happened */
    expect_cancelled(&ex);
    begin(&ex, &r); /* while it waits */
    EVENTUALLY(ex.sent);
    expect_cancelled(&ex);
    r.url = url_of("/drip"); /* in mid-answer */
    begin(&ex, &r);
    EVENTUALLY(ex.status == 200);
    expect_cancelled(&ex);
    r.url = "http://no.such.host.invalid/"; /* while the name is looked up */
    begin(&ex, &r);
    curia__loop_turn(&loop, false);
    if (ex.done)
        curia__exchange_deinit(&ex);
    else
        expect_cancelled(&ex);
    r = get("/flood"); /* while it is paused */
    r.stream = true;
    begin(&ex, &r);
    EVENTUALLY(ex.paused);
    expect_cancelled(&ex);
    r = get("/ok"); /* when it is over */
    begin(&ex, &r);
    finish(&ex);
    curia__exchange_cancel(&ex, CURIA_ECANCELLED);
    assert(ex.error == 0 && body_is(&ex, "hello"));
    curia__exchange_deinit(&ex);
}

static uint64_t ms_since(uint64_t start) {
    return (uv_hrtime() - start) / 1000000;
}

/* The thread that looks a name up cannot be stopped, and must not be waited for. */
static void test_slow_name(void) {
    curia__exchange ex;
    curia__http_request r = get("/");
    r.url = "http://slow.test/";
    begin(&ex, &r);
    turns(50);
    uint64_t start = uv_hrtime();
    expect_cancelled(&ex);
    assert(ms_since(start) < SLOW_MS / 3);
    r.connect_ms = 100;
    start = uv_hrtime();
    expect_error(&r, CURIA_ECONNTIMEOUT, false);
    assert(ms_since(start) < SLOW_MS / 3 + 100);
    turns(SLOW_MS + 100); /* its threads have ended: nothing is left of them */
    begin(&ex, &r);
    turns(20);
    curia__exchange_deinit(&ex);
}

/* The waiting operation was cancelled (its task was): the transfer is aborted at once. */
static void test_cancelled_waiter(void) {
    curia__exchange ex;
    curia__http_request r = get("/never");
    begin(&ex, &r);
    curia__wait w = {0};
    curia__wait_start(&w, &loop, NULL, &ex.changed, -1);
    turns(20);
    curia__op_cancel(&w.op);
    assert(ex.done && ex.error == CURIA_ECANCELLED && curia__http_stats_of(&loop).active == 0);
    turns(20);
    assert(w.op.state == CURIA__OP_IDLE && w.op.status == CURIA_ECANCELLED);
    curia__exchange_deinit(&ex);
}

/* ---- time -------------------------------------------------------------------------------------- */

static void test_virtual_time(void) {
    turns(5);
    curia__exchange ex;
    curia__http_request r = get("/never");
    r.first_byte_ms = 600000;
    r.total_ms = 1200000;
    curia__loop other;
    assert(curia__loop_init(&other, NULL, deliver, NULL) == 0);
    assert(curia__clock_set_virtual(&other.clock, true) == 0);
    memset(&ex, 0, sizeof ex);
    assert(curia__http_start(&other, &r, &ex) == 0);
    while (!ex.sent)
        curia__loop_turn(&other, true);
    curia__clock_advance(&other.clock, 599999);
    curia__loop_turn(&other, false);
    assert(!ex.done);
    curia__clock_advance(&other.clock, 1);
    curia__loop_turn(&other, false);
    assert(ex.done && ex.error == CURIA_EFIRSTBYTE);
    curia__exchange_deinit(&ex);
    assert(curia__loop_close(&other, 1000, NULL) == 0 && curia__loop_deinit(&other, NULL) == 0);
}

/* ---- the end ----------------------------------------------------------------------------------- */

static void test_close(void) {
    curia__exchange waiting, failing = {0};
    curia__http_request r = get("/never");
    begin(&waiting, &r);
    EVENTUALLY(waiting.sent);
    assert(curia__loop_close(&loop, 1000, NULL) == 0);
    assert(waiting.done && waiting.error == CURIA_ECLOSED && waiting.sent);
    assert(curia__http_start(&loop, &r, &failing) == CURIA_ECLOSED);
    assert(curia__loop_deinit(&loop, NULL) == 0);
    curia__exchange_deinit(&waiting);
    curia__exchange_deinit(&failing);
}

static const struct {
    const char *name;
    void (*run)(void);
} tests[] = {
    {"answer", test_answer},
    {"request", test_request},
    {"methods", test_methods},
    {"large body", test_large_body},
    {"early answer", test_early_answer},
    {"statuses", test_statuses},
    {"keep-alive", test_keep_alive},
    {"no repeat", test_no_repeat},
    {"no growth", test_no_growth},
    {"parallel", test_parallel},
    {"refused", test_refused},
    {"unresolved", test_unresolved},
    {"malformed", test_malformed},
    {"cut", test_cut},
    {"limits", test_limits},
    {"connect time", test_connect_time},
    {"too big", test_too_big},
    {"decoded", test_decoded},
    {"not decoded", test_not_decoded},
    {"watched", test_watched},
    {"thinking", test_thinking},
    {"backpressure", test_backpressure},
    {"cancel", test_cancel},
    {"slow name", test_slow_name},
    {"cancelled waiter", test_cancelled_waiter},
    {"virtual time", test_virtual_time},
    {"close", test_close},
};

int main(void) {
    server_start(&server);
    assert(curia__loop_init(&loop, NULL, deliver, NULL) == 0);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        fprintf(stderr, "http: %s\n", tests[i].name);
        tests[i].run();
    }
    server_stop(&server);
    return 0;
}
