--- The tables (SPEC 15), as steps that only go forward: what has been released is never changed, only added to.
--
-- Times are Unix ms. What holds users' data (inputs, answers, events) is bytes: it may be encrypted, and
-- Postgres has no text with U+0000. A run's key is (namespace, run_id) everywhere.
local M = {}

---@class curia.store.Step
---@field about string
---@field statements string[]

---@type curia.store.Step[]
M.steps = {
  {
    about = "runs, their events and their journal",
    statements = {
      [[CREATE TABLE {runs} (
        namespace TEXT NOT NULL, run_id TEXT NOT NULL, group_name TEXT, council TEXT NOT NULL, spec_hash TEXT,
        status TEXT NOT NULL, durability TEXT NOT NULL, recovery TEXT, reason TEXT, cancel_requested TEXT,
        attempt BIGINT NOT NULL, attempts BIGINT NOT NULL, max_attempts BIGINT,
        parent_run_id TEXT, parent_attempt_run_id TEXT, job_id TEXT, seed BIGINT, source TEXT, source_hash TEXT,
        owner TEXT, incarnation TEXT, fence BIGINT NOT NULL, source_stack TEXT, source_env TEXT,
        input {bytes}, options {bytes}, result {bytes}, error {bytes}, usage {bytes}, cost DOUBLE PRECISION,
        events BIGINT NOT NULL, started_at BIGINT, finalized_at BIGINT,
        inserted_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
        PRIMARY KEY (namespace, run_id))]],
      "CREATE INDEX {runs}_by_age ON {runs} (namespace, inserted_at)",
      "CREATE INDEX {runs}_live ON {runs} (incarnation) WHERE status IN ('pending', 'running', 'blocked')",
      -- Appended to, with an index beside: a table that is clustered by run takes 3.5 times as long (MEASURED 5).
      [[CREATE TABLE {run_events} (
        id {serial}, namespace TEXT NOT NULL, run_id TEXT NOT NULL, seq BIGINT NOT NULL, type TEXT NOT NULL,
        payload {bytes} NOT NULL, inserted_at BIGINT NOT NULL)]],
      "CREATE UNIQUE INDEX {run_events}_by_run ON {run_events} (namespace, run_id, seq)",
      [[CREATE TABLE {steps} (
        id {serial}, namespace TEXT NOT NULL, run_id TEXT NOT NULL, path TEXT NOT NULL, kind TEXT NOT NULL,
        input_hash TEXT, input {bytes}, status TEXT NOT NULL, asked_after BIGINT, finished BIGINT, at_ms BIGINT,
        failed BIGINT, result {bytes},
        usage {bytes}, cost DOUBLE PRECISION, attempt BIGINT NOT NULL, fence BIGINT NOT NULL,
        started_at BIGINT NOT NULL, finished_at BIGINT)]],
      "CREATE UNIQUE INDEX {steps}_by_path ON {steps} (namespace, run_id, path)",
      -- In the order of finishing a resumed run is handed its steps.
      "CREATE INDEX {steps}_finished ON {steps} (namespace, run_id, finished) WHERE finished IS NOT NULL",
      "CREATE INDEX {runs}_inside ON {runs} (namespace, parent_run_id) WHERE parent_run_id IS NOT NULL",
      "CREATE TABLE {blobs} (hash TEXT PRIMARY KEY, content {bytes} NOT NULL, inserted_at BIGINT NOT NULL)",
      [[CREATE TABLE {nodes} (
        incarnation TEXT PRIMARY KEY, node_id TEXT NOT NULL, pid BIGINT, started_at BIGINT NOT NULL,
        heartbeat_at BIGINT NOT NULL)]],
    },
  },
  {
    about = "jobs and what enqueues them by the clock",
    statements = {
      [[CREATE TABLE {jobs} (
        job_id TEXT PRIMARY KEY, namespace TEXT NOT NULL, queue TEXT NOT NULL, state TEXT NOT NULL,
        priority BIGINT NOT NULL, council TEXT NOT NULL, run_id TEXT NOT NULL, group_name TEXT,
        attempt BIGINT NOT NULL, max_attempts BIGINT NOT NULL, timeout_ms BIGINT, schedule_at BIGINT NOT NULL,
        unique_key TEXT, unique_until BIGINT, cancel_requested TEXT, incarnation TEXT, fence BIGINT NOT NULL,
        source_stack TEXT, source_env TEXT, input {bytes}, options {bytes}, backoff {bytes}, metadata {bytes},
        errors {bytes}, attempted_at BIGINT, finished_at BIGINT, inserted_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL)]],
      "CREATE INDEX {jobs}_available ON {jobs} (queue, priority, schedule_at, job_id) WHERE state = 'available'",
      "CREATE INDEX {jobs}_due ON {jobs} (schedule_at) WHERE state IN ('scheduled', 'retryable')",
      "CREATE INDEX {jobs}_executing ON {jobs} (incarnation) WHERE state = 'executing'",
      "CREATE INDEX {jobs}_finished ON {jobs} (finished_at) WHERE finished_at IS NOT NULL",
      "CREATE UNIQUE INDEX {jobs}_unique ON {jobs} (namespace, unique_key) WHERE unique_key IS NOT NULL",
      [[CREATE TABLE {schedules} (
        name TEXT PRIMARY KEY, cron TEXT NOT NULL, job {bytes} NOT NULL, next_at BIGINT NOT NULL, last_at BIGINT,
        inserted_at BIGINT NOT NULL, updated_at BIGINT NOT NULL)]],
      "CREATE INDEX {schedules}_due ON {schedules} (next_at)",
    },
  },
  {
    about = "workflows",
    statements = {
      -- `version` grows with each change: who writes names the one that was read. `plan` is the shape as it was begun.
      [[CREATE TABLE {workflows} (
        namespace TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, subject TEXT, status TEXT NOT NULL,
        source TEXT, definition_hash TEXT NOT NULL, plan {bytes} NOT NULL, trigger_value {bytes}, options {bytes},
        error {bytes}, source_stack TEXT, source_env TEXT, version BIGINT NOT NULL,
        started_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, finished_at BIGINT, PRIMARY KEY (namespace, id))]],
      "CREATE INDEX {workflows}_by_age ON {workflows} (namespace, started_at)",
      "CREATE INDEX {workflows}_live ON {workflows} (started_at) WHERE status IN ('running', 'blocked')",
      [[CREATE UNIQUE INDEX {workflows}_in_flight
        ON {workflows} (namespace, name, subject, COALESCE(source_stack, ''), COALESCE(source_env, ''))
        WHERE subject IS NOT NULL AND status IN ('running', 'blocked')]],
      [[CREATE TABLE {workflow_steps} (
        namespace TEXT NOT NULL, workflow_id TEXT NOT NULL, name TEXT NOT NULL, position BIGINT NOT NULL,
        status TEXT NOT NULL, attempt BIGINT NOT NULL, run_id TEXT, owner TEXT, input_hash TEXT, reused_from TEXT,
        input {bytes}, result {bytes}, error {bytes}, retry_at BIGINT, started_at BIGINT, finished_at BIGINT,
        version BIGINT NOT NULL, PRIMARY KEY (namespace, workflow_id, name))]],
      [[CREATE INDEX {workflow_steps}_reusable ON {workflow_steps} (namespace, input_hash, finished_at)
        WHERE input_hash IS NOT NULL AND status = 'done']],
      [[CREATE INDEX {workflow_steps}_by_run ON {workflow_steps} (namespace, run_id)
        WHERE run_id IS NOT NULL AND status IN ('running', 'cancelled')]],
    },
  },
  {
    about = "how often members were right",
    statements = {
      [[CREATE TABLE {reliability} (
        namespace TEXT NOT NULL, member TEXT NOT NULL, bucket_hash TEXT NOT NULL, bucket {bytes} NOT NULL,
        successes BIGINT NOT NULL, failures BIGINT NOT NULL, updated_at BIGINT NOT NULL,
        PRIMARY KEY (namespace, member, bucket_hash))]],
    },
  },
  {
    about = "how often members were right who were so sure",
    statements = {
      [[CREATE TABLE {calibration} (
        id {serial}, namespace TEXT NOT NULL, member TEXT NOT NULL, confidence DOUBLE PRECISION NOT NULL,
        correct BIGINT NOT NULL, inserted_at BIGINT NOT NULL)]],
      "CREATE INDEX {calibration}_by_member ON {calibration} (namespace, member, id)",
    },
  },
  {
    about = "unique keys of jobs for each stack and environment",
    statements = {
      "DROP INDEX {jobs}_unique",
      [[CREATE UNIQUE INDEX {jobs}_unique
        ON {jobs} (namespace, unique_key, COALESCE(source_stack, ''), COALESCE(source_env, ''))
        WHERE unique_key IS NOT NULL]],
    },
  },
  {
    about = "what processes have registered for each other",
    statements = {
      [[CREATE TABLE {registry} (
        namespace TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, schema_version BIGINT NOT NULL,
        value {bytes} NOT NULL, updated_at BIGINT NOT NULL, PRIMARY KEY (namespace, kind, name))]],
    },
  },
}

return M
