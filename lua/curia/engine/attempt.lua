--- One try of a member's turn: the pieces of its answer, told to those who watch and kept for those who come later.
local clock = require "curia.core.clock"

local M = {}

-- Of a durable run, the turn's own beginning is on the run's clock, and not on that of the attempt.
--
-- What nobody watches arrives in one piece at the end; then the transfer knows when it began.
local function first_token_ms(attempt)
  local turn, exchange = attempt.turn, attempt.exchange
  local started_us = attempt.turn_started_us or turn.started_us
  local began = exchange and not attempt.watch and exchange:timing().first_byte_ms
  if began then return (attempt.started_us - started_us) / 1000 + began end
  return (clock.us() - started_us) / 1000
end

-- Keeps a piece for those who come later, and tells those who watch.
local function tell_piece(attempt, kind, text, index, finish_reason)
  local pieces, turn = attempt.pieces[kind], attempt.turn
  if not pieces then
    pieces = {}
    attempt.pieces[kind] = pieces
  end
  pieces[#pieces + 1] = text
  local log, round = turn.run.log, turn.round
  if log.token_watchers == 0 then return end
  log:token {
    round = round.name, idx = round.idx, iteration = round.iteration, ask = round.ask,
    member = turn.member.id, text = text, kind = kind, index = index, attempt = turn.attempts,
    finish_reason = finish_reason,
  }
end

-- A piece of the answer. The byte offset counts every byte, watched or not.
local function on_delta(attempt, kind, text, finish_reason)
  if not attempt.first_token_ms and text ~= "" then
    attempt.first_token_ms = first_token_ms(attempt)
    attempt:on_begun()
  end
  if kind == "content" and text ~= "" then attempt.content_seen = true end
  local index = attempt[kind] or 0
  attempt[kind] = index + #text
  if attempt.pieces and kind ~= "tool_args" then tell_piece(attempt, kind, text, index, finish_reason) end
end

-- The answer has begun: the turn knows since when, and whoever waits for that goes on.
local function on_begun(attempt)
  local turn = attempt.turn
  turn.first_token_ms = turn.first_token_ms or attempt.first_token_ms
  if turn.pilot then turn.pilot:release() end
end

--- A try of a turn, from now on among the run's. One of a member that does not stream has no pieces to keep.
---@param turn curia.Turn
---@return curia.Attempt
function M.new(turn)
  local run = turn.run
  local watch = run.log.token_watchers > 0 or turn.pilot ~= nil
  local attempt = {
    turn = turn, on_delta = on_delta, on_begun = on_begun, watch = watch, exchange = false, first_token_ms = false,
  }
  if (turn.model or turn.member).stream then attempt.pieces = {} end
  run.attempts[turn] = attempt
  return attempt
end

return M
