/* curia.h: Curia for C programs.
 *
 * This version opens Curia in a Lua state of the host's and runs its loop; the calls that start
 * and watch councils from C follow. All calls belong to the thread that called curia_open.
 */
#ifndef CURIA_H
#define CURIA_H

#ifdef __cplusplus
extern "C" {
#endif

struct lua_State;
struct uv_loop_s;

/* One Curia in one Lua state. Several may live in one process, each on a thread of its own or some
 * on one thread; what they share (libcurl's set-up) is safe. No signal is touched, but
 * SIGUSR2 by a script that starts the watchdog. */
typedef struct curia_runtime curia_runtime;

/* "0.1.0". Static text, any thread. */
const char *curia_version(void);

/* The name ("ECONNECT") and the text of an error code. Static text, any thread. */
const char *curia_error_name(int code);
const char *curia_error_text(int code);

/* Opens Curia in `L`: afterwards `require "curia"` works there. `loop` is the host's uv loop, or
 * NULL for one of its own. Standard libraries must be open. Returns NULL when out of memory, or when
 * `L` has a Curia already; never raises.
 *
 * The host runs its loop itself, as it is used to. An idle Curia does not keep it alive. Lua code at
 * top level that waits (task:await(), curia.run()) runs the loop until that has happened; from a
 * callback of the loop it must not wait (uv_run cannot be nested), but may spawn tasks. */
curia_runtime *curia_open(struct lua_State *L, struct uv_loop_s *loop);

/* One turn of an owned loop that does not block. Returns 1 while something is under way, 0 when
 * nothing is, or a negative code. */
int curia_turn(curia_runtime *runtime);

/* Ends all tasks, requests and timers, by turning the loop; call it while `L` is open, from outside
 * of the loop. Then close `L`, then call curia_free; a borrowed loop has to run once more before it
 * is closed. Takes limit_ms at most for the tasks and again for the handles of an owned loop; a
 * script that holds the loop cannot be interrupted. Returns 0, or a negative code when something did
 * not end in time. */
int curia_close(curia_runtime *runtime, unsigned limit_ms);

/* Frees what is left, after `L` was closed. */
void curia_free(curia_runtime *runtime);

#ifdef __cplusplus
}
#endif

#endif
