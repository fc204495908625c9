/* Runs of curia.h that wait for sockets: members stream for ever, while the loop is turned by steps
 * with and without a budget, and are cut off in the middle. */
#include "embed_support.h"
#include "http_server.h"

enum { MEMBERS = 4 };

static http_server server;

static curia_runtime *open_runtime(uv_loop_t *loop) {
    char config[300];
    snprintf(config, sizeof config,
             "{\"providers\":{\"live\":{\"adapter\":\"openai_chat\",\"api_key\":\"none\","
             "\"base_url\":\"http://127.0.0.1:%d/live\"}}}",
             server.port);
    curia_options options;
    curia_options_init(&options);
    options.loop = loop;
    options.config = config;
    options.log = log_to_stderr;
    curia_runtime *rt;
    assert(curia_new(&options, &rt) == 0);
    return rt;
}

static void start_live(curia_runtime *rt, watched *w, char *id) {
    char text[1000] = "council 'live' { round 'independent_analysis',\n";
    for (int i = 0; i < MEMBERS; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 "member 'm%d' { provider = 'live', model = 'm', stream = true },\n", i);
    strcat(text, "}");
    load_council(rt, text);
    curia_callbacks callbacks = watch(w);
    callbacks.tokens = true;
    assert(curia_start(rt, "live", "\"?\"", NULL, &callbacks, id) == 0);
}

static void test_streaming(unsigned budget_us) {
    curia_runtime *rt = open_runtime(NULL);
    watched w = {0};
    char id[CURIA_ID_SIZE];
    start_live(rt, &w, id);
    while (w.tokens < 5 * MEMBERS) {
        assert(curia_step(rt, budget_us) == 1);
        usleep(1000);
    }
    assert(curia_cancel(rt, id, "enough") == 0);
    step_until_end(rt, &w);
    assert(!strcmp(w.status, "cancelled"));
    assert(close_runtime(rt, NULL) == 0);
}

/* Sockets that have something to read wait for their turn meanwhile. */
static void test_closing_while_streaming(void) {
    curia_runtime *rt = open_runtime(NULL);
    watched w = {0};
    start_live(rt, &w, NULL);
    while (w.tokens < MEMBERS) {
        curia_step(rt, 1);
        usleep(1000);
    }
    usleep(50000);
    curia_step(rt, 1);
    assert(close_runtime(rt, NULL) == 0);
    assert(w.ends == 1 && !strcmp(w.status, "cancelled"));
}

typedef struct {
    uv_timer_t timer; /* first member */
    curia_runtime *rt;
    watched w;
} borrower;

static void close_when_it_streams(uv_timer_t *timer) {
    borrower *b = (borrower *)timer;
    if (!b->w.tokens) return;
    assert(curia_close(b->rt, NULL, NULL) == 0);
    uv_close((uv_handle_t *)timer, NULL);
}

static void test_closing_on_a_borrowed_loop(void) {
    uv_loop_t loop;
    borrower b = {.w = {0}};
    assert(uv_loop_init(&loop) == 0 && uv_timer_init(&loop, &b.timer) == 0);
    b.rt = open_runtime(&loop);
    start_live(b.rt, &b.w, NULL);
    uv_timer_start(&b.timer, close_when_it_streams, 10, 10);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert(b.w.ends == 1 && !strcmp(b.w.status, "cancelled"));
    assert(uv_loop_close(&loop) == 0);
}

int main(void) {
    server_start(&server);
    test_streaming(0);
    test_streaming(100);
    test_closing_while_streaming();
    test_closing_on_a_borrowed_loop();
    server_stop(&server);
    return 0;
}
