/* What a script of an isolated state cannot do: take more memory or time than it may, reach what is
 * outside. */
#include "embed_support.h"

/* Runs the code that it is asked. */
static const char FREE[] =
    "council 'free' { run = function(ctx, input)\n"
    "  local world = { closing = function(fn) return setmetatable({}, { __close = fn }) end }\n"
    "  world.spin = function() while true do end end\n"
    "  setmetatable(world, { __index = _G })\n"
    "  local fn, problem = load(input.code, '=code', 't', world)\n"
    "  if not fn then error(problem) end\n"
    "  return fn(ctx)\n"
    "end }\n";

static curia_runtime *rt;

static void open_limited(size_t memory, uint64_t instructions, bool sandbox) {
    curia_options options;
    curia_options_init(&options);
    options.memory_limit = memory;
    options.instruction_limit = instructions;
    options.sandbox = sandbox;
    options.log = log_to_stderr;
    assert(curia_new(&options, &rt) == 0);
    load_council(rt, FREE);
}

static void start(const char *code, watched *w) {
    char input[1000];
    *w = (watched){0};
    curia_callbacks callbacks = watch(w);
    snprintf(input, sizeof input, "{\"code\":\"%s\"}", code);
    int rc = curia_start(rt, "free", input, NULL, &callbacks, NULL);
    if (rc) fprintf(stderr, "%s\n", curia_error_message(rt));
    assert(rc == 0);
}

static void expect(const char *code, const char *status, const char *part) {
    watched w;
    start(code, &w);
    step_until_end(rt, &w);
    if (strcmp(w.status, status) != 0 || !strstr(w.result, part))
        fprintf(stderr, "%s: %s: %s\n", code, w.status, w.result);
    assert(!strcmp(w.status, status) && strstr(w.result, part));
}

/* ---- memory ---------------------------------------------------------------------------------- */

static const char *const greedy[] = {
    "local t = {} for i = 1, math.huge do t[i] = {i} end",
    "return ('x'):rep(100000000)",
    "while true do pcall(function() local t = {} for i = 1, math.huge do t[i] = {i} end end) end",
    "local s = 'x' while true do pcall(function() while true do s = s .. s end end) end",
    "local t = {} pcall(function() while true do t[#t + 1] = {} end end) while true do t[#t] = {} "
    "end",
    "local co = coroutine.wrap(function() local t = {} while true do t[#t + 1] = {} end end)\\n"
    "while true do pcall(co) end",
    "local t = {} for i = 1, math.huge do t[i] = coroutine.create(print) end",
    "local t = {} for i = 1, math.huge do ctx:sleep(0) t[i] = ('x'):rep(100000) .. i end",
    NULL};

static void test_memory_limit(void) {
    open_limited((size_t)8 << 20, 0, false);
    for (int i = 0; greedy[i]; i++) {
        watched other;
        start("ctx = ... for i = 1, 30 do ctx:sleep(1) end return 'fine'", &other);
        char code[300];
        snprintf(code, sizeof code, "local ctx = ... %s", greedy[i]);
        expect(code, "failed", "\"code\":\"memory_limit\"");
        step_until_end(rt, &other);
        assert(!strcmp(other.status, "completed"));
    }
    expect("return 'still here'", "completed", "still here");
    close_runtime(rt, NULL);
}

static void test_memory_limit_while_loading(void) {
    open_limited((size_t)8 << 20, 0, false);
    static const char *const texts[] = {"local t = {} while true do t[#t + 1] = {} end",
                                        "while true do pcall(string.rep, 'x', 100000000) end"};
    for (int i = 0; i < 2; i++) {
        assert(curia_load_string(rt, texts[i], strlen(texts[i]), "x", NULL) == CURIA_ENOMEM);
        assert(strstr(curia_error_message(rt), "more memory than its 8388608 bytes"));
    }
    expect("return 'still here'", "completed", "still here");
    close_runtime(rt, NULL);
}

static void test_too_little_memory(void) {
    curia_options options;
    for (size_t limit = 0; limit < 1 << 20; limit += 1 << 14) {
        curia_options_init(&options);
        options.memory_limit = limit + 1;
        int rc = curia_new(&options, &rt);
        assert(rc == CURIA_ENOMEM ? !rt : rc == 0);
        if (!rc) close_runtime(rt, NULL);
    }
}

/* ---- instructions ---------------------------------------------------------------------------- */

static const char *const endless[] = {
    "while true do end",
    "while true do pcall(function() while true do end end) end",
    "local function f() return f() end return f()",
    "repeat until not xpcall(function() while true do end end, function() while true do end end)",
    "table.sort({3, 2, 1}, function() while true do end end)",
    "return (('x'):gsub('x', function() while true do end end))",
    "coroutine.wrap(function() while true do end end)()",
    "while true do coroutine.wrap(function() for i = 1, 900 do end end)() end",
    "while true do coroutine.wrap(function() end)() end",
    "local _ <close> = closing(function() while true do end end) while true do end",
    "local _ <close> = closing(function() while true do pcall(error) end end)",
    "function f(n) local _ <close> = closing(spin) if n > 0 then f(n - 1) end spin() end f(500)",
    "local t = setmetatable({}, {__index = function() while true do end end}) return t.x",
    NULL};

static void test_instruction_limit(void) {
    open_limited(0, 1000000, false);
    for (int i = 0; endless[i]; i++)
        expect(endless[i], "failed", "\"code\":\"instruction_limit\"");
    expect("ctx = ... for i = 1, 50 do for j = 1, 100000 do end ctx:sleep(0) end return 'fine'",
           "completed", "fine"); /* from one wait to the next */
    close_runtime(rt, NULL);
}

static void test_instruction_limit_while_loading(void) {
    open_limited(0, 1000000, false);
    static const char text[] = "while true do pcall(function() while true do end end) end";
    assert(curia_load_string(rt, text, strlen(text), "x.lua", NULL) == CURIA_ELIMIT);
    assert(strstr(curia_error_message(rt), "1000000 instructions"));
    assert(strstr(curia_error_message(rt), "x.lua:1"));
    close_runtime(rt, NULL);
}

/* ---- the allocator --------------------------------------------------------------------------- */

typedef struct {
    size_t used, calls;
} account;

static void *count_and_allocate(void *arg, void *block, size_t old_size, size_t new_size) {
    account *a = arg;
    a->calls++;
    assert(block || !old_size);
    if (!new_size) {
        a->used -= old_size;
        free(block);
        return NULL;
    }
    a->used += new_size - old_size;
    return realloc(block, new_size);
}

static void test_allocator(void) {
    account a = {0};
    curia_options options;
    curia_options_init(&options);
    options.allocate = count_and_allocate;
    options.allocate_arg = &a;
    assert(curia_new(&options, &rt) == 0);
    load_council(rt, FREE);
    assert(a.used > 100000 && a.calls > 1000);
    expect("return 'fine'", "completed", "fine");
    close_runtime(rt, NULL);
    assert(a.used == 0);
}

/* ---- the sandbox ----------------------------------------------------------------------------- */

static const char *const forbidden[] = {"io",
                                        "debug",
                                        "package",
                                        "os.execute",
                                        "os.exit",
                                        "os.getenv",
                                        "os.remove",
                                        "dofile",
                                        "loadfile",
                                        "string.dump",
                                        "getmetatable('')",
                                        "(_G._G ~= _G or nil)",
                                        "(pcall(require, 'curia.core.system') or nil)",
                                        "(pcall(require, 'curia.http') or nil)",
                                        "(pcall(require, 'io') or nil)",
                                        "require('curia').http",
                                        "require('curia').config",
                                        "require('curia').register",
                                        "(pcall(require('curia').cmd, 'id') or nil)",
                                        "(pcall(setmetatable, {}, {__gc = print}) or nil)",
                                        "load('\\\\27Lua')",
                                        NULL};

static void test_sandbox(void) {
    open_limited(0, 0, true);
    for (int i = 0; forbidden[i]; i++) {
        char code[300];
        snprintf(code, sizeof code, "return tostring(%s)", forbidden[i]);
        expect(code, "completed", "\"content\":\"nil\"");
    }
    expect("return load('return _G.io == nil and x == nil')() and 'fine' or 'leaks'", "completed",
           "fine");
    expect("string.find = nil return ('fine'):find('fine') and 'fine'", "completed", "fine");
    expect("return require('curia').json.encode { a = 1 }", "completed", "{\\\"a\\\":1}");
    close_runtime(rt, NULL);
}

static void test_sandbox_of_files(void) {
    static const char text[] =
        "local curia = require 'curia'\n"
        "assert(not io and not os.execute and not pcall(env, 'HOME') and not pcall(file, 'x'))\n"
        "return curia.council 'x' { member 'a' { model = 'openai/m' }, round "
        "'independent_analysis' }\n";
    open_limited(0, 0, true);
    load_council(rt, text);
    load_council(rt, COUNCIL);
    watched w = {0};
    curia_callbacks callbacks = watch(&w);
    assert(curia_start(rt, "pair", "\"?\"", OFFLINE, &callbacks, NULL) == 0);
    step_until_end(rt, &w);
    assert(!strcmp(w.status, "completed"));
    close_runtime(rt, NULL);
}

int main(void) {
    test_memory_limit();
    test_memory_limit_while_loading();
    test_too_little_memory();
    test_instruction_limit();
    test_instruction_limit_while_loading();
    test_allocator();
    test_sandbox();
    test_sandbox_of_files();
    return 0;
}
