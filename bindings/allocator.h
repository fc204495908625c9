/* An allocator for Lua states: free lists by size, as Lua says the size of what it gives back.
 *
 * Councils make many small, short-lived objects; this halves what malloc costs for them. Blocks of
 * up to 16 kB come from chunks that stay with the state; larger ones from malloc. One thread.
 */
#ifndef CURIA_ALLOCATOR_H
#define CURIA_ALLOCATOR_H

#include <stddef.h>

typedef struct curia__allocator curia__allocator;

/* NULL when out of memory. */
curia__allocator *curia__allocator_new(void);
/* Gives all memory back; the state that used it must be closed. */
void curia__allocator_free(curia__allocator *a);
/* A lua_Alloc. */
void *curia__allocate(void *allocator, void *block, size_t old_size, size_t new_size);

#endif
