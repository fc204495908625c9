/* Many runs that wait for an answer: what they need and how long they hold the loop.
 *
 *     mock --port 18080 --latency-ms 15000 --answer-bytes 1500 &
 *     parked --url http://127.0.0.1:18080 [--runs 10000] [--states 8] [--budget-us 10000]
 *
 * Starts the runs, each with one member, in batches so that the loop turns meanwhile; waits until
 * all answers have come. Prints the memory before, while all are parked and at its most, and the
 * longest and the 99th percentile of the turns of the loop in each phase. The server is a process
 * of its own. */
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "curia.h"

enum { BATCH = 20, MOST_TURNS = 1 << 20 };

static struct {
    const char *url;
    int runs, states, budget_us;
} options = {NULL, 10000, 8, 10000};

#define USAGE "usage: parked --url URL [--runs N] [--states N] [--budget-us N]"

static int ended, failed;

static void die(const char *what) {
    fprintf(stderr, "parked: %s\n", what);
    exit(1);
}

static uint64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* A line of /proc/self/status, in MB. */
static double memory_mb(const char *name) {
    FILE *file = fopen("/proc/self/status", "r");
    char line[200];
    long kb = 0;
    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, name, strlen(name))) kb = strtol(line + strlen(name) + 1, NULL, 10);
    if (file) fclose(file);
    return (double)kb / 1024;
}

/* ---- turns ----------------------------------------------------------------------------------- */

static uint64_t turns[MOST_TURNS];
static int turn_count;

static void turn(curia_runtime *rt) {
    uint64_t from = now_us();
    curia_step(rt, (unsigned)options.budget_us);
    if (turn_count < MOST_TURNS) turns[turn_count++] = now_us() - from;
}

static int ascending(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* In milliseconds; the turns must be sorted. */
static double percentile(int percent) {
    int place = (turn_count - 1) * percent / 100;
    return (double)turns[place] / 1e3;
}

static void report(const char *phase) {
    if (!turn_count) return;
    qsort(turns, (size_t)turn_count, sizeof *turns, ascending);
    printf("%-9s %7d turns   p50 %7.2f ms   p99 %7.2f ms   max %7.2f ms   %6.0f MB\n", phase,
           turn_count, percentile(50), percentile(99), percentile(100), memory_mb("VmRSS:"));
    turn_count = 0;
}

static void wait_and_turn(curia_runtime *rt, int most_ms) {
    int timeout_ms = curia_timeout_ms(rt);
    struct pollfd fd = {.fd = curia_fd(rt), .events = POLLIN};
    poll(&fd, 1, timeout_ms < 0 || timeout_ms > most_ms ? most_ms : timeout_ms);
    turn(rt);
}

/* ---- the runs -------------------------------------------------------------------------------- */

static void on_end(void *arg, const char *run_id, const char *status, const char *result,
                   size_t length) {
    (void)arg;
    (void)run_id;
    (void)length;
    ended++;
    if (strcmp(status, "completed") != 0 && failed++ == 0) fprintf(stderr, "parked: %s\n", result);
}

static const char council[] = "council 'parked' {\n"
                              "  member 'a' { provider = 'mock', model = 'm' },\n"
                              "  round 'independent_analysis',\n"
                              "}\n";

static curia_runtime *open_runtime(void) {
    char config[300];
    snprintf(config, sizeof config,
             "{\"linger_ms\":0,\"providers\":{\"mock\":{\"adapter\":\"openai_chat\","
             "\"api_key\":\"none\",\"base_url\":\"%s/v1\",\"limits\":{\"concurrency\":%d}}}}",
             options.url, options.runs);
    curia_options made;
    curia_options_init(&made);
    made.config = config;
    made.states = (unsigned)options.states;
    curia_runtime *rt;
    if (curia_new(&made, &rt)) die("curia_new failed");
    if (curia_load_string(rt, council, strlen(council), "parked.lua", NULL))
        die(curia_error_message(rt));
    return rt;
}

static void start_all(curia_runtime *rt) {
    curia_callbacks callbacks = {.on_end = on_end};
    for (int i = 0; i < options.runs; i++) {
        if (curia_start(rt, "parked", "\"What should a team measure first, and why?\"",
                        "{\"retry\":{\"attempts\":1}}", &callbacks, NULL))
            die(curia_error_message(rt));
        if (i % BATCH == 0) turn(rt);
    }
}

static void park(curia_runtime *rt, int ms) {
    for (uint64_t end = now_us() + (uint64_t)ms * 1000; now_us() < end && !ended;)
        wait_and_turn(rt, 20);
}

static void read_options(int argc, char **argv) {
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--url"))
            options.url = argv[i + 1];
        else if (!strcmp(argv[i], "--runs"))
            options.runs = (int)strtol(argv[i + 1], NULL, 10);
        else if (!strcmp(argv[i], "--states"))
            options.states = (int)strtol(argv[i + 1], NULL, 10);
        else if (!strcmp(argv[i], "--budget-us"))
            options.budget_us = (int)strtol(argv[i + 1], NULL, 10);
        else
            die(USAGE);
    }
    if (!options.url) die(USAGE);
}

int main(int argc, char **argv) {
    read_options(argc, argv);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    curia_runtime *rt = open_runtime();
    printf("%d runs in %d states; %.0f MB before\n", options.runs, options.states,
           memory_mb("VmRSS:"));
    start_all(rt);
    report("starting");
    park(rt, 5000);
    report("parked");
    while (ended < options.runs)
        wait_and_turn(rt, 20);
    report("ending");
    printf("%d failed; %.0f MB at most\n", failed, memory_mb("VmHWM:"));
    curia_close(rt, NULL, NULL);
    while (curia_step(rt, 0) >= 0)
        usleep(1000);
    return failed > 0;
}
