-- Calls of tools and their results over real HTTP, in each protocol of `curia mock`, streamed and not.
local asking = require "spec.integration.ask"
local curia = require "curia"
local helper = require "spec.helper"
local mock = require "curia.mock"

-- A model that calls two tools, one of which fails, and then says `answer`, or what it was told: some protocols make
-- one message of all results.
local function reply(request, answer)
  local told = {}
  for i = 2, #request.messages do told[#told + 1] = request.messages[i].content end
  local said = answer or table.concat(told, " | ")
  if #told > 0 then return { content = said, usage = { input_tokens = 20, output_tokens = 5 } } end
  return { content = "I look.", usage = { input_tokens = 10, output_tokens = 3 }, tool_calls = {
    { name = "weather", arguments = { city = "Oslo", note = "äöü 🌧" } }, { name = "broken" },
  } }
end

local function tools()
  return {
    curia.tool "weather" { about = "tells the weather", parameters = {
      type = "object", properties = { city = { type = "string" }, note = { type = "string" } }, required = { "city" },
    }, run = function(args) return ("rain in %s, %s"):format(args.city, args.note) end },
    curia.tool "broken" { run = function() return nil, "out of order" end },
  }
end

local function ask(server, protocol, fields)
  local name = "tools_" .. protocol
  curia.config { providers = { [name] = { adapter = protocol, base_url = server.url .. asking.bases[protocol] } } }
  local council = curia.council "spec" {
    curia.member "a" { provider = name, model = "m", stream = fields.stream, tools = tools(),
      schema = fields.schema, tool_choice = not fields.schema and "required" or nil },
    curia.round "independent_analysis" {},
  }
  return helper.run(curia.run, nil, council, "Why?")
end

describe("a tool that is called over HTTP", function()
  asking.each(function(protocol, fields, what)
    it("gives its result to the model: " .. what, function()
      local server = assert(mock.start { script = function(request) return reply(request) end })
      finally(function() server:close() end)
      local result = ask(server, protocol, fields)
      local member = result.rounds[1].results.a
      assert.equal("ok", member.status, tostring(member.error))
      assert.matches("rain in Oslo, äöü 🌧", member.response.content, nil, true)
      assert.matches("out of order", member.response.content, nil, true)
      assert.same({ 30, 8 }, { result.usage.input_tokens, result.usage.output_tokens })
      assert.same({ 30, 8 }, { member.response.usage.input_tokens, member.response.usage.output_tokens })
      assert.same({ "ok", "error" }, { member.metadata.tool_calls[1].status, member.metadata.tool_calls[2].status })
      assert.equal(2, server:stats().requests)
    end)

    it("leaves room for a structured answer: " .. what, function()
      local server = assert(mock.start { script = function(request) return reply(request, '{"sky":"rain"}') end })
      finally(function() server:close() end)
      local schema = { type = "object", properties = { sky = { type = "string" } }, required = { "sky" },
        additionalProperties = false }
      local member = ask(server, protocol, { stream = fields.stream, schema = schema }).rounds[1].results.a
      assert.equal("ok", member.status, tostring(member.error))
      assert.same({ sky = "rain" }, member.response.parsed)
      assert.equal(2, #member.metadata.tool_calls)
    end)
  end)
end)
