/* Regular expressions: the dialect, and that nothing takes long. */
#undef NDEBUG
#include "regex.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "error.h"

static int find_in(const char *pattern, const char *text, size_t length) {
    curia__regex_error error;
    curia__regex *regex = curia__regex_new(pattern, strlen(pattern), &error);
    if (!regex) {
        fprintf(stderr, "%s: %s\n", pattern, error.reason);
        abort();
    }
    int64_t steps;
    int found = curia__regex_find(regex, text, length, &steps);
    assert(steps >= 0);
    curia__regex_free(regex);
    return found;
}

static int find(const char *pattern, const char *text) {
    return find_in(pattern, text, strlen(text));
}

static int fault(const char *pattern) {
    curia__regex_error error;
    assert(!curia__regex_new(pattern, strlen(pattern), &error));
    assert(error.reason[0]);
    return error.code;
}

static void test_matches(void) {
    assert(find("b+", "abbb") == 1);
    assert(find("^b+$", "abbb") == 0);
    assert(find("", "") == 1);
    assert(find("^[a-z]{2,4}-\\d+$", "abc-42") == 1);
    assert(find_in("a\\x00b", "a\0b", 3) == 1);
    assert(find("(?<year>\\d{4})-\\k<year>", "2026-2026") == 1);
    assert(find("(?<!x)y", "xy") == 0);
    assert(find("(?)", "") == 1); /* PCRE2 miscounts what follows: only sanitizers saw it */
    assert(find("(?)a", "a") == 1);
}

static void test_dialect(void) {
    assert(find("^a$", "a\n") == 0);
    assert(find("^\\d$", "\xE0\xA5\xAA") == 0); /* a digit, but not of ASCII */
    assert(find("^.$", "\xF0\x9F\x98\x80") == 1);
    assert(find("^\\u00e9$", "\xC3\xA9") == 1);
    assert(find("^\\p{L}$", "\xC3\xA9") == 1);
    assert(find("a.b", "a\nb") == 0);
    assert(find("a.b", "a\rb") == 0);
    assert(find("[]", "a") == 0);
    assert(find("[^]", "\n") == 1);
    assert(find("^(?:(a)|b)\\1$", "b") == 1);
    assert(find("^\\cA$", "\x01") == 1);
}

static void test_faults(void) {
    assert(fault("(") == CURIA_EPARSE);
    assert(fault("[a") == CURIA_EPARSE);
    assert(fault("a**") == CURIA_EPARSE);
    assert(fault("\\C") == CURIA_EPARSE);
    assert(fault("(*UCP)a") == CURIA_EPARSE);
    assert(fault("\xFF") == CURIA_EPARSE);
    char pattern[CURIA__REGEX_PATTERN_BYTES + 2];
    memset(pattern, 'a', sizeof pattern);
    pattern[sizeof pattern - 1] = 0;
    assert(fault(pattern) == CURIA_ETOOBIG);
    memset(pattern, '(', sizeof pattern / 2);
    assert(fault(pattern + 1) == CURIA_EPARSE);
    assert(fault("((((a{1000}){1000}){1000}){1000})") == CURIA_ETOOBIG);
    curia__regex_error error;
    assert(!curia__regex_new("(b", 2, &error) && error.offset == 2);
}

static void test_text(void) {
    assert(find("a", "\xFF") == CURIA_EPARSE);
    char *text = calloc(1, CURIA__REGEX_TEXT_BYTES + 1);
    assert(text);
    assert(find_in("a", text, CURIA__REGEX_TEXT_BYTES + 1) == CURIA_ETOOBIG);
    assert(find_in("a", text, CURIA__REGEX_TEXT_BYTES) == 0);
    free(text);
}

static double seconds_for(const char *pattern, const char *text, size_t length) {
    clock_t from = clock();
    int found = find_in(pattern, text, length);
    assert(found == 0 || found == 1 || found == CURIA_ELIMIT);
    return (double)(clock() - from) / CLOCKS_PER_SEC;
}

static void test_costly(void) {
    static const char *const patterns[] = {
        "(a+)+$",
        "(a|aa)+[bd]",
        "(.*)*[xy]",
        "^(a?){40}a{40}[bd]",
        "(?:a*a*a*a*)*[bd]",
        "(a*)*\\1[bd]",
        "(?R)?a(?R)?[bd]",
        "[^\"]*[\"']",
        "^(?:(?=.*+)a)*[bd]",
        "(?:[ab]{60000}[cd]|a)*[bd]",
        "(?:a*+(*F)|a)*[bd]",
        "(?:(a+)\\1[cd]|a)*[bd]",
        "(?:(?=(a*))\\1[cd]|a)*[bd]",
        "(?<=a|aa|aaa)(?:a|a)*[bd]",
        "(?:a++(*F)|.)*[bd]",
        "(?:a*+(?!)|.)*[bd]",
        "(?:a*+[bd]|.)*[bd]",
        "a*?a*?a*?a*?[bd]",
        "(?:\\X*[cd]|a)*[bd]",
        "(?:.{0,60000}+[cd]|a)*[bd]",
    };
    enum { LENGTH = 100000 };
    char *text = malloc(LENGTH);
    assert(text);
    memset(text, 'a', LENGTH);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        /* below 0.1; valgrind takes fifty times as long */
        assert(seconds_for(patterns[i], text, LENGTH) < 10);
    }
    assert(find_in("(a+)+$", text, LENGTH) == 1);
    text[LENGTH - 1] = '!';
    assert(find_in("(a+)+$", text, LENGTH) == CURIA_ELIMIT);
    free(text);
}

static void test_long_but_fair(void) {
    enum { LENGTH = 60000 };
    char *text = malloc(LENGTH);
    assert(text);
    memset(text, 'a', LENGTH);
    assert(find_in("^(?:a|b)*$", text, LENGTH) == 1);
    assert(find_in("^[a-z]+$", text, LENGTH) == 1);
    assert(find_in("x$", text, LENGTH) == 0);
    free(text);
}

int main(void) {
    curia__regex_free(NULL);
    test_matches();
    test_dialect();
    test_faults();
    test_text();
    test_costly();
    test_long_but_fair();
    return 0;
}
