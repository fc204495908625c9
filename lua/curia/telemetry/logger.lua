--- The ready-made logger of telemetry: `name key=value ...`, one line for each event.
local log = require "curia.log"
local names = require "curia.telemetry.names"
local options = require "curia.engine.options"
local redact = require "curia.redact"

local M = {}

local EVENTS = { "run.stop", "member.stop", "member.exception", "provider.request.exception", "tool.execute.stop",
  "loop.stall" }

local OPTIONS = {
  level = { type = "string", enum = { "error", "warn", "info", "debug" } },
  events = { type = "list", items = { type = "string" } }, to = { type = "any" },
}

local function shown(value)
  if type(value) ~= "table" then return tostring(value) end
  return value.usd and ("%.6f"):format(value.usd) or value.kind and tostring(value)
end

local function add(parts, keys, values)
  for _, key in ipairs(keys) do
    local text = values[key] ~= nil and shown(values[key])
    if text then parts[#parts + 1] = ("%s=%s"):format(key, text:find "%s" and ("%q"):format(text) or text) end
  end
end

--- The line of an event.
---@param name string
---@param measurements table
---@param metadata table
---@return string
function M.line(name, measurements, metadata)
  local about, parts = names.all[name], { name }
  add(parts, about.metadata, metadata)
  add(parts, about.measurements, measurements)
  return (redact.text(table.concat(parts, " ")):gsub("\n", " "))
end

local function writer(opts)
  local to, level = opts.to, opts.level or "info"
  if to == nil then return function(line) log.write(level, line) end end
  if type(to) == "function" then return to end
  if io.type(to) ~= "file" then error("telemetry.log: to is a function or an open file", 3) end
  return function(line) to:write(line, "\n") end
end

--- Attaches the logger.
---@param telemetry table
---@param opts table
---@return curia.telemetry.Handle
function M.attach(telemetry, opts)
  opts = options.read("telemetry.log", opts, OPTIONS)
  local write = writer(opts)
  return telemetry.attach(opts.events or EVENTS, function(...) write(M.line(...)) end)
end

return M
