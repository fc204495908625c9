#include "allocator.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Blocks have the sizes 16, 32, ... 512, then four sizes to each doubling up to LARGEST; what is
 * larger is malloc's. */
enum {
    STEP = 16,
    SMALL = 512,
    SMALL_CLASSES = SMALL / STEP,
    DOUBLINGS = 5,
    CLASSES = SMALL_CLASSES + 4 * DOUBLINGS,
    LARGEST = SMALL << DOUBLINGS
};

/* A heap that has grown to MANY_BYTES goes on growing by huge pages: the kernel hands these out, and
 * the processor finds its way in them, at a fraction of the cost. */
enum { CHUNK = 64 * 1024, MANY_BYTES = 4 * 1024 * 1024, HUGE_PAGE = 2 * 1024 * 1024 };

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
    size_t bytes;   /* of all chunks */
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

/* ---- classes ----------------------------------------------------------------------------------- */

static inline size_t class_of(size_t size) {
    if (size <= SMALL) return (size - 1) / STEP;
    size_t last = size - 1;
    int doubling = 63 - __builtin_clzll(last); /* 9 for 513..1024 */
    return SMALL_CLASSES + 4 * (size_t)(doubling - 9) + (last >> (doubling - 2) & 3);
}

static inline size_t size_of(size_t class) {
    if (class < SMALL_CLASSES) return (class + 1) * STEP;
    size_t doubling = (class - SMALL_CLASSES) / 4, quarter = (class - SMALL_CLASSES) % 4;
    return ((size_t)SMALL << doubling) / 4 * (5 + quarter);
}

/* ---- chunks ------------------------------------------------------------------------------------ */

static void put_free(curia__allocator *a, void *p, size_t class) {
    block *b = p;
    b->next = a->free[class];
    a->free[class] = b;
}

/* The rest of the newest chunk is cut into free blocks, so that nothing is lost. */
static void cut_rest(curia__allocator *a) {
    while (a->end - a->at >= STEP) {
        size_t rest = (size_t)(a->end - a->at);
        size_t class = class_of(rest < LARGEST ? rest : LARGEST);
        if (class > 0 && size_of(class) > rest) class -= 1;
        put_free(a, a->at, class);
        a->at += size_of(class);
    }
}

static chunk *new_chunk(size_t *size, size_t heap) {
    *size = CHUNK;
    if (heap < MANY_BYTES) return malloc(CHUNK);
    chunk *c = aligned_alloc(HUGE_PAGE, HUGE_PAGE);
    if (!c) return malloc(CHUNK);
    *size = HUGE_PAGE;
    madvise(c, HUGE_PAGE, MADV_HUGEPAGE); /* advice: without it all goes as before */
    return c;
}

static int add_chunk(curia__allocator *a) {
    size_t size;
    chunk *c = new_chunk(&size, a->bytes);
    if (!c) return 0;
    cut_rest(a);
    c->next = a->chunks;
    a->chunks = c;
    a->bytes += size;
    a->at = (char *)(c + 1);
    a->end = (char *)c + size;
    return 1;
}

/* ---- blocks ------------------------------------------------------------------------------------ */

static void *take(curia__allocator *a, size_t size) {
    if (size > LARGEST) return malloc(size);
    size_t class = class_of(size);
    block *b = a->free[class];
    if (b) {
        a->free[class] = b->next;
        return b;
    }
    size_t rounded = size_of(class);
    if ((size_t)(a->end - a->at) < rounded && !add_chunk(a)) return NULL;
    void *taken = a->at;
    a->at += rounded;
    return taken;
}

static void give_back(curia__allocator *a, void *p, size_t size) {
    if (size > LARGEST)
        free(p);
    else
        put_free(a, p, class_of(size));
}

static void *resize(curia__allocator *a, void *p, size_t old_size, size_t new_size) {
    if (old_size > LARGEST && new_size > LARGEST) return realloc(p, new_size);
    if (old_size <= LARGEST && new_size <= LARGEST && class_of(old_size) == class_of(new_size))
        return p;
    void *moved = take(a, new_size);
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
    if (!p || old_size == 0) return take(a, new_size);
    return resize(a, p, old_size, new_size);
}
