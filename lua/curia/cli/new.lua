--- `curia new NAME`: a council to start from, or a project with a council, a configuration and a spec.
local folders = require "curia.folders"
local library = require "curia.cli.library"
local suggest = require "curia.suggest"
local texts = require "curia.cli.new_texts"
local usage = require "curia.cli.usage"
local uv = require "luv"

local M = {}

local function complain(message)
  io.stderr:write("curia: ", message, "\n")
  return 1
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

-- The source of a council that comes with Curia, under another name: a topology's stands in `name`.
local function copy_of(template, name)
  local path, err = library.find(template)
  if not path then return nil, err.message end
  local text, quoted = read(path), template:gsub("%p", "%%%0")
  for _, mark in ipairs { '(council%s+")' .. quoted .. '"', '(name%s*=%s*")' .. quoted .. '"' } do
    local renamed, count = text:gsub(mark, "%1" .. name .. '"', 1)
    if count > 0 then return renamed end
  end
  return nil, ("%s is no template: it names no council %s"):format(path, template)
end

local function source_of(name, template)
  if template then return copy_of(template, name) end
  return texts.council(name)
end

-- Nothing is overwritten: the file must not be there.
local function write(path, text)
  local fd, message = uv.fs_open(path, "wx", 420) -- 0644
  if not fd then
    return nil, message:find "EEXIST" and path .. " is there already; nothing was written" or message
  end
  uv.fs_write(fd, text)
  uv.fs_close(fd)
  return true
end

local function new_council(name, source)
  local ok, message = write(name .. ".lua", source)
  if not ok then return complain(message) end
  print(texts.next_steps(name .. ".lua"))
  return 0
end

local function new_project(name, source)
  if uv.fs_stat(name) then return complain(name .. " is there already; nothing was written") end
  local root = uv.cwd() .. "/" .. name
  folders.make(root .. "/spec")
  local files = {
    [name .. ".lua"] = source, ["curia.config.lua"] = texts.config(),
    ["spec/" .. name .. "_spec.lua"] = texts.spec(name),
  }
  for path, text in pairs(files) do
    local ok, message = write(root .. "/" .. path, text)
    if not ok then return complain(message) end
  end
  print(texts.project_steps(name))
  return 0
end

--- `curia new NAME [--template COUNCIL] [--project]`
---@param values {template?: string, project?: boolean}
---@param rest string[]
---@return integer exit code
function M.main(values, rest)
  local name = rest[1] and rest[1]:gsub("%.lua$", "")
  if not name then return usage.misused("the name is missing", "new") end
  if #rest > 1 then return usage.misused("one name at a time", "new") end
  if not name:find "^[%a][%w_]*$" then
    return usage.misused(("'%s' is no name for a council: letters, digits and _"):format(name), "new")
  end
  local source, message = source_of(name, values.template)
  if not source then
    local known = {}
    for _, entry in ipairs(library.list()) do known[entry.name] = true end
    return usage.misused(values.template and suggest.message("template", values.template, known) or message, "new")
  end
  return (values.project and new_project or new_council)(name, source)
end

return M
