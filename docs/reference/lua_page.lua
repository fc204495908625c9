-- The page docs/reference-lua.md, from the sources and from what `require "curia"` is when it runs.
local comments = require "docs.reference.comments"

local M = {}

local ROOT, MAIN = "lua/", "lua/curia/init.lua"

local sources = {}

local function lines_of(path)
  sources[path] = sources[path] or comments.lines(path)
  return sources[path]
end

-- ---- finding what a name's comment is ----------------------------------------------------------------

-- Where a module assigns or defines a name: `name = value,`, `M.name = value`, `function M.name(`.
local function place_of(path, name)
  for number, line in ipairs(lines_of(path)) do
    local defined = line:match "^%s*function%s+%w+[.:]([%w_]+)%s*%(" or line:match "^M%.([%w_]+)%s*="
      or line:match "^  ([%w_]+)%s*=[^=]"
    if defined == name then return number end
  end
end

local function comment_at(path, number)
  local comment = number and comments.above(lines_of(path), number)
  if not comment then return nil end
  local has_text = comment.text[1] ~= nil
  return has_text and comment or nil
end

local function own_comment(fn)
  local info = debug.getinfo(fn, "S")
  local path = info.source:match "^@.*(curia/[%w_/]+%.lua)$"
  return path and comment_at(ROOT .. path, info.linedefined)
end

local function undocumented(path, name)
  error(("%s: %s is public and has no doc comment"):format(path, name), 0)
end

-- The comment beside the definition, else beside the name under which the module shows it.
local function comment_of(fn, path, name)
  local comment = own_comment(fn) or comment_at(path, place_of(path, name))
  if comment then return comment end
  undocumented(path, name)
end

-- ---- signatures ---------------------------------------------------------------------------------------

local function join(texts, separator)
  return table.concat(texts, separator or ", ")
end

local function declared_names(fn)
  local names, info = {}, debug.getinfo(fn, "u")
  for i = 1, info.nparams do names[i] = debug.getlocal(fn, i) end
  if info.isvararg and info.nparams > 0 then names[#names + 1] = "..." end
  return names
end

-- `fun(text: string, opts?: table): any` says all that there is.
local function typed_names(comment)
  local type = comments.tags(comment, "type")[1]
  local list = type and type.text:match "^fun(%b())"
  if not list then return nil end
  local names = {}
  for name in list:sub(2, -2):gsub("%b{}", ""):gmatch "([%w_]+)%??%s*:" do names[#names + 1] = name end
  return names
end

local function tagged_names(comment)
  local names = {}
  for i, tag in ipairs(comments.tags(comment, "param")) do names[i] = tag.name:gsub("%?$", "") end
  return names
end

local function arguments(fn, comment)
  local names = tagged_names(comment)
  if #names == 0 then names = typed_names(comment) or (fn and declared_names(fn)) or names end
  return join(names)
end

-- ---- writing ------------------------------------------------------------------------------------------

local function write_text(out, comment)
  out[#out + 1] = join(comment.text, "\n")
  out[#out + 1] = ""
end

local function typed(tag)
  return ("`%s`"):format(tag.type ~= "" and tag.type or "any")
end

local function write_params(out, comment)
  for _, tag in ipairs(comments.tags(comment, "param")) do
    local text = tag.text ~= "" and ": " .. tag.text or ""
    out[#out + 1] = ("- `%s` %s%s"):format(tag.name, typed(tag), text)
  end
end

local function write_returns(out, comment)
  for _, tag in ipairs(comments.tags(comment, "return")) do
    out[#out + 1] = ("- gives %s%s"):format(typed(tag), tag.text ~= "" and " " .. tag.text or "")
  end
  local type = comments.tags(comment, "type")[1]
  if type then out[#out + 1] = ("- type `%s`"):format(type.text) end
end

local function write_function(out, heading, comment)
  out[#out + 1] = "### " .. heading
  out[#out + 1] = ""
  write_text(out, comment)
  local before = #out
  write_params(out, comment)
  write_returns(out, comment)
  if comments.tags(comment, "async")[1] then out[#out + 1] = "- waits" end
  if #out > before then out[#out + 1] = "" end
end

local function write_title(out, title, about, chapter)
  out[#out + 1] = "## " .. title
  out[#out + 1] = ""
  if chapter then about = (about and about .. " " or "") .. ("Manual: [%s](language.md#%s)."):format(
    chapter:gsub("%-", " "), chapter) end
  if about then
    out[#out + 1] = about
    out[#out + 1] = ""
  end
end

-- ---- the functions of `require "curia"` ---------------------------------------------------------------

-- Some are made when they are first asked for: their names stand in the source.
local function names_of_main(curia)
  local names = {}
  for name in pairs(curia) do names[name] = true end
  for _, line in ipairs(lines_of(MAIN)) do
    local name = line:match "^function FUNCTIONS%.([%w_]+)"
    if name then names[name] = true end
  end
  return names
end

local function write_main(out, curia, names)
  for _, name in ipairs(names) do
    if curia[name] == nil then error(("docs/reference/public.lua: there is no curia.%s"):format(name), 0) end
    local comment = comment_of(curia[name], MAIN, name)
    write_function(out, ("curia.%s(%s)"):format(name, arguments(curia[name], comment)), comment)
  end
end

local function rest_of(curia, public)
  local names, rest = names_of_main(curia), {}
  for _, subject in ipairs(public) do
    for _, name in ipairs(subject.functions) do names[name] = nil end
  end
  for name in pairs(names) do
    if type(curia[name]) == "function" then rest[#rest + 1] = name end
  end
  table.sort(rest)
  return rest
end

local function write_subjects(out, curia, public)
  for _, subject in ipairs(public) do
    write_title(out, subject.title, subject.about, subject.chapter)
    write_main(out, curia, subject.functions)
  end
  local rest = rest_of(curia, public)
  if #rest == 0 then return end
  write_title(out, "Further functions")
  write_main(out, curia, rest)
end

-- ---- objects and classes ------------------------------------------------------------------------------

local function set_of(list)
  local set = {}
  for _, name in ipairs(list) do set[name] = true end
  return set
end

local function write_object(out, object)
  local hidden = set_of(object.hidden)
  write_title(out, object.name, object.about, object.chapter)
  for number, line in ipairs(lines_of(object.file)) do
    local name, declared = line:match("^function " .. object.owner .. ":([%a][%w_]*)%((.-)%)")
    if name and not hidden[name] and not name:find "^_" then
      local comment = comment_at(object.file, number)
      if not comment then undocumented(object.file, object.owner .. ":" .. name) end
      write_function(out, ("%s:%s(%s)"):format(object.name, name, declared), comment)
    end
  end
end

local function fields_table(out, fields)
  out[#out + 1] = "| Field | Type | |"
  out[#out + 1] = "|---|---|---|"
  for _, field in ipairs(fields) do
    local type = (field.type:gsub("|", "\\|"))
    out[#out + 1] = ("| `%s` | `%s` | %s |"):format(field.name, type, (field.text:gsub("|", "\\|")))
  end
  out[#out + 1] = ""
end

-- A class is a comment of its own: from its tag to the end of the comment.
local function class_comment(path, name)
  local lines = lines_of(path)
  for number, line in ipairs(lines) do
    if line:match "^%-%-%-@class ([%w_.]+)" == name then
      local last = number
      while lines[last] and lines[last]:find "^%-%-%-" do last = last + 1 end
      return comments.above(lines, last)
    end
  end
  error(("%s: there is no class %s"):format(path, name), 0)
end

local function write_classes(out, public)
  write_title(out, "Records")
  for _, source in ipairs(public.classes) do
    for _, name in ipairs(source.names) do
      local comment = class_comment(source.file, name)
      out[#out + 1] = ("### %s"):format(name)
      out[#out + 1] = ""
      if comment.text[1] then write_text(out, comment) end
      fields_table(out, comments.tags(comment, "field"))
    end
  end
end

-- ---- modules ------------------------------------------------------------------------------------------

local function modules_of(public)
  local names = table.move(public.modules, 1, #public.modules, 1, {})
  for _, line in ipairs(lines_of(MAIN)) do
    for name in line:gmatch '[%w_]+ = "(curia%.[%w_.]+)"' do names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

local function path_of(name)
  local path = package.searchpath(name, ROOT .. "?.lua;" .. ROOT .. "?/init.lua")
  return path or error("there is no source of module " .. name, 0)
end

local function functions_of(module, hidden)
  local names = {}
  for name, value in pairs(module) do
    if type(name) == "string" and type(value) == "function" and not hidden[name] and not name:find "^_" then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names
end

local function write_module(out, name, public)
  local path, module, title = path_of(name), require(name), public.shown[name] or name
  local short = title:match "([%w_]+)$"
  write_title(out, title, comments.first(lines_of(path)))
  local elsewhere = public.elsewhere[name]
  if elsewhere then
    out[#out + 1] = ("See [%s](%s)."):format(elsewhere, elsewhere)
    out[#out + 1] = ""
    return
  end
  for _, each in ipairs(functions_of(module, public.hidden[name] or {})) do
    local comment = comment_of(module[each], path, each)
    write_function(out, ("%s.%s(%s)"):format(short, each, arguments(module[each], comment)), comment)
  end
end

-- ---- the page -----------------------------------------------------------------------------------------

local HEAD = [[
# Lua reference

Every public function of `require "curia"`, of what it hands out, and of its modules. The manual is
[language.md](language.md). This page is written by `docs/reference.lua` from the comments of the sources.

Misuse (a wrong type, an unknown option) raises an error that says which argument it was. What the outside
world does wrong comes back as `nil, err`; `err` is a table with a `kind` ([Records](#records)). A function
that *waits* suspends the task that calls it; at top level it runs the loop meanwhile.
]]

local function anchor(title)
  return (title:lower():gsub("[^%w%- _]", ""):gsub(" ", "-"))
end

local function contents(out)
  local list = {}
  for _, line in ipairs(out) do
    local title = line:match "^## (.*)$"
    if title then list[#list + 1] = ("[%s](#%s)"):format(title, anchor(title)) end
  end
  return join(list, " · ")
end

--- The page.
---@return string
function M.text()
  local public, curia, out = require "docs.reference.public", require "curia", {}
  write_subjects(out, curia, public)
  for _, object in ipairs(public.objects) do write_object(out, object) end
  write_classes(out, public)
  for _, name in ipairs(modules_of(public)) do write_module(out, name, public) end
  return HEAD .. "\n" .. contents(out) .. "\n\n" .. join(out, "\n"):gsub("\n+$", "") .. "\n"
end

return M
