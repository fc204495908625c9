/* curia.h: Curia for C programs.
 *
 * A runtime runs councils on one uv loop, its own or the host's, in one or more Lua states. It
 * never blocks: starting a run returns at once, and what happens is told by callbacks while the
 * loop turns.
 *
 *     curia_options options;
 *     curia_options_init(&options);
 *     curia_runtime *rt;
 *     int rc = curia_new(&options, &rt);
 *     if (!rc) rc = curia_load_file(rt, "council.lua", NULL);
 *     if (!rc) rc = curia_start(rt, "advisor", "\"Ship on Friday?\"", NULL, &callbacks, NULL);
 *     while (playing) { curia_step(rt, 500); draw(); }
 *     curia_close(rt, NULL, NULL);
 *     while (curia_step(rt, 0) >= 0) nap();
 *
 * Threads. A runtime belongs to the thread that made it: from another, every call but curia_post
 * does nothing and returns CURIA_ETHREAD. Several runtimes may live in one process, also on one
 * thread.
 *
 * Errors. Functions return 0 (or a number that they state), or a negative code of curia_error.h;
 * curia_error_message tells more. A NULL where none is allowed is CURIA_EINVAL; a runtime that is
 * closing, was closed, or never was one is CURIA_ECLOSED. (An address that a newer runtime has
 * taken over is that runtime.) Nothing here ends the process, takes a signal, writes to the
 * terminal or raises a Lua error.
 *
 * Texts. All are UTF-8 and end with a zero byte. Those that come in are copied. Those that go out
 * belong to the runtime: they stay until the next call with it that gives a text out, those that
 * callbacks get until the callback returns.
 *
 * Callbacks run on the runtime's thread while the loop turns, one at a time. They may call
 * everything but curia_step and curia_close, which answer CURIA_EBUSY there; a function of
 * curia_post may call curia_close too. They must not raise Lua errors or jump out.
 */
#ifndef CURIA_H
#define CURIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curia_error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lua_State;
struct uv_loop_s;

typedef struct curia_runtime curia_runtime;

/* "0.1.0". Static text, any thread. */
const char *curia_version(void);

/* ---- making a runtime ------------------------------------------------------------------------ */

typedef struct {
    size_t size; /* of this struct, as the caller knows it; curia_options_init sets it */

    /* The host's loop, which the host runs, or NULL: the runtime makes one, and curia_step turns
     * it. An idle runtime holds no reference on a borrowed loop, so that uv_run returns. */
    struct uv_loop_s *loop;

    /* How many isolated Lua states share the runs (1). At most about 2,000 runs each keep the
     * collector's pauses at a few milliseconds. 0: none; the host opens its own by curia_open. */
    unsigned states;

    /* Scripts of isolated states get no io, no way to run programs, to load C modules or bytecode,
     * no debug library, no environment variables or files (false); `require "curia"` works. The
     * network stays open to them, as members are reached through it. */
    bool sandbox;

    /* Bytes of Lua memory that each isolated state may have; 0: no limit. The run that asks for
     * more is stopped with an error of kind `script`, code `memory_limit`, which no pcall of its
     * catches; others go on. A state by itself takes about 1 MB. */
    size_t memory_limit;

    /* How many VM instructions a script of an isolated state may take from one wait to the next, or
     * while it is loaded; 0: no limit, and no cost. It is stopped likewise, code
     * `instruction_limit`. Each resume of a coroutine of its own counts as 1,000. */
    uint64_t instruction_limit;

    /* For the memory of isolated Lua states: as realloc; new_size 0 frees and returns NULL; the old
     * size is exact. NULL: Curia's. What the C side needs comes from malloc (some 100 kB per state,
     * and libcurl's and libuv's connections: see curl_global_init_mem, uv_replace_allocator). */
    void *(*allocate)(void *arg, void *block, size_t old_size, size_t new_size);
    void *allocate_arg;

    /* Told what nobody else hears of, and what scripts of a sandbox print; `level` is "error",
     * "warn", "info" or "debug". NULL: silence. */
    void (*log)(void *arg, const char *level, const char *text);
    void *log_arg;

    /* A JSON object with keys of the configuration (docs/language.md), or NULL. */
    const char *config;

    /* How long curia_close waits for runs to unwind (2000 ms). */
    unsigned close_limit_ms;
} curia_options;

/* Sets the size and the defaults, which stand in parentheses above. */
void curia_options_init(curia_options *options);

/* Makes a runtime. On failure *runtime is NULL and the reason goes to the log: CURIA_EINVAL for
 * wrong options, CURIA_EPARSE for a configuration that is no JSON, CURIA_ENOMEM. `options` NULL:
 * defaults. */
int curia_new(const curia_options *options, curia_runtime **runtime);

/* Opens Curia in a Lua state of the host's: afterwards `require "curia"` works there. With `L`
 * NULL, adds an isolated state. Loading and starting use the isolated states, and the host's where
 * there are none.
 *
 * The host keeps `L`, with its standard libraries opened, calls lua_close after curia_close is
 * over, and uses `L` on the runtime's thread only. The limits do not hold in it. Lua code at its
 * top level that waits (curia.run()) turns the loop until that has happened; from a callback of the
 * loop it must not wait.
 *
 * CURIA_EBUSY: there is a Curia in `L`. CURIA_ENOMEM. */
int curia_open(curia_runtime *rt, struct lua_State *L);

/* ---- councils -------------------------------------------------------------------------------- */

/* Loads a council, for runs that start from now on, into all states: a file of Lua text, or of
 * JSON; "FILE#name" chooses one of several. A council of the same name is replaced. `name` (may be
 * NULL) gets the council's name. The script's top level must not wait.
 *
 * CURIA_EIO: it cannot be read. CURIA_ESCRIPT: the script failed. CURIA_ECOUNCIL: the council has
 * faults; curia_error_json lists them. */
int curia_load_file(curia_runtime *rt, const char *path, const char **name);

/* The same for a text: Lua, or a JSON object. `chunk` names it in messages ("council.lua"). */
int curia_load_string(curia_runtime *rt, const char *text, size_t length, const char *chunk,
                      const char **name);

/* Checks a text without keeping its council. `faults` gets a JSON array of {path, code, message}:
 * [] when it is good. 0 in both cases; CURIA_ESCRIPT when the script itself failed. */
int curia_validate(curia_runtime *rt, const char *text, size_t length, const char *chunk,
                   const char **faults);

/* ---- runs ------------------------------------------------------------------------------------ */

/* Who is told of a run. Zeroed members are not called. The struct is copied, `arg` is the
 * host's. */
typedef struct {
    void *arg;
    /* An event as JSON (docs/language.md, "Events"), in order, none twice. */
    void (*on_event)(void *arg, const char *run_id, const char *event, size_t length);
    /* Once, after the last event, however the run ends: `status` is completed, failed, cancelled or
     * terminated; `result` is the result as JSON, or NULL when it was terminated. */
    void (*on_end)(void *arg, const char *run_id, const char *status, const char *result,
                   size_t length);
    bool tokens; /* member_token events too: the answers as they are written */
} curia_callbacks;

/* Room for a run's id. */
enum { CURIA_ID_SIZE = 128 };

/* Starts a run and returns; its first event comes when the loop turns. `input`: JSON, an object or
 * a string. `options`: a JSON object with options of `curia.start`, or NULL. `callbacks`: or NULL.
 * `id` (or NULL) gets the run's id, which all calls below take. The run goes to the isolated state
 * with the least to do.
 *
 * CURIA_ECOUNCIL: there is no such council, or it cannot be planned. CURIA_EPARSE: malformed JSON.
 * CURIA_EINVAL: a wrong input or option; an unknown option is one. CURIA_EDUPLICATE: that run_id is
 * another run's; the same council and input again are the first run, and `callbacks` join it.
 * CURIA_EUNSUPPORTED. */
int curia_start(curia_runtime *rt, const char *council, const char *input, const char *options,
                const curia_callbacks *callbacks, char id[CURIA_ID_SIZE]);

/* A finished run is known by its id for `linger_ms` (60 s); then, as for any id that never was:
 * CURIA_ENORUN. */

/* Cancels: calls under way are aborted, what has finished is kept. No effect once it has ended.
 * `reason` may be NULL. */
int curia_cancel(curia_runtime *rt, const char *id, const char *reason);

/* Ends a run at once: no further event, no result, on_end with "terminated". 0 for unknown runs
 * too. */
int curia_terminate(curia_runtime *rt, const char *id);

/* Decides about a call of a tool that waits for it (event run_blocked, its call.id). `note`, for
 * the model, may be NULL. CURIA_EINVAL: no such call waits. */
int curia_approve(curia_runtime *rt, const char *id, const char *call_id, bool approved,
                  const char *note);

/* The state of a run as a JSON object: status, members, round, usage. Cheap at any rate. */
int curia_state_json(curia_runtime *rt, const char *id, const char **json);

/* The result as a JSON object, once the run has ended; before, CURIA_EBUSY. */
int curia_result_json(curia_runtime *rt, const char *id, const char **json);

/* The states of all runs as a JSON array. `filter`: a JSON object with status, group and limit, or
 * NULL. */
int curia_list_json(curia_runtime *rt, const char *filter, const char **json);

/* Watches a run: the events that were missed from `from_seq` on (1: all), then those that follow,
 * then on_end. `subscription` (or NULL) gets a number to stop it by. */
int curia_subscribe(curia_runtime *rt, const char *id, uint64_t from_seq,
                    const curia_callbacks *callbacks, uint64_t *subscription);

/* No callback of the subscription comes any more. 0 when it has ended already. */
int curia_unsubscribe(curia_runtime *rt, uint64_t subscription);

/* ---- errors ---------------------------------------------------------------------------------- */

/* The last error of a call with this runtime: one readable line; "" when there was none. */
const char *curia_error_message(curia_runtime *rt);
/* The same as JSON: {kind, message, code, context: {faults}, traceback, ...}; "null" when the message
 * tells all. */
const char *curia_error_json(curia_runtime *rt);

/* ---- the loop -------------------------------------------------------------------------------- */

/* One pass over the runtime's own loop that does not block, then work, reading what sockets have
 * and resuming what is ready, until budget_us are spent (0: all that there is now); the rest waits
 * for the next call. A single piece of work cannot be cut short: it takes some 10 to 100
 * microseconds, unless a script computes or a callback takes its time.
 *
 * Returns 1 while something is under way, 0 when nothing is. CURIA_EBORROWED: the host runs the
 * loop. CURIA_EBUSY: called from a callback. CURIA_ECLOSED: closing is over. */
int curia_step(curia_runtime *rt, unsigned budget_us);

/* For a poll loop of the host's: a descriptor that becomes readable, and for how many ms to wait
 * for it at most (-1: for ever), before the next curia_step. Ask for the time-out after each step.
 * Where there is none, as on a borrowed loop, it is 0, and curia_step tells why. */
int curia_fd(curia_runtime *rt);
int curia_timeout_ms(curia_runtime *rt);

/* Has `fn` called on the runtime's thread when the loop turns next. From any thread, at any time,
 * also after the end. 0: it is called exactly once, at the latest while closing. CURIA_ECLOSED,
 * CURIA_ENOMEM: it never is. An idle runtime's borrowed loop does not wait for it. */
int curia_post(curia_runtime *rt, void (*fn)(curia_runtime *rt, void *arg), void *arg);

/* Begins to close: takes no new calls, cancels all runs, waits until they have unwound (at most
 * close_limit_ms), closes connections and handles, then the isolated states. All that happens while
 * the loop turns: by curia_step, or by the host's uv_run, which returns only when it is over.
 * `on_closed` (may be NULL) is the last call: 0, or CURIA_ETIMEOUT when runs had to be cut off.
 * When it returns, the runtime is freed, and every call with it says CURIA_ECLOSED.
 *
 * A state of the host's stays open and usable, Curia aside; lua_close it afterwards. */
int curia_close(curia_runtime *rt, void (*on_closed)(void *arg, int status), void *arg);

#ifdef __cplusplus
}
#endif

#endif
