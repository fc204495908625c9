/* What the framing parsers (sse, ndjson) hand on: one event at a time, in place. */
#ifndef CURIA_DECODE_EVENT_H
#define CURIA_DECODE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* The largest event taken where the caller states no limit of its own. */
#define CURIA__EVENT_LIMIT ((size_t)16 << 20)

/* Bytes that somebody else owns; not NUL-terminated. */
typedef struct {
    const char *at;
    size_t length;
} curia__slice;

/* The first line of a stream may begin with a byte order mark, which is not part of it. */
static inline curia__slice curia__without_bom(curia__slice line) {
    bool bom = line.length >= 3 && memcmp(line.at, "\xEF\xBB\xBF", 3) == 0;
    return bom ? (curia__slice){line.at + 3, line.length - 3} : line;
}

/* Takes one event. Both slices die when it returns; `name` is empty where the event has none.
 * Returning a negative code stops the parser, which hands the code on to its caller. */
typedef int (*curia__event_fn)(void *context, curia__slice name, curia__slice data);

#endif
