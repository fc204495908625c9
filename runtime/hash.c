#include "hash.h"

#include <openssl/evp.h>
#include <pthread.h>

#include "error.h"

/* OpenSSL looks an algorithm up by its name for each digest, unless it was fetched. It stays: other
 * threads may hash until the process ends. */
static EVP_MD *fetched;

static void fetch(void) {
    fetched = EVP_MD_fetch(NULL, "SHA256", NULL);
}

static const EVP_MD *sha256(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fetch);
    return fetched ? fetched : EVP_sha256();
}

int curia__hash(const void *data, size_t size, char text[CURIA__HASH_TEXT]) {
    static const char hex[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length;
    if (!EVP_Digest(data, size, digest, &length, sha256(), NULL)) return CURIA_ENOMEM;
    for (unsigned i = 0; i < length; i++) {
        text[2 * i] = hex[digest[i] >> 4];
        text[2 * i + 1] = hex[digest[i] & 15];
    }
    text[2 * length] = 0;
    return 0;
}
