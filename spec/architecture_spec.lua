--- Holds the layers: runtime/ knows no Lua, bindings/ knows both sides, lua/curia/ calls only downwards.
local function files(folder, pattern)
  local found = {}
  local pipe = assert(io.popen(("find %s -type f -not -path '*/node_modules/*' | sort"):format(folder)))
  for path in pipe:lines() do
    if path:find(pattern) then found[#found + 1] = path end
  end
  pipe:close()
  return found
end

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "a"
  file:close()
  return text
end

local function exists(path)
  local file = io.open(path)
  if file then file:close() end
  return file ~= nil
end

local function includes(path)
  local found = {}
  for mark, name in read(path):gmatch '#%s*include%s*([<"])([^>"\n]+)' do
    found[#found + 1] = { mark = mark, name = name }
  end
  return found
end

-- ---- Lua modules and what they require -------------------------------------------------------

local function without_comments(text)
  return (text:gsub("%-%-%[(=*)%[.-%]%1%]", ""):gsub("%-%-[^\n]*", ""))
end

local function module_of(path)
  return (path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."))
end

local modules = {} -- name -> {path, requires = {names}}
for _, path in ipairs(files("lua", "%.lua$")) do
  local requires = {}
  local text = without_comments(read(path))
  for _, word in ipairs { "require", "lazy" } do
    for name in text:gmatch(word .. '%s*%(?%s*"([%w_%.]-[%w_])"') do requires[#requires + 1] = name end
  end
  modules[module_of(path)] = { path = path, requires = requires }
end

local function names()
  local list = {}
  for name in pairs(modules) do list[#list + 1] = name end
  table.sort(list)
  return list
end

-- The shortest name that starts a path of requires which comes back to itself, as text.
local function circle()
  local state, path = {}, {}
  local function visit(name)
    state[name] = "open"
    path[#path + 1] = name
    for _, other in ipairs(modules[name].requires) do
      if state[other] == "open" then return table.concat(path, " -> ") .. " -> " .. other end
      if modules[other] and not state[other] then
        local found = visit(other)
        if found then return found end
      end
    end
    path[#path] = nil
    state[name] = "done"
  end
  for _, name in ipairs(names()) do
    local found = not state[name] and visit(name)
    if found then return found end
  end
end

-- What the modules under a name may not require: "prefix" = { prefixes }.
local FORBIDDEN = {
  ["curia.rules"] = { "curia.engine", "curia.http", "curia.task", "curia.core", "curia.cli", "luv" },
  ["curia.prompts"] = { "curia.engine", "curia.http", "curia.task", "curia.core", "curia.cli", "luv" },
  ["curia.isotonic"] = { "curia" },
  ["curia.confidence"] = { "curia.engine", "curia.http", "curia.task", "curia.core", "curia.rounds", "curia.cli", "luv" },
  ["curia.data"] = { "curia.engine", "curia.http", "curia.task", "curia.core", "curia.cli", "luv" },
  ["curia.adapters"] = { "curia.engine", "curia.http", "curia.rounds", "curia.cli", "curia.core.http", "luv" },
  ["curia.language"] = { "curia.engine", "curia.http", "curia.cli", "curia.view", "curia.mock", "luv" },
  ["curia.rounds"] = { "curia.engine.run", "curia.engine.runs", "curia.http", "curia.cli", "curia.adapters", "luv" },
  ["curia.engine"] = { "curia.cli", "curia.view", "curia.mock", "curia.adapters", "luv" },
  ["curia.bus"] = { "curia.engine", "curia.language", "curia.http", "curia.cli", "luv" },
  ["curia.http"] = { "curia.engine", "curia.language", "curia.cli", "luv" },
  ["curia.json"] = { "curia.engine", "curia.language", "curia.task", "luv" },
  ["curia.task"] = { "curia.engine", "curia.language", "curia.http", "luv" },
  ["curia.view"] = { "curia.cli", "curia.engine" },
  ["curia.diagram"] = { "curia.cli", "curia.engine", "curia.http", "luv" },
  ["curia.mock"] = { "curia.cli", "curia.engine", "curia.language" },
}

local function under(name, prefix)
  return name == prefix or name:sub(1, #prefix + 1) == prefix .. "."
end

describe("the architecture", function()
  it("runtime/ never includes Lua, nor anything from bindings/", function()
    for _, path in ipairs(files("runtime", "%.[ch]$")) do
      for _, include in ipairs(includes(path)) do
        assert.is_nil(include.name:find "^lua" or include.name:find "^lauxlib" or include.name:find "luv", path)
        if include.mark == '"' then
          local known = exists("runtime/" .. include.name) or exists("runtime/include/" .. include.name)
            or exists(path:match "^(.*)/" .. "/" .. include.name)
          assert.is_true(known, path .. " includes " .. include.name)
        end
      end
    end
  end)

  it("the public header needs neither Lua's headers nor libuv's", function()
    for _, path in ipairs(files("runtime/include", "%.h$")) do
      for _, include in ipairs(includes(path)) do
        local own = exists("runtime/include/" .. include.name)
        assert.is_true(own or include.name:find "^std%l+%.h$" ~= nil, path .. " includes " .. include.name)
      end
    end
  end)

  it("only bindings/ resumes coroutines or calls functions of Lua", function()
    for _, path in ipairs(files("runtime", "%.[ch]$")) do
      assert.is_nil(read(path):match "%f[%w_]lua_%l+%s*%(", path)
    end
  end)

  it("coroutines are resumed in one place", function()
    local places = {}
    for _, path in ipairs(files("bindings", "%.c$")) do
      if read(path):find "%f[%w_]lua_resume%s*%(" then places[#places + 1] = path end
    end
    assert.same({ "bindings/await.c", "bindings/watchdog.c" }, places)
  end)

  it("what a Lua module requires is there", function()
    local outside = { luv = true, cjson = true, ["cjson.safe"] = true, ["busted.runner"] = true, uv = true }
    for name, module in pairs(modules) do
      for _, other in ipairs(module.requires) do
        local known = modules[other] or outside[other] or package.preload[other] or other:find "^curia%.core%."
        assert.is_truthy(known, name .. " requires " .. other)
      end
    end
  end)

  it("the Lua modules have no circle", function()
    assert.is_nil(circle())
  end)

  it("calls go only downwards among the Lua modules", function()
    for name, module in pairs(modules) do
      for prefix, forbidden in pairs(FORBIDDEN) do
        for _, other in ipairs(under(name, prefix) and module.requires or {}) do
          for _, target in ipairs(forbidden) do
            assert.is_false(under(other, target), name .. " requires " .. other)
          end
        end
      end
    end
  end)

  it("library code sets no global", function()
    for _, module in pairs(modules) do
      assert.is_nil(without_comments(read(module.path)):match "%f[%w_]_G%.[%w_]+%s*=[^=]"
        and not module.path:find "^lua/curia/cli/" and module.path or nil)
    end
  end)

  -- A module is specified by a file of its name, or by one of its folder's name.
  it("every Lua module has a spec", function()
    local specs = {}
    for _, path in ipairs(files("spec", "_spec%.lua$")) do
      for part in path:gsub("_spec%.lua$", ""):gmatch "[^/]+" do specs[part] = true end
    end
    local missing = {}
    for name in pairs(modules) do
      local found = false
      for part in name:gsub("^curia%.?", ""):gmatch "[^.]+" do found = found or specs[part] end
      if not found and name ~= "curia" then missing[#missing + 1] = name end
    end
    table.sort(missing)
    assert.same({}, missing)
  end)

  it("every parser has a fuzz harness", function()
    for _, subject in ipairs { "sse", "ndjson", "json", "decoder", "pattern" } do
      assert.is_true(exists("spec/fuzz/" .. subject .. "_fuzz.c"), subject)
    end
  end)
end)
