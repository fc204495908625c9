/* SQLite behind the SQL service: group commit, faults of the disk, cancelling, closing. */
#include <sys/stat.h>
#include <unistd.h>

#include "loop_support.h"
#include "sql/sqlite.h"
#include "sqlite_fault_vfs.h"

static curia__loop loop;
static char folder[64], path[96];

static void deliver(curia__op *op, void *host) {
    (void)op, (void)host;
}

/* ---- helpers ------------------------------------------------------------------------------------ */

static curia__sql *open_file(const char *file) {
    curia__sql *sql = NULL;
    curia__sqlite_options options = {.busy_ms = 200};
    assert(curia__sqlite_open(&loop, file, &options, &sql) == 0);
    return sql;
}

static curia__sql_unit *begin(curia__sql *sql, curia__sql_mode mode, const char *text) {
    curia__sql_unit *unit = curia__sql_unit_new(mode);
    assert(curia__sql_unit_statement(unit, text, -1) == 0);
    curia__sql_submit(sql, unit);
    return unit;
}

static void finish(curia__sql_unit *unit) {
    TURN_UNTIL(&loop, unit->finished);
}

/* Carries out one statement; returns the error's code, NULL when all is well. */
static const char *run(curia__sql *sql, curia__sql_mode mode, const char *text) {
    curia__sql_unit *unit = begin(sql, mode, text);
    finish(unit);
    const char *code = unit->error ? unit->code : NULL;
    curia__sql_unit_release(unit);
    return code;
}

static void must(curia__sql *sql, const char *text) {
    const char *code = run(sql, CURIA__SQL_WRITE, text);
    if (code) fprintf(stderr, "%s: %s\n", text, code);
    assert(!code);
}

static bool is(const char *code, const char *expected) {
    return code && strcmp(code, expected) == 0;
}

static int64_t count_rows(curia__sql *sql) {
    curia__sql_unit *unit = begin(sql, CURIA__SQL_READ, "SELECT count(*) AS n FROM t");
    finish(unit);
    assert(!unit->error && curia__sql_unit_results(unit)->rows == 1);
    int64_t count = curia__sql_unit_cells(unit)[curia__sql_unit_results(unit)->first_cell].integer;
    curia__sql_unit_release(unit);
    return count;
}

static void close_file(curia__sql *sql) {
    curia__sql_close(sql);
    TURN_UNTIL(&loop, sql->has_closed);
    curia__sql_release(sql);
}

static curia__sql *open_table(void) {
    unlink(path);
    curia__sql *sql = open_file(path);
    must(sql, "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)");
    return sql;
}

/* ---- tests -------------------------------------------------------------------------------------- */

static void values_come_back(void) {
    curia__sql *sql = open_table();
    curia__sql_unit *unit = curia__sql_unit_new(CURIA__SQL_WRITE);
    curia__sql_unit_statement(unit, "SELECT ?, ?, ?, ?, ? AS last", 1);
    curia__sql_unit_integer(unit, INT64_MIN);
    curia__sql_unit_real(unit, 0.1);
    curia__sql_unit_text(unit, CURIA__SQL_TEXT, "a\0b", 3);
    curia__sql_unit_text(unit, CURIA__SQL_BYTES, "", 0);
    curia__sql_unit_null(unit);
    curia__sql_submit(sql, unit);
    finish(unit);
    assert(!unit->error);
    const curia__sql_result *result = curia__sql_unit_results(unit);
    const curia__sql_value *cell = curia__sql_unit_cells(unit) + result->first_cell;
    const curia__sql_value *name = curia__sql_unit_cells(unit) + result->first_name;
    assert(cell[0].integer == INT64_MIN && cell[1].real == 0.1);
    assert(cell[2].text.length == 3 && memcmp(unit->answer.data + cell[2].text.at, "a\0b", 3) == 0);
    assert(cell[3].type == CURIA__SQL_TEXT && cell[3].text.length == 0);
    assert(cell[4].type == CURIA__SQL_NULL);
    assert(strcmp(unit->answer.data + name[4].text.at, "last") == 0);
    curia__sql_unit_release(unit);
    close_file(sql);
}

/* Units that share a commit: a bad one undoes itself only. */
static void a_bad_unit_undoes_itself_only(void) {
    enum { UNITS = 100 };
    curia__sql *sql = open_table();
    curia__sql_unit *units[UNITS];
    for (int i = 0; i < UNITS; i++) {
        units[i] = curia__sql_unit_new(CURIA__SQL_WRITE);
        curia__sql_unit_statement(units[i], "INSERT INTO t (id) VALUES (?)", 1);
        curia__sql_unit_integer(units[i], i + 1);
        if (i % 10 == 3) curia__sql_unit_statement(units[i], "UPDATE t SET a = 1 WHERE id = -1", 1);
        curia__sql_submit(sql, units[i]);
    }
    for (int i = 0; i < UNITS; i++) {
        finish(units[i]);
        assert(units[i]->error == (i % 10 == 3 ? CURIA_ESQL : 0));
        if (units[i]->error) assert(is(units[i]->code, "unexpected_rows") && units[i]->failed == 1);
        curia__sql_unit_release(units[i]);
    }
    assert(count_rows(sql) == 90);
    close_file(sql);
}

static curia__sql_unit *insert_bytes(curia__sql *sql, int size) {
    curia__sql_unit *unit = curia__sql_unit_new(CURIA__SQL_WRITE);
    char *text = calloc(1, (size_t)size);
    curia__sql_unit_statement(unit, "INSERT INTO t (a) VALUES (?)", 1);
    curia__sql_unit_text(unit, CURIA__SQL_BYTES, text, (size_t)size);
    free(text);
    curia__sql_submit(sql, unit);
    return unit;
}

/* Submits some units at once; returns how many said that they are stored. */
static int insert_some(curia__sql *sql, const char *expected) {
    enum { UNITS = 8 };
    curia__sql_unit *units[UNITS];
    int stored = 0;
    for (int i = 0; i < UNITS; i++)
        units[i] = insert_bytes(sql, 5000);
    for (int i = 0; i < UNITS; i++) {
        finish(units[i]);
        if (units[i]->error) assert(is(units[i]->code, expected));
        stored += units[i]->error == 0;
        curia__sql_unit_release(units[i]);
    }
    return stored;
}

/* Wherever in a commit the disk fails, and for however long: what was told to be stored is, and what was
 * not is not. Where it fails once, all is stored, as each is tried by itself then. */
static void faults_lose_nothing(int code, const char *expected) {
    static const int counts[] = {1, 3, 1000};
    curia__sql *sql = open_table();
    int64_t stored = 0;
    for (int n = 0; n < 3; n++) {
        for (int after = 0; after < 24; after++) {
            fault_set(after, counts[n], code);
            int more = insert_some(sql, expected);
            fault_set(0, 0, 0);
            stored += more;
            assert(count_rows(sql) == stored);
            assert(n != 0 || more >= 7);
            assert(n != 2 || more < 8);
        }
    }
    must(sql, "INSERT INTO t (a) VALUES ('after')");
    close_file(sql);
    sql = open_file(path);
    assert(count_rows(sql) == stored + 1);
    assert(run(sql, CURIA__SQL_READ, "PRAGMA integrity_check") == NULL);
    close_file(sql);
}

static void opening_tells_why_not(void) {
    char bad[128];
    curia__sql *sql = open_file("/nonexistent/file.db");
    assert(is(run(sql, CURIA__SQL_WRITE, "SELECT 1"), "cannot_open"));
    assert(is(run(sql, CURIA__SQL_READ, "SELECT 1"), "cannot_open"));
    close_file(sql);
    snprintf(bad, sizeof bad, "%s/text", folder);
    FILE *file = fopen(bad, "w");
    for (int i = 0; i < 100; i++)
        fputs("This is no database; it must stay what it is.\n", file);
    fclose(file);
    sql = open_file(bad);
    assert(is(run(sql, CURIA__SQL_WRITE, "CREATE TABLE t (a)"), "not_a_database"));
    close_file(sql);
    struct stat about;
    assert(stat(bad, &about) == 0 && about.st_size == 4600);
    unlink(bad);
}

/* Its shared memory takes room too. */
static void a_full_disk_is_told_by_opening(void) {
    close_file(open_table());
    fault_set(0, 1000, SQLITE_IOERR_SHMSIZE);
    curia__sql *sql = open_file(path);
    assert(is(run(sql, CURIA__SQL_WRITE, "SELECT 1"), "full"));
    close_file(sql);
    fault_set(0, 0, 0);
    sql = open_file(path);
    must(sql, "SELECT count(*) FROM t");
    close_file(sql);
}

static void the_file_is_private(void) {
    curia__sql *sql = open_table();
    struct stat about;
    assert(stat(path, &about) == 0 && (about.st_mode & 0777) == 0600);
    close_file(sql);
}

static void another_writer_is_waited_for(void) {
    curia__sql *sql = open_table(), *other = open_file(path);
    must(other, "INSERT INTO t (a) VALUES ('other')");
    sqlite3 *db;
    assert(sqlite3_open(path, &db) == SQLITE_OK);
    assert(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK);
    assert(is(run(sql, CURIA__SQL_WRITE, "DELETE FROM t"), "busy"));
    assert(count_rows(sql) == 1); /* reads go on beside it */
    assert(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);
    must(sql, "DELETE FROM t");
    sqlite3_close(db);
    close_file(other);
    close_file(sql);
}

#define ENDLESS \
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"

static void reads_can_be_interrupted(void) {
    curia__sql *sql = open_table();
    curia__sql_unit *endless = begin(sql, CURIA__SQL_READ, ENDLESS);
    curia__sql_unit *behind = begin(sql, CURIA__SQL_READ, "SELECT 1");
    must(sql, "INSERT INTO t (a) VALUES ('beside it')");
    curia__sql_cancel(behind);
    assert(behind->finished && behind->error == CURIA_ECANCELLED);
    curia__sql_cancel(endless);
    finish(endless);
    assert(endless->error == CURIA_ECANCELLED);
    curia__sql_unit_release(behind);
    curia__sql_unit_release(endless);
    assert(count_rows(sql) == 1);
    close_file(sql);
}

/* What was submitted is stored, whoever still wants to know. */
static void closing_carries_writes_out(void) {
    curia__sql *sql = open_table();
    for (int i = 0; i < 500; i++)
        curia__sql_unit_release(begin(sql, CURIA__SQL_WRITE, "INSERT INTO t (a) VALUES ('x')"));
    curia__sql_unit *endless = begin(sql, CURIA__SQL_READ, ENDLESS);
    curia__sql_close(sql);
    curia__sql_unit *late = begin(sql, CURIA__SQL_WRITE, "DELETE FROM t");
    assert(late->finished && late->error == CURIA_ECLOSED);
    curia__sql_unit_release(late);
    TURN_UNTIL(&loop, sql->has_closed);
    assert(endless->finished && endless->error != 0);
    curia__sql_unit_release(endless);
    curia__sql_release(sql);
    sql = open_file(path);
    assert(count_rows(sql) == 500);
    close_file(sql);
}

static void a_copy_is_a_database(void) {
    char copy[128];
    snprintf(copy, sizeof copy, "%s/copy.db", folder);
    curia__sql *sql = open_table();
    must(sql, "INSERT INTO t (a) VALUES ('x')");
    for (int i = 0; i < 2; i++) {
        curia__sql_unit *unit = curia__sql_unit_new(CURIA__SQL_BACKUP);
        curia__sql_unit_statement(unit, "VACUUM INTO ?", -1);
        curia__sql_unit_text(unit, CURIA__SQL_TEXT, copy, strlen(copy));
        curia__sql_submit(sql, unit);
        finish(unit);
        assert(unit->error == (i == 0 ? 0 : CURIA_ESQL)); /* nothing is overwritten */
        curia__sql_unit_release(unit);
    }
    assert(is(run(sql, CURIA__SQL_READ, "DELETE FROM t"), "readonly"));
    close_file(sql);
    sql = open_file(copy);
    assert(count_rows(sql) == 1);
    close_file(sql);
    unlink(copy);
}

static void memory_is_one_database(void) {
    curia__sql *sql = open_file(":memory:");
    must(sql, "CREATE TABLE t (a)");
    must(sql, "INSERT INTO t VALUES (1)");
    assert(count_rows(sql) == 1);
    close_file(sql);
}

/* The loop closes what was left open, with units under way. */
static void the_loop_closes_it(void) {
    curia__loop own;
    curia__sql *sql;
    curia__sqlite_options options = {.busy_ms = 200};
    assert(curia__loop_init(&own, NULL, deliver, NULL) == 0);
    assert(curia__sqlite_open(&own, path, &options, &sql) == 0);
    for (int i = 0; i < 100; i++)
        curia__sql_unit_release(begin(sql, CURIA__SQL_WRITE, "INSERT INTO t (a) VALUES ('x')"));
    close_loop(&own);
    assert(sql->has_closed);
    curia__sql_release(sql);
}

int main(void) {
    snprintf(folder, sizeof folder, "/tmp/curia-sqlite-XXXXXX");
    assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/test.db", folder);
    fault_install();
    assert(curia__loop_init(&loop, NULL, deliver, NULL) == 0);
    values_come_back();
    a_bad_unit_undoes_itself_only();
    faults_lose_nothing(SQLITE_FULL, "full");
    faults_lose_nothing(SQLITE_IOERR_WRITE, "io");
    opening_tells_why_not();
    a_full_disk_is_told_by_opening();
    the_file_is_private();
    another_writer_is_waited_for();
    reads_can_be_interrupted();
    closing_carries_writes_out();
    a_copy_is_a_database();
    memory_is_one_database();
    the_loop_closes_it();
    close_loop(&loop);
    unlink(path);
    assert(rmdir(folder) == 0);
    return 0;
}
