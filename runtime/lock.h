/* Locks on files that the kernel gives back, however their process ends: who holds one is alive.
 *
 * A lock belongs to whoever opened it: not to processes that were started meanwhile, and a second one on the same file
 * is refused in the same process too. Any thread.
 */
#ifndef CURIA_LOCK_H
#define CURIA_LOCK_H

/* Makes the file where there is none, readable by its owner alone, and locks it. Returns a descriptor, or CURIA_EBUSY
 * when somebody holds it, or CURIA_EIO with errno set. */
int curia__lock_acquire(const char *path);

/* Lets the lock go. */
void curia__lock_release(int descriptor);

#endif
