/* A bounded queue between a producer of pieces and a task that takes them.
 *
 * What happens when the queue is full is stated by its policy: the producer is told to pause, or
 * pieces are merged up to a hard bound, or the stream fails. A `next` waits on `changed`. Closing
 * is idempotent; pieces queued before it can still be taken. The memory is the owner's; loop thread
 * only.
 */
#ifndef CURIA_STREAM_H
#define CURIA_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "op.h"

typedef enum {
    CURIA__OVERFLOW_PAUSE, /* a full queue takes no more: the producer waits for `on_room` */
    CURIA__OVERFLOW_MERGE, /* neighbours of one kind are joined; over the bound the stream fails */
    CURIA__OVERFLOW_FAIL   /* a piece too many ends the stream with CURIA_ETOOBIG */
} curia__overflow;

typedef struct curia__stream curia__stream;
typedef struct curia__stream_item curia__stream_item;

/* A piece. Taken ones belong to the taker, who gives them to free(). */
struct curia__stream_item {
    curia__stream_item *next;
    int kind;        /* the producer's affair */
    size_t size;     /* of bytes */
    size_t capacity; /* of bytes, while it is queued */
    char bytes[];
};

struct curia__stream {
    curia__signal changed; /* there is something to take, or the stream was closed */
    curia__stream_item *first;
    curia__stream_item **last; /* the pointer that leads to the last one; NULL: nothing is queued */
    size_t count, bytes;       /* queued */
    size_t limit;              /* the most bytes queued */
    curia__overflow overflow;
    bool paused; /* a put was refused since the queue was last drained */
    bool closed;
    int status; /* why it was closed */
    /* Told when a paused queue has been drained to half of its limit; may be NULL. */
    void (*on_room)(curia__stream *stream);
};

void curia__stream_init(curia__stream *s, curia__overflow overflow, size_t limit);

/* Closes with CURIA_ECLOSED and drops what is queued. */
void curia__stream_deinit(curia__stream *s);

/* Queues a copy of the bytes. Returns 0; CURIA_EBUSY (pause policy: nothing was taken, offer it
 * again after on_room; an empty queue takes a piece of any size); CURIA_ETOOBIG (the stream is
 * closed with it); CURIA_ENOMEM; or CURIA_ECLOSED. */
int curia__stream_put(curia__stream *s, int kind, const void *bytes, size_t size);

/* The oldest piece, now the caller's; NULL: nothing is queued. */
curia__stream_item *curia__stream_take(curia__stream *s);

/* No more pieces will come. The first status counts. */
void curia__stream_close(curia__stream *s, int status);

#endif
