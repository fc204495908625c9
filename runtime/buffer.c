#include "buffer.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"

void curia__buffer_deinit(curia__buffer *b) {
    free(b->data);
    *b = (curia__buffer){0};
}

void curia__buffer_clear(curia__buffer *b) {
    b->size = 0;
    if (b->data) b->data[0] = 0;
}

int curia__buffer_reserve(curia__buffer *b, size_t extra) {
    if (extra > (size_t)-1 / 4 - b->size) return CURIA_ENOMEM;
    size_t needed = b->size + extra + 1;
    if (needed <= b->capacity) return 0;
    size_t capacity = b->capacity ? b->capacity : 64;
    while (capacity < needed)
        capacity *= 2;
    char *data = realloc(b->data, capacity);
    if (!data) return CURIA_ENOMEM;
    b->data = data;
    b->capacity = capacity;
    return 0;
}

int curia__buffer_append(curia__buffer *b, const void *data, size_t size) {
    int rc = curia__buffer_reserve(b, size);
    if (rc) return rc;
    if (size) memcpy(b->data + b->size, data, size);
    b->size += size;
    b->data[b->size] = 0;
    return 0;
}

int curia__buffer_append_text(curia__buffer *b, const char *text) {
    return curia__buffer_append(b, text, strlen(text));
}

void curia__buffer_consume(curia__buffer *b, size_t size) {
    if (size >= b->size) {
        curia__buffer_clear(b);
        return;
    }
    memmove(b->data, b->data + size, b->size - size);
    b->size -= size;
    b->data[b->size] = 0;
}
