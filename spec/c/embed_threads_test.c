/* Threads: runtimes of their own on each, posting from others, calls from the wrong one. */
#include "embed_support.h"

static void *live_often(void *lives) {
    for (int i = 0; i < *(int *)lives; i++)
        live();
    return NULL;
}

static void test_two_runtimes(int lives) {
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert(pthread_create(&threads[i], NULL, live_often, &lives) == 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

/* ---- the wrong thread ------------------------------------------------------------------------ */

static void *call_all(void *arg) {
    curia_runtime *rt = arg;
    const char *json;
    assert(curia_open(rt, NULL) == CURIA_ETHREAD);
    assert(curia_load_file(rt, "x", NULL) == CURIA_ETHREAD);
    assert(curia_load_string(rt, "", 0, "x", NULL) == CURIA_ETHREAD);
    assert(curia_validate(rt, "", 0, "x", &json) == CURIA_ETHREAD);
    assert(curia_start(rt, "x", "\"\"", NULL, NULL, NULL) == CURIA_ETHREAD);
    assert(curia_cancel(rt, "x", NULL) == CURIA_ETHREAD);
    assert(curia_terminate(rt, "x") == CURIA_ETHREAD);
    assert(curia_approve(rt, "x", "y", true, NULL) == CURIA_ETHREAD);
    assert(curia_state_json(rt, "x", &json) == CURIA_ETHREAD);
    assert(curia_result_json(rt, "x", &json) == CURIA_ETHREAD);
    assert(curia_list_json(rt, NULL, &json) == CURIA_ETHREAD);
    assert(curia_subscribe(rt, "x", 1, NULL, NULL) == CURIA_ETHREAD);
    assert(curia_unsubscribe(rt, 1) == CURIA_ETHREAD);
    assert(curia_step(rt, 0) == CURIA_ETHREAD && curia_fd(rt) == CURIA_ETHREAD);
    assert(curia_timeout_ms(rt) == 0);
    assert(curia_close(rt, NULL, NULL) == CURIA_ETHREAD);
    assert(!*curia_error_message(rt) && !strcmp(curia_error_json(rt), "null"));
    return NULL;
}

static void test_wrong_thread(void) {
    curia_runtime *rt = new_runtime(NULL, 1);
    pthread_t thread;
    pthread_create(&thread, NULL, call_all, rt);
    pthread_join(thread, NULL);
    close_runtime(rt, NULL);
}

/* ---- posting --------------------------------------------------------------------------------- */

enum { POSTS = 2000, POSTERS = 3 };

static int ran; /* on the runtime's thread only */

static void count_post(curia_runtime *rt, void *arg) {
    (void)rt;
    (void)arg;
    ran++;
}

/* Until it is refused; gives how many were taken. */
static void *post_many(void *rt) {
    intptr_t taken = 0;
    for (int i = 0; i < POSTS; i++)
        taken += curia_post(rt, count_post, NULL) == 0;
    return (void *)taken;
}

/* Whoever was told 0 is called, also by a runtime that closes meanwhile. */
static void test_posting_while_closing(bool owned) {
    uv_loop_t loop;
    assert(uv_loop_init(&loop) == 0);
    curia_runtime *rt = new_runtime(owned ? NULL : &loop, 1);
    pthread_t threads[POSTERS];
    ran = 0;
    for (int i = 0; i < POSTERS; i++)
        pthread_create(&threads[i], NULL, post_many, rt);
    for (int i = 0; i < 3; i++)
        owned ? curia_step(rt, 0) : uv_run(&loop, UV_RUN_NOWAIT);
    close_runtime(rt, owned ? NULL : &loop);
    intptr_t taken = 0;
    for (int i = 0; i < POSTERS; i++) {
        void *own;
        pthread_join(threads[i], &own);
        taken += (intptr_t)own;
    }
    assert(ran == taken);
    assert(curia_post(rt, count_post, NULL) == CURIA_ECLOSED);
    assert(uv_loop_close(&loop) == 0);
}

/* What a posted function may do: everything but turn the loop. */
static void start_run(curia_runtime *rt, void *arg) {
    curia_callbacks callbacks = watch(arg);
    assert(curia_step(rt, 0) == CURIA_EBUSY);
    assert(curia_start(rt, "pair", "\"?\"", OFFLINE, &callbacks, NULL) == 0);
}

static void test_starting_by_post(void) {
    curia_runtime *rt = new_runtime(NULL, 1);
    watched w = {0};
    load_council(rt, COUNCIL);
    assert(curia_post(rt, start_run, &w) == 0);
    step_until_end(rt, &w);
    close_runtime(rt, NULL);
}

int main(void) {
    test_two_runtimes(IS_TSAN ? 3 : IS_SLOW ? 10 : 30);
    test_wrong_thread();
    for (int i = 0; i < 10; i++) {
        test_posting_while_closing(true);
        test_posting_while_closing(false);
    }
    test_starting_by_post();
    return 0;
}
