/* The bounded queue: its three policies, order, closing. */
#undef NDEBUG
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "loop.h"
#include "stream.h"

static int rooms;

static void on_room(curia__stream *s) {
    (void)s;
    rooms++;
}

static int put(curia__stream *s, int kind, const char *text) {
    return curia__stream_put(s, kind, text, strlen(text));
}

/* Takes the oldest piece, which must be this one. */
static void expect(curia__stream *s, int kind, const char *text) {
    curia__stream_item *item = curia__stream_take(s);
    assert(item && item->kind == kind && item->size == strlen(text));
    assert(memcmp(item->bytes, text, item->size) == 0);
    free(item);
}

static void test_order(void) {
    curia__stream s;
    curia__stream_init(&s, CURIA__OVERFLOW_FAIL, 100);
    assert(put(&s, 1, "a") == 0 && put(&s, 1, "") == 0 && put(&s, 2, "bc") == 0);
    assert(s.count == 3 && s.bytes == 3);
    expect(&s, 1, "a");
    expect(&s, 1, "");
    assert(put(&s, 3, "d") == 0);
    expect(&s, 2, "bc");
    expect(&s, 3, "d");
    assert(!curia__stream_take(&s) && s.count == 0 && s.bytes == 0);
    curia__stream_deinit(&s);
}

static void test_pause(void) {
    curia__stream s;
    curia__stream_init(&s, CURIA__OVERFLOW_PAUSE, 8);
    s.on_room = on_room;
    rooms = 0;
    assert(put(&s, 0, "longer than the limit") == 0); /* an empty queue takes any piece */
    assert(put(&s, 0, "x") == CURIA_EBUSY);
    expect(&s, 0, "longer than the limit");
    assert(rooms == 1);
    assert(put(&s, 0, "1234") == 0 && put(&s, 0, "5678") == 0 && put(&s, 0, "9") == CURIA_EBUSY);
    expect(&s, 0, "1234");
    assert(rooms == 2);
    expect(&s, 0, "5678");
    assert(rooms == 2); /* told once for each time that it was full */
    curia__stream_deinit(&s);
}

static void test_merge(void) {
    curia__stream s;
    curia__stream_init(&s, CURIA__OVERFLOW_MERGE, 10);
    assert(put(&s, 1, "ab") == 0 && put(&s, 1, "cd") == 0 && put(&s, 1, "e") == 0);
    assert(put(&s, 2, "x") == 0 && put(&s, 1, "f") == 0 && put(&s, 1, "g") == 0);
    assert(s.count == 3 && s.bytes == 8);
    expect(&s, 1, "abcde");
    assert(put(&s, 1, "h") == 0);
    expect(&s, 2, "x");
    assert(put(&s, 1, "i") == 0);
    expect(&s, 1, "fghi");
    assert(put(&s, 1, "12345678901") == CURIA_ETOOBIG);
    assert(s.closed && s.status == CURIA_ETOOBIG);
    curia__stream_deinit(&s);
}

static void test_fail(void) {
    curia__stream s;
    curia__stream_init(&s, CURIA__OVERFLOW_FAIL, 4);
    assert(put(&s, 0, "1234") == 0 && put(&s, 0, "5") == CURIA_ETOOBIG);
    assert(put(&s, 0, "") == CURIA_ECLOSED);
    expect(&s, 0, "1234"); /* what was queued stays */
    curia__stream_deinit(&s);
}

static void test_close(void) {
    curia__stream s;
    curia__stream_init(&s, CURIA__OVERFLOW_FAIL, 4);
    assert(put(&s, 0, "12") == 0);
    curia__stream_close(&s, CURIA_ECUT);
    curia__stream_close(&s, 0);
    assert(s.status == CURIA_ECUT && put(&s, 0, "3") == CURIA_ECLOSED);
    curia__stream_deinit(&s);
    curia__stream_deinit(&s);
    assert(s.count == 0);
}

static int delivered;

static void deliver(curia__op *op, void *host) {
    (void)op, (void)host;
    delivered++;
}

static void test_next(void) {
    curia__loop loop;
    curia__stream s;
    curia__wait first = {0}, second = {0};
    assert(curia__loop_init(&loop, NULL, deliver, NULL) == 0);
    curia__stream_init(&s, CURIA__OVERFLOW_FAIL, 4);
    assert(curia__wait_start(&first, &loop, NULL, &s.changed, -1) == 0);
    assert(put(&s, 0, "a") == 0);
    curia__loop_turn(&loop, false);
    assert(delivered == 1);
    assert(curia__wait_start(&second, &loop, NULL, &s.changed, -1) == 0);
    curia__stream_close(&s, CURIA_ECUT);
    curia__loop_turn(&loop, false);
    assert(delivered == 2 && second.op.status == 0);
    curia__stream_deinit(&s);
    assert(curia__loop_close(&loop, 1000, NULL) == 0);
    assert(curia__loop_deinit(&loop, NULL) == 0);
}

int main(void) {
    test_order();
    test_pause();
    test_merge();
    test_fail();
    test_close();
    test_next();
    puts("stream: ok");
    return 0;
}
