/* The ceiling: the benchmark's council on bare libcurl and libuv, by hand. It does nothing that a
 * runtime would add (no scripts, no events, no retries, no validation, no JSON parser), so it marks
 * what a single thread with these two libraries can reach.
 *
 *     ceiling --url URL --runs N --concurrency C --stream 0|1
 *
 * What makes it fast: easy handles and connections are used again; one multi handle per 32 concurrent
 * runs, as libcurl looks through all connections of one for an idle one; and the watch on a socket
 * stays while its connection lives, although libcurl takes its interest back after each answer.
 */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include "buffer.h"

#define QUESTION "What should a small team measure first when it builds an agent runtime, and why?"
#define MEMBER "You are member %d of a council of three. Answer the question briefly and honestly."
#define CHAIR "You are the chair of a council of three. Write the final answer."
#define REVIEW "Review these answers: name the best point and the worst mistake of each."

enum { MEMBERS = 3, RUNS_PER_MULTI = 32 };

typedef struct {
    CURLM *multi;
    uv_timer_t timer;
} pool;

typedef struct {
    pool *pool;
    int stage, pending; /* 0: answers, 1: reviews, 2: the chair; calls under way */
    bool failed;
    uint64_t started_ns;
    curia__buffer answers[MEMBERS], reviews[MEMBERS], final;
} run;

typedef struct call call;
struct call {
    CURL *easy;
    run *run;
    curia__buffer body, in; /* in: bytes of the answer that have not been read yet */
    curia__buffer *content; /* where the text goes */
    call *next;             /* among the idle ones */
};

/* One per socket, while its connection lives. */
typedef struct {
    uv_poll_t poll;
    pool *pool;
    int events;  /* that are watched */
    bool wanted; /* libcurl waits for it */
} watch;

static struct {
    const char *url;
    int runs, concurrency, stream;
} options = {NULL, 100, 10, 0};

static uv_loop_t *loop;
static char url[1024];
static struct curl_slist *headers;
static pool *pools;
static int pool_count;
static call *idle_calls;
static watch **watches; /* by file descriptor */
static int watch_count;
static int started, finished, succeeded;
static size_t final_bytes;
static double *times_ms;
static run *runs; /* under way */

static void die(const char *what) {
    fprintf(stderr, "ceiling: %s\n", what);
    exit(1);
}

static void add(curia__buffer *b, const char *data, size_t size) {
    if (curia__buffer_append(b, data, size)) die("out of memory");
}

static void add_text(curia__buffer *b, const char *text) {
    add(b, text, strlen(text));
}

/* ---- JSON, as much as is needed ----------------------------------------------------------- */

static void add_escaped(curia__buffer *b, const char *text, size_t size) {
    size_t from = 0;
    for (size_t i = 0; i < size; i++) {
        char c = text[i], escape[8];
        if ((unsigned char)c >= 0x20 && c != '"' && c != '\\') continue;
        add(b, text + from, i - from);
        from = i + 1;
        if (c == '"' || c == '\\')
            snprintf(escape, sizeof escape, "\\%c", c);
        else
            snprintf(escape, sizeof escape, c == '\n' ? "\\n" : "\\u%04x", (unsigned char)c);
        add_text(b, escape);
    }
    add(b, text + from, size - from);
}

/* Appends the string that begins after the quote at `at`; false when it does not end. The mock's
 * escapes are of one character. */
static bool add_unescaped(curia__buffer *b, const char *at, const char *end) {
    const char *from = at;
    for (; at < end && *at != '"'; at++) {
        if (*at != '\\') continue;
        add(b, from, (size_t)(at - from));
        add(b, at[1] == 'n' ? "\n" : at + 1, 1);
        from = ++at + 1;
    }
    add(b, from, (size_t)(at - from));
    return at < end;
}

static bool add_content(curia__buffer *b, const char *json, size_t size, const char *object) {
    const char *end = json + size, *at = memmem(json, size, object, strlen(object));
    if (at) at = memmem(at, (size_t)(end - at), "\"content\":\"", 11);
    return at && add_unescaped(b, at + 11, end);
}

static void take_events(call *c) {
    char *at = c->in.data, *end = at + c->in.size, *line_end;
    while ((line_end = memchr(at, '\n', (size_t)(end - at)))) {
        if (line_end - at > 6 && memcmp(at, "data: {", 7) == 0)
            add_content(c->content, at, (size_t)(line_end - at), "\"delta\"");
        at = line_end + 1;
    }
    curia__buffer_consume(&c->in, (size_t)(at - c->in.data));
}

/* ---- calls -------------------------------------------------------------------------------- */

static size_t on_data(char *data, size_t one, size_t size, void *arg) {
    call *c = arg;
    add(&c->in, data, one * size);
    if (options.stream) take_events(c);
    return one * size;
}

static void free_watch(uv_handle_t *handle) {
    free(handle->data);
}

static int on_close_socket(void *arg, curl_socket_t fd) {
    (void)arg;
    if (fd < watch_count && watches[fd]) {
        uv_close((uv_handle_t *)&watches[fd]->poll, free_watch);
        watches[fd] = NULL;
    }
    return close(fd);
}

static call *new_call(void) {
    call *c = calloc(1, sizeof *c);
    if (!c || !(c->easy = curl_easy_init())) die("out of memory");
    curl_easy_setopt(c->easy, CURLOPT_URL, url);
    curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, 120000L);
    curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(c->easy, CURLOPT_PRIVATE, c);
    curl_easy_setopt(c->easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
    return c;
}

static call *take_call(void) {
    call *c = idle_calls;
    if (!c) return new_call();
    idle_calls = c->next;
    return c;
}

static void start_call(run *r, const char *system, const curia__buffer *user,
                       curia__buffer *content) {
    call *c = take_call();
    c->run = r;
    c->content = content;
    curia__buffer_clear(&c->in);
    curia__buffer_clear(&c->body);
    add_text(&c->body, "{\"model\":\"mock-1\",\"messages\":[{\"role\":\"system\",\"content\":\"");
    add_text(&c->body, system);
    add_text(&c->body, "\"},{\"role\":\"user\",\"content\":\"");
    add_escaped(&c->body, user->data, user->size);
    add_text(&c->body, options.stream
                           ? "\"}],\"stream\":true,\"stream_options\":{\"include_usage\":true}}"
                           : "\"}]}");
    curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, c->body.data);
    curl_easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE, (long)c->body.size);
    r->pending++;
    if (curl_multi_add_handle(r->pool->multi, c->easy)) die("curl_multi_add_handle");
}

/* ---- runs --------------------------------------------------------------------------------- */

static void add_list(curia__buffer *b, const char *title, const curia__buffer *texts) {
    char label[16];
    add_text(b, title);
    for (int i = 0; i < MEMBERS; i++) {
        snprintf(label, sizeof label, "\n\n[%d] ", i + 1);
        add_text(b, label);
        add(b, texts[i].data, texts[i].size);
    }
    add_text(b, "\n\n");
}

static void start_members(run *r, const curia__buffer *user, curia__buffer *contents) {
    char system[128];
    for (int i = 0; i < MEMBERS; i++) {
        snprintf(system, sizeof system, MEMBER, i + 1);
        start_call(r, system, user, &contents[i]);
    }
}

static void start_stage(run *r) {
    static curia__buffer user; /* copied into each body */
    curia__buffer_clear(&user);
    if (r->stage == 0) {
        add_text(&user, QUESTION);
        start_members(r, &user, r->answers);
        return;
    }
    add_text(&user, "Question: " QUESTION "\n\n");
    add_list(&user, "Answers:", r->answers);
    if (r->stage == 1) {
        add_text(&user, REVIEW);
        start_members(r, &user, r->reviews);
        return;
    }
    add_list(&user, "Reviews:", r->reviews);
    add_text(&user, "Write the final answer.");
    start_call(r, CHAIR, &user, &r->final);
}

static void start_run(run *r) {
    r->pool = &pools[started++ % pool_count];
    r->stage = 0;
    r->failed = false;
    r->started_ns = uv_hrtime();
    for (int i = 0; i < MEMBERS; i++) {
        curia__buffer_clear(&r->answers[i]);
        curia__buffer_clear(&r->reviews[i]);
    }
    curia__buffer_clear(&r->final);
    start_stage(r);
}

static void end_run(run *r) {
    times_ms[finished++] = (double)(uv_hrtime() - r->started_ns) / 1e6;
    if (!r->failed && r->final.size) {
        succeeded++;
        final_bytes = r->final.size;
    }
    if (started < options.runs)
        start_run(r);
    else if (finished == options.runs)
        uv_stop(loop);
}

static void end_call(call *c, CURLcode code) {
    run *r = c->run;
    long status = 0;
    curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    bool ok = code == CURLE_OK && status == 200;
    if (ok && !options.stream) ok = add_content(c->content, c->in.data, c->in.size, "\"message\"");
    if (!ok) r->failed = true;
    c->next = idle_calls;
    idle_calls = c;
    if (--r->pending) return;
    if (r->failed || ++r->stage == 3)
        end_run(r);
    else
        start_stage(r);
}

static void take_finished(pool *p) {
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(p->multi, &left))) {
        CURL *easy = message->easy_handle;
        CURLcode code = message->data.result;
        call *c = NULL;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&c);
        curl_multi_remove_handle(p->multi, easy);
        end_call(c, code);
    }
}

/* ---- libuv under libcurl ------------------------------------------------------------------ */

static void on_poll(uv_poll_t *handle, int status, int events) {
    watch *w = handle->data;
    if (!w->wanted) { /* the server has closed an idle connection */
        uv_poll_stop(handle);
        w->events = 0;
        return;
    }
    int mask = status < 0 ? CURL_CSELECT_ERR : 0, running;
    if (events & UV_READABLE) mask |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE) mask |= CURL_CSELECT_OUT;
    uv_os_fd_t fd;
    pool *p = w->pool;
    uv_fileno((uv_handle_t *)handle, &fd);
    curl_multi_socket_action(p->multi, fd, mask, &running);
    take_finished(p);
}

static watch *watch_of(int fd) {
    if (fd >= watch_count) {
        int count = 2 * fd + 64;
        watches = realloc(watches, (size_t)count * sizeof(watch *));
        if (!watches) die("out of memory");
        memset(watches + watch_count, 0, (size_t)(count - watch_count) * sizeof(watch *));
        watch_count = count;
    }
    if (!watches[fd]) {
        watch *w = calloc(1, sizeof *w);
        if (!w) die("out of memory");
        uv_poll_init_socket(loop, &w->poll, fd);
        w->poll.data = w;
        watches[fd] = w;
    }
    return watches[fd];
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *mine) {
    (void)easy;
    (void)mine;
    if (what == CURL_POLL_REMOVE) {
        if (fd < watch_count && watches[fd]) watches[fd]->wanted = false;
        return 0;
    }
    watch *w = watch_of(fd);
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    w->pool = arg;
    w->wanted = true;
    if (events != w->events) uv_poll_start(&w->poll, events, on_poll);
    w->events = events;
    return 0;
}

static void on_uv_timer(uv_timer_t *timer) {
    pool *p = timer->data;
    int running;
    curl_multi_socket_action(p->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    take_finished(p);
}

static int on_curl_timer(CURLM *multi, long ms, void *arg) {
    (void)multi;
    pool *p = arg;
    if (ms < 0)
        uv_timer_stop(&p->timer);
    else
        uv_timer_start(&p->timer, on_uv_timer, (uint64_t)ms, 0);
    return 0;
}

static void open_pools(void) {
    pool_count = options.concurrency / RUNS_PER_MULTI + 1;
    pools = calloc((size_t)pool_count, sizeof *pools);
    if (!pools) die("out of memory");
    for (pool *p = pools; p < pools + pool_count; p++) {
        p->multi = curl_multi_init();
        p->timer.data = p;
        uv_timer_init(loop, &p->timer);
        curl_multi_setopt(p->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
        curl_multi_setopt(p->multi, CURLMOPT_SOCKETDATA, p);
        curl_multi_setopt(p->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
        curl_multi_setopt(p->multi, CURLMOPT_TIMERDATA, p);
        curl_multi_setopt(p->multi, CURLMOPT_MAXCONNECTS, 100000L);
    }
}

/* ---- the program -------------------------------------------------------------------------- */

static double cpu_s(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static double peak_rss_mb(void) {
    char line[256];
    long kb = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "VmHWM:", 6) == 0) kb = strtol(line + 6, NULL, 10);
    if (file) fclose(file);
    return (double)kb / 1024;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double percentile(double share) {
    int i = (int)(share * finished);
    return times_ms[i < finished ? i : finished - 1];
}

static void report(double wall_s, double used_s) {
    qsort(times_ms, (size_t)finished, sizeof *times_ms, by_size);
    printf("{\"peer\":\"ceiling\",\"runs\":%d,\"ok\":%d,\"wall_s\":%.4f,\"cpu_s\":%.6f,"
           "\"runs_per_s\":%.2f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_rss_mb\":%.2f,"
           "\"final_bytes\":%zu,\"runtime\":\"%.40s\"}\n",
           options.runs, succeeded, wall_s, used_s, options.runs / wall_s, percentile(0.5),
           percentile(0.99), peak_rss_mb(), final_bytes, curl_version());
}

static void read_options(int argc, char **argv) {
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--url") == 0) options.url = argv[i + 1];
        int value = (int)strtol(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--runs") == 0) options.runs = value;
        if (strcmp(argv[i], "--concurrency") == 0) options.concurrency = value;
        if (strcmp(argv[i], "--stream") == 0) options.stream = value;
    }
    if (!options.url || options.runs < 1 || options.concurrency < 1) {
        fputs("usage: ceiling --url URL --runs N --concurrency C --stream 0|1\n", stderr);
        exit(64);
    }
    if (options.concurrency > options.runs) options.concurrency = options.runs;
    snprintf(url, sizeof url, "%s/v1/chat/completions", options.url);
}

static void raise_file_limit(void) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

int main(int argc, char **argv) {
    read_options(argc, argv);
    raise_file_limit();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    loop = uv_default_loop();
    headers = curl_slist_append(NULL, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Authorization: Bearer none");
    headers = curl_slist_append(headers, "Expect:");
    times_ms = calloc((size_t)options.runs, sizeof *times_ms);
    runs = calloc((size_t)options.concurrency, sizeof *runs);
    if (!headers || !times_ms || !runs) die("out of memory");
    open_pools();
    double cpu = cpu_s();
    uint64_t wall_ns = uv_hrtime();
    for (int i = 0; i < options.concurrency; i++)
        start_run(&runs[i]);
    uv_run(loop, UV_RUN_DEFAULT);
    report((double)(uv_hrtime() - wall_ns) / 1e9, cpu_s() - cpu);
    return succeeded == options.runs ? 0 : 1;
}
