/* Which addresses belong to the public internet. Pure functions, any thread. */
#ifndef CURIA_ADDRESS_H
#define CURIA_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* False for everything that IANA's special-purpose registries (RFC 6890 and its updates) set apart:
 * private, loopback, link-local, shared (CGNAT), documentation, multicast and reserved ranges, IPv6
 * outside of 2000::/3, and IPv6 addresses in which such an IPv4 address is embedded. Also for families
 * other than IPv4 and IPv6. */
bool curia__address_is_public(const struct sockaddr *address);

/* The same for an address in text; false for what is none. */
bool curia__address_text_is_public(const char *text);

#endif
