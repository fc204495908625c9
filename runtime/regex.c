#include "regex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "error.h"

struct curia__regex {
    pcre2_code *code;
    size_t length;
    char pattern[]; /* callouts refer to it */
};

enum { MOST_NESTED = 100, ATTEMPT_LIMIT = 1000000, DEPTH_LIMIT = 500000 };

static const uint32_t options = PCRE2_UTF | PCRE2_AUTO_CALLOUT | PCRE2_NEVER_BACKSLASH_C |
                                PCRE2_NEVER_UCP | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_BSUX |
                                PCRE2_ALLOW_EMPTY_CLASS | PCRE2_MATCH_UNSET_BACKREF;

/* ---- compiling --------------------------------------------------------------------------------- */

static curia__regex *fail(curia__regex_error *error, int code, size_t offset, const char *reason) {
    error->code = code;
    error->offset = offset;
    snprintf(error->reason, sizeof error->reason, "%s", reason);
    return NULL;
}

static pcre2_code *compile(const char *pattern, size_t length, int *code, size_t *offset) {
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    *code = PCRE2_ERROR_NOMEMORY;
    *offset = 0;
    if (!context) return NULL;
    pcre2_set_parens_nest_limit(context, MOST_NESTED);
    pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
    pcre2_code *made = pcre2_compile((PCRE2_SPTR)pattern, length, options, code, offset, context);
    pcre2_compile_context_free(context);
    return made;
}

static int compile_error(int code) {
    if (code == PCRE2_ERROR_NOMEMORY || code == PCRE2_ERROR_HEAP_FAILED) return CURIA_ENOMEM;
    return code == PCRE2_ERROR_PATTERN_TOO_LARGE ? CURIA_ETOOBIG : CURIA_EPARSE;
}

curia__regex *curia__regex_new(const char *pattern, size_t length, curia__regex_error *error) {
    if (length > CURIA__REGEX_PATTERN_BYTES)
        return fail(error, CURIA_ETOOBIG, 0, "the pattern is too long");
    int code;
    size_t offset;
    pcre2_code *compiled = compile(pattern, length, &code, &offset);
    if (!compiled) {
        char reason[sizeof error->reason] = "";
        pcre2_get_error_message(code, (PCRE2_UCHAR *)reason, sizeof reason);
        return fail(error, compile_error(code), offset, reason);
    }
    curia__regex *regex = malloc(sizeof *regex + length + 1);
    if (!regex) {
        pcre2_code_free(compiled);
        return fail(error, CURIA_ENOMEM, 0, curia_error_text(CURIA_ENOMEM));
    }
    regex->code = compiled;
    regex->length = length;
    memcpy(regex->pattern, pattern, length);
    regex->pattern[length] = 0;
    return regex;
}

void curia__regex_free(curia__regex *regex) {
    if (!regex) return;
    pcre2_code_free(regex->code);
    free(regex);
}

/* ---- searching --------------------------------------------------------------------------------- */

typedef struct {
    const curia__regex *regex;
    int64_t steps; /* left */
    size_t at;     /* where the last item was tried */
} search;

/* What an item may read in vain, without moving on: the count of a repeat, the text of a reference. */
static int64_t hidden_cost(const char *item, size_t length, size_t left) {
    size_t cost = 0;
    const char *brace = memrchr(item, '{', length);
    if (brace) cost = strtoul(brace + 1, NULL, 10);
    if (*item == '\\' && length > 1 && strchr("123456789gk", item[1])) cost = left;
    return (int64_t)(cost < left ? cost : left);
}

/* PCRE2 is wrong about the item behind `(?)`, which has no end within the pattern. */
static size_t item_length(const curia__regex *regex, const pcre2_callout_block *block) {
    if (block->pattern_position >= regex->length) return 0;
    size_t left = regex->length - block->pattern_position;
    return block->next_item_length < left ? block->next_item_length : left;
}

/* Called by PCRE2 before each item of the pattern. A positive result makes the item fail, a negative
 * one ends the search. */
static int pay(pcre2_callout_block *block, void *data) {
    search *s = data;
    size_t at = block->current_position, length = item_length(s->regex, block);
    s->steps -= 1 + (int64_t)(at > s->at ? at - s->at : 0);
    s->at = at;
    if (length)
        s->steps -= hidden_cost(s->regex->pattern + block->pattern_position, length,
                                block->subject_length - at);
    return s->steps < 0 ? PCRE2_ERROR_MATCHLIMIT : 0;
}

static pcre2_match_context *new_context(search *s) {
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    if (!context) return NULL;
    pcre2_set_match_limit(context, ATTEMPT_LIMIT);
    pcre2_set_depth_limit(context, DEPTH_LIMIT);
    pcre2_set_heap_limit(context, CURIA__REGEX_HEAP_KB);
    pcre2_set_callout(context, pay, s);
    return context;
}

static int outcome(int rc) {
    if (rc >= 0) return 1;
    switch (rc) {
    case PCRE2_ERROR_NOMATCH: return 0;
    case PCRE2_ERROR_NOMEMORY: return CURIA_ENOMEM;
    case PCRE2_ERROR_MATCHLIMIT:
    case PCRE2_ERROR_DEPTHLIMIT:
    case PCRE2_ERROR_HEAPLIMIT:
    case PCRE2_ERROR_RECURSELOOP: return CURIA_ELIMIT;
    default: return CURIA_EPARSE; /* the rest is about UTF-8 */
    }
}

int curia__regex_find(const curia__regex *regex, const char *text, size_t length, int64_t *steps) {
    *steps = 0;
    if (length > CURIA__REGEX_TEXT_BYTES) return CURIA_ETOOBIG;
    search s = {regex, CURIA__REGEX_STEPS, 0};
    pcre2_match_context *context = new_context(&s);
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);
    int rc = PCRE2_ERROR_NOMEMORY;
    if (context && match)
        rc = pcre2_match(regex->code, (PCRE2_SPTR)text, length, 0, 0, match, context);
    pcre2_match_data_free(match);
    pcre2_match_context_free(context);
    *steps = CURIA__REGEX_STEPS - s.steps;
    return outcome(rc);
}
