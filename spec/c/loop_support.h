/* Helper of the runtime's tests: a loop of its own that counts what is delivered. */
#ifndef CURIA_SPEC_LOOP_SUPPORT_H
#define CURIA_SPEC_LOOP_SUPPORT_H

#undef NDEBUG
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "loop.h"
#include "task.h"

/* Turns the loop until `condition` holds; fails the test when it does not within five seconds. */
#define TURN_UNTIL(loop, condition)                     \
    do {                                                \
        uint64_t till = uv_hrtime() + (uint64_t)30e9;   \
        while (!(condition)) {                          \
            assert(uv_hrtime() < till);                 \
            assert(curia__loop_turn(loop, false) >= 0); \
        }                                               \
    } while (0)

static inline void close_loop(curia__loop *loop) {
    assert(curia__loop_close(loop, 1000, NULL) == 0);
    assert(curia__loop_deinit(loop, NULL) == 0);
}

#endif
