/* Which addresses are public. */
#include "loop_support.h"

#include <arpa/inet.h>

#include "http/address.h"

static bool is_public(const char *text) {
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    bool by_text = curia__address_text_is_public(text);
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        assert(curia__address_is_public((struct sockaddr *)&v4) == by_text);
    else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
        assert(curia__address_is_public((struct sockaddr *)&v6) == by_text);
    else
        assert(!by_text);
    return by_text;
}

/* The first and the last address of each range, and the public ones around it. */
static void test_v4(void) {
    static const char *const refused[] = {
        "0.0.0.0",         "0.255.255.255",  "10.0.0.0",        "10.255.255.255",  "100.64.0.0",
        "100.127.255.255", "127.0.0.1",      "127.255.255.255", "169.254.169.254", "172.16.0.0",
        "172.31.255.255",  "192.0.0.1",      "192.0.2.1",       "192.88.99.1",     "192.168.0.1",
        "198.18.0.0",      "198.19.255.255", "198.51.100.1",    "203.0.113.1",     "224.0.0.1",
        "239.255.255.255", "240.0.0.1",      "255.255.255.255"};
    static const char *const accepted[] = {
        "1.0.0.0",     "9.255.255.255", "11.0.0.0",        "100.63.255.255",
        "100.128.0.0", "126.0.0.1",     "128.0.0.1",       "169.253.0.1",
        "172.15.0.1",  "172.32.0.0",    "192.167.0.1",     "192.169.0.1",
        "198.17.0.1",  "198.20.0.0",    "223.255.255.255", "93.184.216.34"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert(!is_public(refused[i]));
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++)
        assert(is_public(accepted[i]));
}

static void test_v6(void) {
    static const char *const refused[] = {"::",
                                          "::1",
                                          "::ffff:127.0.0.1",
                                          "::ffff:10.1.2.3",
                                          "::ffff:0:127.0.0.1",
                                          "::7f00:1",
                                          "64:ff9b::a00:1",
                                          "64:ff9b:1::808:808",
                                          "fc00::1",
                                          "fdff::1",
                                          "fe80::1",
                                          "fec0::1",
                                          "ff02::1",
                                          "2001::1",
                                          "2001:1ff::1",
                                          "2001:db8::1",
                                          "2002:7f00:1::",
                                          "2002:c0a8:101::1",
                                          "3fff:fff::1",
                                          "4000::1",
                                          "1fff::1"};
    static const char *const accepted[] = {
        "2606:4700:4700::1111", "2a00:1450::1",         "::ffff:8.8.8.8", "64:ff9b::808:808",
        "2002:808:808::1",      "2001:4860:4860::8888", "3ffe::1"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert(!is_public(refused[i]));
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++)
        assert(is_public(accepted[i]));
}

static void test_no_address(void) {
    assert(!is_public("") && !is_public("localhost") && !is_public("fe80::1%eth0"));
    assert(!is_public("8.8.8") && !is_public("08.8.8.8.8"));
    struct sockaddr local = {.sa_family = AF_UNIX};
    assert(!curia__address_is_public(&local));
}

int main(void) {
    test_v4();
    test_v6();
    test_no_address();
    return 0;
}
