/* Compiled JSON paths: which strings of an event are the model's text, and which events somebody
 * has to look at as a whole.
 *
 * A path is a list of steps separated by dots: "choices.0.delta.content". A step names a key of an
 * object or, in digits, an index of an array. The step `*` matches every key and index that no path
 * names at that place: beside "delta.content", the path "delta.*" matches each other key of delta,
 * and it does not matter what lies below a named one.
 *
 * A string that stands where text is looked for is gathered; any other telling value there keeps the
 * event whole, so that nothing is lost.
 *
 * A table may have fields instead of text: single strings and integers, numbered in the order in
 * which they were added. With whole paths that end in `*` at each place beside them, an event is
 * simple exactly where it says nothing but its fields (and what is ignored).
 *
 * Built once by one owner, then only read and shared by reference within one thread.
 */
#ifndef CURIA_DECODE_PATHS_H
#define CURIA_DECODE_PATHS_H

#include "decode/event.h"

#include <stdbool.h>
#include <stdint.h>

#define CURIA__PATH_MAX_STEPS 32

typedef enum { CURIA__FRAMING_SSE, CURIA__FRAMING_NDJSON } curia__framing;

/* What a path is for. Text and reasoning may be combined in curia__paths_when_value. */
typedef enum {
    CURIA__PATH_TEXT = 1,      /* a string here is text of the answer */
    CURIA__PATH_REASONING = 2, /* a string here is reasoning */
    CURIA__PATH_WHOLE =
        4, /* a telling value keeps the event whole: not null, false, 0, "", [], {} */
    CURIA__PATH_IGNORE = 8, /* nothing; it only names the key, so that `*` passes it over */
    CURIA__PATH_WHEN = 16,  /* internal: the field whose value selects */
    CURIA__PATH_STRING =
        32, /* a field that is a string or null; anything else keeps the event whole */
    CURIA__PATH_INTEGER = 64 /* likewise, an integer of at most 18 digits */
} curia__path_role;

typedef struct curia__paths curia__paths;

/* Returns an empty table with one reference, or NULL without memory. */
curia__paths *curia__paths_new(curia__framing framing);

curia__paths *curia__paths_ref(curia__paths *p);

/* Gives one reference back; the last one frees. NULL is allowed. */
void curia__paths_unref(curia__paths *p);

curia__framing curia__paths_framing(const curia__paths *p);

/* Adds a path. Returns 0, CURIA_ENOMEM, or CURIA_EINVAL for an empty step or too many steps. */
int curia__paths_add(curia__paths *p, curia__path_role role, const char *path, size_t length);

/* Names the top-level field that selects, by its value, what an event may gather; without a call
 * every event may gather both. At most one field (CURIA_EINVAL otherwise, and for an empty name). */
int curia__paths_when(curia__paths *p, const char *field, size_t length);

/* With `value` in that field an event may gather `roles` (TEXT, REASONING or both). Where the value
 * has no entry the event stays whole. Returns 0, CURIA_EINVAL or CURIA_ENOMEM. */
int curia__paths_when_value(curia__paths *p, const char *value, size_t length, int roles);

/* How many fields there are; at most CURIA__GATHER_MAX can be added (CURIA_EINVAL), and each once. */
int curia__paths_fields(const curia__paths *p);

/* Checks the finished table. CURIA_EINVAL: one path is both text and reasoning, and some event may
 * gather both. */
int curia__paths_check(const curia__paths *p);

/* ---- reading an event, for the decoder ---- */

#define CURIA__GATHER_MAX 32

typedef struct {
    const char *text; /* raw JSON between the quotes */
    size_t length;
    size_t bound;  /* the most bytes that its value can take */
    bool escaped;  /* has to go through curia__json_unescape */
    uint8_t roles; /* CURIA__PATH_TEXT, _REASONING, _STRING or _INTEGER */
    uint8_t field; /* its number, if it is one */
} curia__gathered;

typedef enum {
    CURIA__EVENT_SIMPLE,   /* all it says has been gathered */
    CURIA__EVENT_WHOLE,    /* somebody has to look at all of it */
    CURIA__EVENT_MALFORMED /* not JSON */
} curia__verdict;

typedef struct {
    curia__gathered items[CURIA__GATHER_MAX]; /* point into the event */
    int count;
} curia__gathering;

/* Judges the event `json` (an object or array) and, where it is simple, lists its strings in the
 * order of the event, or its fields, each at most once. A whole event is only read as far as needed
 * to know it. */
curia__verdict curia__paths_read(const curia__paths *p, curia__slice json, curia__gathering *out);

#endif
