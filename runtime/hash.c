#include "hash.h"

#include <openssl/evp.h>

#include "error.h"

int curia__hash(const void *data, size_t size, char text[CURIA__HASH_TEXT]) {
    static const char hex[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length;
    if (!EVP_Digest(data, size, digest, &length, EVP_sha256(), NULL)) return CURIA_ENOMEM;
    for (unsigned i = 0; i < length; i++) {
        text[2 * i] = hex[digest[i] >> 4];
        text[2 * i + 1] = hex[digest[i] & 15];
    }
    text[2 * length] = 0;
    return 0;
}
