local check = require "curia.language.check"
local fields = require "curia.language.fields"

describe("curia.language.fields", function()
  local TYPES = {}
  for _, name in ipairs { "string", "number", "integer", "boolean", "function", "table", "list", "map", "record",
    "duration", "council", "group", "capture", "secret", "any" } do
    TYPES[name] = true
  end

  local function each_rule(visit)
    for group, rules in pairs(fields) do
      if group ~= "rules" then
        for name, rule in pairs(rules) do visit(group .. "." .. name, rule, rules) end
      end
    end
  end

  it("explains every field in a line and gives it types that exist", function()
    each_rule(function(name, rule)
      assert.is_true(type(rule.doc) == "string" and #rule.doc > 3 and #rule.doc < 80, name)
      for _, kind in ipairs(check.types(rule)) do assert.is_true(TYPES[kind], name .. ": " .. kind) end
    end)
  end)

  it("gives compound fields the rules of their parts", function()
    each_rule(function(name, rule)
      for _, kind in ipairs(check.types(rule)) do
        if kind == "record" then assert.is_table(rule.fields, name) end
        if kind == "map" then assert.is_table(rule.values, name) end
      end
    end)
  end)

  it("has the full name of every alias beside it", function()
    each_rule(function(name, rule, rules)
      if rule.alias then assert.equal("duration", rules[rule.alias].type, name) end
    end)
  end)

  it("knows every field of the specification", function()
    local expected = {
      member = [[role system prompt profile provider model fallback temperature top_p max_tokens seed stop reasoning
        stream tools tool_choice parallel_tools tool_errors tool_concurrency tool_timeout_ms max_tool_rounds schema
        repair validate transform confidence weight retry timeout_ms first_byte_timeout_ms deadline_ms cache metadata
        council input_mapper run]],
      council = [[about profile members rounds chair router tools input confidence failure_mode quorum budget
        durability recovery metadata run]],
      round = "name members router timeout failure_mode quorum grace rule schema retry",
      run_options = [[run_id group owned subscribe relay_topics recorder verbose verbose_to await_timeout retry
        failure_mode member_timeout_ms deadline_ms budget durability recovery seed metadata idempotent namespace
        stack env council_version]],
      config = [[default_profile default_council namespace default_retry default_failure_mode default_member_timeout_ms linger_ms providers
        profiles prices models registry registry_ttl_ms log sweep]],
      sweep = "enabled every_ms",
      group = "max_runs budget namespace",
      provider = "adapter base_url api_key headers limits",
    }
    for group, names in pairs(expected) do
      for name in names:gmatch("[%w_]+") do assert.is_table(fields[group][name], group .. "." .. name) end
    end
  end)
end)
