/* Helper of the stream fuzzers: hands the input out in pieces, each in a block of its own, and
 * compares the log of a whole run with that of a cut one. */
#ifndef CURIA_SPEC_FUZZ_CUT_H
#define CURIA_SPEC_FUZZ_CUT_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "decode/event.h"

typedef struct {
    const uint8_t *at;
    size_t left;
} fuzz_input;

typedef struct {
    char *at; /* the receiver frees */
    size_t length;
} fuzz_piece;

/* The next piece: all that is left if `seed` is 0, else a few bytes. False at the end. */
static inline int fuzz_next_piece(fuzz_input *input, uint32_t *seed, fuzz_piece *piece) {
    if (input->left == 0) return 0;
    size_t length = input->left;
    if (*seed) {
        *seed = *seed * 1664525u + 1013904223u;
        size_t wanted = 1 + (*seed >> 24) % 40;
        if (*seed & 0x400000) wanted = 1;
        if (wanted < length) length = wanted;
        *seed |= 1;
    }
    piece->at = malloc(length);
    if (!piece->at) abort();
    memcpy(piece->at, input->at, length);
    piece->length = length;
    input->at += length;
    input->left -= length;
    return 1;
}

/* A curia__event_fn that appends lengths and bytes to a curia__buffer. */
static inline int fuzz_log_event(void *context, curia__slice name, curia__slice data) {
    size_t lengths[2] = {name.length, data.length};
    curia__buffer_append(context, lengths, sizeof lengths);
    curia__buffer_append(context, name.at, name.length);
    return curia__buffer_append(context, data.at, data.length);
}

/* Runs a parser over the input whole and cut; dies if results or logs differ. */
static inline void fuzz_compare(const uint8_t *data, size_t size,
                                int (*run)(fuzz_input, uint32_t seed, curia__buffer *log)) {
    if (size < 2) return;
    fuzz_input input = {data + 2, size - 2};
    curia__buffer whole = {0}, cut = {0};
    int expected = run(input, 0, &whole);
    int got = run(input, ((uint32_t)data[0] << 8 | data[1]) + 1, &cut);
    if (expected != got || whole.size != cut.size) abort();
    if (whole.size && memcmp(whole.data, cut.data, whole.size) != 0) abort();
    curia__buffer_deinit(&whole);
    curia__buffer_deinit(&cut);
}

#endif
