/* Bad use of curia.h gets a code, and nothing breaks. */
#include "embed_support.h"

static void nothing(curia_runtime *rt, void *arg) {
    (void)rt;
    (void)arg;
}

/* ---- handles --------------------------------------------------------------------------------- */

static void expect_closed(curia_runtime *rt) {
    const char *json;
    char id[CURIA_ID_SIZE];
    curia_callbacks callbacks = {0};
    assert(curia_open(rt, NULL) == CURIA_ECLOSED);
    assert(curia_load_file(rt, "x", NULL) == CURIA_ECLOSED);
    assert(curia_load_string(rt, "", 0, "x", NULL) == CURIA_ECLOSED);
    assert(curia_validate(rt, "", 0, "x", &json) == CURIA_ECLOSED);
    assert(curia_start(rt, "x", "\"\"", NULL, NULL, id) == CURIA_ECLOSED);
    assert(curia_cancel(rt, "x", NULL) == CURIA_ECLOSED);
    assert(curia_terminate(rt, "x") == CURIA_ECLOSED);
    assert(curia_approve(rt, "x", "y", true, NULL) == CURIA_ECLOSED);
    assert(curia_state_json(rt, "x", &json) == CURIA_ECLOSED);
    assert(curia_result_json(rt, "x", &json) == CURIA_ECLOSED);
    assert(curia_list_json(rt, NULL, &json) == CURIA_ECLOSED);
    assert(curia_subscribe(rt, "x", 1, &callbacks, NULL) == CURIA_ECLOSED);
    assert(curia_unsubscribe(rt, 1) == CURIA_ECLOSED);
    assert(curia_close(rt, NULL, NULL) == CURIA_ECLOSED);
}

static void expect_gone(curia_runtime *rt) {
    expect_closed(rt);
    assert(curia_step(rt, 0) == CURIA_ECLOSED && curia_fd(rt) == CURIA_ECLOSED);
    assert(curia_timeout_ms(rt) == 0);
    assert(curia_post(rt, nothing, NULL) == CURIA_ECLOSED);
    assert(!*curia_error_message(rt) && !strcmp(curia_error_json(rt), "null"));
}

static void test_handles(void) {
    expect_gone(NULL);
    expect_gone((curia_runtime *)"not a runtime at all");
    curia_runtime *rt = new_runtime(NULL, 1);
    assert(curia_close(rt, NULL, NULL) == 0);
    expect_closed(rt);
    while (curia_step(rt, 0) >= 0)
        ;
    expect_gone(rt);
}

/* ---- arguments ------------------------------------------------------------------------------- */

static void test_nothing_given(void) {
    curia_runtime *rt = new_runtime(NULL, 1);
    load_council(rt, COUNCIL);
    assert(curia_new(NULL, NULL) == CURIA_EINVAL);
    assert(curia_load_file(rt, NULL, NULL) == CURIA_EINVAL);
    assert(curia_load_string(rt, NULL, 0, "x", NULL) == CURIA_EINVAL);
    assert(curia_load_string(rt, "", 0, NULL, NULL) == CURIA_EINVAL);
    assert(curia_validate(rt, "", 0, "x", NULL) == CURIA_EINVAL);
    assert(curia_start(rt, NULL, "\"\"", NULL, NULL, NULL) == CURIA_EINVAL);
    assert(curia_start(rt, "pair", NULL, NULL, NULL, NULL) == CURIA_EINVAL);
    curia_close(rt, NULL, NULL);
    while (curia_step(rt, 0) >= 0)
        ;
}

static void test_no_run_given(void) {
    curia_runtime *rt = new_runtime(NULL, 1);
    const char *json;
    load_council(rt, COUNCIL);
    assert(curia_cancel(rt, NULL, NULL) == CURIA_EINVAL);
    assert(curia_terminate(rt, NULL) == CURIA_EINVAL);
    assert(curia_state_json(rt, NULL, &json) == CURIA_EINVAL);
    assert(curia_result_json(rt, NULL, &json) == CURIA_EINVAL);
    assert(curia_list_json(rt, NULL, NULL) == CURIA_EINVAL);
    assert(curia_subscribe(rt, NULL, 1, NULL, NULL) == CURIA_EINVAL);
    assert(curia_post(rt, NULL, NULL) == CURIA_EINVAL);
    char id[CURIA_ID_SIZE];
    assert(curia_start(rt, "pair", "\"\"", OFFLINE, NULL, id) == 0);
    assert(curia_subscribe(rt, id, 1, NULL, NULL) == CURIA_EINVAL);
    assert(curia_approve(rt, id, NULL, true, NULL) == CURIA_EINVAL);
    assert(curia_approve(rt, id, "c", true, NULL) == CURIA_EINVAL);
    assert(curia_state_json(rt, id, NULL) == 0);
    curia_close(rt, NULL, NULL);
    while (curia_step(rt, 0) >= 0)
        ;
}

static void expect_start(curia_runtime *rt, const char *council, const char *input,
                         const char *options, int code, const char *part) {
    int rc = curia_start(rt, council, input, options, NULL, NULL);
    const char *said = curia_error_message(rt);
    if (rc != code || !strstr(said, part)) fprintf(stderr, "%d: %s\n", rc, said);
    assert(rc == code && strstr(said, part));
    assert(*curia_error_json(rt) == '{');
}

static void test_wrong_texts(void) {
    curia_runtime *rt = new_runtime(NULL, 2);
    const char *json;
    char options[400];
    load_council(rt, COUNCIL);
    expect_start(rt, "piar", "\"\"", NULL, CURIA_ECOUNCIL, "'pair'");
    expect_start(rt, "pair", "{", NULL, CURIA_EPARSE, "input");
    expect_start(rt, "pair", "", NULL, CURIA_EPARSE, "input");
    expect_start(rt, "pair", "5", NULL, CURIA_EINVAL, "input");
    expect_start(rt, "pair", "[]", NULL, CURIA_EINVAL, "input");
    expect_start(rt, "pair", "\"\"", "{]", CURIA_EPARSE, "options");
    expect_start(rt, "pair", "\"\"", "[]", CURIA_EINVAL, "options");
    expect_start(rt, "pair", "\"\"", "{\"ofline\":true}", CURIA_EINVAL, "'offline'");
    expect_start(rt, "pair", "\"\"", "{\"run_id\":7}", CURIA_EINVAL, "run_id");
    snprintf(options, sizeof options, "{\"run_id\":\"%0200d\"}", 1);
    expect_start(rt, "pair", "\"\"", options, CURIA_EINVAL, "127");
    assert(curia_list_json(rt, "{\"sttus\":\"running\"}", &json) < 0);
    assert(strstr(curia_error_message(rt), "'status'"));
    assert(curia_list_json(rt, "nope", &json) == CURIA_EPARSE);
    assert(curia_state_json(rt, "", &json) == CURIA_ENORUN);
    snprintf(options, sizeof options, "%0399d", 1);
    assert(curia_result_json(rt, options, &json) == CURIA_ENORUN);
    close_runtime(rt, NULL);
}

static void test_wrong_options(void) {
    curia_runtime *rt;
    curia_options options;
    static const char *const configs[] = {"{", "[]", "{\"lingr_ms\":1}", "{\"linger_ms\":\"x\"}"};
    for (int i = 0; i < 4; i++) {
        curia_options_init(&options);
        options.config = configs[i];
        int rc = curia_new(&options, &rt);
        assert(rc == (i ? CURIA_EINVAL : CURIA_EPARSE) && !rt);
    }
    curia_options_init(&options);
    options.size = 3;
    assert(curia_new(&options, &rt) == CURIA_EINVAL);
    options.size = sizeof options + 1;
    assert(curia_new(&options, &rt) == CURIA_EINVAL);
    options.size = offsetof(curia_options, states); /* an older caller's */
    assert(curia_new(&options, &rt) == 0);
    close_runtime(rt, NULL);
}

static void test_without_states(void) {
    curia_runtime *rt = new_runtime(NULL, 0);
    const char *json;
    assert(curia_load_string(rt, COUNCIL, strlen(COUNCIL), "x", NULL) == CURIA_EINVAL);
    assert(curia_start(rt, "pair", "\"\"", NULL, NULL, NULL) == CURIA_EINVAL);
    assert(curia_state_json(rt, "x", &json) == CURIA_ENORUN);
    assert(curia_list_json(rt, NULL, &json) == 0 && !strcmp(json, "[]"));
    assert(curia_open(rt, NULL) == 0);
    load_council(rt, COUNCIL);
    close_runtime(rt, NULL);
}

/* ---- inside of callbacks --------------------------------------------------------------------- */

typedef struct {
    curia_runtime *rt;
    int events, ends;
} inside;

static void event_inside(void *arg, const char *id, const char *event, size_t length) {
    inside *in = arg;
    const char *json;
    (void)event;
    (void)length;
    assert(curia_step(in->rt, 0) == CURIA_EBUSY && curia_close(in->rt, NULL, NULL) == CURIA_EBUSY);
    assert(curia_state_json(in->rt, id, &json) == 0 && curia_list_json(in->rt, NULL, &json) == 0);
    assert(curia_start(in->rt, "pair", "{", NULL, NULL, NULL) == CURIA_EPARSE);
    if (in->events++ == 0) assert(curia_start(in->rt, "pair", "\"\"", OFFLINE, NULL, NULL) == 0);
    if (in->events == 3) assert(curia_cancel(in->rt, id, "from inside") == 0);
}

static void end_inside(void *arg, const char *id, const char *status, const char *result,
                       size_t length) {
    inside *in = arg;
    (void)result;
    (void)length;
    assert(curia_step(in->rt, 0) == CURIA_EBUSY && curia_close(in->rt, NULL, NULL) == CURIA_EBUSY);
    assert(curia_terminate(in->rt, id) == 0);
    assert(!strcmp(status, "cancelled"));
    in->ends++;
}

static void test_inside_of_callbacks(void) {
    curia_runtime *rt = new_runtime(NULL, 1);
    inside in = {.rt = rt};
    curia_callbacks callbacks = {.arg = &in, .on_event = event_inside, .on_end = end_inside};
    load_council(rt, COUNCIL);
    assert(curia_start(rt, "pair", "\"\"", OFFLINE, &callbacks, NULL) == 0);
    while (!in.ends)
        curia_step(rt, 0);
    close_runtime(rt, NULL);
}

static void terminate_inside(void *arg, const char *id, const char *event, size_t length) {
    inside *in = arg;
    (void)event;
    (void)length;
    in->events++;
    assert(curia_terminate(in->rt, id) == 0);
}

static void note_end(void *arg, const char *id, const char *status, const char *result,
                     size_t length) {
    (void)id;
    (void)result;
    (void)length;
    assert(!strcmp(status, "terminated"));
    ((inside *)arg)->ends++;
}

static void test_terminating_inside(void) {
    curia_runtime *rt = new_runtime(NULL, 1);
    inside in = {.rt = rt};
    curia_callbacks callbacks = {.arg = &in, .on_event = terminate_inside, .on_end = note_end};
    load_council(rt, COUNCIL);
    assert(curia_start(rt, "pair", "\"\"", OFFLINE, &callbacks, NULL) == 0);
    while (!in.ends)
        curia_step(rt, 0);
    assert(in.events == 1);
    close_runtime(rt, NULL);
}

static void close_again(curia_runtime *rt, void *arg) {
    (void)arg;
    assert(curia_close(rt, NULL, NULL) == 0);
    assert(curia_close(rt, NULL, NULL) == CURIA_ECLOSED);
}

static void test_closing_by_post(void) {
    curia_runtime *rt = new_runtime(NULL, 2);
    assert(curia_post(rt, close_again, NULL) == 0);
    while (curia_step(rt, 0) >= 0)
        ;
    expect_gone(rt);
}

/* The callback of closing is the last: the runtime is gone for it already. */
static void look_at_it(void *rt, int status) {
    assert(status == 0);
    expect_gone(rt);
}

static void test_calling_when_closed(void) {
    curia_runtime *rt = new_runtime(NULL, 1);
    assert(curia_close(rt, look_at_it, rt) == 0);
    while (curia_step(rt, 0) >= 0)
        ;
}

int main(void) {
    test_handles();
    test_nothing_given();
    test_no_run_given();
    test_wrong_texts();
    test_wrong_options();
    test_without_states();
    test_inside_of_callbacks();
    test_terminating_inside();
    test_closing_by_post();
    test_calling_when_closed();
    return 0;
}
