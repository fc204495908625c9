/* One connection to SQLite, on one thread: statements in, rows out. */
#ifndef CURIA_SQL_SQLITE_CONNECTION_H
#define CURIA_SQL_SQLITE_CONNECTION_H

#include <sqlite3.h>

#include "sql/sqlite.h"

enum { CURIA__SQLITE_STATEMENTS = 64 }; /* prepared ones that are kept */

typedef struct {
    sqlite3_stmt *stmt;
    uint64_t used; /* when, by the connection's count */
    size_t length; /* of its text */
} curia__sqlite_kept;

typedef struct {
    sqlite3 *db;
    curia__sqlite_kept kept[CURIA__SQLITE_STATEMENTS];
    uint64_t uses;
} curia__sqlite_connection;

/* Opens; `reader` for one that only reads what another connection of this process has opened before.
 * Returns SQLite's code; `c->db` then has the words. */
int curia__sqlite_connect(curia__sqlite_connection *c, const char *path,
                          const curia__sqlite_options *options, bool reader);
void curia__sqlite_disconnect(curia__sqlite_connection *c);

/* Runs one of the statements that every transaction takes. Returns SQLite's code. */
int curia__sqlite_run(curia__sqlite_connection *c, const char *sql);

/* Runs the statements of a unit, whatever transaction it is in. Returns true, or false: the unit has been
 * marked as failed. */
bool curia__sqlite_execute(curia__sqlite_connection *c, curia__sql_unit *unit);

/* Copies the database into the file that the unit's one value names, which must not exist; the unit's one
 * statement is the driver's. Marks the unit as failed if need be. */
void curia__sqlite_backup(curia__sqlite_connection *c, curia__sql_unit *unit);

/* Marks the unit as failed with what the connection, whose last call gave `rc`, says. */
void curia__sqlite_fail(curia__sqlite_connection *c, curia__sql_unit *unit, int rc,
                        size_t statement);

#endif
