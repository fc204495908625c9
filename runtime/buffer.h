/* A growable byte buffer. Lives in the owner's memory; not thread safe.
 *
 * `data` is NUL-terminated whenever it is not NULL, so that it can be read as text; the NUL is not
 * counted in `size`. A zeroed struct is an empty buffer.
 */
#ifndef CURIA_BUFFER_H
#define CURIA_BUFFER_H

#include <stddef.h>

typedef struct {
    char *data;      /* NULL until the first byte */
    size_t size;     /* bytes in use */
    size_t capacity; /* bytes allocated */
} curia__buffer;

/* Gives the memory back; the buffer is empty and usable again. */
void curia__buffer_deinit(curia__buffer *b);

/* Forgets the content, keeps the memory. */
void curia__buffer_clear(curia__buffer *b);

/* Makes room for `extra` more bytes. Returns 0 or CURIA_ENOMEM (the content stays). */
int curia__buffer_reserve(curia__buffer *b, size_t extra);

/* Appends. Returns 0 or CURIA_ENOMEM (the content stays). */
int curia__buffer_append(curia__buffer *b, const void *data, size_t size);
int curia__buffer_append_text(curia__buffer *b, const char *text);

/* Removes the first `size` bytes (at most all). */
void curia__buffer_consume(curia__buffer *b, size_t size);

#endif
