/* JSON (RFC 8259, strict): a pull tokenizer over bytes in memory, conversion of what it finds,
 * and the primitives that write it.
 *
 * Nothing here allocates, except what a curia__buffer does. A reader borrows the bytes it reads; it
 * has no end function. A leading UTF-8 byte order mark is skipped. Bytes that are not UTF-8 are no
 * error: they become U+FFFD, one for each maximal ill-formed part, when read and when written.
 */
#ifndef CURIA_JSON_H
#define CURIA_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"

enum {
    CURIA__JSON_MAX_DEPTH = 1024, /* no reader nests deeper, whatever it is asked for */
    CURIA__JSON_DEFAULT_DEPTH = 128,
    CURIA__JSON_NUMBER_SIZE = 40, /* bytes that hold any number written here */
    CURIA__JSON_ESCAPE_SIZE = 6   /* bytes that hold any one escape written here */
};

typedef enum {
    CURIA__JSON_END, /* the one value is complete and nothing but blanks follows it */
    CURIA__JSON_OBJECT,
    CURIA__JSON_OBJECT_END,
    CURIA__JSON_ARRAY,
    CURIA__JSON_ARRAY_END,
    CURIA__JSON_KEY,
    CURIA__JSON_STRING,
    CURIA__JSON_NUMBER,
    CURIA__JSON_TRUE,
    CURIA__JSON_FALSE,
    CURIA__JSON_NULL,
    CURIA__JSON_ERROR /* final: every later call answers the same */
} curia__json_token;

typedef struct curia__json_reader {
    const char *start, *at, *end; /* the document; `at` is the next byte to read */
    const char *text;             /* KEY, STRING: the bytes between the quotes; NUMBER: its text */
    size_t length;                /* of text */
    bool escaped;                 /* text is not its own value: pass it to curia__json_unescape */
    bool ill_formed;              /* text has bytes that are not UTF-8 (then escaped is set, too) */
    curia__json_token token;      /* what curia__json_next answered last */
    int depth;                    /* objects and arrays that are open */
    int max_depth;                /* more open ones are an error */
    int error;                    /* 0, CURIA_EPARSE (syntax) or CURIA_EDEPTH (nesting) */
    const char *reason;           /* static: what was expected, for a message; NULL without error */
    size_t error_at;              /* offset of the offending byte, from 0 */
    unsigned expects;             /* private: what the grammar allows at `at` */
    uint64_t objects[CURIA__JSON_MAX_DEPTH / 64]; /* private: bit per level, 1 = an object */
} curia__json_reader;

/* Starts to read `length` bytes at `data`, which must outlive the reader. A max_depth that is not
 * in 1..CURIA__JSON_MAX_DEPTH is brought into that range. */
void curia__json_reader_init(curia__json_reader *r, const char *data, size_t length, int max_depth);

/* The next token. KEY comes before each member's value. The whole grammar is checked: a sequence
 * of tokens that arrives at END was a valid document. */
curia__json_token curia__json_next(curia__json_reader *r);

/* Skips what the last token began: after OBJECT or ARRAY up to and with its end, after KEY the
 * member's whole value; after any other token nothing. Checks what it skips. 0 or r->error. */
int curia__json_skip(curia__json_reader *r);

/* The value of raw KEY or STRING text: escapes resolved, lone surrogates and ill-formed bytes as
 * U+FFFD. `out` must hold curia__json_unescaped_bound() bytes (3 * length always suffices) and may
 * not overlap raw. Returns the bytes written: always valid UTF-8. `raw` must come from a reader. */
size_t curia__json_unescape(const char *raw, size_t length, char *out);

/* The most that the value of the reader's present text can take. */
static inline size_t curia__json_unescaped_bound(const curia__json_reader *r) {
    return r->ill_formed ? 3 * r->length : r->length;
}

/* Converts NUMBER text. Returns 1: an integer that fits 64 bits exactly, in *integer; 2: any other
 * number, correctly rounded, in *real; CURIA_ETOOBIG: too large for a double. "-0" is a real, so
 * that its sign survives. Whatever LC_NUMERIC says. `text` must come from a reader. */
int curia__json_number(const char *text, size_t length, int64_t *integer, double *real);

/* Where the first byte of `at`..`end` stands that a JSON string cannot hold as it is; or `end`. */
const char *curia__json_plain_run(const char *at, const char *end);

/* Writes the escape for the unit at *at, where curia__json_plain_run stopped before `end`, and
 * moves *at past it. Returns the bytes written, at most CURIA__JSON_ESCAPE_SIZE. */
size_t curia__json_escape(const char **at, const char *end, char *out);

/* Write a number to `out` (CURIA__JSON_NUMBER_SIZE bytes, not terminated) and return the bytes
 * written. Doubles: the fewest digits that read back as the same double, laid out as ECMAScript
 * does (1e+300, 0.000001, 1e-7), with ".0" where nothing else says that it is no integer; `value`
 * must be finite. Whatever LC_NUMERIC says. */
size_t curia__json_format_integer(int64_t value, char *out);
size_t curia__json_format_double(double value, char *out);

/* Append to a buffer: a quoted string; a number as above (CURIA_EINVAL if it is not finite).
 * 0, or the negative code of the buffer when it cannot grow. */
int curia__json_write_string(curia__buffer *out, const char *text, size_t length);
int curia__json_write_integer(curia__buffer *out, int64_t value);
int curia__json_write_double(curia__buffer *out, double value);

#endif
