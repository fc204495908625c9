#include "pattern.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "error.h"

#define ESCAPE '%'

/* Bytes that a plain search may compare in vain before it turns to memmem. */
#define PATIENCE ((size_t)1 << 16)

static const char *match_rest(curia__pattern *m, const char *s, const char *p);

void curia__pattern_init(curia__pattern *m, const char *subject, size_t subject_length,
                         const char *pattern, size_t pattern_length, int64_t steps, bool anchors) {
    m->subject = subject;
    m->subject_end = subject + subject_length;
    m->pattern_end = pattern + pattern_length;
    m->anchored = anchors && pattern_length && *pattern == '^';
    m->pattern = pattern + m->anchored;
    m->steps = steps;
    m->depth = CURIA__PATTERN_DEPTH;
    m->error = 0;
    m->reason[0] = 0;
    m->count = 0;
}

static const char *fail(curia__pattern *m, int error, const char *reason) {
    m->error = error;
    snprintf(m->reason, sizeof m->reason, "%s", reason);
    return NULL;
}

static const char *fail_index(curia__pattern *m, int index) {
    m->error = CURIA_EPARSE;
    snprintf(m->reason, sizeof m->reason, "invalid capture index %%%d", index);
    return NULL;
}

static bool spend(curia__pattern *m, ptrdiff_t steps) {
    m->steps -= steps;
    if (m->steps >= 0) return true;
    fail(m, CURIA_ELIMIT, "pattern too costly");
    return false;
}

/* ---- one character ----------------------------------------------------------------------------- */

/* %a, %d, ...; an upper-case letter negates; anything else stands for itself. */
static bool in_class(unsigned char c, unsigned char class) {
    bool in;
    switch (tolower(class)) {
    case 'a': in = isalpha(c); break;
    case 'c': in = iscntrl(c); break;
    case 'd': in = isdigit(c); break;
    case 'g': in = isgraph(c); break;
    case 'l': in = islower(c); break;
    case 'p': in = ispunct(c); break;
    case 's': in = isspace(c); break;
    case 'u': in = isupper(c); break;
    case 'w': in = isalnum(c); break;
    case 'x': in = isxdigit(c); break;
    case 'z': in = c == 0; break; /* deprecated, still honoured by Lua 5.4 */
    default: return class == c;
    }
    return isupper(class) ? !in : in;
}

/* The set between `p` (at its '[') and `close` (at its ']'). */
static bool in_set(curia__pattern *m, unsigned char c, const char *p, const char *close) {
    bool negated = *++p == '^';
    const char *from = p += negated;
    bool found = false;
    for (; p < close && !found; p++) {
        if (*p == ESCAPE) {
            found = in_class(c, (unsigned char)*++p);
        } else if (p[1] == '-' && p + 2 < close) {
            found = (unsigned char)p[0] <= c && c <= (unsigned char)p[2];
            p += 2;
        } else {
            found = (unsigned char)*p == c;
        }
    }
    m->steps -= p - from;
    return found != negated;
}

/* Whether the item from `p` to `end`, which stands for one character, matches at `s`. */
static inline bool matches_one(curia__pattern *m, const char *s, const char *p, const char *end) {
    m->steps--;
    if (s >= m->subject_end) return false;
    unsigned char c = (unsigned char)*s;
    switch (*p) {
    case '.': return true;
    case ESCAPE: return in_class(c, (unsigned char)p[1]);
    case '[': return in_set(m, c, p, end - 1);
    default: return (unsigned char)*p == c;
    }
}

/* The end of the set that begins at `p`. Its first member may be a ']'. */
static const char *set_end(curia__pattern *m, const char *p) {
    const char *from = p++;
    if (p < m->pattern_end && *p == '^') p++;
    do {
        if (p >= m->pattern_end) return fail(m, CURIA_EPARSE, "malformed pattern (missing ']')");
        if (*p++ == ESCAPE && p < m->pattern_end) p++;
    } while (p >= m->pattern_end || *p != ']');
    m->steps -= p - from;
    return p + 1;
}

/* The end of the item that begins at `p` and stands for one character. */
static const char *item_end(curia__pattern *m, const char *p) {
    if (*p == '[') return set_end(m, p);
    if (*p != ESCAPE) return p + 1;
    if (p + 1 == m->pattern_end) return fail(m, CURIA_EPARSE, "malformed pattern (ends with '%')");
    return p + 2;
}

/* ---- what recurses: captures and quantifiers ----------------------------------------------------- */

static const char *match_deeper(curia__pattern *m, const char *s, const char *p) {
    if (m->depth == 0) return fail(m, CURIA_EDEPTH, "pattern too complex");
    m->depth--;
    const char *end = match_rest(m, s, p);
    m->depth++;
    return end;
}

static const char *open_capture(curia__pattern *m, const char *s, const char *p) {
    if (m->count == CURIA__PATTERN_CAPTURES) return fail(m, CURIA_EPARSE, "too many captures");
    bool position = p < m->pattern_end && *p == ')';
    ptrdiff_t length = position ? CURIA__CAPTURE_POSITION : CURIA__CAPTURE_OPEN;
    m->captures[m->count++] = (curia__capture){s, length};
    const char *end = match_deeper(m, s, p + position);
    if (!end) m->count--;
    return end;
}

static const char *close_capture(curia__pattern *m, const char *s, const char *p) {
    int i = m->count - 1;
    while (i >= 0 && m->captures[i].length != CURIA__CAPTURE_OPEN)
        i--;
    if (i < 0) return fail(m, CURIA_EPARSE, "invalid pattern capture");
    m->captures[i].length = s - m->captures[i].start;
    const char *end = match_deeper(m, s, p);
    if (!end) m->captures[i].length = CURIA__CAPTURE_OPEN;
    return end;
}

/* `*` and `+`: as many as match, then fewer. `s` is after the `least` that must. */
static const char *match_most(curia__pattern *m, const char *s, const char *p, const char *end) {
    const char *most = s;
    while (m->steps >= 0 && matches_one(m, most, p, end))
        most++;
    for (; spend(m, 1); most--) {
        const char *found = match_deeper(m, most, end + 1);
        if (found || m->error || most == s) return found;
    }
    return NULL;
}

/* `-`: as few as possible. */
static const char *match_least(curia__pattern *m, const char *s, const char *p, const char *end) {
    for (; spend(m, 1); s++) {
        const char *found = match_deeper(m, s, end + 1);
        if (found || m->error || !matches_one(m, s, p, end)) return found;
    }
    return NULL;
}

/* ---- what does not: %b, %f, back references ------------------------------------------------------ */

static const char *match_balanced(curia__pattern *m, const char *s, const char *p) {
    if (m->pattern_end - p < 2)
        return fail(m, CURIA_EPARSE, "malformed pattern (missing arguments to '%b')");
    if (s == m->subject_end || *s != p[0]) return NULL;
    size_t open = 1;
    for (const char *at = s + 1; at < m->subject_end; at++) {
        if (*at == p[1]) {
            if (--open == 0) return spend(m, at - s) ? at + 1 : NULL;
        } else if (*at == p[0]) {
            open++;
        }
    }
    spend(m, m->subject_end - s);
    return NULL;
}

/* The frontier of the set at `p`; subject start and end count as '\0'. */
static bool at_frontier(curia__pattern *m, const char *s, const char *p, const char *end) {
    unsigned char before = s == m->subject ? 0 : (unsigned char)s[-1];
    unsigned char after = s == m->subject_end ? 0 : (unsigned char)*s;
    return !in_set(m, before, p, end - 1) && in_set(m, after, p, end - 1);
}

static const char *match_again(curia__pattern *m, const char *s, int i) {
    if (i < 0 || i >= m->count || m->captures[i].length == CURIA__CAPTURE_OPEN)
        return fail_index(m, i + 1);
    size_t length = (size_t)m->captures[i].length;
    if ((size_t)(m->subject_end - s) < length) return NULL;
    if (!spend(m, (ptrdiff_t)(length / 16 + 1))) return NULL;
    return memcmp(m->captures[i].start, s, length) == 0 ? s + length : NULL;
}

/* ---- the items in order -------------------------------------------------------------------------- */

/* An item for one character, with its quantifier. Returns where matching goes on and moves *p past
 * the item; or returns NULL; or sets *done and returns what the rest gave. */
static const char *match_item(curia__pattern *m, const char *s, const char **p, bool *done) {
    const char *item = *p, *end = item_end(m, item);
    if (!end) return NULL;
    bool here = matches_one(m, s, item, end);
    char quantifier = end < m->pattern_end ? *end : 0;
    *p = end + 1;
    switch (quantifier) {
    case '*':
    case '-':
        if (!here) return s;
        *done = true;
        return quantifier == '*' ? match_most(m, s, item, end) : match_least(m, s, item, end);
    case '+': *done = true; return here ? match_most(m, s + 1, item, end) : NULL;
    case '?': {
        if (!here) return s;
        const char *found = match_deeper(m, s + 1, end + 1);
        *done = found;
        return found || m->error ? found : s;
    }
    default: *p = end; return here ? s + 1 : NULL;
    }
}

/* %b, %f and back references, at *p. Returns as match_item; *p stays where it is no such item. */
static const char *match_special(curia__pattern *m, const char *s, const char **p) {
    const char *item = *p + 1;
    char letter = item < m->pattern_end ? *item++ : 0;
    if (letter == 'b') {
        s = match_balanced(m, s, item);
        *p = item + 2;
    } else if (letter == 'f') {
        if (item == m->pattern_end || *item != '[')
            return fail(m, CURIA_EPARSE, "missing '[' after '%f' in pattern");
        const char *end = set_end(m, item);
        if (!end || !at_frontier(m, s, item, end)) return NULL;
        *p = end;
    } else if (letter >= '0' && letter <= '9') {
        s = match_again(m, s, letter - '1');
        *p = item;
    }
    return s;
}

/* Matches the pattern from `p` on at `s`. */
static const char *match_rest(curia__pattern *m, const char *s, const char *p) {
    bool done = false;
    while (s && !done && p < m->pattern_end) {
        if (!spend(m, 1)) return NULL;
        if (*p == '(') return open_capture(m, s, p + 1);
        if (*p == ')') return close_capture(m, s, p + 1);
        if (*p == '$' && p + 1 == m->pattern_end) return s == m->subject_end ? s : NULL;
        const char *before = p;
        if (*p == ESCAPE) s = match_special(m, s, &p);
        if (s && p == before) s = match_item(m, s, &p, &done);
    }
    return m->error ? NULL : s;
}

const char *curia__pattern_match(curia__pattern *m, const char *at) {
    m->count = 0;
    return match_deeper(m, at, m->pattern);
}

const char *curia__pattern_search(curia__pattern *m, const char *at, const char **start) {
    for (;; at++) {
        const char *end = curia__pattern_match(m, at);
        if (end) *start = at;
        if (end || m->error || m->anchored || at == m->subject_end) return end;
    }
}

/* ---- plain text ---------------------------------------------------------------------------------- */

bool curia__pattern_is_plain(const char *pattern, size_t length) {
    static const bool special[UCHAR_MAX + 1] = {
        ['^'] = true, ['$'] = true, ['*'] = true, ['+'] = true, ['?'] = true,
        ['.'] = true, ['('] = true, ['['] = true, ['%'] = true, ['-'] = true,
    };
    for (size_t i = 0; i < length; i++)
        if (special[(unsigned char)pattern[i]]) return false;
    return true;
}

/* Hops from one first byte to the next, which is fastest as long as few hops are in vain. */
const char *curia__find_plain(const char *text, size_t length, const char *needle,
                              size_t needle_length) {
    if (needle_length == 0) return text;
    if (needle_length > length) return NULL;
    const char *end = text + length, *last = end - needle_length;
    for (size_t patience = PATIENCE; text <= last; text++, patience -= needle_length) {
        text = memchr(text, *needle, (size_t)(last - text) + 1);
        if (!text || memcmp(text, needle, needle_length) == 0) return text;
        if (patience < needle_length)
            return memmem(text, (size_t)(end - text), needle, needle_length);
    }
    return NULL;
}
