#include "decode/ndjson.h"

#include "error.h"

#include <string.h>

void curia__ndjson_init(curia__ndjson *n, size_t limit, curia__event_fn on_event, void *context) {
    *n = (curia__ndjson){
        .on_event = on_event,
        .context = context,
        .limit = limit ? limit : CURIA__EVENT_LIMIT,
    };
}

void curia__ndjson_deinit(curia__ndjson *n) {
    curia__buffer_deinit(&n->line);
}

static bool is_blank(curia__slice line) {
    for (size_t i = 0; i < line.length; i++)
        if (line.at[i] != ' ' && line.at[i] != '\t' && line.at[i] != '\r') return false;
    return true;
}

static int take_line(curia__ndjson *n, curia__slice line) {
    if (line.length > n->limit) return CURIA_ETOOBIG;
    if (!n->started) line = curia__without_bom(line);
    n->started = true;
    if (line.length && line.at[line.length - 1] == '\r') line.length--;
    return is_blank(line) ? 0 : n->on_event(n->context, (curia__slice){"", 0}, line);
}

/* Takes the line that began in n->line. */
static int take_kept(curia__ndjson *n) {
    curia__slice line = {n->line.data, n->line.size};
    n->line.size = 0;
    return take_line(n, line);
}

static int keep(curia__ndjson *n, const char *at, const char *end) {
    int rc = curia__buffer_append(&n->line, at, (size_t)(end - at));
    return rc == 0 && n->line.size > n->limit ? CURIA_ETOOBIG : rc;
}

int curia__ndjson_feed(curia__ndjson *n, const char *bytes, size_t length) {
    const char *at = bytes, *end = bytes + length, *lf;
    int rc = 0;
    while (rc == 0 && at < end && (lf = memchr(at, '\n', (size_t)(end - at)))) {
        if (n->line.size) {
            rc = keep(n, at, lf);
            if (rc == 0) rc = take_kept(n);
        } else {
            rc = take_line(n, (curia__slice){at, (size_t)(lf - at)});
        }
        at = lf + 1;
    }
    return rc || at == end ? rc : keep(n, at, end);
}

int curia__ndjson_finish(curia__ndjson *n) {
    return n->line.size ? take_kept(n) : 0;
}
