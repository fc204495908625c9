#include "allocator.h"

#include <stdlib.h>
#include <string.h>

enum { STEP = 16, CLASSES = 32, LARGEST = STEP * CLASSES, CHUNK = 32 * 1024 };

typedef struct block {
    struct block *next;
} block;

typedef struct chunk {
    struct chunk *next;
    size_t unused; /* keeps the blocks aligned to 16 bytes */
} chunk;

struct curia__allocator {
    block *free[CLASSES];
    chunk *chunks;
    char *at, *end; /* the rest of the newest chunk */
};

curia__allocator *curia__allocator_new(void) {
    return calloc(1, sizeof(curia__allocator));
}

void curia__allocator_free(curia__allocator *a) {
    while (a->chunks) {
        chunk *next = a->chunks->next;
        free(a->chunks);
        a->chunks = next;
    }
    free(a);
}

static size_t class_of(size_t size) {
    return (size - 1) / STEP;
}

/* The rest of the old chunk is handed to the free lists, so that nothing is lost. */
static int add_chunk(curia__allocator *a) {
    chunk *c = malloc(CHUNK);
    if (!c) return 0;
    while (a->end - a->at >= STEP) {
        size_t size = (size_t)(a->end - a->at);
        size_t class = class_of(size < LARGEST ? size : LARGEST);
        block *b = (block *)a->at;
        b->next = a->free[class];
        a->free[class] = b;
        a->at += (class + 1) * STEP;
    }
    c->next = a->chunks;
    a->chunks = c;
    a->at = (char *)(c + 1);
    a->end = (char *)c + CHUNK;
    return 1;
}

static void *take(curia__allocator *a, size_t size) {
    size_t class = class_of(size);
    block *b = a->free[class];
    if (b) {
        a->free[class] = b->next;
        return b;
    }
    size_t rounded = (class + 1) * STEP;
    if ((size_t)(a->end - a->at) < rounded && !add_chunk(a)) return NULL;
    void *taken = a->at;
    a->at += rounded;
    return taken;
}

static void give_back(curia__allocator *a, void *p, size_t size) {
    if (size > LARGEST) {
        free(p);
        return;
    }
    block *b = p;
    b->next = a->free[class_of(size)];
    a->free[class_of(size)] = b;
}

static void *resize(curia__allocator *a, void *p, size_t old_size, size_t new_size) {
    if (old_size > LARGEST && new_size > LARGEST) return realloc(p, new_size);
    if (old_size <= LARGEST && new_size <= LARGEST && class_of(old_size) == class_of(new_size)) return p;
    void *moved = new_size > LARGEST ? malloc(new_size) : take(a, new_size);
    if (!moved) return new_size < old_size ? p : NULL; /* shrinking must not fail */
    memcpy(moved, p, old_size < new_size ? old_size : new_size);
    give_back(a, p, old_size);
    return moved;
}

void *curia__allocate(void *allocator, void *p, size_t old_size, size_t new_size) {
    curia__allocator *a = allocator;
    if (new_size == 0) {
        if (p && old_size) give_back(a, p, old_size);
        return NULL;
    }
    if (!p || old_size == 0) return new_size > LARGEST ? malloc(new_size) : take(a, new_size);
    return resize(a, p, old_size, new_size);
}
