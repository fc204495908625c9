/* SQLite's file system with faults on order: after some writes and syncs, the next ones fail. */
#ifndef CURIA_SPEC_SQLITE_FAULT_VFS_H
#define CURIA_SPEC_SQLITE_FAULT_VFS_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>

static atomic_int fault_after; /* writes and syncs until the first that fails */
static atomic_int fault_left;  /* how many will fail */
static atomic_int fault_code;  /* what they give */

/* The methods of files that are locked, and of those that are not (the log). */
typedef struct {
    sqlite3_io_methods faulty; /* first member: what the file points to */
    const sqlite3_io_methods *real;
} fault_methods;

static sqlite3_vfs fault_vfs, *real_vfs;
static fault_methods fault_kinds[4];
static pthread_mutex_t fault_lock = PTHREAD_MUTEX_INITIALIZER;

static int fault_due(void) {
    if (atomic_load(&fault_left) == 0) return SQLITE_OK;
    if (atomic_fetch_sub(&fault_after, 1) > 0) return SQLITE_OK;
    atomic_fetch_sub(&fault_left, 1);
    return atomic_load(&fault_code);
}

static const sqlite3_io_methods *fault_real(const sqlite3_file *file) {
    return ((const fault_methods *)file->pMethods)->real;
}

static int fault_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 at) {
    int rc = fault_due();
    return rc ? rc : fault_real(file)->xWrite(file, bytes, count, at);
}

static int fault_sync(sqlite3_file *file, int flags) {
    int rc = fault_due();
    return rc ? rc : fault_real(file)->xSync(file, flags);
}

/* Only what is ordered for the shared memory concerns it. */
static int fault_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out) {
    int rc = atomic_load(&fault_code) == SQLITE_IOERR_SHMSIZE ? fault_due() : SQLITE_OK;
    return rc ? rc : fault_real(file)->xShmMap(file, page, size, extend, out);
}

static const sqlite3_io_methods *fault_wrap(const sqlite3_io_methods *real) {
    pthread_mutex_lock(&fault_lock);
    fault_methods *kind = fault_kinds;
    while (kind->real && kind->real != real)
        kind++;
    if (!kind->real) {
        kind->faulty = *real;
        kind->faulty.xWrite = fault_write;
        kind->faulty.xSync = fault_sync;
        kind->faulty.xShmMap = fault_shm_map;
        kind->real = real;
    }
    pthread_mutex_unlock(&fault_lock);
    return &kind->faulty;
}

static int fault_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out) {
    (void)vfs;
    int rc = real_vfs->xOpen(real_vfs, path, file, flags, out);
    if (!rc && file->pMethods) file->pMethods = fault_wrap(file->pMethods);
    return rc;
}

/* Before the first database is opened. */
static inline void fault_install(void) {
    real_vfs = sqlite3_vfs_find(NULL);
    fault_vfs = *real_vfs;
    fault_vfs.zName = "fault";
    fault_vfs.xOpen = fault_open;
    sqlite3_vfs_register(&fault_vfs, 1);
}

static inline void fault_set(int after, int count, int code) {
    atomic_store(&fault_code, code);
    atomic_store(&fault_after, after);
    atomic_store(&fault_left, count);
}

#endif
