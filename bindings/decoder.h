/* Stream decoding for other bindings: compiled paths and lists of segments as Lua values. */
#ifndef CURIA_BINDINGS_DECODER_H
#define CURIA_BINDINGS_DECODER_H

#include "decode/decoder.h"

#include <lua.h>

/* The compiled paths in the userdata at `index`, borrowed; NULL if it is something else. */
curia__paths *curia__to_paths(lua_State *L, int index);

/* Pushes the flat array {kind, value, name or false, ...} and the number of segments in it
 * (two values). Values of kind "event" are decoded; one that is no JSON becomes "data". May raise
 * out of memory: `s` must have an owner that survives it. */
int curia__push_segments(lua_State *L, const curia__segments *s);

#endif
