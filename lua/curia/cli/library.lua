--- Where council files are: those of the user by path, those that come with Curia by name.
local errors = require "curia.errors"
local loader = require "curia.language.loader"
local suggest = require "curia.suggest"
local uv = require "luv"

local M = {}

local function parent(path, times)
  for _ = 1, times do path = path:match("^(.*)/[^/]*$") or "" end
  return path
end

--- The folders in which named councils are looked for, nearest first: here, beside an installed program, in
--- the source tree that the program was built in.
---@param program? string path of the program
---@return string[]
function M.folders(program)
  program = program or uv.exepath()
  return { "councils", parent(program, 2) .. "/share/curia/councils", parent(program, 4) .. "/councils" }
end

local function is_file(path)
  local stat = uv.fs_stat(path)
  return stat ~= nil and stat.type ~= "directory"
end

local function names_in(folder)
  local names, scan = {}, uv.fs_scandir(folder)
  while scan do
    local file = uv.fs_scandir_next(scan)
    if not file then break end
    names[#names + 1] = file:match("^([^.].*)%.lua$")
  end
  return names
end

local function all_names(folders)
  local paths = {}
  for i = #folders, 1, -1 do
    for _, name in ipairs(names_in(folders[i])) do paths[name] = ("%s/%s.lua"):format(folders[i], name) end
  end
  return paths
end

local function about_of(path)
  local council = loader.load(path)
  local about = council and council:spec().about
  return about and about:gsub("%s+", " ") or ""
end

--- The councils that can be named, sorted.
---@param folders? string[]
---@return {name: string, path: string, about: string}[]
function M.list(folders)
  local entries = {}
  for name, path in pairs(all_names(folders or M.folders())) do
    entries[#entries + 1] = { name = name, path = path, about = about_of(path) }
  end
  table.sort(entries, function(a, b) return a.name < b.name end)
  return entries
end

local function not_found(text, folders)
  if text:find("/", 1, true) or text:find("%.lua$") or text:find("%.json$") then
    return nil, errors.new("script", ("%s: there is no such file"):format(text), { code = "not_found" })
  end
  local hint = suggest.hint(text, all_names(folders))
  return nil, errors.new("script", ("no council '%s'%s (curia help councils lists them; a file is named with its .lua)")
    :format(text, hint), { code = "not_found" })
end

--- The file of a council.
---@param text string a path, FILE#name, or the name of a council that comes with Curia
---@param folders? string[]
---@return string? path
---@return curia.Error? err code `not_found`
function M.find(text, folders)
  folders = folders or M.folders()
  local file = loader.split(text)
  if is_file(file) then return text end
  if text:find("^[%w_%-]+$") then
    for _, folder in ipairs(folders) do
      local path = ("%s/%s.lua"):format(folder, text)
      if is_file(path) then return path end
    end
  end
  return not_found(text, folders)
end

--- Finds and loads a council.
---@param text string as for `find`
---@return curia.Council?
---@return curia.Error? err code `not_found`: there is no such council
function M.load(text)
  local path, err = M.find(text)
  if not path then return nil, err end
  return loader.load(path)
end

return M
