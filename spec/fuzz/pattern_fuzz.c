/* Patterns: whatever pattern and subject are, matching stays within them and within its budget, and
 * a match found can be found again. The first byte of the input is the length of the pattern. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "pattern.h"

#define STEPS 20000

static void check(bool holds) {
    if (!holds) abort();
}

/* A copy in a block of its own, so that reading past it is seen. */
static char *copy(const uint8_t *data, size_t size) {
    char *block = malloc(size + !size);
    check(block);
    memcpy(block, data, size);
    return block;
}

static void check_captures(const curia__pattern *m) {
    check(m->count >= 0 && m->count <= CURIA__PATTERN_CAPTURES);
    for (int i = 0; i < m->count; i++) {
        const curia__capture *c = &m->captures[i];
        check(c->start >= m->subject && c->start <= m->subject_end);
        check(c->length >= CURIA__CAPTURE_POSITION);
        check(c->length < 0 || c->length <= m->subject_end - c->start);
    }
}

static void try_search(const char *subject, size_t length, const char *pattern,
                       size_t pattern_length, bool anchors) {
    curia__pattern m;
    const char *start = NULL;
    curia__pattern_init(&m, subject, length, pattern, pattern_length, STEPS, anchors);
    const char *end = curia__pattern_search(&m, subject, &start);
    check(m.depth == CURIA__PATTERN_DEPTH);
    check(m.error == 0 || (!end && m.reason[0]));
    /* Between two looks at the budget lies at most one set, or one run through the subject. */
    check(m.steps > -(int64_t)(STEPS + 2 * (length + 1) + 2 * (pattern_length + 1)));
    if (!end) return;
    check(start >= subject && end >= start && end <= subject + length);
    check_captures(&m);
    curia__pattern_init(&m, subject, length, pattern, pattern_length, STEPS, anchors);
    check(curia__pattern_match(&m, start) == end);
}

static void try_plain(const char *subject, size_t length, const char *needle,
                      size_t needle_length) {
    const char *found = curia__find_plain(subject, length, needle, needle_length);
    const char *expected = needle_length ? memmem(subject, length, needle, needle_length) : subject;
    check(found == expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    size_t pattern_length = data[0] < size - 1 ? data[0] : size - 1;
    size_t length = size - 1 - pattern_length;
    char *pattern = copy(data + 1, pattern_length),
         *subject = copy(data + 1 + pattern_length, length);
    try_search(subject, length, pattern, pattern_length, true);
    try_search(subject, length, pattern, pattern_length, false);
    try_plain(subject, length, pattern, pattern_length);
    free(pattern);
    free(subject);
    return 0;
}
