#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "error.h"

static int lock(int descriptor) {
    int rc;
    do
        rc = flock(descriptor, LOCK_EX | LOCK_NB);
    while (rc && errno == EINTR);
    return rc;
}

int curia__lock_acquire(const char *path) {
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) return CURIA_EIO;
    if (!lock(descriptor)) return descriptor;
    int reason = errno;
    close(descriptor);
    errno = reason;
    return reason == EWOULDBLOCK ? CURIA_EBUSY : CURIA_EIO;
}

void curia__lock_release(int descriptor) {
    close(descriptor);
}
