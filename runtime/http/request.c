/* Checks a request and copies it into one block: the header list as libcurl takes it, the texts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "error.h"
#include "http/client.h"

/* Two headers of libcurl's own are always held back: Expect, which would cost a round trip, and
 * the content type of HTML forms. Ours says who asks; libcurl would put the option for it together
 * anew for each request. */
enum { EXTRA_HEADERS = 3 };

static bool is_token(const char *text) {
    static const char others[] = "!#$%&'*+-.^_`|~";
    if (!*text) return false;
    for (; *text; text++) {
        bool letter = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z');
        if (!letter && !(*text >= '0' && *text <= '9') && !strchr(others, *text)) return false;
    }
    return true;
}

/* No control bytes (a line end would begin a header of its own). */
static bool is_line(const char *text) {
    for (; *text; text++)
        if ((unsigned char)*text < ' ' ? *text != '\t' : *text == 0x7f) return false;
    return true;
}

static bool is_blank(const char *text) {
    return text[strspn(text, " \t")] == 0;
}

/* The part of a URL after "http://" or "https://"; NULL if it is neither or has blanks in it. */
static const char *after_scheme(const char *url) {
    size_t length = strncasecmp(url, "http://", 7) == 0 ? 7 : 8;
    if (length == 8 && strncasecmp(url, "https://", 8) != 0) return NULL;
    return strpbrk(url, " \t") || !is_line(url) ? NULL : url + length;
}

bool curia__http_is_tls(const char *url) {
    return (url[4] | 0x20) == 's';
}

/* Host and port, without user and password. */
static void find_origin(curia__exchange *ex, const char *url) {
    const char *start = after_scheme(url), *end = start + strcspn(start, "/?#");
    for (const char *at = start; at < end; at++)
        if (*at == '@') start = at + 1;
    ex->origin = start;
    ex->origin_length = (int)(end - start);
}

static size_t size_of(const curia__http_request *r) {
    size_t size = (r->header_count + EXTRA_HEADERS) * sizeof(struct curl_slist);
    for (size_t i = 0; i < r->header_count; i++)
        size += strlen(r->headers[i].name) + strlen(r->headers[i].value) + 3;
    return size + strlen(r->url) + 1 + r->body_size;
}

static char *put(char *out, const char *text) {
    size_t length = strlen(text);
    memcpy(out, text, length);
    return out + length;
}

/* libcurl takes "name;" for a header without a value. */
static char *put_header(char *out, const curia__http_header *h) {
    out = put(out, h->name);
    if (is_blank(h->value)) {
        *out++ = ';';
    } else {
        *out++ = ':';
        *out++ = ' ';
        out = put(out, h->value);
    }
    *out = 0;
    return out + 1;
}

static void append(struct curl_slist *list, size_t i, char *line) {
    list[i] = (struct curl_slist){.data = line};
    if (i > 0) list[i - 1].next = &list[i];
}

static bool has_header(const curia__http_request *r, const char *name) {
    for (size_t i = 0; i < r->header_count; i++)
        if (strcasecmp(r->headers[i].name, name) == 0) return true;
    return false;
}

/* Writes the headers at `out`; returns where they end. */
static char *put_headers(struct curl_slist *list, char *out, const curia__http_request *r) {
    static char no_expect[] = "Expect:", no_type[] = "Content-Type:",
                agent[] = "User-Agent: curia/" CURIA_VERSION;
    size_t count = 0;
    for (size_t i = 0; i < r->header_count; i++) {
        append(list, count++, out);
        out = put_header(out, &r->headers[i]);
    }
    append(list, count++, no_expect);
    if (!has_header(r, "content-type")) append(list, count++, no_type);
    if (!has_header(r, "user-agent")) append(list, count, agent);
    return out;
}

static int refuse(curia__exchange *ex, const char *format, const char *name) {
    char text[256];
    snprintf(text, sizeof text, format, name);
    ex->message = strdup(text);
    return CURIA_EINVAL;
}

/* Says what is wrong without showing it: a value may be a secret (a key with a line end in it). */
static int check(curia__exchange *ex, const curia__http_request *r) {
    if (!after_scheme(r->url)) return refuse(ex, "the URL is no http or https address%s", "");
    if (r->paths && r->stream) return refuse(ex, "a body is decoded or streamed, not both%s", "");
    for (size_t i = 0; i < r->header_count; i++) {
        const curia__http_header *h = &r->headers[i];
        if (!is_token(h->name)) return refuse(ex, "'%s' is no name of a header", h->name);
        if (!is_line(h->value))
            return refuse(ex, "the header '%s' has a line end or control byte in it", h->name);
    }
    return 0;
}

int curia__http_request_pack(curia__exchange *ex, const curia__http_request *r) {
    int rc = check(ex, r);
    if (rc) return rc;
    char *block = malloc(size_of(r));
    if (!block) return CURIA_ENOMEM;
    ex->request = block;
    char *out = block + (r->header_count + EXTRA_HEADERS) * sizeof(struct curl_slist);
    ex->url = put_headers((struct curl_slist *)(void *)block, out, r);
    out = put(ex->url, r->url);
    *out++ = 0;
    find_origin(ex, ex->url);
    ex->request_body = out;
    if (r->body_size) memcpy(out, r->body, r->body_size);
    return 0;
}
