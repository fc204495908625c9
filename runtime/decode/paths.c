#include "decode/paths.h"

#include "buffer.h"
#include "error.h"
#include "json.h"

#include <limits.h>
#include <stdlib.h>

#define GATHER (CURIA__PATH_TEXT | CURIA__PATH_REASONING)
#define FIELD (CURIA__PATH_STRING | CURIA__PATH_INTEGER)
#define TELLING (GATHER | FIELD | CURIA__PATH_WHOLE)
#define MAX_DIGITS 18
#define MAX_INDEX 999999

/* One step of the paths that run through it. Nodes are numbered; 0 is the root, and, as nobody's
 * child, also stands for "none". */
typedef struct {
    size_t name; /* offset within names */
    size_t name_length;
    int index; /* the step as an array index, or -1 */
    int first_child, next_sibling;
    int star; /* the child that matches what no named one does */
    int roles;
    int field; /* its number, if it is one */
} node;

typedef struct {
    size_t value; /* offset within names */
    size_t length;
    int roles;
} when_value;

struct curia__paths {
    int references;
    curia__framing framing;
    curia__buffer names; /* all names and values, one after the other */
    node *nodes;
    int node_count, node_capacity;
    bool has_when;
    when_value *values;
    int value_count;
    int field_count;
};

/* ---- building ---------------------------------------------------------------------------------- */

static int node_add(curia__paths *p, curia__slice name) {
    if (p->node_count == p->node_capacity) {
        int capacity = p->node_capacity ? p->node_capacity * 2 : 16;
        node *nodes = realloc(p->nodes, (size_t)capacity * sizeof *nodes);
        if (!nodes) return CURIA_ENOMEM;
        p->nodes = nodes;
        p->node_capacity = capacity;
    }
    size_t offset = p->names.size;
    int rc = curia__buffer_append(&p->names, name.at, name.length);
    if (rc) return rc;
    p->nodes[p->node_count] = (node){.name = offset, .name_length = name.length, .index = -1};
    return p->node_count++;
}

curia__paths *curia__paths_new(curia__framing framing) {
    curia__paths *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    p->references = 1;
    p->framing = framing;
    if (node_add(p, (curia__slice){"", 0}) == 0) return p;
    curia__paths_unref(p);
    return NULL;
}

curia__paths *curia__paths_ref(curia__paths *p) {
    p->references++;
    return p;
}

void curia__paths_unref(curia__paths *p) {
    if (!p || --p->references > 0) return;
    curia__buffer_deinit(&p->names);
    free(p->nodes);
    free(p->values);
    free(p);
}

curia__framing curia__paths_framing(const curia__paths *p) {
    return p->framing;
}

static bool is_text(const curia__paths *p, size_t offset, size_t length, curia__slice text) {
    return length == text.length && memcmp(p->names.data + offset, text.at, length) == 0;
}

/* The child that names this step, or 0. */
static int named_child(const curia__paths *p, const node *parent, curia__slice name) {
    int child = parent->first_child;
    while (child && !is_text(p, p->nodes[child].name, p->nodes[child].name_length, name))
        child = p->nodes[child].next_sibling;
    return child;
}

/* The number that a step of digits is as an array index; -1 for other steps. */
static int index_of(curia__slice step) {
    int index = 0;
    for (size_t i = 0; i < step.length; i++) {
        if (step.at[i] < '0' || step.at[i] > '9' || index > MAX_INDEX / 10) return -1;
        index = index * 10 + step.at[i] - '0';
    }
    return index;
}

/* Finds or makes the child for a step. Returns its number or a negative code. */
static int child_for(curia__paths *p, int parent, curia__slice step) {
    bool star = step.length == 1 && *step.at == '*';
    int child = star ? p->nodes[parent].star : named_child(p, &p->nodes[parent], step);
    if (child) return child;
    child = node_add(p, step);
    if (child < 0) return child;
    if (star) {
        p->nodes[parent].star = child;
    } else {
        p->nodes[child].index = index_of(step);
        p->nodes[child].next_sibling = p->nodes[parent].first_child;
        p->nodes[parent].first_child = child;
    }
    return child;
}

/* How many steps a path has; 0 if one of them is empty. */
static int count_steps(curia__slice path) {
    int steps = 1;
    for (size_t i = 0; i < path.length; i++) {
        bool dot = path.at[i] == '.';
        if (dot && (i == 0 || i + 1 == path.length || path.at[i + 1] == '.')) return 0;
        steps += dot && steps <= CURIA__PATH_MAX_STEPS;
    }
    return path.length ? steps : 0;
}

int curia__paths_add(curia__paths *p, curia__path_role role, const char *path, size_t length) {
    int steps = count_steps((curia__slice){path, length});
    if (steps == 0 || steps > CURIA__PATH_MAX_STEPS) return CURIA_EINVAL;
    const char *end = path + length;
    int at = 0;
    while (path < end) {
        const char *dot = memchr(path, '.', (size_t)(end - path));
        if (!dot) dot = end;
        at = child_for(p, at, (curia__slice){path, (size_t)(dot - path)});
        if (at < 0) return at;
        path = dot + 1;
    }
    if (role & FIELD) {
        if (p->nodes[at].roles & FIELD || p->field_count == CURIA__GATHER_MAX) return CURIA_EINVAL;
        p->nodes[at].field = p->field_count++;
    }
    p->nodes[at].roles |= role;
    return 0;
}

int curia__paths_fields(const curia__paths *p) {
    return p->field_count;
}

int curia__paths_when(curia__paths *p, const char *field, size_t length) {
    if (p->has_when || length == 0 || (length == 1 && *field == '*')) return CURIA_EINVAL;
    int child = child_for(p, 0, (curia__slice){field, length});
    if (child < 0) return child;
    p->nodes[child].roles |= CURIA__PATH_WHEN;
    p->has_when = true;
    return 0;
}

int curia__paths_when_value(curia__paths *p, const char *value, size_t length, int roles) {
    if (!p->has_when || roles == 0 || (roles & ~GATHER)) return CURIA_EINVAL;
    size_t count = (size_t)p->value_count;
    when_value *values = realloc(p->values, (count + 1) * sizeof *values);
    if (!values) return CURIA_ENOMEM;
    p->values = values;
    values[count] = (when_value){p->names.size, length, roles};
    int rc = curia__buffer_append(&p->names, value, length);
    if (rc == 0) p->value_count++;
    return rc;
}

/* Whether some event may gather both text and reasoning. */
static bool may_gather_both(const curia__paths *p) {
    for (int i = 0; i < p->value_count; i++)
        if (p->values[i].roles == GATHER) return true;
    return !p->has_when;
}

int curia__paths_check(const curia__paths *p) {
    if (!may_gather_both(p)) return 0;
    for (int i = 0; i < p->node_count; i++)
        if ((p->nodes[i].roles & GATHER) == GATHER) return CURIA_EINVAL;
    return 0;
}

/* ---- reading ----------------------------------------------------------------------------------- */

/* The walk over one event. Its functions return SIMPLE to go on; any other verdict is final. */
typedef struct {
    curia__json_reader reader;
    const curia__paths *paths;
    curia__gathering *out;
    curia__slice when;    /* the value of the field that selects */
    uint32_t fields_seen; /* a bit for each: of a repeated key only the whole event can tell */
} walk;

static curia__verdict walk_value(walk *w, curia__json_token token, const node *n);

static const node *at_key(const curia__paths *p, const node *n, curia__slice key) {
    int child = named_child(p, n, key);
    if (!child) child = n->star;
    return child ? &p->nodes[child] : NULL;
}

static const node *at_index(const curia__paths *p, const node *n, int index) {
    int child = n->first_child;
    while (child && p->nodes[child].index != index)
        child = p->nodes[child].next_sibling;
    if (!child) child = n->star;
    return child ? &p->nodes[child] : NULL;
}

static curia__verdict skip(walk *w) {
    return curia__json_skip(&w->reader) ? CURIA__EVENT_MALFORMED : CURIA__EVENT_SIMPLE;
}

/* A key written with escapes is not unescaped to be compared: its event goes whole. */
static curia__verdict walk_object(walk *w, const node *n) {
    for (;;) {
        curia__json_token token = curia__json_next(&w->reader);
        if (token == CURIA__JSON_OBJECT_END) return CURIA__EVENT_SIMPLE;
        if (token != CURIA__JSON_KEY) return CURIA__EVENT_MALFORMED;
        if (w->reader.escaped) return CURIA__EVENT_WHOLE;
        curia__slice key = {w->reader.text, w->reader.length};
        const node *child = at_key(w->paths, n, key);
        curia__verdict verdict =
            child ? walk_value(w, curia__json_next(&w->reader), child) : skip(w);
        if (verdict != CURIA__EVENT_SIMPLE) return verdict;
    }
}

static curia__verdict walk_array(walk *w, const node *n) {
    for (int i = 0;; i += i < INT_MAX) {
        curia__json_token token = curia__json_next(&w->reader);
        if (token == CURIA__JSON_ARRAY_END) return CURIA__EVENT_SIMPLE;
        const node *child = at_index(w->paths, n, i);
        curia__verdict verdict = child ? walk_value(w, token, child) : skip(w);
        if (verdict != CURIA__EVENT_SIMPLE) return verdict;
    }
}

/* A container that stands where something telling is looked for: it tells if it is not empty. */
static curia__verdict judge_container(walk *w) {
    switch (curia__json_next(&w->reader)) {
    case CURIA__JSON_OBJECT_END:
    case CURIA__JSON_ARRAY_END: return CURIA__EVENT_SIMPLE;
    case CURIA__JSON_ERROR: return CURIA__EVENT_MALFORMED;
    default: return CURIA__EVENT_WHOLE;
    }
}

static curia__verdict walk_container(walk *w, curia__json_token token, const node *n) {
    bool leaf = !n->first_child && !n->star;
    if (n->roles & (leaf ? TELLING : CURIA__PATH_WHOLE)) return judge_container(w);
    if (leaf) return skip(w);
    return token == CURIA__JSON_OBJECT ? walk_object(w, n) : walk_array(w, n);
}

static curia__verdict gather(walk *w, const node *n) {
    if (w->out->count == CURIA__GATHER_MAX) return CURIA__EVENT_WHOLE;
    const curia__json_reader *r = &w->reader;
    w->out->items[w->out->count++] = (curia__gathered){
        .text = r->text,
        .length = r->length,
        .bound = curia__json_unescaped_bound(r),
        .escaped = r->escaped,
        .roles = (uint8_t)(n->roles & (GATHER | FIELD)),
        .field = (uint8_t)n->field,
    };
    return CURIA__EVENT_SIMPLE;
}

static curia__verdict gather_field(walk *w, const node *n) {
    uint32_t bit = UINT32_C(1) << n->field;
    if (w->fields_seen & bit) return CURIA__EVENT_WHOLE;
    w->fields_seen |= bit;
    return gather(w, n);
}

static curia__verdict walk_string(walk *w, const node *n) {
    if (n->roles & CURIA__PATH_WHEN && !w->reader.escaped)
        w->when = (curia__slice){w->reader.text, w->reader.length};
    if (n->roles & CURIA__PATH_STRING) return gather_field(w, n);
    if (n->roles & (CURIA__PATH_WHOLE | CURIA__PATH_INTEGER) && w->reader.length)
        return CURIA__EVENT_WHOLE;
    return n->roles & GATHER ? gather(w, n) : CURIA__EVENT_SIMPLE;
}

static bool is_short_integer(const curia__json_reader *r) {
    size_t sign = *r->text == '-', i = sign;
    while (i < r->length && r->text[i] >= '0' && r->text[i] <= '9')
        i++;
    return i == r->length && i - sign <= MAX_DIGITS && !(sign && r->text[1] == '0');
}

/* 0 tells nothing: it is the index of the one choice that counts. */
static curia__verdict walk_number(walk *w, const node *n) {
    if (n->roles & CURIA__PATH_INTEGER && is_short_integer(&w->reader)) return gather_field(w, n);
    bool zero = w->reader.length == 1 && *w->reader.text == '0';
    return n->roles & TELLING && !zero ? CURIA__EVENT_WHOLE : CURIA__EVENT_SIMPLE;
}

static curia__verdict walk_value(walk *w, curia__json_token token, const node *n) {
    switch (token) {
    case CURIA__JSON_OBJECT:
    case CURIA__JSON_ARRAY: return walk_container(w, token, n);
    case CURIA__JSON_STRING: return walk_string(w, n);
    case CURIA__JSON_NUMBER: return walk_number(w, n);
    case CURIA__JSON_TRUE: return n->roles & TELLING ? CURIA__EVENT_WHOLE : CURIA__EVENT_SIMPLE;
    case CURIA__JSON_FALSE:
    case CURIA__JSON_NULL: return CURIA__EVENT_SIMPLE;
    default: return CURIA__EVENT_MALFORMED;
    }
}

/* What the event may gather, by the field that selects. */
static int allowed_roles(const walk *w) {
    const curia__paths *p = w->paths;
    if (!p->has_when) return GATHER;
    for (int i = 0; w->when.at && i < p->value_count; i++)
        if (is_text(p, p->values[i].value, p->values[i].length, w->when)) return p->values[i].roles;
    return 0;
}

/* Settles what each string is. One that says something but may not be gathered keeps the event
 * whole, as does an event in which nothing was found. */
static curia__verdict settle(walk *w) {
    int allowed = allowed_roles(w);
    bool found = false;
    for (int i = 0; i < w->out->count; i++) {
        curia__gathered *item = &w->out->items[i];
        item->roles &= allowed | FIELD;
        if (!item->roles && item->length) return CURIA__EVENT_WHOLE;
        found = found || item->roles;
    }
    return found ? CURIA__EVENT_SIMPLE : CURIA__EVENT_WHOLE;
}

curia__verdict curia__paths_read(const curia__paths *p, curia__slice json, curia__gathering *out) {
    walk w;
    curia__json_reader_init(&w.reader, json.at, json.length, CURIA__JSON_DEFAULT_DEPTH);
    w.paths = p;
    w.out = out;
    w.when = (curia__slice){NULL, 0};
    w.fields_seen = 0;
    out->count = 0;
    curia__json_token token = curia__json_next(&w.reader);
    curia__verdict verdict = walk_value(&w, token, &p->nodes[0]);
    if (verdict != CURIA__EVENT_SIMPLE) return verdict;
    if (curia__json_next(&w.reader) != CURIA__JSON_END) return CURIA__EVENT_MALFORMED;
    return settle(&w);
}
