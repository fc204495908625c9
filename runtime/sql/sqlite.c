#include "sql/sqlite.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "sql/sqlite_connection.h"

enum { BATCH_MOST = 256 /* units in one transaction: more gain nothing (MEASURED 5) */ };

typedef struct {
    curia__sql_unit *first, *last;
} queue;

typedef struct database database;

/* A thread with a connection and the units that wait for it. */
typedef struct {
    database *home;
    pthread_t thread;
    pthread_cond_t wake;
    queue waiting;
    curia__sql_unit *running; /* of the reader: what may be interrupted */
    curia__sqlite_connection connection;
} worker;

struct database {
    curia__sql sql; /* first member */
    char *path;
    curia__sqlite_options options;
    uv_async_t async;
    worker writer, reader;
    /* Everything below, and the workers' queues, under the lock. */
    pthread_mutex_t lock;
    queue done;
    int threads; /* that have not ended */
    int open_rc; /* of the writer's connection; -1: it still opens */
    bool stop;
};

static void append(queue *q, curia__sql_unit *unit) {
    unit->next = NULL;
    if (q->last)
        q->last->next = unit;
    else
        q->first = unit;
    q->last = unit;
}

static curia__sql_unit *take(queue *q) {
    curia__sql_unit *unit = q->first;
    if (!unit) return NULL;
    q->first = unit->next;
    if (!q->first) q->last = NULL;
    return unit;
}

static bool drop(queue *q, const curia__sql_unit *unit) {
    curia__sql_unit *before = NULL;
    for (curia__sql_unit *u = q->first; u; before = u, u = u->next) {
        if (u != unit) continue;
        if (before)
            before->next = u->next;
        else
            q->first = u->next;
        if (q->last == u) q->last = before;
        return true;
    }
    return false;
}

/* ---- on the workers' threads -------------------------------------------------------------------- */

/* Hands units that have been carried out, or have failed, to the loop. */
static void hand_back(database *db, queue *units) {
    pthread_mutex_lock(&db->lock);
    for (curia__sql_unit *unit; (unit = take(units));)
        append(&db->done, unit);
    pthread_mutex_unlock(&db->lock);
    uv_async_send(&db->async);
}

static void end_thread(database *db) {
    pthread_mutex_lock(&db->lock);
    bool last = --db->threads == 0;
    pthread_cond_signal(&db->writer.wake);
    pthread_mutex_unlock(&db->lock);
    if (last) uv_async_send(&db->async);
}

/* The last connection to close puts the log into the database, which a reader may not. */
static void await_reader(database *db) {
    pthread_mutex_lock(&db->lock);
    while (db->threads > 1)
        pthread_cond_wait(&db->writer.wake, &db->lock);
    pthread_mutex_unlock(&db->lock);
}

static void commit_alone(curia__sqlite_connection *c, curia__sql_unit *unit) {
    curia__sql_unit_reset(unit);
    int rc = curia__sqlite_run(c, "BEGIN IMMEDIATE");
    if (rc == SQLITE_OK && curia__sqlite_execute(c, unit)) rc = curia__sqlite_run(c, "COMMIT");
    if (rc != SQLITE_OK) curia__sqlite_fail(c, unit, rc, 0);
    if (!sqlite3_get_autocommit(c->db)) curia__sqlite_run(c, "ROLLBACK");
}

/* Returns false when the whole transaction is lost, not only a unit. */
static bool execute_in_savepoint(curia__sqlite_connection *c, curia__sql_unit *unit) {
    if (curia__sqlite_run(c, "SAVEPOINT unit") != SQLITE_OK) return false;
    bool good = curia__sqlite_execute(c, unit);
    if (sqlite3_get_autocommit(c->db)) return false;
    if (!good && curia__sqlite_run(c, "ROLLBACK TO unit") != SQLITE_OK) return false;
    return curia__sqlite_run(c, "RELEASE unit") == SQLITE_OK;
}

static bool commit_together(curia__sqlite_connection *c, const queue *units) {
    if (curia__sqlite_run(c, "BEGIN IMMEDIATE") != SQLITE_OK) return false;
    bool good = true;
    for (curia__sql_unit *unit = units->first; unit && good; unit = unit->next)
        good = execute_in_savepoint(c, unit);
    if (good && curia__sqlite_run(c, "COMMIT") == SQLITE_OK) return true;
    if (!sqlite3_get_autocommit(c->db)) curia__sqlite_run(c, "ROLLBACK");
    return false;
}

/* When a full disk or an I/O error has undone all of them, each is tried by itself: most may be small
 * enough, and each hears of its own error. */
static void commit(curia__sqlite_connection *c, const queue *units) {
    bool one = units->first == units->last;
    if (!one && commit_together(c, units)) return;
    for (curia__sql_unit *unit = units->first; unit; unit = unit->next)
        commit_alone(c, unit);
}

static void read_in_view(curia__sqlite_connection *c, curia__sql_unit *unit) {
    int rc = curia__sqlite_run(c, "BEGIN");
    if (rc == SQLITE_OK)
        curia__sqlite_execute(c, unit);
    else
        curia__sqlite_fail(c, unit, rc, 0);
    if (!sqlite3_get_autocommit(c->db)) curia__sqlite_run(c, "COMMIT");
}

static void carry_out(worker *w, queue *units) {
    curia__sqlite_connection *c = &w->connection;
    curia__sql_unit *unit = units->first;
    if (unit->mode == CURIA__SQL_WRITE)
        commit(c, units);
    else if (unit->mode == CURIA__SQL_READ)
        read_in_view(c, unit);
    else
        curia__sqlite_backup(c, unit);
}

static void fail_all(worker *w, queue *units, int rc) {
    for (curia__sql_unit *unit = units->first; unit; unit = unit->next)
        curia__sqlite_fail(&w->connection, unit, rc, 0);
}

/* Takes what can be carried out together: writes that follow each other, else one unit. */
static queue take_batch(queue *waiting) {
    queue batch = {NULL, NULL};
    int count = 0;
    do
        append(&batch, take(waiting));
    while (++count < BATCH_MOST && waiting->first && batch.first->mode == CURIA__SQL_WRITE &&
           waiting->first->mode == CURIA__SQL_WRITE);
    return batch;
}

/* Waits for work. Returns false when there is none and will be none: what was submitted before the
 * closing is carried out. */
static bool next_batch(worker *w, queue *batch) {
    database *db = w->home;
    pthread_mutex_lock(&db->lock);
    w->running = NULL;
    while (!w->waiting.first && !db->stop)
        pthread_cond_wait(&w->wake, &db->lock);
    bool some = w->waiting.first != NULL;
    if (some) *batch = take_batch(&w->waiting);
    if (some && w == &db->reader) w->running = batch->first;
    pthread_mutex_unlock(&db->lock);
    return some;
}

static void work(worker *w, int open_rc) {
    queue batch;
    while (next_batch(w, &batch)) {
        if (open_rc == SQLITE_OK)
            carry_out(w, &batch);
        else
            fail_all(w, &batch, open_rc);
        hand_back(w->home, &batch);
    }
    if (w == &w->home->writer) await_reader(w->home);
    curia__sqlite_disconnect(&w->connection);
    end_thread(w->home);
}

static void *write_thread(void *arg) {
    database *db = arg;
    int rc = curia__sqlite_connect(&db->writer.connection, db->path, &db->options, false);
    pthread_mutex_lock(&db->lock);
    db->open_rc = rc;
    pthread_cond_broadcast(&db->reader.wake);
    pthread_mutex_unlock(&db->lock);
    work(&db->writer, rc);
    return NULL;
}

/* The writer makes the file what it is: the reader comes after. */
static void *read_thread(void *arg) {
    database *db = arg;
    pthread_mutex_lock(&db->lock);
    while (db->open_rc == -1)
        pthread_cond_wait(&db->reader.wake, &db->lock);
    pthread_mutex_unlock(&db->lock);
    work(&db->reader, curia__sqlite_connect(&db->reader.connection, db->path, &db->options, true));
    return NULL;
}

/* ---- on the loop's thread ----------------------------------------------------------------------- */

static void free_database(curia__sql *sql) {
    database *db = (database *)sql;
    pthread_cond_destroy(&db->writer.wake);
    pthread_cond_destroy(&db->reader.wake);
    pthread_mutex_destroy(&db->lock);
    free(db->path);
    free(db);
}

static void finish(database *db, curia__sql_unit *unit) {
    curia__sql_finish(unit);
    if (db->sql.pending == 0 && !db->sql.closing) uv_unref((uv_handle_t *)&db->async);
}

static worker *worker_of(database *db, const curia__sql_unit *unit) {
    bool shared = strcmp(db->path, ":memory:") != 0;
    return shared && unit->mode != CURIA__SQL_WRITE ? &db->reader : &db->writer;
}

static void submit(curia__sql *sql, curia__sql_unit *unit) {
    database *db = (database *)sql;
    worker *w = worker_of(db, unit);
    uv_ref((uv_handle_t *)&db->async);
    pthread_mutex_lock(&db->lock);
    append(&w->waiting, unit);
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&db->lock);
}

static void cancel(curia__sql *sql, curia__sql_unit *unit) {
    database *db = (database *)sql;
    worker *w = worker_of(db, unit);
    pthread_mutex_lock(&db->lock);
    unit->cancelled = true;
    bool dropped = drop(&w->waiting, unit);
    if (w->running == unit) sqlite3_interrupt(w->connection.db);
    pthread_mutex_unlock(&db->lock);
    if (!dropped) return;
    curia__sql_fail(unit, CURIA_ECANCELLED, NULL, "cancelled", 0);
    finish(db, unit);
}

static void refuse_waiting(database *db, queue *waiting) {
    for (curia__sql_unit *unit; (unit = take(waiting));) {
        curia__sql_fail(unit, CURIA_ECLOSED, NULL, "the database is closed", 0);
        append(&db->done, unit);
    }
}

static void close_database(curia__sql *sql) {
    database *db = (database *)sql;
    uv_ref((uv_handle_t *)&db->async);
    pthread_mutex_lock(&db->lock);
    db->stop = true;
    refuse_waiting(db, &db->reader.waiting);
    if (db->reader.running) {
        db->reader.running->cancelled = true;
        sqlite3_interrupt(db->reader.connection.db);
    }
    pthread_cond_broadcast(&db->writer.wake);
    pthread_cond_broadcast(&db->reader.wake);
    pthread_mutex_unlock(&db->lock);
    uv_async_send(&db->async);
}

static void on_closed(uv_handle_t *handle) {
    curia__sql_closed(handle->data);
}

static void on_done(uv_async_t *async) {
    database *db = async->data;
    pthread_mutex_lock(&db->lock);
    queue done = db->done;
    db->done = (queue){NULL, NULL};
    bool ended = db->threads == 0;
    pthread_mutex_unlock(&db->lock);
    for (curia__sql_unit *unit; (unit = take(&done));)
        finish(db, unit);
    if (!ended || uv_is_closing((uv_handle_t *)async)) return;
    pthread_join(db->writer.thread, NULL);
    pthread_join(db->reader.thread, NULL);
    uv_close((uv_handle_t *)async, on_closed);
}

static const curia__sql_driver driver = {"sqlite", submit, cancel, close_database, free_database};

static database *new_database(const char *path, const curia__sqlite_options *options) {
    database *db = calloc(1, sizeof *db);
    char *copy = strdup(path);
    if (!db || !copy) {
        free(copy);
        free(db);
        return NULL;
    }
    db->path = copy;
    db->options = *options;
    db->open_rc = -1;
    db->writer.home = db->reader.home = db;
    pthread_mutex_init(&db->lock, NULL);
    pthread_cond_init(&db->writer.wake, NULL);
    pthread_cond_init(&db->reader.wake, NULL);
    return db;
}

/* Signals belong to the threads that expect them. */
static int start_thread(database *db, pthread_t *thread, void *(*body)(void *)) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(thread, NULL, body, db);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

static void stop_writer(database *db) {
    pthread_mutex_lock(&db->lock);
    db->stop = true;
    db->threads = 1;
    pthread_cond_broadcast(&db->writer.wake);
    pthread_mutex_unlock(&db->lock);
    pthread_join(db->writer.thread, NULL);
}

static int start_threads(database *db) {
    db->threads = 2;
    if (start_thread(db, &db->writer.thread, write_thread)) return CURIA_EIO;
    if (!start_thread(db, &db->reader.thread, read_thread)) return 0;
    stop_writer(db);
    return CURIA_EIO;
}

int curia__sqlite_open(curia__loop *loop, const char *path, const curia__sqlite_options *options,
                       curia__sql **out) {
    database *db = new_database(path, options);
    if (!db) return CURIA_ENOMEM;
    int rc = curia__sql_init(&db->sql, loop, &driver);
    if (rc) {
        free_database(&db->sql);
        return rc;
    }
    *out = &db->sql;
    db->sql.closing = db->sql.released = true; /* unless all goes well, it closes by itself */
    if (uv_async_init(loop->uv, &db->async, on_done)) {
        curia__sql_closed(&db->sql);
        return CURIA_EIO;
    }
    db->async.data = db;
    if (start_threads(db)) {
        uv_close((uv_handle_t *)&db->async, on_closed);
        return CURIA_EIO;
    }
    uv_unref((uv_handle_t *)&db->async);
    db->sql.closing = db->sql.released = false;
    return 0;
}
