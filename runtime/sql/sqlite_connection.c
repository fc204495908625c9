#include "sql/sqlite_connection.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "error.h"

/* ---- opening ------------------------------------------------------------------------------------ */

/* SQLite would make it readable for all; its journal files take the mode of the database. */
static void make_private(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd);
}

/* WAL lets readers and the writer work beside each other; FULL puts each commit on the disk before it is
 * told. Schemas are Curia's own, but the file may be a stranger's. */
static int configure(curia__sqlite_connection *c, const curia__sqlite_options *options,
                     bool reader) {
    sqlite3_extended_result_codes(c->db, 1);
    sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(c->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    const char *sql = options->read_only ? "PRAGMA query_only=ON"
                      : reader           ? "PRAGMA query_only=ON; PRAGMA temp_store=MEMORY"
                                         : "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                                           "PRAGMA journal_size_limit=67108864; PRAGMA temp_store=MEMORY";
    return sqlite3_exec(c->db, sql, NULL, NULL, NULL);
}

/* Reading the schema is what finds out that the file is none of SQLite's. */
int curia__sqlite_connect(curia__sqlite_connection *c, const char *path,
                          const curia__sqlite_options *options, bool reader) {
    memset(c, 0, sizeof *c);
    int flags = SQLITE_OPEN_NOMUTEX;
    flags |= options->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    bool file = strcmp(path, ":memory:") != 0;
    if (file && !options->read_only) make_private(path);
    int rc = sqlite3_open_v2(path, &c->db, flags, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_busy_timeout(c->db, (int)options->busy_ms);
    if (rc == SQLITE_OK) rc = sqlite3_exec(c->db, "SELECT 1 FROM sqlite_schema", NULL, NULL, NULL);
    return rc == SQLITE_OK ? configure(c, options, reader) : rc;
}

void curia__sqlite_disconnect(curia__sqlite_connection *c) {
    for (int i = 0; i < CURIA__SQLITE_STATEMENTS; i++)
        sqlite3_finalize(c->kept[i].stmt);
    sqlite3_close(c->db); /* all statements are finalized: cannot be busy (PITFALLS S5) */
    c->db = NULL;
}

/* ---- errors ------------------------------------------------------------------------------------- */

static const struct {
    int rc;
    const char *code;
} codes[] = {
    {SQLITE_BUSY, "busy"},
    {SQLITE_LOCKED, "busy"},
    {SQLITE_FULL, "full"},
    {SQLITE_IOERR, "io"},
    {SQLITE_CORRUPT, "corrupt"},
    {SQLITE_NOTADB, "not_a_database"},
    {SQLITE_CANTOPEN, "cannot_open"},
    {SQLITE_PERM, "cannot_open"},
    {SQLITE_READONLY, "readonly"},
    {SQLITE_CONSTRAINT, "constraint"},
    {SQLITE_TOOBIG, "too_big"},
    {SQLITE_INTERRUPT, "interrupted"},
};

static const char *code_of(int rc) {
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].rc == (rc & 0xff)) return codes[i].code;
    return "sql";
}

/* A database in WAL mode is opened with a file of shared memory beside it: that there is no room for
 * it is a full disk, which SQLite calls an I/O error. */
static bool lacks_shared_memory(curia__sqlite_connection *c, int rc) {
    return c->db && (rc & 0xff) == SQLITE_IOERR &&
           sqlite3_extended_errcode(c->db) == SQLITE_IOERR_SHMSIZE;
}

void curia__sqlite_fail(curia__sqlite_connection *c, curia__sql_unit *unit, int rc,
                        size_t statement) {
    int error = rc == SQLITE_NOMEM ? CURIA_ENOMEM : CURIA_ESQL;
    if (rc == SQLITE_INTERRUPT && unit->cancelled) error = CURIA_ECANCELLED;
    bool full = lacks_shared_memory(c, rc);
    if (full) rc = SQLITE_FULL;
    const char *words = c->db && !full ? sqlite3_errmsg(c->db) : sqlite3_errstr(rc);
    curia__sql_fail(unit, error, code_of(rc), words, statement);
}

/* ---- statements --------------------------------------------------------------------------------- */

static bool is_text_of(const curia__sqlite_kept *kept, const char *sql, size_t length) {
    return kept->stmt && kept->length == length && strcmp(sqlite3_sql(kept->stmt), sql) == 0;
}

/* The statement's place: its own, or that of the one that was not used for longest. */
static curia__sqlite_kept *find_place(curia__sqlite_connection *c, const char *sql, size_t length) {
    curia__sqlite_kept *oldest = c->kept;
    for (int i = 0; i < CURIA__SQLITE_STATEMENTS; i++) {
        curia__sqlite_kept *kept = &c->kept[i];
        if (is_text_of(kept, sql, length)) return kept;
        if (kept->used < oldest->used) oldest = kept;
    }
    return oldest;
}

/* Prepares a statement, or takes a kept one. Text behind it would be left out in silence. */
static int prepare(curia__sqlite_connection *c, const char *sql, sqlite3_stmt **out) {
    size_t length = strlen(sql);
    curia__sqlite_kept *kept = find_place(c, sql, length);
    kept->used = ++c->uses;
    *out = kept->stmt;
    if (is_text_of(kept, sql, length)) return SQLITE_OK;
    sqlite3_finalize(kept->stmt);
    kept->stmt = NULL;
    const char *rest;
    int rc = sqlite3_prepare_v3(c->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, &rest);
    if (rc == SQLITE_OK && (!*out || rest[strspn(rest, " \t\r\n;")])) {
        sqlite3_finalize(*out);
        return SQLITE_MISUSE;
    }
    kept->stmt = *out;
    kept->length = length;
    return rc;
}

int curia__sqlite_run(curia__sqlite_connection *c, const char *sql) {
    sqlite3_stmt *stmt;
    int rc = prepare(c, sql, &stmt);
    if (rc != SQLITE_OK) return rc;
    rc = sqlite3_step(stmt);
    sqlite3_reset(stmt);
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

/* The unit keeps its texts until it has been carried out. */
static int bind_value(sqlite3_stmt *stmt, int at, const curia__sql_value *value, const char *text) {
    switch (value->type) {
    case CURIA__SQL_INTEGER: return sqlite3_bind_int64(stmt, at, value->integer);
    case CURIA__SQL_REAL: return sqlite3_bind_double(stmt, at, value->real);
    case CURIA__SQL_TEXT:
        return sqlite3_bind_text64(stmt, at, text + value->text.at, value->text.length,
                                   SQLITE_STATIC, SQLITE_UTF8);
    case CURIA__SQL_BYTES:
        return sqlite3_bind_blob64(stmt, at, text + value->text.at, value->text.length,
                                   SQLITE_STATIC);
    case CURIA__SQL_NULL: break;
    }
    return sqlite3_bind_null(stmt, at);
}

static int bind_all(sqlite3_stmt *stmt, const curia__sql_unit *unit,
                    const curia__sql_statement *statement) {
    const curia__sql_value *values = curia__sql_unit_values(unit) + statement->first;
    int rc = SQLITE_OK;
    for (size_t i = 0; i < statement->count && rc == SQLITE_OK; i++)
        rc = bind_value(stmt, (int)i + 1, &values[i], unit->text.data);
    return rc;
}

static int take_cell(curia__sql_unit *unit, sqlite3_stmt *stmt, int column) {
    curia__sql_value value = {.type = CURIA__SQL_NULL};
    const char *text = "";
    switch (sqlite3_column_type(stmt, column)) {
    case SQLITE_INTEGER:
        value =
            (curia__sql_value){CURIA__SQL_INTEGER, .integer = sqlite3_column_int64(stmt, column)};
        break;
    case SQLITE_FLOAT:
        value = (curia__sql_value){CURIA__SQL_REAL, .real = sqlite3_column_double(stmt, column)};
        break;
    case SQLITE_TEXT:
    case SQLITE_BLOB:
        text = sqlite3_column_blob(stmt, column);
        value.type = CURIA__SQL_TEXT;
        value.text.length = (size_t)sqlite3_column_bytes(stmt, column);
        break;
    }
    return curia__sql_result_cell(unit, value, text ? text : "");
}

/* Steps through the rows. Returns SQLite's code. */
static int take_rows(curia__sql_unit *unit, sqlite3_stmt *stmt, size_t *rows) {
    int columns = sqlite3_column_count(stmt), rc;
    if (curia__sql_result_begin(unit, (size_t)columns)) return SQLITE_NOMEM;
    for (int i = 0; i < columns; i++)
        if (curia__sql_result_name(unit, sqlite3_column_name(stmt, i))) return SQLITE_NOMEM;
    for (*rows = 0; (rc = sqlite3_step(stmt)) == SQLITE_ROW; ++*rows)
        for (int i = 0; i < columns; i++)
            if (take_cell(unit, stmt, i)) return SQLITE_NOMEM;
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static void fail_rows(curia__sql_unit *unit, int64_t expected, int64_t got, size_t number) {
    char text[96];
    snprintf(text, sizeof text, "%lld rows where %lld were expected", (long long)got,
             (long long)expected);
    curia__sql_fail(unit, CURIA_ESQL, "unexpected_rows", text, number);
}

static void fail_values(curia__sql_unit *unit, size_t given, int wanted, size_t number) {
    char text[96];
    snprintf(text, sizeof text, "%zu values for %d placeholders", given, wanted);
    curia__sql_fail(unit, CURIA_ESQL, "sql", text, number);
}

/* Carries out a prepared statement. Returns false when the unit has been marked as failed. */
static bool carry_out(curia__sqlite_connection *c, curia__sql_unit *unit, sqlite3_stmt *stmt,
                      size_t number) {
    const curia__sql_statement *statement = &curia__sql_unit_statements(unit)[number];
    int wanted = sqlite3_bind_parameter_count(stmt);
    if ((size_t)wanted != statement->count) {
        fail_values(unit, statement->count, wanted, number);
        return false;
    }
    size_t rows = 0;
    int rc = bind_all(stmt, unit, statement);
    if (rc == SQLITE_OK) rc = take_rows(unit, stmt, &rows);
    if (rc != SQLITE_OK) {
        curia__sqlite_fail(c, unit, rc, number);
        return false;
    }
    int64_t changes = sqlite3_stmt_readonly(stmt) ? 0 : sqlite3_changes64(c->db);
    int64_t got = sqlite3_column_count(stmt) ? (int64_t)rows : changes;
    curia__sql_result_end(unit, rows, changes);
    if (statement->expect_rows < 0 || statement->expect_rows == got) return true;
    fail_rows(unit, statement->expect_rows, got, number);
    return false;
}

static bool execute_one(curia__sqlite_connection *c, curia__sql_unit *unit, size_t number) {
    sqlite3_stmt *stmt;
    const char *sql = unit->text.data + curia__sql_unit_statements(unit)[number].sql;
    int rc = prepare(c, sql, &stmt);
    if (rc == SQLITE_MISUSE) {
        curia__sql_fail(unit, CURIA_ESQL, "sql", "exactly one statement is expected", number);
        return false;
    }
    if (rc != SQLITE_OK) {
        curia__sqlite_fail(c, unit, rc, number);
        return false;
    }
    bool good = carry_out(c, unit, stmt, number);
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
    return good;
}

static bool is_cancelled(const curia__sql_unit *unit) {
    return unit->mode != CURIA__SQL_WRITE && unit->cancelled;
}

bool curia__sqlite_execute(curia__sqlite_connection *c, curia__sql_unit *unit) {
    size_t count = curia__sql_unit_count(unit);
    for (size_t i = 0; i < count; i++) {
        if (is_cancelled(unit)) {
            curia__sql_fail(unit, CURIA_ECANCELLED, NULL, "cancelled", i);
            return false;
        }
        if (!execute_one(c, unit, i)) return false;
    }
    return true;
}

/* VACUUM counts as a write, though it writes to the other file only. */
void curia__sqlite_backup(curia__sqlite_connection *c, curia__sql_unit *unit) {
    const curia__sql_value *path = curia__sql_unit_values(unit);
    make_private(unit->text.data + path->text.at);
    curia__sqlite_run(c, "PRAGMA query_only=OFF");
    curia__sqlite_execute(c, unit);
    curia__sqlite_run(c, "PRAGMA query_only=ON");
}
