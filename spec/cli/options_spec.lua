local options = require "curia.cli.options"

local function whole(text)
  return math.tointeger(tonumber(text)), "a whole number is expected"
end

local SPECS = {
  { "input", short = "i", value = "FILE", doc = "" },
  { "set", value = "KEY=VALUE", many = true, doc = "" },
  { "verbose", short = "v", value = "debug", optional = true, doc = "" },
  { "or-offline", doc = "" },
  { "quiet", short = "q", doc = "" },
  { "seed", value = "N", convert = whole, doc = "" },
}

local function parse(...)
  return options.parse(SPECS, { ... })
end

describe("curia.cli.options", function()
  it("reads long and short options, with values in every place", function()
    assert.same({ input = "a", quiet = true }, (parse("--input", "a", "--quiet")))
    assert.same({ input = "a=b" }, (parse("--input=a=b")))
    assert.same({ input = "a" }, (parse("-i", "a")))
    assert.same({ input = "a" }, (parse("-ia")))
    assert.same({ quiet = true, verbose = true, input = "f" }, (parse("-qvi", "f")))
    assert.same({ input = "-" }, (parse("-i", "-")))
    assert.same({ or_offline = true }, (parse("--or-offline")))
    assert.same({ input = "" }, (parse("--input=")))
  end)

  it("gathers what is repeated, refuses what may not be", function()
    assert.same({ set = { "a=1", "b=2" } }, (parse("--set", "a=1", "--set=b=2")))
    assert.same({ nil, "--quiet stands twice" }, { parse("-q", "--quiet") })
  end)

  it("leaves the rest in its order, and everything after --", function()
    local _, rest = parse("one", "-q", "two", "--", "-q", "--x")
    assert.same({ "one", "two", "-q", "--x" }, rest)
    assert.same({ "-", "-5" }, select(2, parse("-", "-5")))
  end)

  it("takes an optional value with = only", function()
    assert.same({ { verbose = true }, { "debug" } }, { parse("--verbose", "debug") })
    assert.same({ verbose = "debug" }, (parse("--verbose=debug")))
  end)

  it("converts values", function()
    assert.same({ seed = 7 }, (parse("--seed", "7")))
    assert.same({ seed = -7 }, (parse("--seed", "-7")))
    assert.equal("--seed x: a whole number is expected", select(2, parse("--seed", "x")))
  end)

  it("names what is wrong, and what was meant", function()
    assert.equal("unknown option '--quite'; did you mean '--quiet'?", select(2, parse("--quite")))
    assert.equal("unknown option '--zzzzzz'", select(2, parse("--zzzzzz")))
    assert.equal("unknown option '-x'", select(2, parse("-x")))
    assert.equal("--input needs a value (FILE)", select(2, parse("--input")))
    assert.equal("--input needs a value (FILE)", select(2, parse("-i", "--quiet")))
    assert.equal("--quiet takes no value", select(2, parse("--quiet=1")))
  end)

  it("knows --help everywhere", function()
    assert.same({ help = true }, (parse("--help")))
    assert.same({ help = true }, (parse("-h")))
  end)

  it("refuses what excludes each other", function()
    assert.is_true(options.exclusive({ quiet = true }, { "quiet", "or-offline" }))
    assert.equal("--quiet and --or-offline exclude each other",
      select(2, options.exclusive({ quiet = true, or_offline = true }, { "quiet", "or-offline" })))
  end)
end)
