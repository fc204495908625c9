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

/* One Curia in one Lua state. */
typedef struct curia_runtime curia_runtime;

/* "0.1.0". Static text, any thread. */
const char *curia_version(void);

/* The name ("ECONNECT") and the text of an error code. Static text, any thread. */
const char *curia_error_name(int code);
const char *curia_error_text(int code);

/* Opens Curia in `L`: afterwards `require "curia"` works there. `loop` is the host's uv loop, or
 * NULL for one of its own. Standard libraries must be open. Returns NULL when out of memory. */
curia_runtime *curia_open(struct lua_State *L, struct uv_loop_s *loop);

/* One turn of an owned loop that does not block. Returns 1 while something is under way, 0 when
 * nothing is, or a negative code. */
int curia_turn(curia_runtime *runtime);

/* Ends all tasks, requests and timers, in at most limit_ms; call it while `L` is open. Then close
 * `L`, then call curia_free. Returns 0, or a negative code when something did not end in time. */
int curia_close(curia_runtime *runtime, unsigned limit_ms);

/* Frees what is left, after `L` was closed. */
void curia_free(curia_runtime *runtime);

#ifdef __cplusplus
}
#endif

#endif
