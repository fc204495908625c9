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
        input_hash TEXT, input {bytes}, status TEXT NOT NULL, finished BIGINT, at_ms BIGINT, result {bytes},
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
    about = "how often members were right",
    statements = {
      [[CREATE TABLE {reliability} (
        namespace TEXT NOT NULL, member TEXT NOT NULL, bucket_hash TEXT NOT NULL, bucket {bytes} NOT NULL,
        successes BIGINT NOT NULL, failures BIGINT NOT NULL, updated_at BIGINT NOT NULL,
        PRIMARY KEY (namespace, member, bucket_hash))]],
    },
  },
}

return M
