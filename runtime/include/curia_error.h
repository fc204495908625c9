/* Error codes: one list yields the constants, their names and their texts.
 *
 * Functions return 0 or one of these negative codes. Details (a vendor's text, an address) stand in
 * the operation that failed, never in a global. The list only grows.
 */
#ifndef CURIA_ERROR_H
#define CURIA_ERROR_H

#define CURIA_ERROR_MAP(XX)                                          \
    XX(EINVAL, 1, "invalid argument")                                \
    XX(ENOMEM, 2, "out of memory")                                   \
    XX(ECLOSED, 3, "closed")                                         \
    XX(EBUSY, 4, "busy")                                             \
    XX(ECANCELLED, 5, "cancelled")                                   \
    XX(ETIMEOUT, 6, "timed out")                                     \
    XX(EDEADLINE, 7, "deadline exceeded")                            \
    XX(EPARSE, 8, "malformed data")                                  \
    XX(ETOOBIG, 9, "over the size limit")                            \
    XX(EDEPTH, 10, "nested too deeply")                              \
    XX(ELIMIT, 11, "over the work limit")                            \
    XX(ERESOLVE, 20, "host name not resolved")                       \
    XX(ECONNECT, 21, "connection failed")                            \
    XX(ECONNTIMEOUT, 22, "connecting timed out")                     \
    XX(ETLS, 23, "TLS failed or the certificate was refused")        \
    XX(EFIRSTBYTE, 24, "no byte of the answer in time")              \
    XX(ESILENCE, 25, "the answer fell silent")                       \
    XX(ETOTAL, 26, "the exchange took too long")                     \
    XX(ERESET, 27, "connection lost")                                \
    XX(ECUT, 28, "the answer was cut off")                           \
    XX(EPROTO, 29, "protocol error")                                 \
    XX(EPRIVATE, 30, "the address is not a public one")              \
    XX(EIO, 40, "input or output failed")                            \
    XX(EBORROWED, 41, "the loop is borrowed; its owner runs it")     \
    XX(ESCRIPT, 42, "script error")                                  \
    XX(ETHREAD, 43, "called from another thread than the runtime's") \
    XX(ECOUNCIL, 44, "no such council, or a faulty one")             \
    XX(ENORUN, 45, "no such run")                                    \
    XX(EDUPLICATE, 46, "a run of that id exists")                    \
    XX(EUNSUPPORTED, 47, "not supported")                            \
    XX(ESQL, 50, "the database failed")

enum {
#define XX(name, number, text) CURIA_##name = -(number),
    CURIA_ERROR_MAP(XX)
#undef XX
};

#ifdef __cplusplus
extern "C" {
#endif

/* "ECONNECT" for CURIA_ECONNECT; "OK" for 0; "EUNKNOWN" otherwise. Static text, any thread. */
const char *curia_error_name(int code);

/* "connection failed" for CURIA_ECONNECT; "ok" for 0. Static text, any thread. */
const char *curia_error_text(int code);

#ifdef __cplusplus
}
#endif

#endif
