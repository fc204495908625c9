/* The byte buffer. */
#include "loop_support.h"

#include "buffer.h"

static void test_append(void) {
    curia__buffer b = {0};
    assert(curia__buffer_append(&b, "", 0) == 0 && b.size == 0 && b.data[0] == 0);
    assert(curia__buffer_append_text(&b, "hello ") == 0);
    assert(curia__buffer_append(&b, "wor\0ld", 6) == 0);
    assert(b.size == 12 && memcmp(b.data, "hello wor\0ld", 13) == 0);
    curia__buffer_deinit(&b);
    assert(b.data == NULL && b.size == 0 && b.capacity == 0);
    curia__buffer_deinit(&b);
}

static void test_growth(void) {
    curia__buffer b = {0};
    for (int i = 0; i < 100000; i++)
        assert(curia__buffer_append(&b, &(char){(char)i}, 1) == 0);
    assert(b.size == 100000 && b.capacity <= 400000 && b.data[b.size] == 0);
    for (int i = 0; i < 100000; i++)
        assert(b.data[i] == (char)i);
    size_t capacity = b.capacity;
    curia__buffer_clear(&b);
    assert(b.size == 0 && b.capacity == capacity && b.data[0] == 0);
    curia__buffer_deinit(&b);
}

static void test_consume(void) {
    curia__buffer b = {0};
    curia__buffer_consume(&b, 3);
    curia__buffer_append_text(&b, "abcdef");
    curia__buffer_consume(&b, 0);
    curia__buffer_consume(&b, 2);
    assert(strcmp(b.data, "cdef") == 0 && b.size == 4);
    curia__buffer_consume(&b, 100);
    assert(b.size == 0 && b.data[0] == 0);
    curia__buffer_deinit(&b);
}

static void test_too_much(void) {
    curia__buffer b = {0};
    curia__buffer_append_text(&b, "kept");
    assert(curia__buffer_reserve(&b, (size_t)-1) == CURIA_ENOMEM);
    assert(curia__buffer_reserve(&b, (size_t)-1 / 4) == CURIA_ENOMEM);
    assert(strcmp(b.data, "kept") == 0);
    curia__buffer_deinit(&b);
}

int main(void) {
    test_append();
    test_growth();
    test_consume();
    test_too_much();
    return 0;
}
