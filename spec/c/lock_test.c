/* A lock is held by one, and given back when whoever holds it is killed. */
#undef NDEBUG
#include "lock.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"

static char path[] = "/tmp/curia_lock_XXXXXX";

static void is_held_by_one(void) {
    int first = curia__lock_acquire(path);
    assert(first >= 0);
    assert(curia__lock_acquire(path) == CURIA_EBUSY);
    curia__lock_release(first);
    int second = curia__lock_acquire(path);
    assert(second >= 0);
    curia__lock_release(second);
    assert(curia__lock_acquire("/no/such/folder/lock") == CURIA_EIO);
}

static void comes_back_from_the_killed(void) {
    int ready[2];
    assert(pipe(ready) == 0);
    pid_t child = fork();
    if (child == 0) {
        if (curia__lock_acquire(path) < 0) _exit(1);
        if (write(ready[1], "x", 1) != 1) _exit(1);
        for (;;)
            pause();
    }
    char byte;
    assert(read(ready[0], &byte, 1) == 1);
    assert(curia__lock_acquire(path) == CURIA_EBUSY);
    kill(child, SIGKILL);
    assert(waitpid(child, NULL, 0) == child);
    int mine = curia__lock_acquire(path);
    assert(mine >= 0);
    curia__lock_release(mine);
}

int main(void) {
    int file = mkstemp(path);
    assert(file >= 0);
    close(file);
    is_held_by_one();
    comes_back_from_the_killed();
    unlink(path);
    return 0;
}
