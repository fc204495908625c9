/* Regular expressions: whatever pattern and text are, a search ends, with a known outcome and within
 * its steps. The first byte of the input is the length of the pattern. */
#include "regex.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

static void check(bool holds) {
    if (!holds) abort();
}

/* A copy in a block of its own, so that reading past it is seen. */
static char *copy(const uint8_t *data, size_t size) {
    char *block = malloc(size + !size);
    check(block);
    memcpy(block, data, size);
    return block;
}

static void try_search(const curia__regex *regex, const char *text, size_t length) {
    int64_t steps, again;
    int found = curia__regex_find(regex, text, length, &steps);
    check(found == 0 || found == 1 || found == CURIA_EPARSE || found == CURIA_ELIMIT);
    check(steps >= 0 && steps <= CURIA__REGEX_STEPS + 2 * (int64_t)length + 2);
    check(curia__regex_find(regex, text, length, &again) == found && again == steps);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    size_t pattern_length = data[0] < size - 1 ? data[0] : size - 1;
    size_t length = size - 1 - pattern_length;
    char *pattern = copy(data + 1, pattern_length), *text = copy(data + 1 + pattern_length, length);
    curia__regex_error error;
    curia__regex *regex = curia__regex_new(pattern, pattern_length, &error);
    if (regex)
        try_search(regex, text, length);
    else
        check(error.reason[0] && error.code < 0 && error.offset <= pattern_length);
    curia__regex_free(regex);
    free(pattern);
    free(text);
    return 0;
}
