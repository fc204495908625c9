#include "http/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    uint8_t start[16];
    int bits;
} range;

/* https://www.iana.org/assignments/iana-ipv4-special-registry, and multicast (RFC 5771). */
static const range special_v4[] = {
    {{0}, 8},
    {{10}, 8},
    {{100, 64}, 10},
    {{127}, 8},
    {{169, 254}, 16},
    {{172, 16}, 12},
    {{192, 0, 0}, 24},
    {{192, 0, 2}, 24},
    {{192, 88, 99}, 24},
    {{192, 168}, 16},
    {{198, 18}, 15},
    {{198, 51, 100}, 24},
    {{203, 0, 113}, 24},
    {{224}, 4},
    {{240}, 4},
};

/* https://www.iana.org/assignments/iana-ipv6-special-registry: what is set apart within 2000::/3. */
static const range global_v6 = {{0x20}, 3};
static const range special_v6[] = {
    {{0x20, 0x01}, 23},             /* protocol assignments, Teredo among them */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
    {{0x3f, 0xff}, 20},             /* documentation */
};

/* Prefixes behind which an IPv4 address stands: its place in bytes. */
static const struct {
    range prefix;
    size_t at;
} embedding[] = {
    {{{[10] = 0xff, [11] = 0xff}, 96}, 12}, /* mapped, RFC 4291 */
    {{{0x00, 0x64, 0xff, 0x9b}, 96}, 12},   /* NAT64, RFC 6052 */
    {{{0x20, 0x02}, 16}, 2},                /* 6to4, RFC 3056 */
};

static bool lies_in(const uint8_t *address, const range *r) {
    size_t whole = (size_t)r->bits / 8;
    if (memcmp(address, r->start, whole) != 0) return false;
    uint8_t mask = (uint8_t)(0xff00 >> (r->bits % 8));
    return ((address[whole] ^ r->start[whole]) & mask) == 0;
}

static bool is_public_v4(const uint8_t *address) {
    for (size_t i = 0; i < sizeof special_v4 / sizeof *special_v4; i++)
        if (lies_in(address, &special_v4[i])) return false;
    return true;
}

static bool is_public_v6(const uint8_t *address) {
    for (size_t i = 0; i < sizeof embedding / sizeof *embedding; i++)
        if (lies_in(address, &embedding[i].prefix)) return is_public_v4(address + embedding[i].at);
    for (size_t i = 0; i < sizeof special_v6 / sizeof *special_v6; i++)
        if (lies_in(address, &special_v6[i])) return false;
    return lies_in(address, &global_v6);
}

/* Copied out: libcurl's storage is not aligned for the larger types. */
bool curia__address_is_public(const struct sockaddr *address) {
    uint8_t bytes[16];
    if (address->sa_family == AF_INET) {
        memcpy(bytes, (const char *)address + offsetof(struct sockaddr_in, sin_addr), 4);
        return is_public_v4(bytes);
    }
    if (address->sa_family != AF_INET6) return false;
    memcpy(bytes, (const char *)address + offsetof(struct sockaddr_in6, sin6_addr), 16);
    return is_public_v6(bytes);
}

bool curia__address_text_is_public(const char *text) {
    uint8_t bytes[16];
    if (inet_pton(AF_INET, text, bytes) == 1) return is_public_v4(bytes);
    return inet_pton(AF_INET6, text, bytes) == 1 && is_public_v6(bytes);
}
