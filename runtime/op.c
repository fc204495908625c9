#include "op.h"

#include "error.h"
#include "loop.h"
#include "scope.h"
#include "task.h"

void curia__op_start(curia__op *op, curia__loop *loop, const curia__op_class *cls,
                     curia__task *task) {
    op->loop = loop;
    op->cls = cls;
    op->task = task;
    op->next = NULL;
    op->status = 0;
    op->state = CURIA__OP_PENDING;
}

void curia__op_complete(curia__op *op, int status) {
    if (op->state != CURIA__OP_PENDING) return;
    op->status = status;
    op->state = CURIA__OP_READY;
    curia__loop_queue(op->loop, op);
}

void curia__op_cancel(curia__op *op) {
    if (op->state == CURIA__OP_PENDING) op->cls->cancel(op);
}

static void signal_add(curia__signal *signal, curia__op *op) {
    op->next = NULL;
    if (signal->last)
        signal->last->next = op;
    else
        signal->first = op;
    signal->last = op;
}

static void signal_remove(curia__signal *signal, curia__op *op) {
    curia__op *before = NULL;
    for (curia__op *o = signal->first; o; before = o, o = o->next) {
        if (o != op) continue;
        if (before)
            before->next = o->next;
        else
            signal->first = o->next;
        if (signal->last == o) signal->last = before;
        return;
    }
}

static curia__clock *clock_of(const curia__wait *w) {
    return curia__clock_of_task(w->op.loop, w->op.task);
}

void curia__signal_notify(curia__signal *signal, int status) {
    while (signal->first) {
        curia__wait *w = (curia__wait *)signal->first;
        signal->first = w->op.next;
        if (!signal->first) signal->last = NULL;
        w->signal = NULL;
        curia__timer_stop(clock_of(w), &w->timer);
        curia__op_complete(&w->op, status);
    }
}

static void wait_end(curia__wait *w, int status) {
    if (w->signal) signal_remove(w->signal, &w->op);
    w->signal = NULL;
    curia__timer_stop(clock_of(w), &w->timer);
    curia__op_complete(&w->op, status);
}

static void wait_cancel(curia__op *op) {
    curia__wait *w = (curia__wait *)op;
    curia__signal *signal = w->signal;
    wait_end(w, CURIA_ECANCELLED);
    if (signal && signal->on_cancel) signal->on_cancel(signal);
}

static void on_time(curia__timer *timer) {
    curia__wait *w = (curia__wait *)((char *)timer - offsetof(curia__wait, timer));
    wait_end(w, w->signal ? CURIA_ETIMEOUT : 0);
}

static const curia__op_class wait_class = {"wait", wait_cancel};

int curia__wait_start(curia__wait *w, curia__loop *loop, curia__task *task, curia__signal *signal,
                      int64_t timeout_ms) {
    if (timeout_ms >= 0) {
        w->timer.background = task && task->background;
        curia__clock *clock = curia__clock_of_task(loop, task);
        int rc = curia__timer_start(clock, &w->timer, (uint64_t)timeout_ms, on_time);
        if (rc) return rc;
    }
    curia__op_start(&w->op, loop, &wait_class, task);
    w->signal = signal;
    if (signal) signal_add(signal, &w->op);
    return 0;
}
