--- `curia diagram COUNCIL|EVENTS`: a council as a picture, or a run as a sequence diagram.
local diagram = require "curia.diagram"
local json = require "curia.json"
local library = require "curia.cli.library"
local options = require "curia.cli.options"
local usage = require "curia.cli.usage"

local M = {}

local function failed(message)
  io.stderr:write("curia: ", message, "\n")
  return 1
end

local function read_events(path)
  local file, message = io.open(path, "rb")
  if not file then return nil, message end
  local guard <close> = file
  local events, number = {}, 0
  for line in file:lines() do
    number = number + 1
    local event, err = json.decode(line)
    if type(event) ~= "table" then
      return nil, ("%s:%d: no event: %s"):format(path, number, err and err.message or "no JSON object")
    end
    events[number] = event
  end
  return events
end

local function draw_events(path)
  local events, message = read_events(path)
  if not events then return failed(message) end
  io.write(diagram.sequence(events))
  return 0
end

local function draw_council(name, values)
  local council, err = library.load(name)
  if not council then
    failed(err.message)
    return err.code == "not_found" and usage.CODE or 1
  end
  io.write(values.sequence and diagram.sequence(council) or council:diagram(values.mermaid and "mermaid" or "ascii"))
  return 0
end

local function misuse(values, rest)
  if #rest == 0 then return "the council is missing" end
  if #rest > 1 then return "one council at a time" end
  if values.ascii and values.sequence then return "sequence diagrams are drawn by Mermaid only" end
  local ok, message = options.exclusive(values, { "ascii", "mermaid" })
  return not ok and message or nil
end

--- `curia diagram COUNCIL|EVENTS [--ascii|--mermaid] [--sequence]`
---@param values table options
---@param rest string[] a file or a name
---@return integer exit code
function M.main(values, rest)
  local message = misuse(values, rest)
  if message then return usage.misused(message, "diagram") end
  if rest[1]:find("%.jsonl$") then return draw_events(rest[1]) end
  return draw_council(rest[1], values)
end

return M
