/* The error codes are public: runtime/include/curia_error.h. */
#ifndef CURIA__ERROR_H
#define CURIA__ERROR_H

#include "curia_error.h"

#endif
