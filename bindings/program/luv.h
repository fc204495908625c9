/* luv in the program: on Curia's loop, with a callback door that reports errors and never exits. */
#ifndef CURIA_PROGRAM_LUV_H
#define CURIA_PROGRAM_LUV_H

#include <lua.h>

/* Preloads "luv" and "uv". Call once, after curia_open. */
void curia__preload_luv(lua_State *L);

#endif
