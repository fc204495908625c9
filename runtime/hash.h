/* Content hashes: SHA-256, by OpenSSL, which libcurl has brought along. Any thread. */
#ifndef CURIA_HASH_H
#define CURIA_HASH_H

#include <stddef.h>

enum { CURIA__HASH_TEXT = 65 }; /* 64 hexadecimal digits and a zero byte */

/* The hash of `size` bytes as lower-case hexadecimal digits. Returns 0 or CURIA_ENOMEM. */
int curia__hash(const void *data, size_t size, char text[CURIA__HASH_TEXT]);

#endif
