/* curia.h: councils and runs. Each call finds the state that it is for and calls
 * lua/curia/embed.lua there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "runtime.h"

enum { MOST_FILE_BYTES = 16 * 1024 * 1024 };

static int misused(curia_runtime *rt, const char *message) {
    return curia__runtime_fail(rt, CURIA_EINVAL, message, NULL);
}

static void give(curia_runtime *rt, const char **text) {
    if (text) *text = rt->text;
}

/* ---- councils -------------------------------------------------------------------------------- */

static int load_in_all(curia_runtime *rt, const char *text, size_t length, const char *chunk,
                       const char *council) {
    int rc = 0;
    for (curia__state *s = rt->states; s && !rc; s = s->next)
        if (curia__runtime_uses(rt, s))
            rc = curia__state_call(s, "load", "lss", text, length, chunk, council).rc;
    return rc;
}

int curia_load_string(curia_runtime *rt, const char *text, size_t length, const char *chunk,
                      const char **name) {
    int rc = curia__runtime_check(rt);
    if (rc) return rc;
    if (!text || !chunk) return misused(rt, "a text and a name for it are needed");
    if (!rt->states) return misused(rt, "the runtime has no state");
    rc = load_in_all(rt, text, length, chunk, NULL);
    if (!rc) give(rt, name);
    return rc;
}

/* Reads a whole file into memory of malloc; NULL when it cannot be read, or is too large. */
static char *read_file(const char *path, size_t *length) {
    FILE *file = fopen(path, "rb");
    char *text = file ? malloc(MOST_FILE_BYTES) : NULL;
    if (text) *length = fread(text, 1, MOST_FILE_BYTES, file);
    bool whole = text && feof(file) && !ferror(file);
    if (file) fclose(file);
    if (whole) return text;
    free(text);
    return NULL;
}

/* "FILE#name": the file is `path` up to the mark, unless there is one of that whole name. */
static char *read_named(char *path, size_t *length, const char **council) {
    char *text = read_file(path, length), *mark = strrchr(path, '#');
    *council = NULL;
    if (text || !mark) return text;
    *mark = '\0';
    *council = mark + 1;
    return read_file(path, length);
}

int curia_load_file(curia_runtime *rt, const char *path, const char **name) {
    int rc = curia__runtime_check(rt);
    if (rc) return rc;
    if (!path) return misused(rt, "a path is needed");
    if (!rt->states) return misused(rt, "the runtime has no state");
    size_t length;
    const char *council;
    char *file = strdup(path), message[300];
    char *text = file ? read_named(file, &length, &council) : NULL;
    if (text) {
        rc = load_in_all(rt, text, length, file, council);
    } else {
        snprintf(message, sizeof message, "%.200s cannot be read", path);
        rc = curia__runtime_fail(rt, CURIA_EIO, message, NULL);
    }
    free(text);
    free(file);
    if (!rc) give(rt, name);
    return rc;
}

static curia__state *first_state(const curia_runtime *rt) {
    curia__state *s = rt->states;
    while (s && !curia__runtime_uses(rt, s))
        s = s->next;
    return s;
}

int curia_validate(curia_runtime *rt, const char *text, size_t length, const char *chunk,
                   const char **faults) {
    int rc = curia__runtime_check(rt);
    if (rc) return rc;
    if (!text || !chunk || !faults) return misused(rt, "a text and a name for it are needed");
    if (!rt->states) return misused(rt, "the runtime has no state");
    rc = curia__state_call(first_state(rt), "validate", "ls", text, length, chunk).rc;
    if (!rc) give(rt, faults);
    return rc;
}

/* ---- starting -------------------------------------------------------------------------------- */

static curia__state *least_busy(const curia_runtime *rt) {
    curia__state *best = NULL;
    for (curia__state *s = rt->states; s; s = s->next) {
        if (!curia__runtime_uses(rt, s)) continue;
        if (!best || s->host->loop.task_count < best->host->loop.task_count) best = s;
    }
    return best;
}

/* A run_id that the host has chosen may be a run's that is there already. */
static curia__state *choose_state(const curia_runtime *rt, const char *options) {
    bool chosen = options && strstr(options, "run_id");
    for (curia__state *s = chosen ? rt->states : NULL; s; s = s->next)
        if (curia__state_call(s, "knows", "s", options).found) return s;
    return least_busy(rt);
}

int curia_start(curia_runtime *rt, const char *council, const char *input, const char *options,
                const curia_callbacks *callbacks, char id[CURIA_ID_SIZE]) {
    int rc = curia__runtime_check(rt);
    if (rc) return rc;
    if (!council || !input) return misused(rt, "a council and an input are needed");
    if (!rt->states) return misused(rt, "the runtime has no state");
    rc = curia__state_call(choose_state(rt, options), "start", "sssiw", council, input, options,
                           ++rt->subscriptions, callbacks)
             .rc;
    if (!rc && id) memcpy(id, rt->text, strlen(rt->text) + 1);
    return rc;
}

/* ---- by id ----------------------------------------------------------------------------------- */

static int no_run(curia_runtime *rt, const char *id) {
    char message[CURIA_ID_SIZE + 32];
    snprintf(message, sizeof message, "there is no run %.*s", CURIA_ID_SIZE, id);
    return curia__runtime_fail(rt, CURIA_ENORUN, message, NULL);
}

/* The state that has the run; NULL: none has, and that is the error. */
static curia__state *state_of(curia_runtime *rt, const char *id, int *rc) {
    *rc = curia__runtime_check(rt);
    if (!*rc && !id) *rc = misused(rt, "the id of a run is needed");
    if (*rc) return NULL;
    for (curia__state *s = rt->states; s; s = s->next)
        if (curia__state_call(s, "has", "s", id).found) return s;
    *rc = no_run(rt, id);
    return NULL;
}

int curia_cancel(curia_runtime *rt, const char *id, const char *reason) {
    int rc;
    curia__state *s = state_of(rt, id, &rc);
    return s ? curia__state_call(s, "cancel", "ss", id, reason).rc : rc;
}

int curia_terminate(curia_runtime *rt, const char *id) {
    int rc;
    curia__state *s = state_of(rt, id, &rc);
    if (!s) return rc == CURIA_ENORUN ? 0 : rc;
    return curia__state_call(s, "terminate", "s", id).rc;
}

int curia_approve(curia_runtime *rt, const char *id, const char *call_id, bool approved,
                  const char *note) {
    int rc;
    curia__state *s = state_of(rt, id, &rc);
    if (!s) return rc;
    if (!call_id) return misused(rt, "the id of a call is needed");
    return curia__state_call(s, "approve", "ssbs", id, call_id, approved, note).rc;
}

int curia_state_json(curia_runtime *rt, const char *id, const char **json) {
    int rc;
    curia__state *s = state_of(rt, id, &rc);
    if (s) rc = curia__state_call(s, "state", "s", id).rc;
    if (!rc) give(rt, json);
    return rc;
}

int curia_result_json(curia_runtime *rt, const char *id, const char **json) {
    int rc;
    curia__state *s = state_of(rt, id, &rc);
    if (!s) return rc;
    curia__answer answer = curia__state_call(s, "result", "s", id);
    if (!answer.rc && !answer.found)
        return curia__runtime_fail(rt, CURIA_EBUSY, "the run has not ended", NULL);
    if (!answer.rc) give(rt, json);
    return answer.rc;
}

/* The items of one state's list, added to those before. */
static bool add_items(char **list, size_t *length, const char *items) {
    size_t more = strlen(items);
    char *grown = realloc(*list, *length + more + 3);
    if (!grown) return false;
    *list = grown;
    if (more && *length > 1) grown[(*length)++] = ',';
    memcpy(grown + *length, items, more + 1);
    *length += more;
    return true;
}

static int collect_list(curia_runtime *rt, const char *filter, char **list) {
    size_t length = 0;
    uint64_t taken = 0;
    if (!add_items(list, &length, "[")) return CURIA_ENOMEM;
    for (curia__state *s = rt->states; s; s = s->next) {
        curia__answer answer = curia__state_call(s, "list", "si", filter, taken);
        if (answer.rc) return answer.rc;
        taken += answer.count;
        if (!add_items(list, &length, rt->text)) return CURIA_ENOMEM;
    }
    (*list)[length] = ']';
    (*list)[length + 1] = '\0';
    return 0;
}

int curia_list_json(curia_runtime *rt, const char *filter, const char **json) {
    int rc = curia__runtime_check(rt);
    if (rc) return rc;
    if (!json) return misused(rt, "a place for the list is needed");
    char *list = NULL;
    rc = collect_list(rt, filter, &list);
    if (rc) {
        free(list);
        return rc;
    }
    free(rt->text);
    rt->text = list;
    rt->text_size = strlen(list) + 1;
    give(rt, json);
    return 0;
}

int curia_subscribe(curia_runtime *rt, const char *id, uint64_t from_seq,
                    const curia_callbacks *callbacks, uint64_t *subscription) {
    int rc;
    curia__state *s = state_of(rt, id, &rc);
    if (!s) return rc;
    if (!callbacks) return misused(rt, "callbacks are needed");
    uint64_t number = ++rt->subscriptions;
    rc = curia__state_call(s, "subscribe", "siiw", id, from_seq, number, callbacks).rc;
    if (!rc && subscription) *subscription = number;
    return rc;
}

int curia_unsubscribe(curia_runtime *rt, uint64_t subscription) {
    int rc = curia__runtime_check(rt);
    for (curia__state *s = rc ? NULL : rt->states; s && !rc; s = s->next)
        rc = curia__state_call(s, "unsubscribe", "i", subscription).rc;
    return rc;
}
