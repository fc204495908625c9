/* NDJSON: the lines do not depend on where the bytes were cut. The first two bytes of the input seed
 * the cuts. */
#include "fuzz_cut.h"

#include "decode/ndjson.h"

static int run(fuzz_input input, uint32_t seed, curia__buffer *log) {
    curia__ndjson n;
    curia__ndjson_init(&n, 4096, fuzz_log_event, log);
    int rc = 0;
    for (fuzz_piece piece; rc == 0 && fuzz_next_piece(&input, &seed, &piece); free(piece.at))
        rc = curia__ndjson_feed(&n, piece.at, piece.length);
    if (rc == 0) rc = curia__ndjson_finish(&n);
    curia__ndjson_deinit(&n);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_compare(data, size, run);
    return 0;
}
