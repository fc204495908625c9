/* The SQLite driver: two threads for each database, one that writes and one that reads.
 *
 * The writer takes all units that wait and commits them together, each in a savepoint of its own: the
 * disk is the natural batcher (MEASURED 5). The reader has a connection of its own, so that a long read
 * does not hold writes up. Each connection belongs to one thread (PITFALLS S1), what goes in and out is
 * copied there (S2), and libuv's pool is not used (S3).
 */
#ifndef CURIA_SQL_SQLITE_H
#define CURIA_SQL_SQLITE_H

#include "sql/sql.h"

typedef struct {
    bool read_only;   /* the file must exist and is not changed */
    unsigned busy_ms; /* how long to wait for another process that writes */
} curia__sqlite_options;

/* Opens the database in `path`, made with mode 0600 when it does not exist; ":memory:" is one that
 * nobody else sees. Opening goes on in the writer's thread: if it fails, every unit tells why. Returns 0,
 * CURIA_ENOMEM, CURIA_ECLOSED, or CURIA_EIO when there can be no thread. */
int curia__sqlite_open(curia__loop *loop, const char *path, const curia__sqlite_options *options,
                       curia__sql **out);

#endif
