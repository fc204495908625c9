/* Reading lines from the terminal: only in the program, as a library has no terminal. */
#ifndef CURIA_LINE_H
#define CURIA_LINE_H

#include <lua.h>

/* Makes curia.core.line known to `require`. */
void curia__preload_line(lua_State *L);

#endif
