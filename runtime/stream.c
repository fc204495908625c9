#include "stream.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"

void curia__stream_init(curia__stream *s, curia__overflow overflow, size_t limit) {
    *s = (curia__stream){.overflow = overflow, .limit = limit};
}

static void drop_all(curia__stream *s) {
    while (s->first) {
        curia__stream_item *item = s->first;
        s->first = item->next;
        free(item);
    }
    s->last = NULL;
    s->count = s->bytes = 0;
}

void curia__stream_deinit(curia__stream *s) {
    s->on_room = NULL;
    curia__stream_close(s, CURIA_ECLOSED);
    drop_all(s);
}

static bool is_full(const curia__stream *s, size_t size) {
    return s->bytes > s->limit || size > s->limit - s->bytes;
}

/* What a full queue answers. */
static int overflow(curia__stream *s) {
    if (s->overflow == CURIA__OVERFLOW_PAUSE) {
        s->paused = true;
        return CURIA_EBUSY;
    }
    curia__stream_close(s, CURIA_ETOOBIG);
    return CURIA_ETOOBIG;
}

static int append(curia__stream *s, int kind, const void *bytes, size_t size) {
    curia__stream_item *item = malloc(sizeof *item + size);
    if (!item) return CURIA_ENOMEM;
    *item = (curia__stream_item){.kind = kind, .size = size, .capacity = size};
    if (size) memcpy(item->bytes, bytes, size);
    s->last = s->last ? &(*s->last)->next : &s->first;
    *s->last = item;
    s->count++;
    return 0;
}

/* Joins the bytes to the last piece. */
static int join(curia__stream *s, const void *bytes, size_t size) {
    curia__stream_item *item = *s->last;
    if (size > item->capacity - item->size) {
        size_t capacity = 2 * item->size + size;
        item = realloc(item, sizeof *item + capacity);
        if (!item) return CURIA_ENOMEM;
        item->capacity = capacity;
        *s->last = item;
    }
    if (size) memcpy(item->bytes + item->size, bytes, size);
    item->size += size;
    return 0;
}

int curia__stream_put(curia__stream *s, int kind, const void *bytes, size_t size) {
    if (s->closed) return CURIA_ECLOSED;
    bool may_exceed = s->overflow == CURIA__OVERFLOW_PAUSE && s->count == 0;
    if (!may_exceed && is_full(s, size)) return overflow(s);
    bool joins = s->overflow == CURIA__OVERFLOW_MERGE && s->last && (*s->last)->kind == kind;
    int rc = joins ? join(s, bytes, size) : append(s, kind, bytes, size);
    if (rc) return rc;
    s->bytes += size;
    curia__signal_notify(&s->changed, 0);
    return 0;
}

curia__stream_item *curia__stream_take(curia__stream *s) {
    curia__stream_item *item = s->first;
    if (!item) return NULL;
    s->first = item->next;
    if (!s->first)
        s->last = NULL;
    else if (s->last == &item->next)
        s->last = &s->first;
    s->count--;
    s->bytes -= item->size;
    item->next = NULL;
    if (s->paused && s->bytes <= s->limit / 2) {
        s->paused = false;
        if (s->on_room) s->on_room(s);
    }
    return item;
}

void curia__stream_close(curia__stream *s, int status) {
    if (s->closed) return;
    s->closed = true;
    s->status = status;
    curia__signal_notify(&s->changed, 0);
}
