#include "decode/sse.h"

#include "error.h"

#include <string.h>

/* The bytes being fed. The next LF and CR are looked up once each, so that no byte is searched
 * twice however many lines a chunk holds; `end` stands for "none". */
typedef struct {
    const char *at, *end;
    const char *lf, *cr;
} cursor;

void curia__sse_init(curia__sse *s, size_t limit, curia__event_fn on_event, void *context) {
    *s = (curia__sse){
        .on_event = on_event,
        .context = context,
        .limit = limit ? limit : CURIA__EVENT_LIMIT,
        .event_data = {"", 0},
        .event_name = {"", 0},
    };
}

void curia__sse_deinit(curia__sse *s) {
    curia__buffer_deinit(&s->line);
    curia__buffer_deinit(&s->data);
    curia__buffer_deinit(&s->name);
}

/* Copies a slice into the buffer that shall own it, and points the slice there. */
static int keep(curia__slice *slice, curia__buffer *owner) {
    if (slice->length == 0 || slice->at == owner->data) return 0;
    curia__buffer_clear(owner);
    int rc = curia__buffer_append(owner, slice->at, slice->length);
    if (rc == 0) slice->at = owner->data;
    return rc;
}

/* A second data line: the event no longer stands in one piece, so it moves into the buffer. */
static int join_data(curia__sse *s, curia__slice value) {
    if (value.length + 1 > s->limit - s->event_data.length) return CURIA_ETOOBIG;
    if (s->event_data.length == 0) curia__buffer_clear(&s->data);
    int rc = keep(&s->event_data, &s->data);
    if (rc == 0) rc = curia__buffer_append(&s->data, "\n", 1);
    if (rc == 0) rc = curia__buffer_append(&s->data, value.at, value.length);
    s->event_data = (curia__slice){s->data.data, s->data.size};
    return rc;
}

static int add_data(curia__sse *s, curia__slice value) {
    if (s->has_data) return join_data(s, value);
    s->has_data = true;
    s->event_data = value;
    return 0;
}

static bool is(curia__slice slice, const char *text, size_t length) {
    return slice.length == length && memcmp(slice.at, text, length) == 0;
}

static int take_field(curia__sse *s, curia__slice field, curia__slice value) {
    if (is(field, "data", 4)) return add_data(s, value);
    if (is(field, "event", 5)) s->event_name = value;
    if (!is(field, "error", 5)) return 0;
    s->event_name = (curia__slice){"error", 5};
    return add_data(s, value);
}

static int dispatch(curia__sse *s) {
    curia__slice name = s->event_name, data = s->event_data;
    bool deliver = s->has_data;
    s->event_name = s->event_data = (curia__slice){"", 0};
    s->has_data = false;
    return deliver ? s->on_event(s->context, name, data) : 0;
}

static int take_line(curia__sse *s, curia__slice line) {
    if (line.length > s->limit) return CURIA_ETOOBIG;
    if (!s->started) line = curia__without_bom(line);
    s->started = true;
    if (line.length == 0) return dispatch(s);
    const char *end = line.at + line.length;
    const char *colon = memchr(line.at, ':', line.length);
    const char *value = colon ? colon + 1 : end;
    if (value < end && *value == ' ') value++;
    curia__slice field = {line.at, (size_t)((colon ? colon : end) - line.at)};
    return take_field(s, field, (curia__slice){value, (size_t)(end - value)});
}

static const char *find(const char *at, const char *end, char byte) {
    const char *found = memchr(at, byte, (size_t)(end - at));
    return found ? found : end;
}

/* Where the present line ends, or `end`. */
static const char *line_end(cursor *c) {
    if (c->lf < c->at) c->lf = find(c->at, c->end, '\n');
    if (c->cr < c->at) c->cr = find(c->at, c->end, '\r');
    return c->lf < c->cr ? c->lf : c->cr;
}

/* Moves past the line break at c->at. A CR that is the last byte may have its LF still to come. */
static void pass_break(curia__sse *s, cursor *c) {
    bool cr = *c->at++ == '\r';
    if (cr && c->at == c->end) s->skip_lf = true;
    if (cr && c->at < c->end && *c->at == '\n') c->at++;
}

/* The first line's beginning may stand in s->line. The event may then point into that buffer, which
 * is not written again before the end of this feed. */
static int finish_line(curia__sse *s, cursor *c, const char *end) {
    curia__slice line = {c->at, (size_t)(end - c->at)};
    if (s->line.size) {
        int rc = curia__buffer_append(&s->line, line.at, line.length);
        if (rc) return rc;
        line = (curia__slice){s->line.data, s->line.size};
        s->line.size = 0;
    }
    c->at = end;
    pass_break(s, c);
    return take_line(s, line);
}

/* What is unfinished outlives the bytes fed only as a copy. */
static int keep_tail(curia__sse *s, const char *at, const char *end) {
    int rc = keep(&s->event_data, &s->data);
    if (rc == 0) rc = keep(&s->event_name, &s->name);
    if (rc == 0) rc = curia__buffer_append(&s->line, at, (size_t)(end - at));
    if (rc == 0 && s->line.size > s->limit) rc = CURIA_ETOOBIG;
    return rc;
}

int curia__sse_feed(curia__sse *s, const char *bytes, size_t length) {
    if (length == 0) return 0;
    cursor c = {bytes, bytes + length, NULL, NULL};
    if (s->skip_lf && *c.at == '\n') c.at++;
    s->skip_lf = false;
    c.lf = find(c.at, c.end, '\n');
    c.cr = find(c.at, c.end, '\r');
    int rc = 0;
    for (const char *end; rc == 0 && (end = line_end(&c)) < c.end;)
        rc = finish_line(s, &c, end);
    return rc ? rc : keep_tail(s, c.at, c.end);
}

int curia__sse_finish(curia__sse *s) {
    curia__slice line = {s->line.data, s->line.size};
    s->line.size = 0;
    int rc = line.length ? take_line(s, line) : 0;
    return rc ? rc : dispatch(s);
}
