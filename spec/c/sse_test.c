/* The SSE parser: the WHATWG algorithm, its two deviations, and indifference to cuts. */
#include "decode_cut.h"

#include "decode/sse.h"
#include "error.h"

static int feed_piece(curia__sse *s, const char *at, size_t length) {
    char *piece = piece_of(at, length);
    int rc = curia__sse_feed(s, piece, length);
    free(piece);
    return rc;
}

/* Feeds `input` in three pieces. */
static void run(curia__slice input, size_t first, size_t second, event_log *log) {
    curia__sse s;
    log->size = 0;
    log->text[0] = 0;
    curia__sse_init(&s, 0, log_event, log);
    assert(feed_piece(&s, input.at, first) == 0);
    assert(feed_piece(&s, input.at + first, second - first) == 0);
    assert(feed_piece(&s, input.at + second, input.length - second) == 0);
    assert(curia__sse_finish(&s) == 0);
    curia__sse_deinit(&s);
}

static void expect(curia__slice input, const char *events) {
    static event_log log;
    for (size_t first = 0; first <= input.length; first++)
        for (size_t second = first; second <= input.length; second++) {
            run(input, first, second, &log);
            if (strcmp(log.text, events) == 0) continue;
            fprintf(stderr, "cut at %zu and %zu: got\n%swanted\n%s", first, second, log.text,
                    events);
            abort();
        }
}

static void test_line_ends(void) {
    expect(SLICE("data: a\n\ndata: b\n\n"), "|a\n|b\n");
    expect(SLICE("data: a\r\n\r\ndata: b\r\n\r\n"), "|a\n|b\n");
    expect(SLICE("data: a\r\rdata: b\r\r"), "|a\n|b\n");
    expect(SLICE("data: a\r\n\rdata: b\n\r\n"), "|a\n|b\n");
    expect(SLICE("\n\n\r\n\rdata: a\n\n\n\n"), "|a\n");
}

static void test_fields(void) {
    expect(SLICE("data:a\n\n"), "|a\n");
    expect(SLICE("data:  a\n\n"), "| a\n");
    expect(SLICE("data: a: b\n\n"), "|a: b\n");
    expect(SLICE("data\n\n"), "|\n");
    expect(SLICE("data:\n\n"), "|\n");
    expect(SLICE("event: x\ndata: a\n\ndata: b\n\n"), "x|a\n|b\n");
    expect(SLICE("data: a\nevent: x\n\n"), "x|a\n");
    expect(SLICE("event: x\nevent: y\ndata: a\n\n"), "y|a\n");
    expect(SLICE("event: x\nevent\ndata: a\n\n"), "|a\n");
    expect(SLICE("event: x\n\ndata: a\n\n"), "|a\n");
    expect(SLICE("id: 1\nretry: 5\nother: z\n data: n\nDATA: n\ndata: a\n\n"), "|a\n");
}

static void test_several_data_lines(void) {
    expect(SLICE("data: a\ndata: b\ndata: c\n\n"), "|a\nb\nc\n");
    expect(SLICE("data\ndata\n\n"), "|\n\n");
    expect(SLICE("data:\ndata: b\n\n"), "|\nb\n");
    expect(SLICE("data: a\n: note\nevent: x\ndata: b\n\ndata: c\ndata: d\n\n"), "x|a\nb\n|c\nd\n");
}

static void test_comments_and_bom(void) {
    expect(SLICE(": OPENROUTER PROCESSING\n\ndata: a\n\n"), "|a\n");
    expect(SLICE(":\n:keepalive\ndata: a\n:\n\n"), "|a\n");
    expect(SLICE("\xEF\xBB\xBF"
                 "data: a\n\n"),
           "|a\n");
    expect(SLICE("\xEF\xBB\xBF\xEF\xBB\xBF"
                 "data: a\n\ndata: b\n\n"),
           "|b\n");
    expect(SLICE("\xEF\xBB"
                 "data: a\n\ndata: b\n\n"),
           "|b\n");
    expect(SLICE("data: \xEF\xBB\xBF"
                 "a\n\n"),
           "|\xEF\xBB\xBF"
           "a\n");
}

static void test_deviations(void) {
    expect(SLICE("data: a"), "|a\n");
    expect(SLICE("data: a\nevent: x"), "x|a\n");
    expect(SLICE("data: a\r"), "|a\n");
    expect(SLICE("event: x"), "");
    expect(SLICE("data: a\n\nerror: {\"detail\":1}\n\ndata: b\n\n"),
           "|a\nerror|{\"detail\":1}\n|b\n");
}

static void test_bytes_pass_unchanged(void) {
    expect(SLICE("data: \xF0\x9F\x8C\xA1 \xCE\xB8 \xFF\n\n"), "|\xF0\x9F\x8C\xA1 \xCE\xB8 \xFF\n");
    expect(SLICE(""), "");
}

/* The limit holds wherever the bytes are cut, and data just at the limit passes. */
static void test_limit(void) {
    static event_log log;
    curia__slice fits = SLICE("data:aaaaa\ndata:bbbb\n\n"),
                 over = SLICE("data:aaaaa\ndata:bbbbb\n\n");
    for (size_t cut = 0; cut <= over.length; cut++) {
        log.size = 0;
        curia__sse s;
        curia__sse_init(&s, 10, log_event, &log);
        int rc = feed_piece(&s, over.at, cut);
        if (rc == 0) rc = feed_piece(&s, over.at + cut, over.length - cut);
        assert(rc == CURIA_ETOOBIG && log.size == 0);
        curia__sse_deinit(&s);
    }
    curia__sse s;
    curia__sse_init(&s, 10, log_event, &log);
    assert(curia__sse_feed(&s, fits.at, fits.length) == 0 &&
           strcmp(log.text, "|aaaaa\nbbbb\n") == 0);
    assert(curia__sse_feed(&s, ": endless comment", 17) == CURIA_ETOOBIG);
    curia__sse_deinit(&s);
}

static int refuse(void *context, curia__slice name, curia__slice data) {
    ++*(int *)context;
    return CURIA_EPARSE;
}

static void test_consumer_stops_the_parser(void) {
    int calls = 0;
    curia__sse s;
    curia__sse_init(&s, 0, refuse, &calls);
    assert(curia__sse_feed(&s, "data: a\n\ndata: b\n\n", 18) == CURIA_EPARSE && calls == 1);
    curia__sse_deinit(&s);
}

int main(void) {
    test_line_ends();
    test_fields();
    test_several_data_lines();
    test_comments_and_bom();
    test_deviations();
    test_bytes_pass_unchanged();
    test_limit();
    test_consumer_stops_the_parser();
    return 0;
}
