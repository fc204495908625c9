/* A game: 60 frames a second in a terminal, in which a council speaks while a ship sails.
 *
 *     game [--frames N] [--council FILE.lua] [--question TEXT]
 *
 * Each frame gives Curia at most 500 microseconds. The members' words come as events and are shown as they
 * come; at the end the game tells how long its frames and Curia's part of them took. Without a council: two
 * members, offline. Plain ANSI, no library. */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "curia.h"

enum { FPS = 60, WIDTH = 64, SEATS = 4, WORDS = 200, FRAMES_MOST = 100000, BUDGET_US = 500 };

static const char CREW[] =
    "council 'crew' { profile = 'fast',\n"
    "  member 'helm' { stream = true }, member 'lookout' { stream = true },\n"
    "  round 'independent_analysis' {}, chair { stream = true } }\n";

typedef struct {
    char name[24], words[WORDS];
} seat;

typedef struct {
    seat seats[SEATS];
    int count;
    char status[24];
    uint32_t step_us[FRAMES_MOST], frame_us[FRAMES_MOST];
} game;

static game the_game;
static volatile sig_atomic_t stopped; /* by Ctrl-C: the game's signal, Curia takes none */

static void stop(int signal) {
    (void)signal;
    stopped = 1;
}

static uint64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* ---- what the council says --------------------------------------------------------------------- */

/* The text of a field of an event. An event is one JSON object; a game would use its JSON library. */
static void field(const char *event, const char *name, char *out, size_t size) {
    char key[32];
    snprintf(key, sizeof key, "\"%s\":\"", name);
    const char *at = strstr(event, key);
    size_t length = 0;
    for (at = at ? at + strlen(key) : ""; *at && *at != '"' && length + 1 < size; at++) {
        if (*at == '\\' && at[1]) at++;
        out[length++] = (unsigned char)*at < ' ' ? ' ' : *at;
    }
    out[length] = 0;
}

static seat *seat_of(game *g, const char *name) {
    for (int i = 0; i < g->count; i++)
        if (strcmp(g->seats[i].name, name) == 0) return &g->seats[i];
    if (g->count == SEATS) return NULL;
    snprintf(g->seats[g->count].name, sizeof g->seats[0].name, "%s", name);
    return &g->seats[g->count++];
}

static void on_event(void *arg, const char *run_id, const char *event, size_t length) {
    (void)run_id, (void)length;
    if (!strstr(event, "\"member_token\"")) return;
    char name[24], text[WORDS];
    field(event, "member", name, sizeof name);
    field(event, "text", text, sizeof text);
    seat *s = seat_of(arg, name);
    if (!s) return;
    size_t used = strlen(s->words);
    snprintf(s->words + used, sizeof s->words - used, "%s", text);
}

static void on_end(void *arg, const char *run_id, const char *status, const char *result,
                   size_t length) {
    (void)run_id, (void)result, (void)length;
    snprintf(((game *)arg)->status, sizeof the_game.status, "%s", status);
}

/* ---- the picture ------------------------------------------------------------------------------- */

static void draw(const game *g, int frame) {
    char sea[WIDTH + 1];
    for (int i = 0; i < WIDTH; i++)
        sea[i] = "~-~ "[(i + frame / 4) % 4];
    sea[WIDTH] = 0;
    memcpy(sea + frame / 3 % (WIDTH - 5), "\\_|_/", 5);
    printf("\033[H\033[36m%s\033[0m\033[K\n", sea);
    for (int i = 0; i < g->count; i++)
        printf("\033[1m%-8s\033[0m %.*s\033[K\n", g->seats[i].name, WIDTH, g->seats[i].words);
    printf("council: %s\033[K\n\033[J", *g->status ? g->status : "speaking");
    fflush(stdout);
}

static void sleep_until(uint64_t end_us) {
    uint64_t now = now_us();
    if (now >= end_us) return;
    struct timespec rest = {.tv_nsec = (long)(end_us - now) * 1000};
    nanosleep(&rest, NULL);
}

/* Gives how many frames there were. */
static int play(game *g, curia_runtime *rt, int frames) {
    uint64_t next = now_us();
    int i;
    fputs("\033[2J\033[?25l", stdout);
    for (i = 0; i < frames && !stopped; i++) {
        uint64_t began = now_us();
        curia_step(rt, BUDGET_US);
        g->step_us[i] = (uint32_t)(now_us() - began);
        draw(g, i);
        g->frame_us[i] = (uint32_t)(now_us() - began);
        sleep_until(next += 1000000 / FPS);
    }
    fputs("\033[?25h", stdout);
    return i;
}

/* ---- figures ----------------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void tell(const char *what, uint32_t *times, int count) {
    if (!count) return;
    qsort(times, (size_t)count, sizeof *times, by_size);
    printf("%-8s p50 %4u us   p99 %5u us   longest %5u us\n", what, times[count / 2],
           times[count * 99 / 100], times[count - 1]);
}

static const char *option(int argc, char **argv, const char *name) {
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0) return argv[i + 1];
    return NULL;
}

/* A text as a JSON string, as much of it as there is room for; a game would use its JSON library. */
static void quote(const char *text, char *out, size_t size) {
    const char *end = out + size - sizeof "\\u0000\"";
    *out++ = '"';
    for (; *text && out < end; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') *out++ = '\\';
        if (c < ' ')
            out += snprintf(out, 7, "\\u%04x", c);
        else
            *out++ = *text;
    }
    memcpy(out, "\"", 2);
}

int main(int argc, char **argv) {
    const char *file = option(argc, argv, "--council"), *count = option(argc, argv, "--frames");
    const char *question = option(argc, argv, "--question"), *name = NULL;
    int frames = count ? (int)strtol(count, NULL, 10) : 10 * FPS;
    if (frames < 1 || frames > FRAMES_MOST) {
        fprintf(stderr, "--frames: 1 to %d\n", FRAMES_MOST);
        return 64;
    }

    curia_runtime *rt;
    if (curia_new(NULL, &rt)) return 1;
    int rc = file ? curia_load_file(rt, file, &name)
                  : curia_load_string(rt, CREW, strlen(CREW), "crew.lua", &name);
    char council[128], input[512];
    snprintf(council, sizeof council, "%s", rc ? "" : name);
    quote(question ? question : "North or south?", input, sizeof input);
    curia_callbacks crew = {
        .arg = &the_game, .on_event = on_event, .on_end = on_end, .tokens = true};
    if (!rc) rc = curia_start(rt, council, input, file ? NULL : "{\"offline\": true}", &crew, NULL);
    if (rc) {
        fprintf(stderr, "%s\n", curia_error_message(rt));
    } else {
        signal(SIGINT, stop);
        frames = play(&the_game, rt, frames);
        tell("frame", the_game.frame_us, frames);
        tell("curia", the_game.step_us, frames);
    }
    curia_close(rt, NULL, NULL);
    while (curia_step(rt, 0) >= 0)
        sleep_until(now_us() + 1000);
    return rc != 0;
}
