/* JSON for other bindings: text to Lua values; and what the files of "curia.core.json" share. */
#ifndef CURIA_BINDINGS_JSON_H
#define CURIA_BINDINGS_JSON_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

/* Opens "curia.core.json". */
int curia__open_json(lua_State *L);

/* Pushes the value of the document of `length` bytes at `data`, which must have an owner that
 * survives a raise, and returns 0. Or returns CURIA_EPARSE, CURIA_EDEPTH or CURIA_ETOOBIG (a number
 * too large for a double) and pushes a message. `nulls`: members that are null become json.null;
 * otherwise they are left out. May raise out of memory. */
int curia__json_push(lua_State *L, const char *data, size_t length, int max_depth, bool nulls);

/* Encodes the value at `index` as json.encode does and gives the text to `use`, in whose hands it
 * stays valid until that returns; returns what `use` does. A value that cannot be encoded: pushes
 * nil and a message, returns 2. */
int curia__json_encode_for(lua_State *L, int index,
                           int (*use)(lua_State *L, const char *text, size_t size, void *arg),
                           void *arg);

/* ---- private to bindings/json*.c ------------------------------------------------------------- */

/* The upvalues that every function of the module has. */
enum {
    CURIA__JSON_ARRAY_MARK = 1, /* the metatable of arrays */
    CURIA__JSON_OBJECT_MARK,    /* the metatable of objects */
    CURIA__JSON_NEW_ERROR,      /* errors.new */
    CURIA__JSON_HINT,           /* suggest.hint */
    CURIA__JSON_UPVALUES = CURIA__JSON_HINT
};

/* Whether there are options at `index` (a table; nil and none are none). Raises for anything else
 * and for options that are not among the NULL-terminated `known`. */
bool curia__json_has_options(lua_State *L, int index, const char *const *known);

/* The whole number in option `name`, or `otherwise` when it is not set; raises when it is not in
 * low..high. */
int curia__json_number_option(lua_State *L, int index, const char *name, int low, int high,
                              int otherwise);

/* With a message on top: pushes nil and an error of kind "validation" that has it and, in `field`,
 * the value below the message. Returns 2. */
int curia__json_return_error(lua_State *L, const char *field);

/* json.decode, json.decoder, json.encode, see lua/curia/json.lua. */
int curia__json_decode(lua_State *L);
int curia__json_decoder(lua_State *L);
int curia__json_encode(lua_State *L);
/* encode_apart(value, from [, known [, fragments]]) -> text, parts, ambiguous | nil, err. Texts of `from` bytes or
 * more are written as {"$blob": hash}; `parts` lists hash, text, hash, text, ... (nil: none); `ambiguous`: an object has such a
 * key of its own. `known` keeps hashes by text, `fragments` what was written by table: its texts are in no list but
 * that of its first writing. */
int curia__json_encode_apart(lua_State *L);

/* Pushes the metatable that marks arrays (or objects) in this state. */
void curia__json_push_mark(lua_State *L, bool object);

/* Makes room for that many more slots; raises "not enough memory" if there is none. */
void curia__json_need_stack(lua_State *L, int slots);

/* Whether the table at `index` has exactly the keys 1..n, for an n in *length. */
bool curia__json_is_sequence(lua_State *L, int index, lua_Integer *length);

#endif
