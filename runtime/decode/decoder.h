/* Turns the body of a streamed answer, cut anywhere, into an ordered list of segments.
 *
 * Framing (SSE or NDJSON) yields events; the compiled paths judge each one. A simple event, one that
 * only carries more text, is gathered here and never becomes a Lua table; consecutive pieces of text
 * (and of reasoning) become one segment. Every other event is handed on whole. The first event of a
 * stream and every event named "error" are always whole. An event with both text and reasoning
 * yields the reasoning first.
 *
 * A decoder lives in its owner's memory and belongs to one thread. It calls nobody back: the owner
 * feeds and takes.
 */
#ifndef CURIA_DECODE_DECODER_H
#define CURIA_DECODE_DECODER_H

#include "buffer.h"
#include "decode/ndjson.h"
#include "decode/paths.h"
#include "decode/sse.h"

#include <stdbool.h>

/* The most bytes that may wait to be taken where the owner states no limit. */
#define CURIA__PENDING_LIMIT ((size_t)64 << 20)

typedef enum {
    CURIA__SEGMENT_TEXT,      /* UTF-8, unescaped, never empty */
    CURIA__SEGMENT_REASONING, /* likewise */
    CURIA__SEGMENT_EVENT,     /* raw JSON of an object or array; not known to be well-formed */
    CURIA__SEGMENT_DATA       /* anything else, such as [DONE], or JSON known to be malformed */
} curia__segment_kind;

typedef struct {
    curia__segment_kind kind;
    size_t offset;      /* of the value within the list's bytes */
    size_t length;      /* of the value */
    size_t name_length; /* of the event's name, which stands just before the value; 0: none */
} curia__segment;

/* A list of segments. A zeroed struct is an empty list. */
typedef struct {
    curia__buffer bytes;
    curia__segment *items;
    size_t count, capacity;
} curia__segments;

void curia__segments_deinit(curia__segments *s);

/* Forgets the segments, keeps the memory. */
void curia__segments_clear(curia__segments *s);

static inline curia__slice curia__segment_value(const curia__segments *s, size_t i) {
    return (curia__slice){s->bytes.data + s->items[i].offset, s->items[i].length};
}

static inline curia__slice curia__segment_name(const curia__segments *s, size_t i) {
    const curia__segment *item = &s->items[i];
    return (curia__slice){s->bytes.data + item->offset - item->name_length, item->name_length};
}

typedef struct {
    curia__paths *paths;
    union {
        curia__sse sse;
        curia__ndjson ndjson;
    } framing;
    curia__segments segments; /* not taken yet */
    size_t max_pending;       /* most bytes in `segments` */
    uint64_t told;            /* events seen; pings and comments are none (SPEC 10) */
    bool seen_event;          /* the first event is over */
    int error;                /* sticky */
} curia__decoder;

/* Takes a reference to `paths`. A limit of 0 means CURIA__EVENT_LIMIT (bytes of one event) or
 * CURIA__PENDING_LIMIT (bytes not taken yet). The decoder must not move afterwards. */
void curia__decoder_init(curia__decoder *d, curia__paths *paths, size_t max_event,
                         size_t max_pending);
void curia__decoder_deinit(curia__decoder *d);

/* Decodes more of the body. Returns 0, CURIA_ETOOBIG or CURIA_ENOMEM. An error stays: later calls
 * return it again; segments of before it can still be taken. */
int curia__decoder_feed(curia__decoder *d, const char *bytes, size_t length);

/* The body ended: an unfinished last event is delivered as if it were finished. Returns as feed. */
int curia__decoder_finish(curia__decoder *d);

/* Whether an event has begun and is not complete; a comment is none. */
bool curia__decoder_inside(const curia__decoder *d);

/* How many segments wait. */
size_t curia__decoder_count(const curia__decoder *d);

/* Moves the waiting segments into `out`, whose former content is dropped; its memory serves the
 * decoder next. `out` must be initialised (zeroed or from an earlier take); its owner deinits it. */
void curia__decoder_take(curia__decoder *d, curia__segments *out);

#endif
