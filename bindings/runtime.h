/* A runtime of curia.h: a loop, the Lua states on it, and how both end. */
#ifndef CURIA_RUNTIME_H
#define CURIA_RUNTIME_H

#include <pthread.h>
#include <uv.h>

#include "allocator.h"
#include "curia.h"
#include "host.h"

typedef struct curia__state curia__state;
typedef struct curia__posted curia__posted;

/* A Lua state of a runtime. */
struct curia__state {
    curia_runtime *runtime;
    curia__host *host;
    lua_State *L;
    bool isolated; /* made here, closed here */
    curia__quota quota;
    curia__allocator *allocator; /* NULL: the host gave one */
    curia__state *next;
};

/* How far closing is. */
typedef enum {
    CURIA__OPEN,
    CURIA__ENDS_TASKS,
    CURIA__ENDS_SERVICES,
    CURIA__ENDS_HANDLES,
    CURIA__ENDS_LOOP /* its own two handles are being closed */
} curia__phase;

struct curia_runtime {
    curia_options options;
    pthread_t thread;
    uv_loop_t own, *uv;
    bool owned;
    bool sockets_first; /* in the next step with a budget */
    bool turning;       /* a turn of the loop is under way that Curia knows of */
    uint64_t until_ns;  /* when the budget of the step under way is spent; 0: it has none */
    unsigned callbacks; /* of the host's that run now */
    curia__state *states;
    uint64_t subscriptions; /* numbers given out */

    uv_async_t wake; /* for what is posted */
    curia__posted *posted_first, *posted_last;

    curia__phase phase;
    uv_timer_t tick; /* looks how far closing is */
    unsigned ticks;  /* of this phase */
    uint64_t end_ms;
    unsigned open_handles; /* of wake and tick */
    int status;
    void (*on_closed)(void *arg, int status);
    void *on_closed_arg;

    char *text; /* what was given out last */
    size_t text_size;
    char *error_message, *error_json; /* NULL: there was none */

    curia_runtime *next; /* among the open ones of the process */
};

/* Whether `rt` may be called here: 0, CURIA_ECLOSED or CURIA_ETHREAD. */
int curia__runtime_check(curia_runtime *rt);

/* Around each callback of the host's. */
void curia__runtime_enter_callback(curia_runtime *rt);
void curia__runtime_leave_callback(curia_runtime *rt);

/* Remembers an error for curia_error_message; returns `code`. Texts that do not fit in memory are
 * left out. */
int curia__runtime_fail(curia_runtime *rt, int code, const char *message, const char *json);

/* Whether calls work on `state`: an isolated one, or where there are none any. */
bool curia__runtime_uses(const curia_runtime *rt, const curia__state *state);

/* ---- states (state.c) ------------------------------------------------------------------------ */

/* Opens Curia in `L`, or in an isolated state when NULL, and adds it. Returns 0 or a code. */
int curia__state_open(curia_runtime *rt, lua_State *L);
/* After its loop was closed: closes an isolated state; the host's goes on without Curia. */
void curia__state_free(curia__state *state);

/* What a call into Lua gave. */
typedef struct {
    int rc;         /* 0 or a code; the error is the runtime's */
    bool found;     /* false: the function said that there is no such run */
    uint64_t count; /* its second value */
} curia__answer;

/* Calls a function of lua/curia/embed.lua, protected. `types`: an 's' for a text (const char *, may
 * be NULL), 'l' for a text and its length, 'i' for a uint64_t, 'b' for a bool (int), 'w' for
 * callbacks (const curia_callbacks *, may be NULL). A text that it returns is kept in rt->text. */
curia__answer curia__state_call(curia__state *state, const char *function, const char *types, ...);

#endif
