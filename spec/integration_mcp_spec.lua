-- The MCP client against the reference server of the official SDK. Without node or the package the tests are
-- pending; `.ci/run` installs it, and so does
--
--     mkdir -p build/integration && cp spec/integration/package*.json build/integration/
--     (cd build/integration && npm ci)
local curia = require "curia"
local helper = require "spec.helper"
local mcp = require "curia.tools.mcp"
local task = require "curia.task"
local uv = require "luv"

local PROGRAM = "build/integration/node_modules/@modelcontextprotocol/server-everything/dist/index.js"
local PORT, START_MS = 38417, 60000

local missing = not uv.fs_stat(PROGRAM) and "npm has not installed @modelcontextprotocol/server-everything"
  or not os.execute("command -v node >/dev/null 2>&1") and "node is not installed"

if missing then
  pending("MCP servers of the official SDK: " .. missing)
  return
end

-- The tools by name, once the server is there.
local function tools_of(set)
  local until_us = uv.hrtime() + START_MS * 1e6
  local list, err
  repeat
    list, err = set.list()
    if not list then task.sleep(100) end
  until list or uv.hrtime() > until_us
  assert(list, tostring(err))
  local by_name = {}
  for _, tool in ipairs(list) do by_name[tool.name] = tool end
  return by_name
end

local function use(set)
  local tools = tools_of(set)
  assert.equal("Echo: äöü 🌧", tools.echo.run { message = "äöü 🌧" })
  assert.equal("The sum of 2 and 3 is 5.", tools["get-sum"].run { a = 2, b = 3 })
  assert.matches("%[image/png, not shown%]", tools["get-tiny-image"].run {})
  local _, err = tools.echo.run { message = {} }
  assert.matches("Invalid", err.message)
end

describe("the reference server", function()
  it("is used over stdio", function()
    finally(function() helper.run(mcp.close) end)
    helper.run(use, START_MS * 2, curia.mcp(("node %s stdio"):format(PROGRAM)))
  end)

  it("is used over streamable HTTP", function()
    local environment = { "PORT=" .. PORT }
    for name, value in pairs(uv.os_environ()) do environment[#environment + 1] = name .. "=" .. value end
    local process = assert(uv.spawn("node", { args = { PROGRAM, "streamableHttp" }, env = environment }, function() end))
    finally(function()
      helper.run(mcp.close)
      process:kill("sigkill")
      process:close()
    end)
    helper.run(use, START_MS * 2, curia.mcp(("http://127.0.0.1:%d/mcp"):format(PORT)))
  end)
end)
