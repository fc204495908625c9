--- Every telemetry event: what it measures and what it tells besides (SPEC 14). docs/operations.md has the same table.
local M = {}

local function words(text)
  local list = {}
  for word in text:gmatch "%S+" do list[#list + 1] = word end
  return list
end

local OF_RUN = "run_id parent_run_id namespace council "
local RUN = OF_RUN .. "group parent_member_id traceparent"
local ROUND = OF_RUN .. "round idx iteration"
local TURN = OF_RUN .. "member_id round round_idx iteration "
local MEMBER = TURN .. "model provider"
local REQUEST = TURN .. "model provider host attempt"
local JOB = "job_id namespace queue council run_id group attempt"
local TOOL = TURN .. "tool call_id"
local WORKFLOW = "workflow_id workflow namespace subject version at"
local STEP = WORKFLOW .. " step attempt"

---@class curia.telemetry.Name
---@field about string
---@field measurements string[]
---@field metadata string[]

local function name(about, measurements, metadata)
  return { about = about, measurements = words(measurements), metadata = words(metadata) }
end

---@type table<string, curia.telemetry.Name>
M.all = {
  ["run.start"] = name("a run begins", "", RUN),
  ["run.stop"] = name("a run has ended, however",
    "duration_us input_tokens output_tokens cached_tokens reasoning_tokens", RUN .. " status errors usage cost"),
  ["run.exception"] = name("a run ends as failed or cancelled; before its stop", "duration_us", RUN .. " error"),
  ["round.start"] = name("a round begins", "", ROUND),
  ["round.stop"] = name("a round has ended, however", "duration_us", ROUND .. " ok decision"),
  ["round.exception"] = name("a round has failed; before its stop", "duration_us", ROUND .. " error"),
  ["member.start"] = name("a member's turn begins", "", MEMBER),
  ["member.stop"] = name("a member has a result, whatever its status",
    "duration_us input_tokens output_tokens cached_tokens reasoning_tokens first_token_us",
    MEMBER .. " status attempts confidence cost finish_reason"),
  ["member.exception"] = name("a member's result has an error; before its stop", "duration_us", MEMBER .. " error"),
  ["provider.request.start"] = name("an attempt is sent to a provider", "", REQUEST .. " messages"),
  ["provider.request.stop"] = name("an attempt has ended, however",
    "duration_us input_tokens output_tokens cached_tokens reasoning_tokens", REQUEST .. " status response"),
  ["provider.request.exception"] = name("an attempt has failed; before its stop", "duration_us",
    REQUEST .. " status error"),
  ["tool.execute.start"] = name("a tool is called", "", TOOL),
  ["tool.execute.stop"] = name("a tool's call has ended, however", "duration_us", TOOL),
  ["tool.execute.exception"] = name("a tool's call has failed; before its stop", "duration_us", TOOL .. " error"),
  ["auto.decision"] = name("an auto council has chosen", "duration_us",
    "run_id council strategy catalog_id reason score kind"),
  ["auto.cascade_step"] = name("one strategy of a cascade has been tried", "duration_us",
    "run_id council strategy step chosen"),
  ["auto.catalog_filtered"] = name("a catalog was narrowed to what may be chosen", "total kept", "run_id council"),
  ["recovery.sweep"] = name("runs of the dead were looked for", "resumed restarted failed skipped", ""),
  ["job.enqueue"] = name("a job was enqueued", "count", JOB),
  ["job.start"] = name("an attempt of a job begins", "waited_us", JOB),
  ["job.stop"] = name("an attempt of a job has ended, however", "duration_us", JOB .. " state"),
  ["job.exception"] = name("an attempt of a job has failed; before its stop", "duration_us", JOB .. " error"),
  ["workflow.start"] = name("a workflow begins", "", WORKFLOW),
  ["workflow.stop"] = name("a workflow has ended, however", "duration_us", WORKFLOW .. " status error"),
  ["workflow.exception"] = name("a workflow has failed or was cancelled; before its stop", "duration_us",
    WORKFLOW .. " status error"),
  ["workflow.step.start"] = name("a step begins, or waits for approval", "", STEP .. " status run_id"),
  ["workflow.step.stop"] = name("a try of a step has ended, or an equal step's result was taken again", "duration_us",
    STEP .. " status error result reused_from retry_at"),
  ["workflow.step.exception"] = name("a try of a step has failed; before its stop", "duration_us",
    STEP .. " status error retry_at"),
  ["workflow.duplicate"] = name("a start was refused: the subject has one in flight", "",
    "workflow_id workflow namespace subject"),
  ["workflow.reconcile"] = name("workflows were put right", "duration_us replayed started skipped", ""),
  ["loop.stall"] = name("a turn has held the loop for over loop_stall_ms", "duration_us", "delivered"),
}

return M
