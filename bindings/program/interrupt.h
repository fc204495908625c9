/* Ctrl-C for a program that runs scripts: only in the program, as it takes a signal. */
#ifndef CURIA_INTERRUPT_H
#define CURIA_INTERRUPT_H

#include <lua.h>

/* Makes curia.core.interrupt known to `require`. */
void curia__preload_interrupt(lua_State *L);

#endif
