/* Regular expressions that come from data (a schema's `pattern`, a router's rule), on PCRE2, with a
 * bound on the work.
 *
 * PCRE2 bounds one attempt at one place of the text, not all of them together, and an attempt may
 * read much between two of its own counts. So every item of a pattern asks first (auto-callout), and
 * pays for itself and for the characters by which matching has moved: what a search costs is known
 * and limited. Heap and depth are limited too. There is no JIT: compiled code knows none of these.
 *
 * The dialect is PCRE2's in UTF-8 mode, nearer to ECMA-262 where an option can make it so: `$` is
 * the very end, \d and \w are ASCII, \uXXXX is a character, [] matches nothing, a reference to a
 * group that took no part is empty.
 *
 * A regex is made once and never changes; any thread may search with it.
 */
#ifndef CURIA_REGEX_H
#define CURIA_REGEX_H

#include <stddef.h>
#include <stdint.h>

enum {
    CURIA__REGEX_PATTERN_BYTES = 8192,
    CURIA__REGEX_TEXT_BYTES = 1 << 20,
    CURIA__REGEX_STEPS = 2000000, /* of one search: below 0.2 s */
    CURIA__REGEX_HEAP_KB = 32768
};

typedef struct curia__regex curia__regex;

/* Why a pattern could not be compiled. */
typedef struct {
    int code;         /* CURIA_EPARSE, CURIA_ETOOBIG or CURIA_ENOMEM */
    size_t offset;    /* in the pattern, in bytes */
    char reason[128]; /* in PCRE2's words */
} curia__regex_error;

/* Compiles a pattern. NULL: *error says why not. */
curia__regex *curia__regex_new(const char *pattern, size_t length, curia__regex_error *error);

void curia__regex_free(curia__regex *regex); /* NULL is ignored */

/* Whether the pattern matches anywhere in the text: 1 or 0; or CURIA_EPARSE (the text is no UTF-8),
 * CURIA_ETOOBIG (it is too long), CURIA_ELIMIT (too much work, depth or heap) or CURIA_ENOMEM. *steps
 * becomes what was spent, at most a little more than CURIA__REGEX_STEPS. */
int curia__regex_find(const curia__regex *regex, const char *text, size_t length, int64_t *steps);

#endif
