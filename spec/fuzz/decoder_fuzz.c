/* The decoder: the segments do not depend on where the bytes were cut, texts are valid UTF-8 and
 * never empty, equal neighbours are merged. The first byte of what follows the seed picks the
 * table of paths. */
#include "fuzz_cut.h"

#include "decode/decoder.h"

static curia__paths *chat_table(curia__framing framing) {
    static const struct {
        curia__path_role role;
        const char *path;
    } paths[] = {{CURIA__PATH_TEXT, "choices.0.delta.content"},
                 {CURIA__PATH_TEXT, "c.0.p.*.t"},
                 {CURIA__PATH_REASONING, "choices.0.delta.reasoning"},
                 {CURIA__PATH_WHOLE, "choices.0.delta.*"},
                 {CURIA__PATH_WHOLE, "c.*"},
                 {CURIA__PATH_IGNORE, "choices.0.delta.role"},
                 {CURIA__PATH_WHOLE, "usage"}};
    curia__paths *p = curia__paths_new(framing);
    for (size_t i = 0; p && i < sizeof paths / sizeof *paths; i++)
        curia__paths_add(p, paths[i].role, paths[i].path, strlen(paths[i].path));
    return p;
}

static curia__paths *typed_table(void) {
    curia__paths *p = curia__paths_new(CURIA__FRAMING_SSE);
    curia__paths_add(p, CURIA__PATH_TEXT, "delta", 5);
    curia__paths_add(p, CURIA__PATH_REASONING, "delta", 5);
    curia__paths_when(p, "type", 4);
    curia__paths_when_value(p, "t", 1, CURIA__PATH_TEXT);
    curia__paths_when_value(p, "r", 1, CURIA__PATH_REASONING);
    return p;
}

static curia__paths *pick_table(uint8_t choice) {
    if (choice % 3 == 2) return typed_table();
    return chat_table(choice % 3 ? CURIA__FRAMING_SSE : CURIA__FRAMING_NDJSON);
}

static int is_utf8(const unsigned char *at, const unsigned char *end) {
    while (at < end) {
        int more = *at < 0x80   ? 0
                   : *at < 0xC2 ? -1
                   : *at < 0xE0 ? 1
                   : *at < 0xF0 ? 2
                   : *at < 0xF5 ? 3
                                : -1;
        if (more < 0 || end - at <= more) return 0;
        for (at++; more > 0; more--, at++)
            if ((*at & 0xC0) != 0x80) return 0;
    }
    return 1;
}

static void check_and_log(const curia__segments *s, curia__buffer *log) {
    int last = -1;
    for (size_t i = 0; i < s->count; i++) {
        curia__slice value = curia__segment_value(s, i);
        int kind = s->items[i].kind;
        int text = kind == CURIA__SEGMENT_TEXT || kind == CURIA__SEGMENT_REASONING;
        const unsigned char *at = (const unsigned char *)value.at;
        if (text && (kind == last || !value.length || !is_utf8(at, at + value.length))) abort();
        last = kind;
        curia__buffer_append(log, &kind, sizeof kind);
        fuzz_log_event(log, curia__segment_name(s, i), value);
    }
}

static int run(fuzz_input input, uint32_t seed, curia__buffer *log) {
    if (input.left == 0) return 0;
    curia__paths *paths = pick_table(*input.at++);
    input.left--;
    curia__decoder d;
    curia__decoder_init(&d, paths, 4096, 8192);
    curia__paths_unref(paths);
    int rc = 0;
    for (fuzz_piece piece; rc == 0 && fuzz_next_piece(&input, &seed, &piece); free(piece.at))
        rc = curia__decoder_feed(&d, piece.at, piece.length);
    if (rc == 0) rc = curia__decoder_finish(&d);
    curia__segments s = {0};
    curia__decoder_take(&d, &s);
    check_and_log(&s, log);
    curia__segments_deinit(&s);
    curia__decoder_deinit(&d);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_compare(data, size, run);
    return 0;
}
