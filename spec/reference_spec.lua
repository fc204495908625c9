local comments = require "docs.reference.comments"
local header = require "docs.reference.header"
local program = require "spec.cli.program"

local function read(path)
  local handle <close> = assert(io.open(path, "rb"))
  return handle:read "a"
end

describe("the reference", function()
  for _, language in ipairs { "lua", "c" } do
    local path = ("docs/reference-%s.md"):format(language)
    it(path .. " is what docs/reference.lua prints", function()
      local code, out, err = program.run { "lua", "docs/reference.lua", language }
      assert.equal(0, code, err)
      local written = read(path)
      assert(written == out, ("%s is out of date: curia lua docs/reference.lua %s > %s"):format(path, language, path))
    end)
  end

  it("leaves out no function of require \"curia\"", function()
    local text = read "docs/reference-lua.md"
    for name, value in pairs(require "curia") do
      if type(value) == "function" then assert.truthy(text:find("### curia." .. name .. "(", 1, true), name) end
    end
  end)

  it("has only links that lead somewhere", function()
    local text, anchors = read "docs/reference-lua.md", {}
    for title in text:gmatch "\n## ([^\n]+)" do anchors[title:lower():gsub("[^%w%- _]", ""):gsub(" ", "-")] = true end
    for anchor in text:gmatch "%]%(#([^)]+)%)" do assert.is_true(anchors[anchor], anchor) end
    local manual = read "docs/language.md"
    for chapter in text:gmatch "language%.md#([%w-]+)" do
      local title = "\n## " .. chapter:gsub("-", " ")
      assert.truthy(manual:lower():find(title, 1, true), chapter)
    end
    for anchor in manual:gmatch "reference%-lua%.md#([%w-]+)" do assert.is_true(anchors[anchor], anchor) end
  end)

  it("asks which language", function()
    local code, _, err = program.run { "lua", "docs/reference.lua" }
    assert.equal(1, code)
    assert.truthy(err:find("which reference: lua or c?", 1, true))
  end)
end)

describe("docs.reference.comments", function()
  local function above(text)
    local lines = {}
    for line in text:gmatch "[^\n]+" do lines[#lines + 1] = line end
    return comments.above(lines, #lines)
  end

  it("reads a comment's text and its tags", function()
    local comment = above [[
local other
--- Asks (SPEC 9).
--- Twice.
---@async
---@param fn fun(event: curia.Event, n: integer): boolean  what is called
--- and when
---@param opts? {from_seq?: integer, tokens?: boolean}
---@return table<string, integer> counts by name
---@return curia.Error? err kind `timeout`
function M.ask(fn, opts)]]
    assert.same({ "Asks.", "Twice." }, comment.text)
    assert.same({
      { kind = "param", name = "fn", type = "fun(event: curia.Event, n: integer): boolean", text = "what is called and when" },
      { kind = "param", name = "opts?", type = "{from_seq?: integer, tokens?: boolean}", text = "" },
    }, comments.tags(comment, "param"))
    assert.same({
      { kind = "return", type = "table<string, integer>", text = "counts by name" },
      { kind = "return", type = "curia.Error?", text = "err kind `timeout`" },
    }, comments.tags(comment, "return"))
    assert.equal(1, #comments.tags(comment, "async"))
  end)

  it("takes no plain comment for one, and none that stands further up", function()
    assert.is_nil(above "-- a reason\nlocal function f()")
    assert.is_nil(above "--- A text.\nlocal x = 1\nlocal function f()")
  end)
end)

describe("docs.reference.header", function()
  it("divides a header into titles, comments and declarations", function()
    assert.same({
      { text = "All of it.\n\nMore.", code = "", names = {} },
      { section = "runs", text = "", code = "", names = {} },
      { text = "Two calls.", code = "int curia_a(int x,\n            int y);\nconst char *curia_b(void);",
        names = { "curia_a", "curia_b" } },
      { text = "A record.", code = "typedef struct {\n    int a; /* first */\n\n    int b;\n} curia_c;", names = { "curia_c" } },
    }, header.blocks [[
/* All of it.
 *
 * More.
 */
#ifndef CURIA_H
struct lua_State;

/* ---- runs ------------- */

/* Two calls. */
int curia_a(int x,
            int y);
const char *curia_b(void);

/* A record. */
typedef struct {
    int a; /* first */

    int b;
} curia_c;
]])
  end)

  it("demands a comment above each function", function()
    local page = require "docs.reference.c_page"
    assert.has_error(function() page.of { ["curia.h"] = "int curia_a(void);\n" } end,
      "curia.h: no comment above: int curia_a(void);")
    assert.truthy(page.of({ ["curia.h"] = "/* Does. */\nint curia_a(void);\n",
      ["curia_error.h"] = '/* Codes. */\n#define MAP(XX) XX(EIO, 1, "broken")\n' }):find("| `CURIA_EIO` | broken |", 1, true))
  end)
end)
