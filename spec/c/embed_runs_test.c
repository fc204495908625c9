/* Councils and runs by curia.h, in isolated states: loading, starting, watching, ending, finding
 * again. */
#include "embed_support.h"

static void assert_has(const char *text, const char *part) {
    if (!strstr(text, part)) fprintf(stderr, "no %s in %s\n", part, text);
    assert(strstr(text, part));
}

/* ---- loading --------------------------------------------------------------------------------- */

static int said(curia_runtime *rt, int rc) {
    if (rc) fprintf(stderr, "%s\n", curia_error_message(rt));
    return rc;
}

static void test_loading(curia_runtime *rt) {
    const char *name = NULL, *faults = NULL;
    assert(curia_load_string(rt, COUNCIL, strlen(COUNCIL), "pair.lua", &name) == 0);
    assert(!strcmp(name, "pair"));
    assert(curia_load_file(rt, "councils/jury.lua", &name) == 0 && !strcmp(name, "jury"));
    static const char data[] =
        "{\"name\":\"data\",\"members\":[{\"id\":\"a\",\"model\":\"openai/x\"}],"
        "\"rounds\":[{\"type\":\"independent_analysis\"}]}";
    assert(said(rt, curia_load_string(rt, data, strlen(data), "data.json", &name)) == 0);
    assert(!strcmp(name, "data"));
    assert(curia_validate(rt, COUNCIL, strlen(COUNCIL), "pair.lua", &faults) == 0);
    assert(!strcmp(faults, "[]"));
}

static int load(curia_runtime *rt, const char *text) {
    return curia_load_string(rt, text, strlen(text), "bad.lua", NULL);
}

static void test_loading_what_is_wrong(curia_runtime *rt) {
    const char *faults;
    assert(curia_load_file(rt, "no/such/file.lua", NULL) == CURIA_EIO);
    assert_has(curia_error_message(rt), "no/such/file.lua");
    assert(curia_load_file(rt, "spec", NULL) == CURIA_EIO); /* a folder */
    assert(load(rt, "council 'x' {") == CURIA_ESCRIPT);
    assert_has(curia_error_message(rt), "bad.lua:1:");
    assert(load(rt, "\x1bLua") == CURIA_ESCRIPT);
    assert(load(rt, "return 5") == CURIA_ESCRIPT);
    assert(load(rt, "error({})") == CURIA_ESCRIPT);
    assert(load(rt, "require('curia.task').sleep(1)") == CURIA_ESCRIPT);
    assert(load(rt, "coroutine.yield()") == CURIA_ESCRIPT);
    assert(load(rt, "{\"name\":1}") == CURIA_ECOUNCIL);
    static const char bad[] =
        "council 'x' { member 'a' { modle = 'x' }, round 'independent_analysis' }";
    assert(load(rt, bad) == CURIA_ECOUNCIL);
    assert_has(curia_error_message(rt), "model");
    assert_has(curia_error_json(rt), "\"path\":");
    assert(curia_validate(rt, bad, strlen(bad), "bad.lua", &faults) == 0);
    assert_has(faults, "\"code\":\"unknown_field\"");
}

/* ---- a run ----------------------------------------------------------------------------------- */

static void test_run(curia_runtime *rt) {
    watched w = {0};
    curia_callbacks callbacks = watch(&w);
    char id[CURIA_ID_SIZE];
    const char *json;
    assert(curia_start(rt, "pair", "\"why?\"", OFFLINE, &callbacks, id) == 0 && strlen(id) == 36);
    assert(w.events == 0); /* the loop has not turned */
    assert(curia_state_json(rt, id, &json) == 0);
    assert_has(json, "\"status\":\"pending\"");
    assert(curia_result_json(rt, id, &json) == CURIA_EBUSY);
    step_until_end(rt, &w);
    assert(w.events >= 8 && w.tokens == 0 && w.ends == 1 && !strcmp(w.status, "completed"));
    assert_has(w.result, "\"council\":\"pair\"");
    assert(curia_result_json(rt, id, &json) == 0);
    assert_has(json, "\"status\":\"ok\"");
    assert(curia_cancel(rt, id, NULL) == 0 && curia_terminate(rt, id) == 0);
    assert(curia_result_json(rt, id, &json) == 0);
}

static void test_tokens(curia_runtime *rt) {
    watched w = {0};
    curia_callbacks callbacks = watch(&w);
    callbacks.tokens = true;
    assert(curia_start(rt, "pair", "{\"question\":\"why?\"}", OFFLINE, &callbacks, NULL) == 0);
    step_until_end(rt, &w);
    assert(w.tokens > 0);
}

static void test_many_on_few_states(curia_runtime *rt) {
    enum { RUNS = 40 };
    static watched all[RUNS];
    memset(all, 0, sizeof all);
    char ids[RUNS][CURIA_ID_SIZE];
    for (int i = 0; i < RUNS; i++) {
        curia_callbacks callbacks = watch(&all[i]);
        assert(curia_start(rt, "pair", "\"?\"", OFFLINE, &callbacks, ids[i]) == 0);
    }
    for (int i = 0; i < RUNS; i++) {
        const char *json;
        step_until_end(rt, &all[i]);
        assert(curia_state_json(rt, ids[i], &json) == 0);
        assert_has(json, ids[i]);
    }
}

/* ---- how it ends otherwise ------------------------------------------------------------------- */

/* A member that takes its time. */
static const char SLOW[] =
    "council 'slow' {\n"
    "  member 'a' { run = function(ctx) ctx:sleep(60000) return 'late' end },\n"
    "  round 'independent_analysis',\n"
    "}\n";

static void start_slow(curia_runtime *rt, watched *w, char *id) {
    *w = (watched){0};
    curia_callbacks callbacks = watch(w);
    assert(curia_start(rt, "slow", "\"?\"", NULL, &callbacks, id) == 0);
    for (int i = 0; i < 20; i++)
        curia_step(rt, 0);
    assert(w->events > 0 && !w->ends);
}

static void test_cancelling(curia_runtime *rt) {
    watched w;
    char id[CURIA_ID_SIZE];
    start_slow(rt, &w, id);
    assert(curia_cancel(rt, id, "enough") == 0);
    step_until_end(rt, &w);
    assert(!strcmp(w.status, "cancelled"));
    assert_has(w.result, "enough");
}

static void test_terminating(curia_runtime *rt) {
    watched w;
    char id[CURIA_ID_SIZE];
    const char *json;
    start_slow(rt, &w, id);
    int before = w.events;
    assert(curia_terminate(rt, id) == 0);
    step_until_end(rt, &w);
    assert(!strcmp(w.status, "terminated") && !*w.result && w.events == before);
    assert(curia_state_json(rt, id, &json) == CURIA_ENORUN && curia_terminate(rt, id) == 0);
    assert(curia_cancel(rt, id, NULL) == CURIA_ENORUN);
}

static void test_closing_ends_runs(void) {
    curia_runtime *rt = new_runtime(NULL, 2);
    watched a, b;
    load_council(rt, SLOW);
    start_slow(rt, &a, NULL);
    start_slow(rt, &b, NULL);
    assert(close_runtime(rt, NULL) == 0);
    assert(a.ends == 1 && b.ends == 1 && !strcmp(a.status, "cancelled"));
}

/* ---- watching -------------------------------------------------------------------------------- */

static void test_subscribing(curia_runtime *rt) {
    watched first, late = {0}, from = {.last_seq = 2};
    char id[CURIA_ID_SIZE];
    uint64_t subscription;
    start_slow(rt, &first, id);
    curia_callbacks callbacks = watch(&late), more = watch(&from);
    assert(curia_subscribe(rt, id, 1, &callbacks, &subscription) == 0);
    assert(curia_subscribe(rt, id, 3, &more, NULL) == 0);
    for (int i = 0; i < 5; i++)
        curia_step(rt, 0);
    assert(late.events == first.events && from.events == first.events - 2);
    assert(curia_unsubscribe(rt, subscription) == 0);
    assert(curia_unsubscribe(rt, subscription) == 0 && curia_unsubscribe(rt, 99999) == 0);
    int before = late.events;
    curia_cancel(rt, id, NULL);
    step_until_end(rt, &first);
    step_until_end(rt, &from);
    assert(late.events == before && late.ends == 0);
}

static void test_listing(curia_runtime *rt) {
    watched w[3];
    char ids[3][CURIA_ID_SIZE];
    const char *json;
    for (int i = 0; i < 3; i++)
        start_slow(rt, &w[i], ids[i]);
    assert(curia_list_json(rt, "{\"status\":\"running\"}", &json) == 0);
    assert(*json == '[' && json[strlen(json) - 1] == ']');
    for (int i = 0; i < 3; i++)
        assert_has(json, ids[i]);
    assert(curia_list_json(rt, "{\"status\":\"running\",\"limit\":2}", &json) == 0);
    int found = 0;
    for (int i = 0; i < 3; i++)
        found += strstr(json, ids[i]) != NULL;
    assert(found == 2);
    assert(curia_list_json(rt, "{\"status\":\"blocked\"}", &json) == 0 && !strcmp(json, "[]"));
    for (int i = 0; i < 3; i++)
        curia_terminate(rt, ids[i]);
    for (int i = 0; i < 3; i++)
        step_until_end(rt, &w[i]);
}

static void test_chosen_ids(curia_runtime *rt) {
    watched a = {0}, b = {0};
    curia_callbacks first = watch(&a), second = watch(&b);
    char id[CURIA_ID_SIZE];
    const char *options = "{\"offline\":true,\"run_id\":\"mine\"}";
    assert(curia_start(rt, "pair", "\"?\"", options, &first, id) == 0 && !strcmp(id, "mine"));
    assert(curia_start(rt, "pair", "\"?\"", options, &second, id) == 0 && !strcmp(id, "mine"));
    assert(curia_start(rt, "pair", "\"other\"", options, NULL, NULL) == CURIA_EDUPLICATE);
    step_until_end(rt, &a);
    step_until_end(rt, &b);
}

/* ---- beside the host's own state ------------------------------------------------------------- */

static const char OWN[] = "local curia = require 'curia'\n"
                          "local c = curia.council 'own' {\n"
                          "  curia.member 'a' { run = function() return 'from the host' end },\n"
                          "  curia.round 'independent_analysis' {} }\n"
                          "return assert(curia.start(c, 'why?')).id\n";

/* Its runs are found by their ids; what C loads and starts goes to the isolated state. */
static void test_beside_a_state_of_the_host(void) {
    curia_runtime *rt = new_runtime(NULL, 1);
    lua_State *L = luaL_newstate();
    const char *json;
    watched w = {0};
    curia_callbacks callbacks = watch(&w);
    luaL_openlibs(L);
    assert(curia_open(rt, L) == 0);
    load_council(rt, COUNCIL);
    assert(luaL_dostring(L, OWN) == LUA_OK);
    const char *id = lua_tostring(L, -1);
    assert(curia_subscribe(rt, id, 1, &callbacks, NULL) == 0);
    step_until_end(rt, &w);
    assert(curia_result_json(rt, id, &json) == 0);
    assert_has(json, "from the host");
    assert(curia_start(rt, "own", "\"?\"", NULL, NULL, NULL) == CURIA_ECOUNCIL);
    assert(luaL_dostring(L, "return (require('curia').lookup('council', 'pair'))") == LUA_OK);
    assert(lua_isnil(L, -1));
    assert(close_runtime(rt, NULL) == 0);
    lua_close(L);
}

/* ---- approving ------------------------------------------------------------------------------- */

static const char ASKS[] =
    "council 'asks' {\n"
    "  member 'a' { model = 'scripted/x', tools = { tool 'pay' {\n"
    "    about = 'Pays.', parameters = { type = 'object', properties = {} }, approval = true,\n"
    "    run = function() return 'paid' end } } },\n"
    "  round 'independent_analysis',\n"
    "}\n";

static void remember_call(void *arg, const char *run_id, const char *event, size_t length) {
    (void)run_id;
    (void)length;
    const char *call = strstr(event, "\"call\":");
    const char *at = call && strstr(event, "\"run_blocked\"") ? strstr(call, "\"id\":\"") : NULL;
    if (at) sscanf(at, "\"id\":\"%19[^\"]", (char *)arg);
}

static void test_approving(void) {
    curia_options options;
    curia_options_init(&options);
    options.config = "{\"providers\":{\"scripted\":{\"script\":["
                     "{\"tool_calls\":[{\"name\":\"pay\",\"arguments\":{}}]},\"done\"]}}}";
    options.log = log_to_stderr;
    curia_runtime *rt;
    assert(curia_new(&options, &rt) == 0);
    load_council(rt, ASKS);
    char id[CURIA_ID_SIZE], call[20] = "";
    const char *json;
    curia_callbacks callbacks = {.arg = call, .on_event = remember_call};
    assert(curia_start(rt, "asks", "\"?\"", NULL, &callbacks, id) == 0);
    for (int i = 0; i < 200 && !*call; i++)
        curia_step(rt, 0);
    assert(*call && curia_approve(rt, id, "other", true, NULL) == CURIA_EINVAL);
    assert(curia_approve(rt, id, call, true, "go") == 0);
    while (curia_result_json(rt, id, &json) == CURIA_EBUSY)
        curia_step(rt, 0);
    assert_has(json, "done");
    close_runtime(rt, NULL);
}

int main(void) {
    curia_runtime *rt = new_runtime(NULL, 3);
    load_council(rt, SLOW);
    test_loading(rt);
    test_loading_what_is_wrong(rt);
    test_run(rt);
    test_tokens(rt);
    test_many_on_few_states(rt);
    test_cancelling(rt);
    test_terminating(rt);
    test_subscribing(rt);
    test_listing(rt);
    test_chosen_ids(rt);
    assert(close_runtime(rt, NULL) == 0);
    test_closing_ends_runs();
    test_beside_a_state_of_the_host();
    test_approving();
    return 0;
}
