/* Newline-delimited JSON: bytes in, cut anywhere; one nameless event per line out.
 *
 * Lines end in LF or CRLF; blank ones are passed over, as is a BOM at the start; a last line
 * without LF is delivered at the end of the stream. Complete lines are delivered in place. A parser
 * lives in its owner's memory and belongs to one thread.
 */
#ifndef CURIA_DECODE_NDJSON_H
#define CURIA_DECODE_NDJSON_H

#include "buffer.h"
#include "decode/event.h"

#include <stdbool.h>

typedef struct {
    curia__event_fn on_event;
    void *context;
    size_t limit;       /* most bytes of one line */
    curia__buffer line; /* the beginning of a line whose end was not seen yet */
    bool started;       /* the first line, which may begin with a BOM, is over */
} curia__ndjson;

/* `limit` 0 means CURIA__EVENT_LIMIT. */
void curia__ndjson_init(curia__ndjson *n, size_t limit, curia__event_fn on_event, void *context);
void curia__ndjson_deinit(curia__ndjson *n);

/* Delivers the lines that these bytes complete. Returns 0, CURIA_ETOOBIG, CURIA_ENOMEM or what
 * on_event returned; after an error the parser may only be deinitialised. */
int curia__ndjson_feed(curia__ndjson *n, const char *bytes, size_t length);

/* The stream ended: delivers a last line without LF. Returns as curia__ndjson_feed. */
int curia__ndjson_finish(curia__ndjson *n);

#endif
