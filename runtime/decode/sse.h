/* Server-sent events: bytes in, cut anywhere; events out (WHATWG HTML, "Interpreting an event
 * stream").
 *
 * Lines end in LF, CR or CRLF; a BOM at the start and comments are passed over; several data lines
 * are joined with LF. `id` and `retry` are read and forgotten: nothing here reconnects. Two
 * deviations, for servers as they are: an event not closed by a blank line is delivered at the end
 * of the stream, and a field `error` counts as data of an event named "error" (GPUStack).
 *
 * Events that stand complete in the bytes fed are delivered in place; only an unfinished tail is
 * copied. A parser lives in its owner's memory and belongs to one thread.
 */
#ifndef CURIA_DECODE_SSE_H
#define CURIA_DECODE_SSE_H

#include "buffer.h"
#include "decode/event.h"

#include <stdbool.h>

typedef struct {
    curia__event_fn on_event;
    void *context;
    size_t limit;       /* most bytes of one line, and of one event's data */
    curia__buffer line; /* the beginning of a line whose end was not seen yet */
    curia__buffer data; /* holds event.data where it does not stand in the bytes being fed */
    curia__buffer name; /* likewise for the name */
    curia__slice event_data, event_name;
    bool has_data; /* a data line was seen since the last event */
    bool started;  /* the first line, which may begin with a BOM, is over */
    bool skip_lf;  /* the last byte fed was a CR: an LF now belongs to it */
} curia__sse;

/* `limit` 0 means CURIA__EVENT_LIMIT. */
void curia__sse_init(curia__sse *s, size_t limit, curia__event_fn on_event, void *context);
void curia__sse_deinit(curia__sse *s);

/* Delivers the events that these bytes complete. Returns 0, CURIA_ETOOBIG, CURIA_ENOMEM or what
 * on_event returned; after an error the parser may only be deinitialised. */
int curia__sse_feed(curia__sse *s, const char *bytes, size_t length);

/* The stream ended: delivers what stands unfinished. Returns as curia__sse_feed. */
int curia__sse_finish(curia__sse *s);

#endif
