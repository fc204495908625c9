/* SQL: databases behind one asynchronous interface; what differs between engines stands in a driver.
 *
 * The unit of work is a list of statements that take effect together or not at all. A unit is filled
 * in, submitted, and finishes exactly once; nobody can wait in the middle of it. A driver may put many
 * units into one transaction (group commit), but a unit that fails undoes nothing but itself, and a
 * unit that has finished well is on the disk.
 *
 * All calls belong to the loop's thread. A unit is its submitter's until curia__sql_submit and after
 * it has finished; in between only `curia__sql_cancel` and `curia__sql_unit_release` may touch it.
 */
#ifndef CURIA_SQL_H
#define CURIA_SQL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"
#include "loop.h"

typedef struct curia__sql curia__sql;           /* an open database */
typedef struct curia__sql_unit curia__sql_unit; /* a unit of work */
typedef struct curia__sql_service curia__sql_service;

/* ---- values ------------------------------------------------------------------------------------ */

typedef enum {
    CURIA__SQL_NULL,
    CURIA__SQL_INTEGER,
    CURIA__SQL_REAL,
    CURIA__SQL_TEXT,
    CURIA__SQL_BYTES
} curia__sql_type;

typedef struct {
    curia__sql_type type;
    union {
        int64_t integer;
        double real;
        struct {
            size_t at, length; /* in the unit's `text` or `answer` */
        } text;
    };
} curia__sql_value;

/* ---- a unit of work ---------------------------------------------------------------------------- */

typedef struct {
    size_t sql;          /* offset in `text`, NUL-terminated there */
    size_t first, count; /* its values */
    int64_t expect_rows; /* how many it has to change or return; -1: any number */
} curia__sql_statement;

typedef struct {
    size_t columns, rows;
    size_t first_name; /* of `columns` texts among `cells` */
    size_t first_cell; /* of `columns` * `rows` values among `cells`, row by row */
    int64_t changes;   /* rows that it inserted, updated or deleted */
} curia__sql_result;

typedef enum {
    CURIA__SQL_WRITE, /* one transaction, possibly together with other units */
    CURIA__SQL_READ, /* one consistent view; may run beside writes, sees those that have finished */
    CURIA__SQL_BACKUP /* no statement of the caller's: a copy into the new file that its one value names */
} curia__sql_mode;

struct curia__sql_unit {
    curia__signal changed; /* first member: it has finished */
    bool finished;
    int error; /* once finished: 0, CURIA_ECANCELLED, CURIA_ECLOSED, CURIA_ENOMEM or CURIA_ESQL */
    const char
        *code; /* of CURIA_ESQL, static text: "busy", "full", "constraint", ...; see sqlite.c */
    curia__buffer message; /* the engine's words */
    size_t failed;         /* number of the statement that failed, from 0 */
    /* What to do. */
    curia__sql_mode mode;
    curia__buffer text, values, statements;
    /* What came of it. */
    curia__buffer answer, cells, results;
    /* Private. */
    curia__sql *sql; /* NULL: not submitted */
    curia__sql_unit *next;
    bool abandoned; /* nobody wants to hear of it: it is freed when it finishes */
    atomic_bool cancelled;
};

/* An empty unit, or NULL when out of memory. */
curia__sql_unit *curia__sql_unit_new(curia__sql_mode mode);

/* Adds a statement with `?` for its values, which are added after it, in order. The text is copied.
 * Returns 0 or CURIA_ENOMEM. */
int curia__sql_unit_statement(curia__sql_unit *unit, const char *sql, int64_t expect_rows);
int curia__sql_unit_null(curia__sql_unit *unit);
int curia__sql_unit_integer(curia__sql_unit *unit, int64_t value);
int curia__sql_unit_real(curia__sql_unit *unit, double value);
int curia__sql_unit_text(curia__sql_unit *unit, curia__sql_type type, const char *text,
                         size_t length);

/* Gives a unit back: at once, or when it has finished (a write that was submitted is carried out). */
void curia__sql_unit_release(curia__sql_unit *unit);

size_t curia__sql_unit_count(const curia__sql_unit *unit); /* of statements */
const curia__sql_statement *curia__sql_unit_statements(const curia__sql_unit *unit);
const curia__sql_value *curia__sql_unit_values(const curia__sql_unit *unit);
/* Of a finished unit. */
const curia__sql_result *curia__sql_unit_results(const curia__sql_unit *unit);
const curia__sql_value *curia__sql_unit_cells(const curia__sql_unit *unit);

/* ---- a database -------------------------------------------------------------------------------- */

/* Hands a unit over. Always finishes it: a database that could not be opened, or is closed, gives an
 * error. Writes are carried out in the order of submission. */
void curia__sql_submit(curia__sql *sql, curia__sql_unit *unit);

/* A unit that has not begun ends with CURIA_ECANCELLED, a read that runs is interrupted; a write that
 * runs is not, as that would undo others (PITFALLS S4): it finishes soon, as it would have. */
void curia__sql_cancel(curia__sql_unit *unit);

/* Closes: submitted writes are carried out, reads are interrupted, later units get CURIA_ECLOSED.
 * Asynchronous; `closed` is notified at the end. Idempotent. */
void curia__sql_close(curia__sql *sql);

/* Gives the handle back; closes if need be. The memory goes when the database has closed. */
void curia__sql_release(curia__sql *sql);

/* ---- for drivers ------------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    void (*submit)(curia__sql *sql, curia__sql_unit *unit);
    void (*cancel)(curia__sql *sql, curia__sql_unit *unit);
    /* Begins to close; leads to curia__sql_closed. */
    void (*close)(curia__sql *sql);
    /* Frees the driver's part, which has closed. */
    void (*free)(curia__sql *sql);
} curia__sql_driver;

/* The common part of every database; a driver's struct begins with it. */
struct curia__sql {
    const curia__sql_driver *driver;
    curia__loop *loop;
    curia__sql_service *service;
    curia__sql *next;     /* of the same loop */
    curia__signal closed; /* notified when it has closed */
    size_t pending;       /* units that have not finished */
    bool closing, has_closed, released;
};

/* Adds an opened database to its loop, which closes it in time. Returns 0, CURIA_ECLOSED or CURIA_ENOMEM. */
int curia__sql_init(curia__sql *sql, curia__loop *loop, const curia__sql_driver *driver);

/* A unit has been carried out, or has failed; loop thread. */
void curia__sql_finish(curia__sql_unit *unit);

/* The driver has closed; `sql` may be freed by this call. */
void curia__sql_closed(curia__sql *sql);

/* Marks a unit as failed, before it finishes; any thread. `statement` counts from 0. */
void curia__sql_fail(curia__sql_unit *unit, int error, const char *code, const char *message,
                     size_t statement);

/* Forgets what came of it, to carry it out anew; any thread. */
void curia__sql_unit_reset(curia__sql_unit *unit);

/* Building results; any thread. All return 0 or CURIA_ENOMEM. */
int curia__sql_result_begin(curia__sql_unit *unit, size_t columns);
int curia__sql_result_name(curia__sql_unit *unit, const char *name);
int curia__sql_result_cell(curia__sql_unit *unit, curia__sql_value value, const char *text);
void curia__sql_result_end(curia__sql_unit *unit, size_t rows, int64_t changes);

#endif
