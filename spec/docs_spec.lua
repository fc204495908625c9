--- The manual's examples run: each block of Lua in docs/ is a chunk in which the words of the language and `curia` are in
--- scope; the councils that it declares are valid and lead to an answer, offline. Pages that are made are up to date.
local curia = require "curia"
local dsl = require "curia.language.dsl"
local helper = require "spec.helper"
local program = require "spec.cli.program"

local MANUALS = {
  "docs/language.md", "docs/operations.md", "docs/embedding.md", "docs/testing.md", "docs/workflows.md",
}

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "a"
  file:close()
  return text
end

-- The blocks of a text, each with the line on which it begins and the heading above it.
local function blocks(text)
  local found, block, heading, number = {}, nil, "", 0
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    number = number + 1
    if block then
      if line == "```" then block = nil else block[#block + 1] = line end
    elseif line == "```lua" then
      block = { line = number + 1, heading = heading }
      found[#found + 1] = block
    else
      heading = line:match "^##+%s+(.+)$" or heading
    end
  end
  return found
end

local function environment()
  local env = setmetatable({ curia = curia }, { __index = _G })
  return dsl.install(env)
end

-- Line numbers of errors are those of the manual.
local function load_block(path, block)
  local source = ("\n"):rep(block.line - 1) .. table.concat(block, "\n")
  return assert(load(source, "@" .. path, "t", environment()))
end

local function check(council)
  local ok, faults = curia.validate(council)
  assert.same(nil, faults)
  assert.is_true(ok)
  local result = curia.run(council, "Should we ship on Friday?", { offline = true, seed = 1 })
  assert.truthy(result and (result.status == "ok" or result.status == "partial"),
    result and tostring(result.errors[1]) or "no result")
end

for _, path in ipairs(MANUALS) do
  describe(path, function()
    for _, block in ipairs(blocks(read(path))) do
      it(("has an example that runs at line %d (%s)"):format(block.line, block.heading), function()
        local chunk = load_block(path, block)
        helper.run(function()
          local declared = dsl.collecting(chunk)
          for _, made in ipairs(declared) do
            if curia.is_council(made) then check(made) else assert(made:validate()) end
          end
        end)
      end)
    end
  end)
end

describe("docs/topologies.md", function()
  it("is what docs/topologies.lua prints", function()
    local code, out = program.run { "lua", "docs/topologies.lua" }
    assert.equal(0, code)
    assert.equal(read "docs/topologies.md", out)
  end)
end)
