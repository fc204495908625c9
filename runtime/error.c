#include "error.h"

const char *curia_error_name(int code) {
    switch (code) {
#define XX(name, number, text) \
    case -(number): return #name;
        CURIA_ERROR_MAP(XX)
#undef XX
    case 0: return "OK";
    default: return "EUNKNOWN";
    }
}

const char *curia_error_text(int code) {
    switch (code) {
#define XX(name, number, text) \
    case -(number): return text;
        CURIA_ERROR_MAP(XX)
#undef XX
    case 0: return "ok";
    default: return "unknown error";
    }
}
