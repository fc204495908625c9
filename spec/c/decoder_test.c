/* The decoder: which events are gathered and which stay whole, order, limits, cuts. */
#include "decode_cut.h"

#include "decode/decoder.h"
#include "error.h"

/* A table in which each path is "text:...", "reasoning:...", "whole:..." or "ignore:...". */
static curia__paths *table(curia__framing framing, const char *const *paths) {
    static const struct {
        const char *prefix;
        curia__path_role role;
    } roles[] = {{"text:", CURIA__PATH_TEXT},
                 {"reasoning:", CURIA__PATH_REASONING},
                 {"whole:", CURIA__PATH_WHOLE},
                 {"ignore:", CURIA__PATH_IGNORE}};
    curia__paths *p = curia__paths_new(framing);
    assert(p);
    for (; *paths; paths++)
        for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
            size_t length = strlen(roles[i].prefix);
            if (strncmp(*paths, roles[i].prefix, length) != 0) continue;
            assert(curia__paths_add(p, roles[i].role, *paths + length, strlen(*paths) - length) ==
                   0);
        }
    assert(curia__paths_check(p) == 0);
    return p;
}

static curia__paths *chat_paths(curia__framing framing) {
    static const char *const paths[] = {"text:choices.0.delta.content",
                                        "reasoning:choices.0.delta.reasoning",
                                        "ignore:choices.0.delta.role",
                                        "whole:choices.0.delta.*",
                                        "whole:choices.0.finish_reason",
                                        "whole:choices.*",
                                        "whole:usage",
                                        "whole:error",
                                        NULL};
    return table(framing, paths);
}

static void print_segments(const curia__segments *s, char *out, size_t size) {
    static const char *const letters[] = {"T", "R", "E", "D"};
    size_t at = 0;
    out[0] = 0;
    for (size_t i = 0; i < s->count; i++) {
        curia__slice value = curia__segment_value(s, i), name = curia__segment_name(s, i);
        at += (size_t)snprintf(out + at, size - at, "%s(%.*s)%.*s ", letters[s->items[i].kind],
                               (int)name.length, name.at, (int)value.length, value.at);
    }
}

static void run(curia__paths *paths, curia__slice input, size_t first, size_t second, char *out,
                size_t size) {
    curia__decoder d;
    curia__segments s = {0};
    curia__decoder_init(&d, paths, 0, 0);
    size_t cuts[] = {0, first, second, input.length};
    for (int i = 0; i < 3; i++) {
        char *piece = piece_of(input.at + cuts[i], cuts[i + 1] - cuts[i]);
        assert(curia__decoder_feed(&d, piece, cuts[i + 1] - cuts[i]) == 0);
        free(piece);
    }
    assert(curia__decoder_finish(&d) == 0);
    curia__decoder_take(&d, &s);
    assert(curia__decoder_count(&d) == 0);
    print_segments(&s, out, size);
    curia__segments_deinit(&s);
    curia__decoder_deinit(&d);
}

/* Uses up the reference to `paths`. */
static void expect(curia__paths *paths, curia__slice input, const char *segments) {
    static char out[65536];
    for (size_t first = 0; first <= input.length; first += 1 + input.length / 150)
        for (size_t second = first; second <= input.length; second += 1 + input.length / 150) {
            run(paths, input, first, second, out, sizeof out);
            if (strcmp(out, segments) == 0) continue;
            fprintf(stderr, "cut at %zu and %zu: got\n%s\nwanted\n%s\n", first, second, out,
                    segments);
            abort();
        }
    curia__paths_unref(paths);
}

#define FIRST "data: {}\n\n"
#define CHAT(delta) "data: {\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{" delta "}}]}\n\n"
#define EXPECT_CHAT(input, segments) \
    expect(chat_paths(CURIA__FRAMING_SSE), SLICE(FIRST input), "E(){} " segments)

static void test_text_is_gathered_and_merged(void) {
    EXPECT_CHAT(CHAT("\"content\":\"a\"") CHAT("\"content\":\"b\",\"role\":\"assistant\""),
                "T()ab ");
    EXPECT_CHAT(CHAT("\"content\":\"\""), "");
    EXPECT_CHAT(CHAT("\"content\":\"a\"") "data: [DONE]\n\n", "T()a D()[DONE] ");
    EXPECT_CHAT(CHAT("\"content\":\"a\\n\\u00e9\\ud83c\\udf21\\ud800\\\"\""),
                "T()a\n\xC3\xA9\xF0\x9F\x8C\xA1\xEF\xBF\xBD\" ");
    EXPECT_CHAT(CHAT("\"content\":\"\xFF\xFF\""), "T()\xEF\xBF\xBD\xEF\xBF\xBD ");
}

static void test_reasoning_comes_first(void) {
    EXPECT_CHAT(CHAT("\"content\":\"a\",\"reasoning\":\"r\""), "R()r T()a ");
    EXPECT_CHAT(CHAT("\"reasoning\":\"r\"") CHAT("\"reasoning\":\"s\",\"content\":\"\"")
                    CHAT("\"content\":\"a\""),
                "R()rs T()a ");
}

static void test_telling_values_keep_the_event_whole(void) {
#define TELLS(json) EXPECT_CHAT("data: " json "\n\n", "E()" json " ")
#define QUIET(json) EXPECT_CHAT("data: " json "\n\n", "T()a ")
#define WITH(member) "{\"choices\":[{\"delta\":{\"content\":\"a\"," member "}}]}"
    TELLS(WITH("\"tool_calls\":[{}]"));
    TELLS(WITH("\"n\":1"));
    TELLS(WITH("\"n\":0.0"));
    TELLS(WITH("\"n\":true"));
    TELLS(WITH("\"n\":\"x\""));
    TELLS(WITH("\"n\":{\"x\":null}"));
    QUIET(WITH("\"n\":null"));
    QUIET(WITH("\"n\":false"));
    QUIET(WITH("\"n\":0"));
    QUIET(WITH("\"n\":\"\""));
    QUIET(WITH("\"n\":[]"));
    QUIET(WITH("\"n\":{}"));
    QUIET(WITH("\"role\":\"assistant\""));
    TELLS("{\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}");
    QUIET("{\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":null,\"x\":[1,{}]}]}");
    TELLS("{\"choices\":[{\"delta\":{\"content\":\"a\"}},{\"delta\":{\"content\":\"b\"}}]}");
    TELLS("{\"usage\":{\"n\":1},\"choices\":[{\"delta\":{\"content\":\"a\"}}]}");
    QUIET("{\"other\":{\"usage\":1},\"choices\":[{\"delta\":{\"content\":\"a\"}}]}");
}

static void test_nothing_found_keeps_the_event_whole(void) {
    TELLS("{\"choices\":[]}");
    TELLS("{\"choices\":[{\"delta\":{\"content\":null}}]}");
    TELLS("[1]");
    TELLS("[]");
    TELLS("{\"choices\":[{\"delta\":{\"content\":[{\"text\":\"a\"}],\"reasoning\":\"r\"}}]}");
    TELLS("{\"choices\":[{\"delta\":{\"content\":1,\"reasoning\":\"r\"}}]}");
    TELLS("{\"choices\":[{\"delta\":{\"c\\u006fntent\":\"a\"}}]}");
}

static void test_malformed_events_are_data(void) {
#define BROKEN(json) EXPECT_CHAT("data: " json "\n\n", "D()" json " ")
    BROKEN("{\"choices\":[{\"delta\":{\"content\":\"a\"");
    BROKEN("{\"choices\":[{\"delta\":{\"content\":\"a\"}}]} x");
    BROKEN("{\"choices\":[{\"delta\":{\"content\":\"a\"}}],}");
    BROKEN("{\"x\":[1,}");
    BROKEN("{\"usage\":{nonsense");
    BROKEN("nonsense");
    BROKEN("\"text\"");
    BROKEN("5");
    EXPECT_CHAT("data:\n\n", "D() ");
}

static void test_names_and_first_event(void) {
    EXPECT_CHAT("event: chunk\n" CHAT("\"content\":\"a\""), "T()a ");
    EXPECT_CHAT(
        "event: error\n" CHAT("\"content\":\"a\""),
        "E(error){\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]} ");
    EXPECT_CHAT("error: no\n\nevent: end\ndata: [DONE]\n\n", "D(error)no D(end)[DONE] ");
    expect(chat_paths(CURIA__FRAMING_SSE), SLICE("data: hi\n\n" CHAT("\"content\":\"a\"")),
           "D()hi E(){\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]} ");
}

static void test_ndjson(void) {
    expect(chat_paths(CURIA__FRAMING_NDJSON),
           SLICE("{\"a\":1}\r\n\n {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n"
                 "{\"choices\":[{\"delta\":{\"content\":\"b\"}}]}\n{\"error\":\"x\"}\n{\"usage\":"),
           "E(){\"a\":1} T()ab E(){\"error\":\"x\"} D(){\"usage\": ");
}

static void test_stars(void) {
    static const char *const paths[] = {"text:c.0.parts.*.text", "whole:c.0.parts.*.thought",
                                        "whole:c.0.*", NULL};
#define STAR(json, segments) \
    expect(table(CURIA__FRAMING_SSE, paths), SLICE(FIRST "data: " json "\n\n"), "E(){} " segments)
    STAR("{\"c\":[{\"parts\":[{\"text\":\"a\"},{\"x\":1},{\"text\":\"b\"}]}]}", "T()ab ");
    STAR("{\"c\":[{\"parts\":[{\"text\":\"a\",\"thought\":true}]}]}",
         "E(){\"c\":[{\"parts\":[{\"text\":\"a\",\"thought\":true}]}]} ");
    STAR("{\"c\":[{\"parts\":[{\"text\":\"a\"}],\"x\":1}]}",
         "E(){\"c\":[{\"parts\":[{\"text\":\"a\"}],\"x\":1}]} ");
    STAR("{\"c\":[{\"parts\":[{\"text\":\"a\"}]},{\"x\":1}]}", "T()a ");
    STAR("{\"c\":{\"0\":{\"parts\":{\"k\":{\"text\":\"a\"}}}}}", "T()a ");
}

static curia__paths *typed_paths(void) {
    static const char *const text[] = {"text:delta", "ignore:item", NULL};
    curia__paths *p = table(CURIA__FRAMING_SSE, text);
    assert(curia__paths_when(p, "type", 4) == 0);
    assert(curia__paths_when(p, "kind", 4) == CURIA_EINVAL);
    assert(curia__paths_when_value(p, "t", 1, CURIA__PATH_TEXT) == 0);
    assert(curia__paths_when_value(p, "r", 1, CURIA__PATH_REASONING) == 0);
    assert(curia__paths_when_value(p, "x", 1, CURIA__PATH_WHOLE) == CURIA_EINVAL);
    assert(curia__paths_add(p, CURIA__PATH_REASONING, "delta", 5) == 0);
    assert(curia__paths_add(p, CURIA__PATH_REASONING, "thinking", 8) == 0);
    assert(curia__paths_check(p) == 0);
    return p;
}

static void test_when(void) {
#define TYPED(json, segments) \
    expect(typed_paths(), SLICE(FIRST "data: " json "\n\n"), "E(){} " segments)
    TYPED("{\"delta\":\"a\",\"type\":\"t\"}", "T()a ");
    TYPED("{\"type\":\"r\",\"delta\":\"a\"}", "R()a ");
    TYPED("{\"type\":\"other\",\"delta\":\"a\"}", "E(){\"type\":\"other\",\"delta\":\"a\"} ");
    TYPED("{\"type\":1,\"delta\":\"a\"}", "E(){\"type\":1,\"delta\":\"a\"} ");
    TYPED("{\"delta\":\"a\"}", "E(){\"delta\":\"a\"} ");
    TYPED("{\"type\":\"t\"}", "E(){\"type\":\"t\"} ");
    TYPED("{\"type\":\"r\",\"delta\":\"a\",\"thinking\":\"b\"}", "R()ab ");
    TYPED("{\"type\":\"t\",\"delta\":\"a\",\"thinking\":\"\"}", "T()a ");
    TYPED("{\"type\":\"t\",\"delta\":\"a\",\"thinking\":\"b\"}",
          "E(){\"type\":\"t\",\"delta\":\"a\",\"thinking\":\"b\"} ");
}

static void test_paths_are_checked(void) {
    curia__paths *p = curia__paths_new(CURIA__FRAMING_SSE);
    static const char *const bad[] = {"", ".", "a.", ".a", "a..b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert(curia__paths_add(p, CURIA__PATH_TEXT, bad[i], strlen(bad[i])) == CURIA_EINVAL);
    char deep[2 * CURIA__PATH_MAX_STEPS + 1];
    for (size_t i = 0; i < sizeof deep; i++)
        deep[i] = i % 2 ? '.' : 'a';
    assert(curia__paths_add(p, CURIA__PATH_TEXT, deep, sizeof deep) == CURIA_EINVAL);
    assert(curia__paths_add(p, CURIA__PATH_TEXT, deep, sizeof deep - 2) == 0);
    assert(curia__paths_when_value(p, "t", 1, CURIA__PATH_TEXT) == CURIA_EINVAL);
    assert(curia__paths_add(p, CURIA__PATH_TEXT, "both", 4) == 0);
    assert(curia__paths_add(p, CURIA__PATH_REASONING, "both", 4) == 0);
    assert(curia__paths_check(p) == CURIA_EINVAL);
    curia__paths_unref(p);
}

static void test_fields(void) {
    curia__paths *p = curia__paths_new(CURIA__FRAMING_SSE);
    assert(curia__paths_add(p, CURIA__PATH_STRING, "a.0", 3) == 0);
    assert(curia__paths_add(p, CURIA__PATH_INTEGER, "n", 1) == 0);
    assert(curia__paths_add(p, CURIA__PATH_WHOLE, "*", 1) == 0);
    assert(curia__paths_add(p, CURIA__PATH_INTEGER, "a.0", 3) == CURIA_EINVAL);
    curia__gathering g;
    assert(curia__paths_read(p, SLICE("{\"n\":-12,\"a\":[\"x\"]}"), &g) == CURIA__EVENT_SIMPLE);
    assert(g.count == 2 && g.items[0].field == 1 && g.items[1].field == 0);
    assert(g.items[0].length == 3 && g.items[1].roles == CURIA__PATH_STRING);
    assert(curia__paths_read(p, SLICE("{\"n\":1,\"n\":2}"), &g) == CURIA__EVENT_WHOLE);
    assert(curia__paths_read(p, SLICE("{\"n\":-0}"), &g) == CURIA__EVENT_WHOLE);
    assert(curia__paths_read(p, SLICE("{\"n\":1,\"m\":1}"), &g) == CURIA__EVENT_WHOLE);
    for (char name[] = "b0"; curia__paths_fields(p) < CURIA__GATHER_MAX; name[1]++)
        assert(curia__paths_add(p, CURIA__PATH_STRING, name, 2) == 0);
    assert(curia__paths_add(p, CURIA__PATH_STRING, "c", 1) == CURIA_EINVAL);
    curia__paths_unref(p);
}

/* More strings than a gathering holds: the event is not cut short, it goes whole. */
static void test_many_strings(void) {
    static const char *const all[] = {"text:*", NULL};
    char input[2048] = FIRST "data: [", wanted[2048];
    for (int i = 0; i <= CURIA__GATHER_MAX; i++)
        strcat(input, i ? ",\"a\"" : "\"a\"");
    strcat(input, "]\n\n");
    snprintf(wanted, sizeof wanted, "E(){} E()%.*s ", (int)(strlen(input) - 18), input + 16);
    expect(table(CURIA__FRAMING_SSE, all), (curia__slice){input, strlen(input)}, wanted);
}

static void test_limits(void) {
    curia__paths *paths = chat_paths(CURIA__FRAMING_SSE);
    curia__segments s = {0};
    curia__decoder d;
    curia__decoder_init(&d, paths, 0, 200);
    curia__slice more = SLICE(CHAT("\"content\":\"abcdefghij\""));
    assert(curia__decoder_feed(&d, FIRST, sizeof FIRST - 1) == 0);
    int rc = 0, fed = 0;
    while (rc == 0 && fed++ < 100)
        rc = curia__decoder_feed(&d, more.at, more.length);
    assert(rc == CURIA_ETOOBIG && fed > 2 && fed < 20);
    curia__decoder_take(&d, &s);
    assert(s.count == 2 && curia__segment_value(&s, 1).length == 10 * ((size_t)fed - 1));
    assert(curia__decoder_feed(&d, "x", 1) == CURIA_ETOOBIG);
    assert(curia__decoder_finish(&d) == CURIA_ETOOBIG);
    curia__segments_deinit(&s);
    curia__decoder_deinit(&d);
    curia__decoder_init(&d, paths, 20, 0);
    assert(curia__decoder_feed(&d, more.at, more.length) == CURIA_ETOOBIG);
    curia__decoder_deinit(&d);
    curia__paths_unref(paths);
}

static bool feed_text(curia__decoder *d, const char *text) {
    return curia__decoder_feed(d, text, strlen(text)) == 0;
}

/* What the HTTP client's silence limit asks: is the answer going on? */
static void test_pings_and_comments_are_no_events(void) {
    curia__paths *paths = chat_paths(CURIA__FRAMING_SSE);
    curia__decoder d;
    curia__decoder_init(&d, paths, 0, 0);
    assert(feed_text(&d, ": keepalive\n\n: more"));
    assert(d.told == 0 && !curia__decoder_inside(&d));
    assert(feed_text(&d, "\nevent: ping\ndata: {}\n\n"));
    assert(d.told == 0 && !curia__decoder_inside(&d));
    assert(feed_text(&d, "da") && curia__decoder_inside(&d));
    assert(feed_text(&d, "ta: {}\n") && curia__decoder_inside(&d));
    assert(feed_text(&d, "\n"));
    assert(d.told == 1 && !curia__decoder_inside(&d));
    curia__decoder_deinit(&d);
    curia__paths_unref(paths);
}

/* A steady stream with a consumer needs no more memory after the first rounds. */
static void test_take_reuses_memory(void) {
    curia__paths *paths = chat_paths(CURIA__FRAMING_SSE);
    curia__segments s = {0};
    curia__decoder d;
    curia__decoder_init(&d, paths, 0, 0);
    curia__slice more = SLICE(CHAT("\"content\":\"abc\""));
    for (int i = 0; i < 10; i++) {
        char *before = d.segments.bytes.data;
        assert(curia__decoder_feed(&d, more.at, more.length) == 0);
        assert(i < 2 || d.segments.bytes.data == before);
        curia__decoder_take(&d, &s);
        assert(s.count == 1 && s.items[0].kind == (i ? CURIA__SEGMENT_TEXT : CURIA__SEGMENT_EVENT));
    }
    curia__segments_deinit(&s);
    curia__decoder_deinit(&d);
    curia__paths_unref(paths);
}

int main(void) {
    test_text_is_gathered_and_merged();
    test_reasoning_comes_first();
    test_telling_values_keep_the_event_whole();
    test_nothing_found_keeps_the_event_whole();
    test_malformed_events_are_data();
    test_names_and_first_event();
    test_ndjson();
    test_stars();
    test_when();
    test_paths_are_checked();
    test_many_strings();
    test_fields();
    test_limits();
    test_pings_and_comments_are_no_events();
    test_take_reuses_memory();
    return 0;
}
