#include "sql/sql.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"

/* ---- building a unit ---------------------------------------------------------------------------- */

curia__sql_unit *curia__sql_unit_new(curia__sql_mode mode) {
    curia__sql_unit *unit = calloc(1, sizeof *unit);
    if (unit) unit->mode = mode;
    return unit;
}

static int append_text(curia__buffer *buffer, const char *text, size_t length, size_t *at) {
    *at = buffer->size;
    int rc = curia__buffer_append(buffer, text, length);
    return rc ? rc : curia__buffer_append(buffer, "", 1);
}

int curia__sql_unit_statement(curia__sql_unit *unit, const char *sql, int64_t expect_rows) {
    curia__sql_statement statement = {.first = unit->values.size / sizeof(curia__sql_value),
                                      .expect_rows = expect_rows};
    int rc = append_text(&unit->text, sql, strlen(sql), &statement.sql);
    return rc ? rc : curia__buffer_append(&unit->statements, &statement, sizeof statement);
}

static int add_value(curia__sql_unit *unit, const curia__sql_value *value) {
    int rc = curia__buffer_append(&unit->values, value, sizeof *value);
    if (rc) return rc;
    curia__sql_statement *all = (curia__sql_statement *)(void *)unit->statements.data;
    all[curia__sql_unit_count(unit) - 1].count++;
    return 0;
}

int curia__sql_unit_null(curia__sql_unit *unit) {
    return add_value(unit, &(curia__sql_value){.type = CURIA__SQL_NULL});
}

int curia__sql_unit_integer(curia__sql_unit *unit, int64_t value) {
    return add_value(unit, &(curia__sql_value){.type = CURIA__SQL_INTEGER, .integer = value});
}

int curia__sql_unit_real(curia__sql_unit *unit, double value) {
    return add_value(unit, &(curia__sql_value){.type = CURIA__SQL_REAL, .real = value});
}

int curia__sql_unit_text(curia__sql_unit *unit, curia__sql_type type, const char *text,
                         size_t length) {
    curia__sql_value value = {.type = type, .text.length = length};
    int rc = append_text(&unit->text, text, length, &value.text.at);
    return rc ? rc : add_value(unit, &value);
}

static void unit_free(curia__sql_unit *unit) {
    curia__buffer *const buffers[] = {&unit->text,   &unit->values, &unit->statements,
                                      &unit->answer, &unit->cells,  &unit->results,
                                      &unit->message};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        curia__buffer_deinit(buffers[i]);
    free(unit);
}

void curia__sql_unit_release(curia__sql_unit *unit) {
    if (!unit) return;
    if (unit->sql && !unit->finished)
        unit->abandoned = true;
    else
        unit_free(unit);
}

size_t curia__sql_unit_count(const curia__sql_unit *unit) {
    return unit->statements.size / sizeof(curia__sql_statement);
}

const curia__sql_statement *curia__sql_unit_statements(const curia__sql_unit *unit) {
    return (const curia__sql_statement *)(const void *)unit->statements.data;
}

const curia__sql_value *curia__sql_unit_values(const curia__sql_unit *unit) {
    return (const curia__sql_value *)(const void *)unit->values.data;
}

/* ---- what came of it ---------------------------------------------------------------------------- */

const curia__sql_result *curia__sql_unit_results(const curia__sql_unit *unit) {
    return (const curia__sql_result *)(const void *)unit->results.data;
}

const curia__sql_value *curia__sql_unit_cells(const curia__sql_unit *unit) {
    return (const curia__sql_value *)(const void *)unit->cells.data;
}

static size_t cell_count(const curia__sql_unit *unit) {
    return unit->cells.size / sizeof(curia__sql_value);
}

int curia__sql_result_begin(curia__sql_unit *unit, size_t columns) {
    curia__sql_result result = {.columns = columns,
                                .first_name = cell_count(unit),
                                .first_cell = cell_count(unit) + columns};
    return curia__buffer_append(&unit->results, &result, sizeof result);
}

int curia__sql_result_cell(curia__sql_unit *unit, curia__sql_value value, const char *text) {
    if (value.type >= CURIA__SQL_TEXT) {
        int rc = append_text(&unit->answer, text, value.text.length, &value.text.at);
        if (rc) return rc;
    }
    return curia__buffer_append(&unit->cells, &value, sizeof value);
}

int curia__sql_result_name(curia__sql_unit *unit, const char *name) {
    curia__sql_value value = {.type = CURIA__SQL_TEXT, .text.length = strlen(name)};
    return curia__sql_result_cell(unit, value, name);
}

void curia__sql_result_end(curia__sql_unit *unit, size_t rows, int64_t changes) {
    size_t last = unit->results.size / sizeof(curia__sql_result) - 1;
    curia__sql_result *results = (curia__sql_result *)(void *)unit->results.data;
    results[last].rows = rows;
    results[last].changes = changes;
}

void curia__sql_unit_reset(curia__sql_unit *unit) {
    curia__buffer_clear(&unit->answer);
    curia__buffer_clear(&unit->cells);
    curia__buffer_clear(&unit->results);
    curia__buffer_clear(&unit->message);
    unit->error = 0;
    unit->code = NULL;
}

/* Without memory for the words the code has to do. */
void curia__sql_fail(curia__sql_unit *unit, int error, const char *code, const char *message,
                     size_t statement) {
    curia__sql_unit_reset(unit);
    unit->error = error;
    unit->code = code;
    unit->failed = statement;
    curia__buffer_append_text(&unit->message, message);
}

/* ---- databases of a loop ------------------------------------------------------------------------ */

struct curia__sql_service {
    curia__service service; /* first member */
    curia__loop *loop;
    curia__sql *first;
    bool closing; /* holds its loop until the last database has closed */
};

static void end_service(curia__sql_service *s) {
    s->loop->ending--;
    free(s);
}

static void close_all(curia__service *service) {
    curia__sql_service *s = (curia__sql_service *)service;
    s->closing = true;
    s->loop->ending++;
    for (curia__sql *sql = s->first; sql; sql = sql->next)
        curia__sql_close(sql);
    if (!s->first) end_service(s);
}

static curia__sql_service *service_of(curia__loop *loop) {
    for (curia__service *s = loop->services; s; s = s->next)
        if (s->close == close_all) return (curia__sql_service *)s;
    curia__sql_service *made = calloc(1, sizeof *made);
    if (!made) return NULL;
    made->loop = loop;
    made->service = (curia__service){.name = "sql", .close = close_all};
    curia__loop_add_service(loop, &made->service);
    return made;
}

int curia__sql_init(curia__sql *sql, curia__loop *loop, const curia__sql_driver *driver) {
    curia__sql_service *s = loop->closing ? NULL : service_of(loop);
    if (!s) return loop->closing ? CURIA_ECLOSED : CURIA_ENOMEM;
    *sql = (curia__sql){.driver = driver, .loop = loop, .service = s, .next = s->first};
    s->first = sql;
    return 0;
}

static void leave_service(curia__sql *sql) {
    curia__sql_service *s = sql->service;
    curia__sql **at = &s->first;
    while (*at != sql)
        at = &(*at)->next;
    *at = sql->next;
    if (s->closing && !s->first) end_service(s);
}

/* ---- a database --------------------------------------------------------------------------------- */

void curia__sql_finish(curia__sql_unit *unit) {
    unit->sql->pending--;
    unit->finished = true;
    curia__signal_notify(&unit->changed, 0);
    if (unit->abandoned) unit_free(unit);
}

/* Whoever waited for a read was cancelled. A write goes on: others may count on it. */
static void on_cancel(curia__signal *signal) {
    curia__sql_cancel((curia__sql_unit *)signal);
}

void curia__sql_submit(curia__sql *sql, curia__sql_unit *unit) {
    unit->sql = sql;
    if (unit->mode != CURIA__SQL_WRITE) unit->changed.on_cancel = on_cancel;
    sql->pending++;
    if (!sql->closing) {
        sql->driver->submit(sql, unit);
        return;
    }
    curia__sql_fail(unit, CURIA_ECLOSED, NULL, "the database is closed", 0);
    curia__sql_finish(unit);
}

void curia__sql_cancel(curia__sql_unit *unit) {
    if (unit->sql && !unit->finished) unit->sql->driver->cancel(unit->sql, unit);
}

void curia__sql_close(curia__sql *sql) {
    if (sql->closing) return;
    sql->closing = true;
    sql->driver->close(sql);
}

void curia__sql_closed(curia__sql *sql) {
    leave_service(sql);
    sql->has_closed = true;
    curia__signal_notify(&sql->closed, 0);
    if (sql->released) sql->driver->free(sql);
}

void curia__sql_release(curia__sql *sql) {
    sql->released = true;
    if (sql->has_closed)
        sql->driver->free(sql);
    else
        curia__sql_close(sql);
}
