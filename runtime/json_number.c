/* Numbers in JSON text, both ways, correctly rounded.
 *
 * Nearly every number of a real document has at most 19 digits and a decimal exponent within
 * -27..27. 5^27 fits 64 bits, so such a number is a product or quotient of two 64-bit integers, and
 * 128-bit arithmetic rounds it exactly. The rest goes through the C library in the "C" locale. */

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "json.h"

__extension__ typedef unsigned __int128 wide;

enum {
    EXACT_POWER = 27,   /* the largest power of five that fits 64 bits */
    PLAIN_DIGITS = 19,  /* decimal digits that always fit 64 bits */
    ENOUGH_DIGITS = 770 /* digits that decide the rounding of any double, with one to spare */
};

static const uint64_t five_to[EXACT_POWER + 1] = {
    UINT64_C(1),
    UINT64_C(5),
    UINT64_C(25),
    UINT64_C(125),
    UINT64_C(625),
    UINT64_C(3125),
    UINT64_C(15625),
    UINT64_C(78125),
    UINT64_C(390625),
    UINT64_C(1953125),
    UINT64_C(9765625),
    UINT64_C(48828125),
    UINT64_C(244140625),
    UINT64_C(1220703125),
    UINT64_C(6103515625),
    UINT64_C(30517578125),
    UINT64_C(152587890625),
    UINT64_C(762939453125),
    UINT64_C(3814697265625),
    UINT64_C(19073486328125),
    UINT64_C(95367431640625),
    UINT64_C(476837158203125),
    UINT64_C(2384185791015625),
    UINT64_C(11920928955078125),
    UINT64_C(59604644775390625),
    UINT64_C(298023223876953125),
    UINT64_C(1490116119384765625),
    UINT64_C(7450580596923828125),
};

/* A non-negative decimal number: digits * 10^exponent. */
struct decimal {
    uint64_t digits;
    int64_t exponent;
};

/* ---- exact conversion within 64-bit digits and small exponents ------------------------------- */

/* value * 2^exponent as the nearest double, ties to even; `sticky` says that the true value is a
 * little larger. `value` must have more than 53 significant bits if sticky. */
static double round_to_double(wide value, bool sticky, int exponent) {
    uint64_t high = (uint64_t)(value >> 64), low = (uint64_t)value;
    int bits = high ? 128 - __builtin_clzll(high) : low ? 64 - __builtin_clzll(low) : 0;
    if (bits <= 53) return ldexp((double)low, exponent);
    int shift = bits - 53;
    wide rest = value & (((wide)1 << shift) - 1), half = (wide)1 << (shift - 1);
    uint64_t kept = (uint64_t)(value >> shift);
    if (rest > half || (rest == half && (sticky || kept & 1))) kept++;
    return ldexp((double)kept, exponent + shift);
}

/* digits * 10^exponent for -EXACT_POWER <= exponent <= EXACT_POWER. */
static double exact_double(uint64_t digits, int exponent) {
    if (exponent >= 0) return round_to_double((wide)digits * five_to[exponent], false, exponent);
    if (!digits) return 0;
    int shift = 64 + __builtin_clzll(digits);
    wide dividend = (wide)digits << shift;
    uint64_t divisor = five_to[-exponent];
    return round_to_double(dividend / divisor, dividend % divisor != 0, exponent - shift);
}

/* As exact_double, but quicker where one rounding of the hardware is exact. */
static double small_double(uint64_t digits, int exponent) {
    static const double ten_to[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (FLT_EVAL_METHOD || digits >> 53 || exponent < -22 || exponent > 22)
        return exact_double(digits, exponent);
    return exponent < 0 ? (double)digits / ten_to[-exponent] : (double)digits * ten_to[exponent];
}

/* ---- through the C library, in the "C" locale ------------------------------------------------ */

static double library_read(const char *text) {
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = uselocale(c);
    double value = strtod(text, NULL);
    uselocale(before);
    if (c) freelocale(c);
    return value;
}

static void library_print(char *out, size_t size, int precision, double value) {
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = uselocale(c);
    snprintf(out, size, "%.*e", precision - 1, value);
    uselocale(before);
    if (c) freelocale(c);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* The signed number after an 'e'. No exponent near the limit can be balanced by a text's digits. */
static int64_t read_exponent(const char *at, const char *end) {
    const int64_t limit = INT64_C(1000000000000000);
    bool negative = *at == '-';
    if (*at == '-' || *at == '+') at++;
    int64_t value = 0;
    for (; at < end && value < limit; at++)
        value = value * 10 + (*at - '0');
    return negative ? -value : value;
}

/* Reads unsigned number text. Returns false if it has more digits than fit. */
static bool read_decimal(const char *at, const char *end, struct decimal *d, bool *integral) {
    int significant = 0;
    *d = (struct decimal){0, 0};
    *integral = true;
    for (; at < end; at++) {
        if (*at == '.') {
            *integral = false;
        } else if ((*at | 0x20) == 'e') {
            *integral = false;
            d->exponent += read_exponent(at + 1, end);
            break;
        } else {
            d->digits = d->digits * 10 + (uint64_t)(*at - '0');
            d->exponent -= !*integral;
            significant += d->digits != 0;
            if (significant > PLAIN_DIGITS) return false;
        }
    }
    return true;
}

/* The value of unsigned number text of any length: the digits that can matter, then a 1 for
 * whatever was not zero behind them, with the exponent that puts the point in its place. */
static double read_long(const char *at, const char *end) {
    char text[ENOUGH_DIGITS + 16];
    size_t count = 0;
    int64_t exponent = 0;
    bool fraction = false, rest = false;
    for (; at < end && (*at | 0x20) != 'e'; at++) {
        if (*at == '.') {
            fraction = true;
        } else if (count < ENOUGH_DIGITS) {
            if (count || *at != '0') text[count++] = *at;
            exponent -= fraction;
        } else {
            rest |= *at != '0';
            exponent += !fraction;
        }
    }
    if (!count) return 0;
    if (at < end) exponent += read_exponent(at + 1, end);
    if (rest) {
        text[count++] = '1';
        exponent--;
    }
    int clamped = exponent < -9999 ? -9999 : exponent > 9999 ? 9999 : (int)exponent;
    snprintf(text + count, sizeof text - count, "e%d", clamped);
    return library_read(text);
}

static bool fits_integer(uint64_t digits, bool negative) {
    return negative ? digits && digits <= (uint64_t)INT64_MAX + 1 : digits <= INT64_MAX;
}

int curia__json_number(const char *text, size_t length, int64_t *integer, double *real) {
    bool negative = *text == '-', integral;
    const char *at = text + negative, *end = text + length;
    struct decimal d;
    bool fits = read_decimal(at, end, &d, &integral);
    if (fits && integral && fits_integer(d.digits, negative)) {
        *integer = (int64_t)(negative ? 0 - d.digits : d.digits);
        return 1;
    }
    bool near = fits && d.exponent >= -EXACT_POWER && d.exponent <= EXACT_POWER;
    double value = near ? small_double(d.digits, (int)d.exponent) : read_long(at, end);
    if (isinf(value)) return CURIA_ETOOBIG;
    *real = negative ? -value : value;
    return 2;
}

/* ---- writing --------------------------------------------------------------------------------- */

static size_t put_digits(uint64_t value, char *out) {
    char reversed[20];
    size_t count = 0;
    do
        reversed[count++] = (char)('0' + value % 10);
    while (value /= 10);
    for (size_t i = 0; i < count; i++)
        out[i] = reversed[count - 1 - i];
    return count;
}

size_t curia__json_format_integer(int64_t value, char *out) {
    if (value >= 0) return put_digits((uint64_t)value, out);
    *out = '-';
    return 1 + put_digits(0 - (uint64_t)value, out + 1);
}

/* fraction * 2^exponent * 10^power to the nearest integer, ties to even, for results that fit. */
static uint64_t scale(uint64_t fraction, int exponent, int power) {
    wide product = (wide)fraction * five_to[power];
    int shift = -(exponent + power);
    if (shift <= 0) return (uint64_t)(product << -shift);
    wide rest = product & (((wide)1 << shift) - 1), half = (wide)1 << (shift - 1);
    uint64_t kept = (uint64_t)(product >> shift);
    return kept + (rest > half || (rest == half && kept & 1));
}

/* Tries 15, 16, 17 digits with exact arithmetic. False where that does not reach. */
static bool exact_shortest(double value, struct decimal *d) {
    int exponent;
    uint64_t fraction = (uint64_t)ldexp(frexp(value, &exponent), 53);
    exponent -= 53;
    int magnitude = (int)floor((exponent + 52) * 0.3010299956639812); /* of log10, or one less */
    uint64_t limit = UINT64_C(1000000000000000);
    for (int precision = 15; precision <= 17; precision++, limit *= 10) {
        int power = precision - 1 - magnitude;
        if (power < 1 || power > EXACT_POWER) return false;
        d->digits = scale(fraction, exponent, power);
        if (d->digits >= limit) d->digits = scale(fraction, exponent, --power);
        d->exponent = -power;
        if (small_double(d->digits, -power) == value) return true;
    }
    return false;
}

static void library_shortest(double value, struct decimal *d) {
    char text[32];
    bool integral;
    int precision = value < DBL_MIN ? 1 : 15; /* subnormal: fewer digits are distinct */
    do
        library_print(text, sizeof text, precision, value);
    while (precision++ < 17 && library_read(text) != value);
    read_decimal(text, text + strlen(text), d, &integral);
}

/* The fewest digits that read back as `value`, which must be positive and finite. */
static struct decimal shortest(double value) {
    struct decimal d;
    if (value < 9007199254740992.0 && value == floor(value))
        d = (struct decimal){(uint64_t)value, 0};
    else if (value < 1e-10 || value > 1e15 || !exact_shortest(value, &d))
        library_shortest(value, &d);
    for (; d.digits % 10 == 0; d.digits /= 10)
        d.exponent++;
    return d;
}

static size_t put_zeros(char *out, int count) {
    memset(out, '0', (size_t)count);
    return (size_t)count;
}

/* Writes digits with the decimal point behind the first `before` of them, 0 < before <= 21. */
static size_t put_fixed(char *out, const char *digits, int count, int before) {
    int leading = count < before ? count : before;
    char *to = out;
    memcpy(to, digits, (size_t)leading);
    to += leading;
    to += put_zeros(to, before - leading);
    *to++ = '.';
    if (count <= before) {
        *to++ = '0';
    } else {
        memcpy(to, digits + before, (size_t)(count - before));
        to += count - before;
    }
    return (size_t)(to - out);
}

/* Writes 0.000ddd, with `zeros` of them before the digits. */
static size_t put_small(char *out, const char *digits, int count, int zeros) {
    char *to = out;
    *to++ = '0';
    *to++ = '.';
    to += put_zeros(to, zeros);
    memcpy(to, digits, (size_t)count);
    return (size_t)(to + count - out);
}

/* Writes d.ddde+x. */
static size_t put_scientific(char *out, const char *digits, int count, int exponent) {
    char *to = out;
    *to++ = digits[0];
    if (count > 1) {
        *to++ = '.';
        memcpy(to, digits + 1, (size_t)(count - 1));
        to += count - 1;
    }
    *to++ = 'e';
    *to++ = exponent < 0 ? '-' : '+';
    to += put_digits((uint64_t)(exponent < 0 ? -exponent : exponent), to);
    return (size_t)(to - out);
}

/* ECMA-262, Number::toString, but for the ".0" of an integer. */
static size_t put_positive(double value, char *out) {
    struct decimal d = shortest(value);
    char digits[20];
    int count = (int)put_digits(d.digits, digits);
    int before = count + (int)d.exponent;
    if (before > 21 || before <= -6) return put_scientific(out, digits, count, before - 1);
    if (before > 0) return put_fixed(out, digits, count, before);
    return put_small(out, digits, count, -before);
}

size_t curia__json_format_double(double value, char *out) {
    static const char zero[] = {'0', '.', '0'};
    char *to = out;
    if (signbit(value)) *to++ = '-';
    if (value != 0) {
        to += put_positive(fabs(value), to);
    } else {
        memcpy(to, zero, sizeof zero);
        to += sizeof zero;
    }
    return (size_t)(to - out);
}
