#include "decode/decoder.h"

#include "error.h"
#include "json.h"

#include <stdlib.h>

/* ---- segments ---------------------------------------------------------------------------------- */

void curia__segments_deinit(curia__segments *s) {
    curia__buffer_deinit(&s->bytes);
    free(s->items);
    *s = (curia__segments){0};
}

void curia__segments_clear(curia__segments *s) {
    curia__buffer_clear(&s->bytes);
    s->count = 0;
}

/* Makes room for one more. */
static int segments_reserve(curia__segments *s) {
    if (s->count < s->capacity) return 0;
    size_t capacity = s->capacity ? s->capacity * 2 : 8;
    curia__segment *items = realloc(s->items, capacity * sizeof *items);
    if (!items) return CURIA_ENOMEM;
    s->items = items;
    s->capacity = capacity;
    return 0;
}

/* Many small segments weigh more than their bytes, so each counts with its entry. */
static bool has_room(const curia__decoder *d, size_t extra) {
    const curia__segments *s = &d->segments;
    size_t used = s->bytes.size + s->count * sizeof *s->items;
    return used <= d->max_pending && extra <= d->max_pending - used;
}

static int push(curia__decoder *d, curia__segment_kind kind, curia__slice name,
                curia__slice value) {
    curia__segments *s = &d->segments;
    if (!has_room(d, name.length + value.length + sizeof *s->items)) return CURIA_ETOOBIG;
    int rc = segments_reserve(s);
    if (rc == 0) rc = curia__buffer_reserve(&s->bytes, name.length + value.length);
    if (rc) return rc;
    curia__buffer_append(&s->bytes, name.at, name.length);
    s->items[s->count++] = (curia__segment){kind, s->bytes.size, value.length, name.length};
    return curia__buffer_append(&s->bytes, value.at, value.length);
}

/* The last segment if it is of this kind, else a new, empty one; NULL without memory. */
static curia__segment *tail_of_kind(curia__segments *s, curia__segment_kind kind) {
    if (s->count && s->items[s->count - 1].kind == kind) return &s->items[s->count - 1];
    if (segments_reserve(s)) return NULL;
    s->items[s->count] = (curia__segment){kind, s->bytes.size, 0, 0};
    return &s->items[s->count++];
}

/* ---- events ------------------------------------------------------------------------------------ */

/* The bytes of the tail segment are always the last ones, so that more text is just appended. */
static int append_text(curia__decoder *d, curia__segment_kind kind, const curia__gathered *item) {
    curia__buffer *bytes = &d->segments.bytes;
    int rc = curia__buffer_reserve(bytes, item->bound);
    if (rc) return rc;
    char *out = bytes->data + bytes->size;
    size_t length = item->length;
    if (item->escaped)
        length = curia__json_unescape(item->text, item->length, out);
    else
        memcpy(out, item->text, length);
    if (!has_room(d, length + sizeof(curia__segment))) return CURIA_ETOOBIG;
    curia__segment *tail = tail_of_kind(&d->segments, kind);
    if (!tail) return CURIA_ENOMEM;
    tail->length += length;
    bytes->size += length;
    bytes->data[bytes->size] = 0;
    return 0;
}

static int append_all(curia__decoder *d, const curia__gathering *g, curia__path_role role) {
    bool text = role == CURIA__PATH_TEXT;
    curia__segment_kind kind = text ? CURIA__SEGMENT_TEXT : CURIA__SEGMENT_REASONING;
    int rc = 0;
    for (int i = 0; rc == 0 && i < g->count; i++)
        if (g->items[i].roles & role && g->items[i].length) rc = append_text(d, kind, &g->items[i]);
    return rc;
}

static bool is_structured(curia__slice data) {
    const char *at = data.at, *end = data.at + data.length;
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
        at++;
    return at < end && (*at == '{' || *at == '[');
}

static bool is_error(curia__slice name) {
    return name.length == 5 && memcmp(name.at, "error", 5) == 0;
}

static bool is_ping(curia__slice name) {
    return name.length == 4 && memcmp(name.at, "ping", 4) == 0;
}

static int on_event(void *context, curia__slice name, curia__slice data) {
    curia__decoder *d = context;
    if (!is_ping(name)) d->told++;
    if (!is_structured(data)) return push(d, CURIA__SEGMENT_DATA, name, data);
    bool first = !d->seen_event;
    d->seen_event = true;
    if (first || is_error(name)) return push(d, CURIA__SEGMENT_EVENT, name, data);
    curia__gathering g;
    switch (curia__paths_read(d->paths, data, &g)) {
    case CURIA__EVENT_WHOLE: return push(d, CURIA__SEGMENT_EVENT, name, data);
    case CURIA__EVENT_MALFORMED: return push(d, CURIA__SEGMENT_DATA, name, data);
    default: break;
    }
    int rc = append_all(d, &g, CURIA__PATH_REASONING);
    return rc ? rc : append_all(d, &g, CURIA__PATH_TEXT);
}

/* ---- the decoder ------------------------------------------------------------------------------- */

static bool is_sse(const curia__decoder *d) {
    return curia__paths_framing(d->paths) == CURIA__FRAMING_SSE;
}

void curia__decoder_init(curia__decoder *d, curia__paths *paths, size_t max_event,
                         size_t max_pending) {
    *d = (curia__decoder){
        .paths = curia__paths_ref(paths),
        .max_pending = max_pending ? max_pending : CURIA__PENDING_LIMIT,
    };
    if (is_sse(d))
        curia__sse_init(&d->framing.sse, max_event, on_event, d);
    else
        curia__ndjson_init(&d->framing.ndjson, max_event, on_event, d);
}

void curia__decoder_deinit(curia__decoder *d) {
    if (is_sse(d))
        curia__sse_deinit(&d->framing.sse);
    else
        curia__ndjson_deinit(&d->framing.ndjson);
    curia__segments_deinit(&d->segments);
    curia__paths_unref(d->paths);
    d->paths = NULL;
}

int curia__decoder_feed(curia__decoder *d, const char *bytes, size_t length) {
    if (d->error || length == 0) return d->error;
    d->error = is_sse(d) ? curia__sse_feed(&d->framing.sse, bytes, length)
                         : curia__ndjson_feed(&d->framing.ndjson, bytes, length);
    return d->error;
}

int curia__decoder_finish(curia__decoder *d) {
    if (d->error) return d->error;
    d->error =
        is_sse(d) ? curia__sse_finish(&d->framing.sse) : curia__ndjson_finish(&d->framing.ndjson);
    return d->error;
}

bool curia__decoder_inside(const curia__decoder *d) {
    if (!is_sse(d)) return d->framing.ndjson.line.size > 0;
    const curia__sse *sse = &d->framing.sse;
    return sse->has_data || (sse->line.size > 0 && sse->line.data[0] != ':');
}

size_t curia__decoder_count(const curia__decoder *d) {
    return d->segments.count;
}

void curia__decoder_take(curia__decoder *d, curia__segments *out) {
    curia__segments_clear(out);
    curia__segments taken = d->segments;
    d->segments = *out;
    *out = taken;
}
