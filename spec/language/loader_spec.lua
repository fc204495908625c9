local dsl = require "curia.language.dsl"
local loader = require "curia.language.loader"
local support = dofile "spec/language/support.lua"

describe("curia.language.loader", function()
  local function load(text, name)
    return loader.load_text(text, "@council.lua", name)
  end

  local function failure(text, name)
    local made, err = load(text, name)
    assert.is_nil(made)
    assert.equal("script", err.kind)
    return err.message, err
  end

  it("takes the council that a chunk returns", function()
    assert.equal("b", load([[council "a" {} return council "b" {}]]).name)
  end)

  it("takes the only council that a chunk declares", function()
    assert.equal("a", load([[council "a" { member "x" {} }]]).name)
    assert.equal("council.lua declares no council", (failure "local x = 1"))
    assert.equal("council.lua declares several councils (a, b): return one, or choose with council.lua#name",
      (failure [[council "a" {} council "b" {}]]))
  end)

  it("takes the council that is named", function()
    local text = [[local a = council "a" {} council "b" {} return a]]
    assert.equal("b", load(text, "b").name)
    assert.equal("a", load(text, "a").name)
    assert.equal("council.lua declares no council 'bb'; it declares a, b; did you mean 'b'?", (failure(text, "bb")))
  end)

  it("names a result that is no council", function()
    assert.equal("council.lua returned a number; a council file returns a council, or declares one",
      (failure "return 1"))
    assert.matches("returned a table;", (failure [[council "a" {} return {}]]))
    assert.matches("returned council 'x' without its { ... };", (failure [[return council "x"]]), 1, true)
  end)

  it("names file and line of a syntax error", function()
    local message = failure '\n\ncouncil "a" {'
    assert.matches("^council.lua:3: ", message)
  end)

  it("names file and line of an error, and keeps the traceback", function()
    local message, err = failure '\nlocal function f() error "boom" end\nf()'
    assert.equal("council.lua:2: boom", message)
    assert.matches("stack traceback:\n", err.traceback)
    assert.matches("council.lua:3:", err.traceback)
  end)

  it("keeps an error value as it is", function()
    local made, err = load([[error(require "curia.errors".new("auth", "no key"))]])
    assert.is_nil(made)
    assert.equal("auth", err.kind)
    assert.is_string(err.traceback)
    assert.matches("a table", (failure "error {}"))
  end)

  it("asks whether a misspelt word was meant", function()
    assert.matches("global 'memeber'%); did you mean 'member'%?$", (failure [[memeber "x" {}]]))
  end)

  it("names the line where a word is misused", function()
    assert.equal("council.lua:2: bad argument #1 to 'member' (a name or { ... } expected, not a number)",
      (failure "\nmember(1)"))
  end)

  it("refuses bytecode", function()
    assert.matches("binary chunk", (failure(string.dump(function() end))))
  end)

  it("keeps a chunk's globals to itself", function()
    local made = load [[
      helper = function() return "x" end
      council "a" { about = helper(), run = function() return helper() end }
    ]]
    assert.equal("x", made:spec().about)
    assert.equal("x", made:spec().run())
    assert.is_nil(rawget(_G, "helper"))
    assert.matches("attempt to call a nil value", (failure [[helper()]]))
    load [[member = nil council "a" {}]]
    assert.is_function(dsl.words.member)
  end)

  it("sees the standard library and what is required elsewhere", function()
    local made = load [[council(("a"):upper()) { about = tostring(math.pi), run = require "curia.registry".new }]]
    assert.equal("A", made.name)
    assert.equal(require "curia.registry".new, made:spec().run)
  end)

  describe("with files", function()
    local paths = {}

    local function write(text)
      local path = support.file(text)
      paths[#paths + 1] = path
      return path
    end

    after_each(function()
      for _, path in ipairs(paths) do os.remove(path) end
      paths = {}
    end)

    it("runs a file, a first line for the shell included", function()
      assert.equal("a", loader.load(write '#!/usr/bin/env curia\ncouncil "a" {}').name)
    end)

    it("takes FILE#name apart", function()
      local path = write 'council "a" {} council "b" {}'
      assert.equal("b", loader.load(path .. "#b").name)
      assert.equal("a", loader.load(path, "a").name)
      assert.same({ "x.lua", "y" }, { loader.split "x.lua#y" })
      assert.same({ "x#y/z.lua" }, { loader.split "x#y/z.lua" })
      assert.same({ "x.lua" }, { loader.split "x.lua" })
      local hashed = path .. "#name"
      os.rename(path, hashed)
      paths[#paths] = hashed
      assert.same({ hashed }, { loader.split(hashed) })
    end)

    it("reads a council that is data", function()
      local path = write '{"name": "a", "members": [{"id": "m", "role": "r"}]}'
      paths[#paths + 1] = path .. ".json"
      os.rename(path, path .. ".json")
      assert.equal("m", loader.load(path .. ".json"):spec().members[1].id)
      local file = assert(io.open(path .. ".json", "w"))
      file:write '{"name": "a", "memebrs": []}'
      file:close()
      assert.equal("unknown_field", select(2, loader.load(path .. ".json")).code)
      file = assert(io.open(path .. ".json", "w"))
      file:write((" "):rep(600000))
      file:close()
      assert.equal("out_of_range", select(2, loader.load(path .. ".json")).code)
    end)

    it("says that there is no such file", function()
      local made, err = loader.load "/no/such/council.lua"
      assert.is_nil(made)
      assert.equal("script", err.kind)
      assert.equal("not_found", err.code)
      assert.matches("/no/such/council.lua: No such file", err.message, 1, true)
    end)

    it("says that a directory is no file", function()
      local _, err = loader.load "/tmp"
      assert.equal("script", err.kind)
    end)

    it("names the file in errors", function()
      local path = write "council 'a' {\n  member 'x' }\n  oops"
      local _, err = loader.load(path)
      assert.matches(path .. ":", err.message, 1, true)
    end)
  end)
end)
