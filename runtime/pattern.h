/* Lua 5.4 patterns (reference manual, 6.4.1) with a bound on the work.
 *
 * A pattern of 26 bytes can keep Lua's own matcher busy for seconds, and no hook can interrupt C.
 * Here every comparison of a character costs a step, and a matcher that has no steps left fails.
 * Behaviour and messages are otherwise those of Lua 5.4, down to when an ill-formed pattern is
 * noticed: only where matching arrives at the fault.
 *
 * Nothing allocates. A matcher borrows subject and pattern; it belongs to one thread.
 */
#ifndef CURIA_PATTERN_H
#define CURIA_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CURIA__PATTERN_CAPTURES = 32,
    CURIA__PATTERN_DEPTH = 200 /* quantifiers and captures entered at one time */
};

/* What a capture has in place of a length. */
enum { CURIA__CAPTURE_OPEN = -1, CURIA__CAPTURE_POSITION = -2 };

typedef struct {
    const char *start;
    ptrdiff_t length; /* or one of CURIA__CAPTURE_* */
} curia__capture;

typedef struct {
    const char *subject, *subject_end;
    const char *pattern, *pattern_end;
    bool anchored; /* the pattern matches only where the search begins */
    int64_t steps; /* left */
    int depth;     /* left */
    int error;     /* 0, CURIA_EPARSE (ill-formed), CURIA_EDEPTH or CURIA_ELIMIT (no steps left) */
    char reason[48]; /* in Lua's words, when there is an error */
    int count;       /* captures of the last attempt */
    curia__capture captures[CURIA__PATTERN_CAPTURES];
} curia__pattern;

/* `steps` is all that the matcher may ever spend. With `anchors`, a leading '^' ties the pattern to
 * where a search begins (find, match, gsub); without, it is a character (gmatch). */
void curia__pattern_init(curia__pattern *m, const char *subject, size_t subject_length,
                         const char *pattern, size_t pattern_length, int64_t steps, bool anchors);

/* Tries to match at `at`, within the subject. Returns the end of the match, or NULL: no match, or
 * m->error. */
const char *curia__pattern_match(curia__pattern *m, const char *at);

/* Finds the first match at or, unless anchored, after `at`. Returns its end and sets *start, or
 * returns NULL: no match, or m->error. */
const char *curia__pattern_search(curia__pattern *m, const char *at, const char **start);

/* Whether a pattern means nothing but its own characters. */
bool curia__pattern_is_plain(const char *pattern, size_t length);

/* The first place of `needle` in `text`, or NULL. Linear in both. */
const char *curia__find_plain(const char *text, size_t length, const char *needle,
                              size_t needle_length);

#endif
