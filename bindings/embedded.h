/* The Lua modules of lua/, compiled into the library by cmake/embed.c. */
#ifndef CURIA_EMBEDDED_H
#define CURIA_EMBEDDED_H

#include <stddef.h>

typedef struct {
    const char *name; /* "curia.http" */
    const unsigned char *code;
    size_t size;
} curia__embedded;

/* Ends with an entry whose name is NULL. */
extern const curia__embedded curia__embedded_modules[];

#endif
