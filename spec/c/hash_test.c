/* The hash against the standard's own examples (FIPS 180-2, appendix B). */
#undef NDEBUG
#include "hash.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void expect(const char *bytes, size_t size, const char *hash) {
    char text[CURIA__HASH_TEXT];
    assert(curia__hash(bytes, size, text) == 0);
    assert(strcmp(text, hash) == 0);
}

int main(void) {
    expect("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    char *many = malloc(1000000);
    memset(many, 'a', 1000000);
    expect(many, 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(many);
    return 0;
}
