/* Helper of the decoder tests: feeds bytes cut at every position, and compares what comes out. */
#ifndef CURIA_SPEC_DECODE_CUT_H
#define CURIA_SPEC_DECODE_CUT_H

#undef NDEBUG
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/event.h"

#define SLICE(text) ((curia__slice){(text), sizeof(text) - 1})

/* Appends "name|data\n" of each event to the text in `context`. */
typedef struct {
    char text[65536];
    size_t size;
} event_log;

static inline int log_event(void *context, curia__slice name, curia__slice data) {
    event_log *log = context;
    log->size +=
        (size_t)snprintf(log->text + log->size, sizeof log->text - log->size, "%.*s|%.*s\n",
                         (int)name.length, name.at, (int)data.length, data.at);
    return 0;
}

/* A copy in a block of its own, so that a sanitizer sees every read past a piece. */
static inline char *piece_of(const char *at, size_t length) {
    char *piece = malloc(length + !length);
    assert(piece);
    memcpy(piece, at, length);
    return piece;
}

#endif
