/* TLS: what is trusted, and that a connection which dies raises no SIGPIPE. Needs the program
 * openssl; without it the test says so and passes. */
#undef NDEBUG
#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"
#include "http/http.h"

static curia__loop loop;
static char folder[] = "/tmp/curia-tls-XXXXXX", certificate[64], key[64], url[64];
static pid_t server;

static void deliver(curia__op *op, void *host) {
    (void)op, (void)host;
}

static void make_certificate(void) {
    char command[512];
    assert(mkdtemp(folder));
    snprintf(certificate, sizeof certificate, "%s/cert.pem", folder);
    snprintf(key, sizeof key, "%s/key.pem", folder);
    snprintf(command, sizeof command,
             "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
             "-subj /CN=curia -addext subjectAltName=IP:127.0.0.1 -keyout %s -out %s 2>/dev/null",
             key, certificate);
    assert(system(command) == 0);
}

static void start_server(void) {
    int out[2];
    char line[256];
    assert(pipe(out) == 0);
    server = fork();
    assert(server >= 0);
    if (server == 0) {
        dup2(out[1], 1);
        dup2(out[1], 2);
        close(out[0]);
        execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", certificate,
               "-key", key, "-www", (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    FILE *lines = fdopen(out[0], "r");
    const char *port = NULL;
    while (!port && fgets(line, sizeof line, lines))
        port = strstr(line, "127.0.0.1:");
    assert(port);
    snprintf(url, sizeof url, "https://%.*s/", (int)strcspn(port, "\n"), port);
    fclose(lines);
}

static void stop_server(void) {
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
}

static void clean_up(void) {
    unlink(certificate);
    unlink(key);
    rmdir(folder);
}

static void finish(curia__exchange *ex) {
    while (!ex->done)
        curia__loop_turn(&loop, true);
}

static curia__http_request get(void) {
    return (curia__http_request){.url = url, .connect_ms = 5000, .total_ms = 10000};
}

static void test_refused(void) {
    curia__exchange ex = {0};
    curia__http_request r = get();
    assert(curia__http_start(&loop, &r, &ex) == 0);
    finish(&ex);
    assert(ex.error == CURIA_ETLS && !ex.sent);
    assert(strstr(curia__exchange_message(&ex), "certificate"));
    curia__exchange_deinit(&ex);
}

static void test_trusted(void) {
    curia__exchange ex = {0};
    curia__http_request r = get();
    assert(curia__http_configure(&loop, &(curia__http_config){.ca_file = certificate}) == 0);
    assert(curia__http_start(&loop, &r, &ex) == 0);
    finish(&ex);
    assert(ex.error == 0 && ex.status == 200 && ex.body.size > 0);
    curia__exchange_deinit(&ex);
}

/* The handle of a request that was under way then is not used again as it is. */
static void test_trust_changed(void) {
    curia__exchange before = {0}, after = {0};
    curia__http_request r = get();
    assert(curia__http_start(&loop, &r, &before) == 0);
    assert(curia__http_configure(&loop, &(curia__http_config){.ca_file = "/nowhere.pem"}) == 0);
    finish(&before);
    assert(before.error == 0 && before.status == 200);
    assert(curia__http_start(&loop, &r, &after) == 0);
    finish(&after);
    assert(after.error == CURIA_ETLS && !after.sent);
    curia__exchange_deinit(&before);
    curia__exchange_deinit(&after);
    assert(curia__http_configure(&loop, &(curia__http_config){.ca_file = certificate}) == 0);
}

/* The server dies while a body is being sent; SIGPIPE has its default, deadly meaning here. */
static void test_no_signal(void) {
    size_t size = 32 << 20;
    curia__exchange ex = {0};
    curia__http_request r = get();
    r.method = CURIA__HTTP_POST;
    r.body = calloc(1, size);
    r.body_size = size;
    signal(SIGPIPE, SIG_DFL);
    assert(curia__http_start(&loop, &r, &ex) == 0);
    while (!ex.sent)
        curia__loop_turn(&loop, true);
    stop_server();
    finish(&ex);
    assert(ex.error == CURIA_ERESET || ex.error == CURIA_ECUT);
    curia__exchange_deinit(&ex);
    free((void *)r.body);
}

int main(void) {
    if (system("command -v openssl >/dev/null 2>&1") != 0) {
        puts("http over TLS: skipped, the program openssl is not installed");
        return 0;
    }
    make_certificate();
    start_server();
    assert(curia__loop_init(&loop, NULL, deliver, NULL) == 0);
    test_refused();
    test_trusted();
    test_trust_changed();
    test_no_signal();
    clean_up();
    assert(curia__loop_close(&loop, 1000, NULL) == 0);
    assert(curia__loop_deinit(&loop, NULL) == 0);
    puts("http over TLS: ok");
    return 0;
}
