/* curia.core.line: reading lines from the terminal with libedit, driven by the loop, so that runs go on while
 * one types. Without libedit the module says so.
 *
 * The poll only tells that keys are there; the REPL's task then has libedit read them, so that completion,
 * which asks Lua, is called from Lua (PITFALLS P5). One terminal, hence one reader in a process. */
#include "line.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

#ifdef CURIA_LIBEDIT
#include <editline/readline.h>

enum { LINE_NOTHING, LINE_READY, LINE_ENDED };

static struct {
    uv_poll_t *poll; /* NULL: not open */
    curia__signal keys;
    bool readable;
    bool shown; /* libedit has a prompt on the screen */
    int state;
    char *line;
    char *prompt;
    lua_State *L; /* while libedit reads: who asked */
    int complete; /* stack index of the function that completes */
} reader;

static void on_keys(uv_poll_t *poll, int status, int events) {
    (void)status, (void)events;
    uv_poll_stop(poll); /* until they have been read */
    reader.readable = true;
    curia__signal_notify(&reader.keys, 0);
}

static void on_closed(uv_handle_t *handle) {
    free(handle);
}

static void on_line(char *line) {
    reader.state = line ? LINE_READY : LINE_ENDED;
    free(reader.line);
    reader.line = line;
    rl_callback_handler_remove();
    reader.shown = false;
}

static void show(void) {
    if (reader.shown) return;
    rl_callback_handler_install(reader.prompt, on_line);
    reader.shown = true;
}

/* ---- completion -------------------------------------------------------------------------------- */

/* libedit asks for one candidate after the other: the list that Lua gave is on the stack's top. */
static char *next_candidate(const char *word, int state) {
    (void)word;
    lua_State *L = reader.L;
    lua_rawgeti(L, -1, state + 1);
    const char *text = lua_tostring(L, -1);
    char *copy = text ? strdup(text) : NULL;
    lua_pop(L, 1);
    return copy;
}

/* (line up to the cursor, start of the word) -> candidates for the word. An error gives none. */
static char **complete(const char *word, int start, int end) {
    lua_State *L = reader.L;
    char **matches = NULL;
    rl_attempted_completion_over = 1;
    if (!L) return NULL;
    lua_pushvalue(L, reader.complete);
    lua_pushlstring(L, rl_line_buffer, (size_t)end);
    lua_pushinteger(L, start + 1);
    if (lua_pcall(L, 2, 1, 0) == LUA_OK && lua_istable(L, -1))
        matches = rl_completion_matches(word, next_candidate);
    lua_pop(L, 1);
    return matches;
}

/* ---- functions --------------------------------------------------------------------------------- */

/* Without the locale's encoding libedit drops what is not ASCII; Lua's own functions stay as they are. */
static void set_up(void) {
    if (strcmp(setlocale(LC_CTYPE, ""), "C") == 0) setlocale(LC_CTYPE, "C.UTF-8");
    static char breaks[] = " \t\n\"'`@$><=;|&{}()[]+-*/%^#~,!?";
    rl_readline_name = (char *)(uintptr_t) "curia";
    rl_initialize();
    using_history();
    rl_catch_signals = 0;
    rl_attempted_completion_function = complete;
    rl_completer_word_break_characters = breaks;
    rl_completion_append_character = '\0';
}

/* open() -> true | nil, err: standard input must be a terminal. */
static int line_open(lua_State *L) {
    curia__host *host = curia__host_of(L);
    if (reader.poll) return luaL_error(L, "the terminal is being read already");
    uv_poll_t *poll = calloc(1, sizeof *poll);
    if (!poll) return luaL_error(L, "not enough memory");
    if (!isatty(STDIN_FILENO) || uv_poll_init(host->loop.uv, poll, STDIN_FILENO)) {
        free(poll);
        return curia__return_error(L, "unsupported", "standard input is no terminal");
    }
    reader.poll = poll;
    set_up();
    lua_pushboolean(L, 1);
    return 1;
}

/* close(): gives the terminal back; idempotent. */
static int line_close(lua_State *L) {
    (void)L;
    if (!reader.poll) return 0;
    if (reader.shown) rl_callback_handler_remove();
    reader.shown = false;
    uv_close((uv_handle_t *)reader.poll, on_closed);
    reader.poll = NULL;
    free(reader.line);
    free(reader.prompt);
    reader.line = reader.prompt = NULL;
    curia__signal_notify(&reader.keys, 0);
    return 0;
}

static void check_open(lua_State *L) {
    if (!reader.poll) luaL_error(L, "the terminal is not open");
}

/* prompt(text): begins a line. */
static int line_prompt(lua_State *L) {
    const char *text = luaL_checkstring(L, 1);
    check_open(L);
    free(reader.prompt);
    reader.prompt = strdup(text);
    reader.state = LINE_NOTHING;
    show();
    return 0;
}

static int keys_came(lua_State *L, int status, lua_KContext ctx) {
    (void)status, (void)ctx;
    lua_pushboolean(L, reader.readable);
    return 1;
}

/* wait() -> true: there are keys to read; false: the terminal was closed. */
static int line_wait(lua_State *L) {
    check_open(L);
    curia__host *host = curia__host_of(L);
    if (reader.readable) return keys_came(L, 0, 0);
    uv_poll_start(reader.poll, UV_READABLE, on_keys);
    curia__wait *w = curia__await_begin(L, "line.wait");
    curia__wait_start(w, &host->loop, curia__current_task(host), &reader.keys, -1);
    return curia__await(L, keys_came, 0);
}

/* read(complete) -> line | nil (it goes on) | false (the end). Has libedit read the keys that are there;
 * `complete(line, start)` gives the candidates for the word that begins at `start`. */
static int line_read(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    check_open(L);
    reader.readable = false;
    reader.L = L;
    reader.complete = 1;
    if (reader.shown) rl_callback_read_char();
    reader.L = NULL;
    if (reader.state == LINE_NOTHING) return 0;
    if (reader.state == LINE_READY)
        lua_pushstring(L, reader.line);
    else
        lua_pushboolean(L, 0);
    reader.state = LINE_NOTHING;
    return 1;
}

/* hide(): takes the line off the screen, to write something; show() puts it back as it was. */
static int line_hide(lua_State *L) {
    (void)L;
    if (!reader.shown) return 0;
    static const char clear[] = "\r\033[J";
    fputs(clear, stdout);
    fflush(stdout);
    return 0;
}

static int line_show(lua_State *L) {
    (void)L;
    if (!reader.shown) return 0;
    fflush(stdout);
    rl_forced_update_display();
    return 0;
}

/* discard(): forgets what was typed and begins the line anew. */
static int line_discard(lua_State *L) {
    (void)L;
    if (!reader.shown) return 0;
    rl_callback_handler_remove();
    reader.shown = false;
    show();
    return 0;
}

/* remember(line): adds it to the history. */
static int line_remember(lua_State *L) {
    add_history(luaL_checkstring(L, 1));
    return 0;
}

/* text() -> what is typed so far */
static int line_text(lua_State *L) {
    lua_pushstring(L, reader.shown && rl_line_buffer ? rl_line_buffer : "");
    return 1;
}

static const luaL_Reg functions[] = {
    {"open", line_open},         {"close", line_close}, {"prompt", line_prompt},
    {"wait", line_wait},         {"read", line_read},   {"hide", line_hide},
    {"show", line_show},         {"text", line_text},   {"discard", line_discard},
    {"remember", line_remember}, {NULL, NULL}};
#else
static int line_open(lua_State *L) {
    return curia__return_error(L, "unsupported",
                               "this build has no libedit (CMake: -DCURIA_LIBEDIT=ON)");
}

static const luaL_Reg functions[] = {{"open", line_open}, {NULL, NULL}};
#endif

static int open_line(lua_State *L) {
    luaL_newlib(L, functions);
    return 1;
}

void curia__preload_line(lua_State *L) {
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(L, open_line);
    lua_setfield(L, -2, "curia.core.line");
    lua_pop(L, 1);
}
