#include "json.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "error.h"

/* What the grammar allows next; the values of reader.expects. */
enum { EXPECTS_VALUE, EXPECTS_FIRST_VALUE, EXPECTS_FIRST_KEY, EXPECTS_MORE, EXPECTS_NOTHING };

static const char replacement[3] = {'\xEF', '\xBF', '\xBD'}; /* U+FFFD */

/* ---- bytes ----------------------------------------------------------------------------------- */

#define EVERY_BYTE(x) (UINT64_C(0x0101010101010101) * (x))

/* The high bit of the first byte (in memory order) that is '"', '\\', below 0x20 or above 0x7F is
 * set; bits of bytes behind it may be set wrongly, by a borrow. */
static inline uint64_t special_bytes(uint64_t word) {
    uint64_t quote = word ^ EVERY_BYTE('"'), backslash = word ^ EVERY_BYTE('\\');
    return ((word - EVERY_BYTE(0x20)) | (quote - EVERY_BYTE(1)) | (backslash - EVERY_BYTE(1)) |
            word) &
           EVERY_BYTE(0x80);
}

static inline uint64_t load_little_endian(const char *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static inline bool is_special(unsigned char c) {
    return c < 0x20 || c > 0x7F || c == '"' || c == '\\';
}

#ifdef __SSE2__
/* A bit for each of 16 bytes that is special. */
static inline unsigned special_of_16(const char *at) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i controls = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
    __m128i quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    __m128i backslashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    __m128i special =
        _mm_or_si128(_mm_or_si128(controls, quotes), _mm_or_si128(backslashes, bytes));
    return (unsigned)_mm_movemask_epi8(special);
}
#endif

/* Skips the ASCII that stands for itself in a string. */
static inline const char *skip_ascii(const char *at, const char *end) {
#ifdef __SSE2__
    while (end - at >= 16) {
        unsigned special = special_of_16(at);
        if (special) return at + __builtin_ctz(special);
        at += 16;
    }
#endif
    while (end - at >= 8) {
        uint64_t special = special_bytes(load_little_endian(at));
        if (special) return at + __builtin_ctzll(special) / 8;
        at += 8;
    }
    while (at < end && !is_special((unsigned char)*at))
        at++;
    return at;
}

static inline const char *skip_blanks(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    return at;
}

/* The length of the UTF-8 sequence at `at` (< end); negative: of the maximal ill-formed part there
 * (Unicode 15, 3.9, table 3-7). */
static inline int utf8_part(const char *at, const char *end) {
    unsigned char lead = (unsigned char)at[0];
    if (lead < 0x80) return 1;
    if (lead < 0xC2 || lead > 0xF4) return -1;
    int length = 2 + (lead >= 0xE0) + (lead >= 0xF0);
    unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    for (int i = 1; i < length; i++) {
        if (at + i == end) return -i;
        unsigned char c = (unsigned char)at[i];
        if (c < low || c > high) return -i;
        low = 0x80;
        high = 0xBF;
    }
    return length;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The value of the four hexadecimal digits at `at`, negative if they are not. */
static long hex4(const char *at) {
    long value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0) return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* ---- the tokenizer --------------------------------------------------------------------------- */

void curia__json_reader_init(curia__json_reader *r, const char *data, size_t length,
                             int max_depth) {
    if (max_depth < 1) max_depth = 1;
    if (max_depth > CURIA__JSON_MAX_DEPTH) max_depth = CURIA__JSON_MAX_DEPTH;
    *r = (curia__json_reader){.start = data,
                              .at = data,
                              .end = data + length,
                              .max_depth = max_depth,
                              .expects = EXPECTS_VALUE};
    if (length >= 3 && !memcmp(data, "\xEF\xBB\xBF", 3)) r->at += 3;
}

static curia__json_token fail(curia__json_reader *r, int code, const char *at, const char *reason) {
    r->error = code;
    r->error_at = (size_t)(at - r->start);
    r->reason = reason;
    return CURIA__JSON_ERROR;
}

/* Whether the innermost open container is an object; depth must not be 0. */
static inline bool in_object(const curia__json_reader *r) {
    unsigned level = (unsigned)r->depth - 1;
    return r->objects[level / 64] >> (level % 64) & 1;
}

static inline void expect_what_follows_a_value(curia__json_reader *r) {
    r->expects = r->depth ? EXPECTS_MORE : EXPECTS_NOTHING;
}

static curia__json_token open_container(curia__json_reader *r, bool object) {
    if (r->depth == r->max_depth) return fail(r, CURIA_EDEPTH, r->at, "nested too deeply");
    unsigned level = (unsigned)r->depth++;
    uint64_t bit = UINT64_C(1) << (level % 64);
    r->at++;
    if (object) {
        r->objects[level / 64] |= bit;
        r->expects = EXPECTS_FIRST_KEY;
        return CURIA__JSON_OBJECT;
    }
    r->objects[level / 64] &= ~bit;
    r->expects = EXPECTS_FIRST_VALUE;
    return CURIA__JSON_ARRAY;
}

static curia__json_token close_container(curia__json_reader *r) {
    bool object = in_object(r);
    r->at++;
    r->depth--;
    expect_what_follows_a_value(r);
    return object ? CURIA__JSON_OBJECT_END : CURIA__JSON_ARRAY_END;
}

static bool can_follow_backslash(char c) {
    return c == 'n' || c == '"' || c == '\\' || c == '/' || c == 't' || c == 'r' || c == 'b' ||
           c == 'f';
}

/* The length of the escape at `at`, 0 if it is none. */
static int escape_length(const char *at, const char *end) {
    if (end - at >= 2 && can_follow_backslash(at[1])) return 2;
    if (end - at >= 6 && at[1] == 'u' && hex4(at + 2) >= 0) return 6;
    return 0;
}

/* Reads the string whose opening quote is at r->at. */
static curia__json_token read_string(curia__json_reader *r, curia__json_token token) {
    const char *at = skip_ascii(r->at + 1, r->end);
    r->escaped = r->ill_formed = false;
    for (; at < r->end && *at != '"'; at = skip_ascii(at, r->end)) {
        int length;
        if (*at == '\\') {
            length = escape_length(at, r->end);
            if (!length) return fail(r, CURIA_EPARSE, at, "invalid escape in a string");
            r->escaped = true;
        } else if ((unsigned char)*at < 0x20) {
            return fail(r, CURIA_EPARSE, at, "unescaped control character in a string");
        } else if ((length = utf8_part(at, r->end)) < 0) {
            length = -length;
            r->escaped = r->ill_formed = true;
        }
        at += length;
    }
    if (at == r->end) return fail(r, CURIA_EPARSE, at, "expected '\"' to end the string");
    r->text = r->at + 1;
    r->length = (size_t)(at - r->text);
    r->at = at + 1;
    return token;
}

static curia__json_token read_key(curia__json_reader *r) {
    if (r->at == r->end || *r->at != '"')
        return fail(r, CURIA_EPARSE, r->at,
                    r->expects == EXPECTS_FIRST_KEY ? "expected a key or '}'" : "expected a key");
    if (read_string(r, CURIA__JSON_KEY) == CURIA__JSON_ERROR) return CURIA__JSON_ERROR;
    const char *at = skip_blanks(r->at, r->end);
    if (at == r->end || *at != ':') return fail(r, CURIA_EPARSE, at, "expected ':'");
    r->at = at + 1;
    r->expects = EXPECTS_VALUE;
    return CURIA__JSON_KEY;
}

static inline const char *skip_digits(const char *at, const char *end) {
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

/* Skips digits, of which there must be one; NULL with the error set otherwise. */
static const char *require_digits(curia__json_reader *r, const char *at) {
    const char *after = skip_digits(at, r->end);
    if (after != at) return after;
    fail(r, CURIA_EPARSE, at, "expected a digit");
    return NULL;
}

static curia__json_token read_number(curia__json_reader *r) {
    const char *at = r->at, *end = r->end;
    if (*at == '-') at++;
    at = at < end && *at == '0' ? at + 1 : require_digits(r, at);
    if (at && at < end && *at == '.') at = require_digits(r, at + 1);
    if (at && at < end && (*at | 0x20) == 'e') {
        at++;
        if (at < end && (*at == '+' || *at == '-')) at++;
        at = require_digits(r, at);
    }
    if (!at) return CURIA__JSON_ERROR;
    r->text = r->at;
    r->length = (size_t)(at - r->at);
    r->at = at;
    expect_what_follows_a_value(r);
    return CURIA__JSON_NUMBER;
}

static curia__json_token read_word(curia__json_reader *r, const char *word, size_t length,
                                   curia__json_token token) {
    if ((size_t)(r->end - r->at) < length || memcmp(r->at, word, length) != 0)
        return fail(r, CURIA_EPARSE, r->at, "expected a value");
    r->at += length;
    expect_what_follows_a_value(r);
    return token;
}

static curia__json_token read_value(curia__json_reader *r) {
    if (r->at == r->end) return fail(r, CURIA_EPARSE, r->at, "expected a value");
    switch (*r->at) {
    case '"': expect_what_follows_a_value(r); return read_string(r, CURIA__JSON_STRING);
    case '{': return open_container(r, true);
    case '[': return open_container(r, false);
    case 't': return read_word(r, "true", 4, CURIA__JSON_TRUE);
    case 'f': return read_word(r, "false", 5, CURIA__JSON_FALSE);
    case 'n': return read_word(r, "null", 4, CURIA__JSON_NULL);
    case '-': return read_number(r);
    default:
        if (*r->at >= '0' && *r->at <= '9') return read_number(r);
        return fail(r, CURIA_EPARSE, r->at,
                    r->expects == EXPECTS_FIRST_VALUE ? "expected a value or ']'"
                                                      : "expected a value");
    }
}

/* After a value inside a container: a comma and the next one, or the end of the container. */
static curia__json_token read_more(curia__json_reader *r) {
    bool object = in_object(r);
    if (r->at < r->end && *r->at == ',') {
        r->at = skip_blanks(r->at + 1, r->end);
        r->expects = EXPECTS_VALUE;
        return object ? read_key(r) : read_value(r);
    }
    if (r->at < r->end && *r->at == (object ? '}' : ']')) return close_container(r);
    return fail(r, CURIA_EPARSE, r->at, object ? "expected ',' or '}'" : "expected ',' or ']'");
}

static curia__json_token next(curia__json_reader *r) {
    if (r->error) return CURIA__JSON_ERROR;
    r->at = skip_blanks(r->at, r->end);
    switch (r->expects) {
    case EXPECTS_MORE: return read_more(r);
    case EXPECTS_FIRST_KEY:
        return r->at < r->end && *r->at == '}' ? close_container(r) : read_key(r);
    case EXPECTS_FIRST_VALUE:
        return r->at < r->end && *r->at == ']' ? close_container(r) : read_value(r);
    case EXPECTS_VALUE: return read_value(r);
    default:
        if (r->at == r->end) return CURIA__JSON_END;
        return fail(r, CURIA_EPARSE, r->at, "expected the end of the text");
    }
}

curia__json_token curia__json_next(curia__json_reader *r) {
    return r->token = next(r);
}

int curia__json_skip(curia__json_reader *r) {
    curia__json_token token = r->token == CURIA__JSON_KEY ? curia__json_next(r) : r->token;
    if (token != CURIA__JSON_OBJECT && token != CURIA__JSON_ARRAY) return r->error;
    int outside = r->depth - 1;
    while (r->depth > outside && curia__json_next(r) != CURIA__JSON_ERROR)
        ;
    return r->error;
}

/* ---- the text of strings --------------------------------------------------------------------- */

const char *curia__json_plain_run(const char *at, const char *end) {
    while ((at = skip_ascii(at, end)) < end) {
        if (!((unsigned char)*at & 0x80)) break;
        int length = utf8_part(at, end);
        if (length < 0) break;
        at += length;
    }
    return at;
}

static size_t put_replacement(char *out) {
    memcpy(out, replacement, sizeof replacement);
    return sizeof replacement;
}

static size_t put_utf8(char *out, long code) {
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xC0, 0xE0, 0xF0};
    out[0] = (char)(lead[more] | code >> (6 * more));
    for (int i = 1; i <= more; i++)
        out[i] = (char)(0x80 | (code >> (6 * (more - i)) & 0x3F));
    return (size_t)more + 1;
}

/* Resolves the \uXXXX at *at, or the surrogate pair of two. */
static size_t unescape_code(const char **at, const char *end, char *out) {
    long code = hex4(*at + 2);
    *at += 6;
    if (code < 0xD800 || code > 0xDFFF) return put_utf8(out, code);
    if (code > 0xDBFF || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
        return put_replacement(out);
    long low = hex4(*at + 2);
    if (low < 0xDC00 || low > 0xDFFF) return put_replacement(out);
    *at += 6;
    return put_utf8(out, 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00));
}

static size_t unescape_one(const char **at, const char *end, char *out) {
    char c = (*at)[1];
    if (c == 'u') return unescape_code(at, end, out);
    *at += 2;
    switch (c) {
    case 'b': *out = '\b'; break;
    case 'f': *out = '\f'; break;
    case 'n': *out = '\n'; break;
    case 'r': *out = '\r'; break;
    case 't': *out = '\t'; break;
    default: *out = c;
    }
    return 1;
}

size_t curia__json_unescape(const char *raw, size_t length, char *out) {
    const char *at = raw, *end = raw + length;
    char *to = out;
    for (;;) {
        const char *run = curia__json_plain_run(at, end);
        memcpy(to, at, (size_t)(run - at));
        to += run - at;
        at = run;
        if (at == end) return (size_t)(to - out);
        if (*at == '\\') {
            to += unescape_one(&at, end, to);
        } else {
            int part = utf8_part(at, end);
            at += part < 0 ? -part : part;
            to += put_replacement(to);
        }
    }
}

static char short_escape(char c) {
    switch (c) {
    case '"':
    case '\\': return c;
    case '\b': return 'b';
    case '\f': return 'f';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    default: return 0;
    }
}

size_t curia__json_escape(const char **at, const char *end, char *out) {
    char c = **at;
    int part = utf8_part(*at, end);
    *at += part < 0 ? -part : part;
    if (part < 0) return put_replacement(out);
    char letter = short_escape(c);
    out[0] = '\\';
    out[1] = letter;
    if (letter) return 2;
    static const char digits[] = "0123456789abcdef";
    out[1] = 'u';
    out[2] = out[3] = '0';
    out[4] = digits[c >> 4 & 15];
    out[5] = digits[c & 15];
    return 6;
}

/* ---- writing to a buffer --------------------------------------------------------------------- */

int curia__json_write_string(curia__buffer *out, const char *text, size_t length) {
    const char *at = text, *end = text + length;
    int rc = curia__buffer_reserve(out, length + 2);
    if (!rc) rc = curia__buffer_append(out, "\"", 1);
    while (!rc && at < end) {
        const char *run = curia__json_plain_run(at, end);
        rc = curia__buffer_append(out, at, (size_t)(run - at));
        at = run;
        if (rc || at == end) break;
        char escape[CURIA__JSON_ESCAPE_SIZE];
        rc = curia__buffer_append(out, escape, curia__json_escape(&at, end, escape));
    }
    return rc ? rc : curia__buffer_append(out, "\"", 1);
}

int curia__json_write_integer(curia__buffer *out, int64_t value) {
    char number[CURIA__JSON_NUMBER_SIZE];
    return curia__buffer_append(out, number, curia__json_format_integer(value, number));
}

int curia__json_write_double(curia__buffer *out, double value) {
    if (value - value != 0) return CURIA_EINVAL; /* a NaN or an infinity */
    char number[CURIA__JSON_NUMBER_SIZE];
    return curia__buffer_append(out, number, curia__json_format_double(value, number));
}
