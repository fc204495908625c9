/* Curia in a Lua state of the host's: on the host's loop or its own, closed in any order, without
 * memory. */
#include "embed_support.h"

static const char tasks_script[] =
    "local task = require 'curia.task'\n"
    "ended = 0\n"
    "for i = 1, 10 do\n"
    "  task.spawn(function()\n"
    "    local child = task.spawn(function() task.sleep(1) return i end)\n"
    "    assert(select(2, child:await()) == i)\n"
    "    ended = ended + 1\n"
    "  end)\n"
    "end\n";

/* Nothing listens there. */
static const char http_script[] =
    "local task, http = require 'curia.task', require 'curia.http'\n"
    "task.spawn(function()\n"
    "  local ok, answer, err = pcall(http.start, { url = 'http://127.0.0.1:1/' })\n"
    "  assert(ok and answer, err)\n"
    "  local _, finished, failure = answer:next()\n"
    "  assert(finished and failure.code == 'ECONNECT', failure.code)\n"
    "  refused = true\n"
    "end)\n";

static void do_string(lua_State *L, const char *script) {
    if (luaL_dostring(L, script)) fprintf(stderr, "%s\n", lua_tostring(L, -1));
    assert(lua_gettop(L) == 0);
}

static lua_Integer global(lua_State *L, const char *name) {
    lua_getglobal(L, name);
    lua_Integer value = lua_isboolean(L, -1) ? lua_toboolean(L, -1) : lua_tointeger(L, -1);
    lua_pop(L, 1);
    return value;
}

static lua_State *new_state(void) {
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    return L;
}

static curia_runtime *open_in(lua_State *L, uv_loop_t *loop) {
    curia_runtime *rt = new_runtime(loop, 0);
    assert(curia_open(rt, L) == 0);
    return rt;
}

/* The stated order of the end. */
static void end(curia_runtime *rt, lua_State *L, uv_loop_t *loop) {
    assert(close_runtime(rt, loop) == 0);
    lua_close(L);
}

static void close_loop(uv_loop_t *loop) {
    uv_run(loop, UV_RUN_NOWAIT);
    assert(uv_loop_close(loop) == 0);
}

/* ---- one life -------------------------------------------------------------------------------- */

static void live_on_borrowed_loop(const char *script, const char *result, lua_Integer expected) {
    uv_loop_t loop;
    assert(uv_loop_init(&loop) == 0);
    lua_State *L = new_state();
    curia_runtime *rt = open_in(L, &loop);
    assert(curia_step(rt, 0) == CURIA_EBORROWED);
    uv_run(&loop, UV_RUN_DEFAULT); /* an idle Curia does not hold it */
    do_string(L, script);
    assert(global(L, result) == 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert(global(L, result) == expected);
    end(rt, L, &loop);
    close_loop(&loop);
}

static void test_own_loop(void) {
    lua_State *L = new_state();
    curia_runtime *rt = open_in(L, NULL);
    do_string(L, tasks_script);
    while (curia_step(rt, 0) == 1)
        ;
    assert(global(L, "ended") == 10 && curia_step(rt, 0) == 0);
    end(rt, L, NULL);
}

static void test_closing_ends_tasks(void) {
    uv_loop_t loop;
    assert(uv_loop_init(&loop) == 0);
    lua_State *L = new_state();
    curia_runtime *rt = open_in(L, &loop);
    do_string(L, "local task = require 'curia.task'\n"
                 "local scope = setmetatable({}, {__close = function() closed = true end})\n"
                 "task.spawn(function() local _ <close> = scope; task.sleep(1e9) end)\n");
    uv_run(&loop, UV_RUN_NOWAIT);
    assert(close_runtime(rt, &loop) == 0);
    assert(global(L, "closed") == 1);
    assert(luaL_dostring(L, "require('curia.task').spawn(print)") != LUA_OK);
    lua_close(L);
    close_loop(&loop);
}

/* It only begins there. */
static int close_inside(lua_State *L) {
    lua_pushinteger(L, curia_close(lua_touserdata(L, lua_upvalueindex(1)), NULL, NULL));
    return 1;
}

static void test_closing_from_inside(void) {
    uv_loop_t loop;
    assert(uv_loop_init(&loop) == 0);
    lua_State *L = new_state();
    curia_runtime *rt = open_in(L, &loop);
    lua_pushlightuserdata(L, rt);
    lua_pushcclosure(L, close_inside, 1);
    lua_setglobal(L, "close");
    do_string(L, "local task = require 'curia.task'\n"
                 "task.spawn(task.sleep, 1e9)\n"
                 "task.spawn(function()\n"
                 "  task.sleep(0)\n"
                 "  code = close()\n"
                 "  refused = not pcall(task.sleep, 1)\n"
                 "end)\n");
    uv_run(&loop, UV_RUN_DEFAULT);
    assert(global(L, "code") == 0 && global(L, "refused") == 1);
    assert(curia_close(rt, NULL, NULL) == CURIA_ECLOSED);
    lua_close(L);
    close_loop(&loop);
}

/* In the wrong order: the runtime goes on without it. */
static void test_closing_lua_first(void) {
    lua_State *L = new_state();
    curia_runtime *rt = open_in(L, NULL);
    do_string(L, http_script);
    do_string(L, "require('curia.task').spawn(require('curia.task').sleep, 1e9)");
    curia_step(rt, 0);
    lua_close(L);
    curia_step(rt, 0);
    assert(curia_list_json(rt, NULL, &(const char *){NULL}) == 0);
    assert(close_runtime(rt, NULL) == 0);
}

static void close_posted(curia_runtime *rt, void *arg) {
    (void)arg;
    assert(curia_close(rt, NULL, NULL) == 0);
}

/* Somebody waits at top level, turning the loop. */
static void test_closing_below_a_wait(void) {
    uv_loop_t loop;
    assert(uv_loop_init(&loop) == 0);
    lua_State *L = new_state();
    curia_runtime *rt = open_in(L, &loop);
    assert(curia_post(rt, close_posted, NULL) == 0);
    assert(luaL_dostring(L, "require('curia.task').sleep(1e9)") != LUA_OK);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert(curia_step(rt, 0) == CURIA_ECLOSED);
    lua_close(L);
    close_loop(&loop);
}

static void test_waiting_at_top_level(void) {
    uv_loop_t loop;
    assert(uv_loop_init(&loop) == 0);
    lua_State *L = new_state();
    curia_runtime *rt = open_in(L, &loop);
    do_string(L, "require('curia.task').sleep(5) woke = true");
    assert(global(L, "woke") == 1);
    end(rt, L, &loop);
    close_loop(&loop);
}

static void test_two_on_one_loop(void) {
    uv_loop_t loop;
    assert(uv_loop_init(&loop) == 0);
    lua_State *first = new_state(), *second = new_state();
    curia_runtime *one = open_in(first, &loop), *two = open_in(second, &loop);
    do_string(first, tasks_script);
    do_string(second, tasks_script);
    uv_run(&loop, UV_RUN_DEFAULT);
    end(one, first, &loop);
    assert(global(second, "ended") == 10);
    do_string(second, tasks_script);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert(global(second, "ended") == 10);
    end(two, second, &loop);
    close_loop(&loop);
}

static void test_one_per_state(void) {
    lua_State *L = new_state(), *co = lua_newthread(L);
    curia_runtime *rt = open_in(co, NULL); /* the state counts, not the coroutine */
    assert(curia_open(rt, L) == CURIA_EBUSY && curia_open(rt, co) == CURIA_EBUSY);
    lua_settop(L, 0);
    lua_gc(L, LUA_GCCOLLECT);
    do_string(L, "require('curia.task').sleep(1)");
    end(rt, L, NULL);
}

/* ---- many lives ------------------------------------------------------------------------------ */

static void test_many_lives(int lives) {
    live_on_borrowed_loop(tasks_script, "ended", 10);
    live_on_borrowed_loop(http_script, "refused", 1);
    size_t before = bytes_in_use();
    int files = open_files();
    for (int i = 0; i < lives; i++)
        live_on_borrowed_loop(tasks_script, "ended", 10);
    for (int i = 0; i < lives / 10; i++)
        live_on_borrowed_loop(http_script, "refused", 1);
    assert(open_files() == files);
    assert(bytes_in_use() <= before + CACHED);
}

static void *live_on_a_thread(void *lives) {
    for (int i = 0; i < *(int *)lives; i++) {
        live_on_borrowed_loop(http_script, "refused", 1);
        live_on_borrowed_loop(tasks_script, "ended", 10);
    }
    return NULL;
}

static void test_two_threads(int lives) {
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert(pthread_create(&threads[i], NULL, live_on_a_thread, &lives) == 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

/* ---- when memory runs out -------------------------------------------------------------------- */

static long allowance; /* allocations until there are no more */

static void *allocate(void *unused, void *block, size_t old_size, size_t size) {
    (void)unused;
    if (size == 0) {
        free(block);
        return NULL;
    }
    if ((!block || size > old_size) && --allowance < 0) return NULL;
    return realloc(block, size);
}

static int panic(lua_State *L) {
    fprintf(stderr, "raised outside of any protection: %s\n", lua_tostring(L, -1));
    return 0; /* Lua aborts */
}

static lua_State *new_poor_state(void) {
    allowance = 1000000;
    lua_State *L = lua_newstate(allocate, NULL);
    lua_atpanic(L, panic);
    luaL_openlibs(L);
    return L;
}

static void test_opening_without_memory(void) {
    curia_runtime *rt = new_runtime(NULL, 0);
    int rc = CURIA_ENOMEM;
    for (long most = 0; rc; most++) {
        lua_State *L = new_poor_state();
        allowance = most;
        rc = curia_open(rt, L);
        allowance = 1000000;
        assert((rc == 0 || rc == CURIA_ENOMEM) && lua_gettop(L) == 0);
        if (!rc) end(rt, L, NULL);
        if (rc) lua_close(L);
        assert(most < 1000);
    }
}

static const char poor_script[] =
    "local task, http = require 'curia.task', require 'curia.http'\n"
    "return function()\n"
    "  local _ <close> = http.start { url = 'http://127.0.0.1:1/' }\n"
    "  _:next()\n"
    "  local g = task.group()\n"
    "  for i = 1, 3 do g:spawn(function() task.sleep(0) if i == 2 then error 'x' end return i end) "
    "end\n"
    "  for t in g:each() do t:result() end\n"
    "  local s = task.signal()\n"
    "  local t = task.spawn(function() s:wait() end)\n"
    "  task.sleep(0) s:notify() t:await() t = task.spawn(task.sleep, 100) t:cancel() t:await()\n"
    "  for i = 1, 3 do\n"
    "    local _ <close> = setmetatable({}, { __close = function() return {} .. {} end })\n"
    "    pcall(function() local _ <close> = setmetatable({}, { __close = task.current }) error {} "
    "end)\n"
    "  end\n"
    "end\n";

/* Wherever it happens, some error is raised where somebody catches it, and all can be closed. */
static void test_running_without_memory(void) {
    bool enough = false;
    for (long most = 0; !enough; most++) {
        lua_State *L = new_poor_state();
        curia_runtime *rt = open_in(L, NULL);
        assert(luaL_dostring(L, poor_script) == LUA_OK);
        lua_setglobal(L, "body");
        luaL_loadstring(L, "return require('curia.task').spawn(body):await()");
        allowance = most;
        int rc = lua_pcall(L, 0, 1, 0);
        enough = rc == LUA_OK && allowance >= 0;
        for (int i = 0; i < 20; i++)
            curia_step(rt, 0);
        allowance = 1000000;
        lua_settop(L, 0);
        end(rt, L, NULL);
        assert(most < 5000);
    }
}

int main(int argc, char **argv) {
    int lives = argc > 1 ? (int)strtol(argv[1], NULL, 10) : IS_TSAN ? 30 : 1000;
    test_own_loop();
    test_closing_ends_tasks();
    test_closing_from_inside();
    test_closing_lua_first();
    test_closing_below_a_wait();
    test_waiting_at_top_level();
    test_two_on_one_loop();
    test_one_per_state();
    test_many_lives(lives);
    test_two_threads(lives / 10);
    test_opening_without_memory();
    test_running_without_memory();
    return 0;
}
