-- The official JSON Schema test suite, draft 2020-12, as Debian's libtest-json-schema-acceptance-perl carries it
-- (`./install --dev`). Without the package the spec is pending. Groups whose schema is outside of the subset are
-- left out, and counted: `check` tells which.
local json = require "curia.json"
local schema = require "curia.schema"
local uv = require "luv"

local SUITE = "/usr/share/perl5/auto/share/dist/Test-JSON-Schema-Acceptance/tests/draft2020-12/"

if not uv.fs_stat(SUITE) then
  pending("the official JSON Schema test suite: ./install --dev installs it")
  return
end

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "a"
  file:close()
  return assert(json.decode(text, { max_depth = 1024 }))
end

local FORMATS = { "date-time", "date", "time", "email", "uri", "uuid", "ipv4", "ipv6" }
local FILES = {
  "additionalProperties", "allOf", "anyOf", "boolean_schema", "const", "contains", "content", "default", "defs",
  "dependentRequired", "dependentSchemas", "enum", "exclusiveMaximum", "exclusiveMinimum", "if-then-else",
  "infinite-loop-detection", "items", "maxContains", "maxItems", "maxLength", "maxProperties", "maximum", "minContains",
  "minItems", "minLength", "minProperties", "minimum", "multipleOf", "not", "oneOf", "pattern", "patternProperties",
  "prefixItems", "properties", "propertyNames", "ref", "required", "type", "uniqueItems", "optional/bignum",
  "optional/ecmascript-regex", "optional/float-overflow", "optional/non-bmp-regex", "optional/unicode",
}
for _, name in ipairs(FORMATS) do FILES[#FILES + 1] = "optional/format/" .. name end

local ran, left_out = 0, {}

local function run_group(file, group)
  for _, case in ipairs(group.tests) do
    local valid, faults = schema.validate(group.schema, case.data)
    assert.equal(case.valid, valid == true, ("%s: %s: %s\n%s"):format(file, group.description, case.description,
      faults and schema.text(faults) or ""))
    ran = ran + 1
  end
end

describe("the official JSON Schema test suite", function()
  for _, file in ipairs(FILES) do
    it("agrees on " .. file, function()
      for _, group in ipairs(read(SUITE .. file .. ".json")) do
        local known, faults = schema.check(group.schema)
        if known then run_group(file, group) else left_out[#left_out + 1] = faults[1].message end
      end
    end)
  end

  it("was run, but for what the subset leaves out", function()
    for _, message in ipairs(left_out) do
      assert.is_truthy(message:find "only references inside the schema" or message:find "only known at the root"
        or message:find "'unevaluatedProperties'" or message:find "'$anchor'", message)
    end
    assert.is_true(ran > 1000 and #left_out <= 20, ("%d cases, %d groups left out"):format(ran, #left_out))
  end)
end)
