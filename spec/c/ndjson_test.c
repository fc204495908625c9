/* The NDJSON parser: lines, blank lines, the last line, and indifference to cuts. */
#include "decode_cut.h"

#include "decode/ndjson.h"
#include "error.h"

static int feed_piece(curia__ndjson *n, const char *at, size_t length) {
    char *piece = piece_of(at, length);
    int rc = curia__ndjson_feed(n, piece, length);
    free(piece);
    return rc;
}

/* Feeds `input` in three pieces. */
static void run(curia__slice input, size_t first, size_t second, event_log *log) {
    curia__ndjson n;
    log->size = 0;
    log->text[0] = 0;
    curia__ndjson_init(&n, 0, log_event, log);
    assert(feed_piece(&n, input.at, first) == 0);
    assert(feed_piece(&n, input.at + first, second - first) == 0);
    assert(feed_piece(&n, input.at + second, input.length - second) == 0);
    assert(curia__ndjson_finish(&n) == 0);
    curia__ndjson_deinit(&n);
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

static void test_lines(void) {
    expect(SLICE("{\"a\":1}\n{\"b\":2}\n"), "|{\"a\":1}\n|{\"b\":2}\n");
    expect(SLICE("{\"a\":1}\r\n{\"b\":2}\r\n"), "|{\"a\":1}\n|{\"b\":2}\n");
    expect(SLICE("\n \n\t\r\n\r\n1\n\n2"), "|1\n|2\n");
    expect(SLICE("a\rb\n"), "|a\rb\n");
    expect(SLICE("  {}  \n"), "|  {}  \n");
    expect(SLICE(""), "");
}

static void test_last_line_and_bom(void) {
    expect(SLICE("1\n2"), "|1\n|2\n");
    expect(SLICE("1\n2\r"), "|1\n|2\n");
    expect(SLICE("1\n "), "|1\n");
    expect(SLICE("\xEF\xBB\xBF{}\n\xEF\xBB\xBF{}"), "|{}\n|\xEF\xBB\xBF{}\n");
    expect(SLICE("\xEF\xBB\xBF"), "");
}

static void test_limit(void) {
    static event_log log;
    curia__slice over = SLICE("1234\n12345\n");
    for (size_t cut = 0; cut <= over.length; cut++) {
        log.size = 0;
        curia__ndjson n;
        curia__ndjson_init(&n, 4, log_event, &log);
        int rc = feed_piece(&n, over.at, cut);
        if (rc == 0) rc = feed_piece(&n, over.at + cut, over.length - cut);
        assert(rc == CURIA_ETOOBIG && strcmp(log.text, "|1234\n") == 0);
        curia__ndjson_deinit(&n);
    }
}

int main(void) {
    test_lines();
    test_last_line_and_bom();
    test_limit();
    return 0;
}
