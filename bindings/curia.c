/* The public C interface, curia.h. */
#include "curia.h"

#include "error.h"
#include "host.h"

#ifndef CURIA_VERSION
#define CURIA_VERSION "0.0.0"
#endif

const char *curia_version(void) {
    return CURIA_VERSION;
}

curia_runtime *curia_open(struct lua_State *L, struct uv_loop_s *loop) {
    return (curia_runtime *)curia__host_open(L, loop);
}

int curia_turn(curia_runtime *runtime) {
    curia__host *host = (curia__host *)runtime;
    return host->loop.owned ? curia__loop_turn(&host->loop, false) : CURIA_EBORROWED;
}

int curia_close(curia_runtime *runtime, unsigned limit_ms) {
    curia__host *host = (curia__host *)runtime;
    int rc = curia__host_close(host, limit_ms);
    curia__host_stop_watchdog(host);
    return rc;
}

void curia_free(curia_runtime *runtime) {
    curia__host_free((curia__host *)runtime);
}
