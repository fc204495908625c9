/* SSE: the events do not depend on where the bytes were cut. The first two bytes of the input seed
 * the cuts. */
#include "fuzz_cut.h"

#include "decode/sse.h"

static int run(fuzz_input input, uint32_t seed, curia__buffer *log) {
    curia__sse s;
    curia__sse_init(&s, 4096, fuzz_log_event, log);
    int rc = 0;
    for (fuzz_piece piece; rc == 0 && fuzz_next_piece(&input, &seed, &piece); free(piece.at))
        rc = curia__sse_feed(&s, piece.at, piece.length);
    if (rc == 0) rc = curia__sse_finish(&s);
    curia__sse_deinit(&s);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_compare(data, size, run);
    return 0;
}
