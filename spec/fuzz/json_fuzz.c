/* Any bytes: the tokenizer stays inside them, what skip passes over is what walking passes over, and
 * the value of every string is valid UTF-8 that survives being written and read again. */

#include <stdlib.h>
#include <string.h>

#include "json.h"

#define REQUIRE(condition)         \
    do {                           \
        if (!(condition)) abort(); \
    } while (0)

static void check_number(const curia__json_reader *r) {
    int64_t integer, again_integer;
    double real, again_real;
    int kind = curia__json_number(r->text, r->length, &integer, &real);
    char out[CURIA__JSON_NUMBER_SIZE];
    if (kind < 0) return;
    size_t size =
        kind == 1 ? curia__json_format_integer(integer, out) : curia__json_format_double(real, out);
    REQUIRE(size <= sizeof out);
    REQUIRE(curia__json_number(out, size, &again_integer, &again_real) == kind);
    REQUIRE(kind == 1 ? again_integer == integer : again_real == real);
}

static void check_string(const curia__json_reader *r) {
    size_t bound = curia__json_unescaped_bound(r);
    char *value = malloc(bound + 1);
    size_t size = curia__json_unescape(r->text, r->length, value);
    REQUIRE(size <= bound);
    REQUIRE(r->escaped || (size == r->length && !memcmp(value, r->text, size)));
    curia__buffer written = {0};
    REQUIRE(!curia__json_write_string(&written, value, size));
    curia__json_reader again;
    curia__json_reader_init(&again, written.data, written.size, 1);
    REQUIRE(curia__json_next(&again) == CURIA__JSON_STRING && !again.ill_formed);
    char *same = malloc(again.length + 1);
    REQUIRE(curia__json_unescape(again.text, again.length, same) == size);
    REQUIRE(!memcmp(same, value, size) && curia__json_next(&again) == CURIA__JSON_END);
    curia__buffer_deinit(&written);
    free(same);
    free(value);
}

/* A reader that skips from a container's start must end where the walk through it ends. */
static void check_skip(curia__json_reader from, const curia__json_reader *walked) {
    curia__json_skip(&from);
    REQUIRE(from.error == walked->error && from.error_at == walked->error_at);
    REQUIRE(from.at == walked->at && from.depth == walked->depth);
}

/* Walks to the end of the container that `r` has just entered, checking the skip of inner ones. */
static void walk(curia__json_reader *r) {
    curia__json_reader entered = *r;
    int outside = r->depth - 1;
    while (r->depth > outside && !r->error) {
        switch (curia__json_next(r)) {
        case CURIA__JSON_OBJECT:
        case CURIA__JSON_ARRAY: walk(r); break;
        case CURIA__JSON_KEY:
        case CURIA__JSON_STRING: check_string(r); break;
        case CURIA__JSON_NUMBER: check_number(r); break;
        default: break;
        }
    }
    check_skip(entered, r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *exact = malloc(size + !size); /* so that a read past the end is seen */
    if (size) memcpy(exact, data, size);
    curia__json_reader r;
    curia__json_reader_init(&r, exact, size, size ? data[size - 1] % 32 : 1);
    switch (curia__json_next(&r)) {
    case CURIA__JSON_OBJECT:
    case CURIA__JSON_ARRAY: walk(&r); break;
    case CURIA__JSON_STRING: check_string(&r); break;
    case CURIA__JSON_NUMBER: check_number(&r); break;
    default: break;
    }
    curia__json_token last = curia__json_next(&r);
    REQUIRE(last == CURIA__JSON_END || last == CURIA__JSON_ERROR);
    REQUIRE(last == curia__json_next(&r) && r.at >= r.start && r.at <= r.end);
    REQUIRE(!r.error || (r.reason && r.error_at <= size));
    free(exact);
    return 0;
}
