-- Diagrams against Mermaid's own parser. Without node or the package the tests are pending; `.ci/run` installs it
-- (see the head of spec/integration_aimock_spec.lua).
local curia = require "curia"
local json = require "curia.json"
local uv = require "luv"
local width = require "curia.view.width"

local FOLDER = "build/integration"

local missing = not uv.fs_stat(FOLDER .. "/node_modules/mermaid") and "npm has not installed mermaid"
  or not os.execute("command -v node >/dev/null 2>&1") and "node is not installed"

if missing then
  pending("diagrams against Mermaid: " .. missing)
  return
end

-- What Mermaid makes of a list of diagrams.
local function parsed(sources)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write((assert(json.encode(json.array(sources)))))
  file:close()
  local pipe = assert(io.popen(("node spec/integration/mermaid.mjs %s < %s"):format(FOLDER, path)))
  local found = assert(json.decode(pipe:read "a"))
  pipe:close()
  os.remove(path)
  return found
end

-- Texts that try to leave their place, each of them a name of everything in its council.
local HOSTILE = {
  'a"b', "a\nb", "[x](y)", "a#b;c", "<script>alert(1)</script>", "end", "%%{init: {}}%%", "%% x", "`md`", "\\", "a --> b",
  "subgraph x", "{a}", "|x|", "a;b", "style a:#fff;", "classDef x:#1;", "click a href", "---", "x\u{202e}y", "a'b", "::: x",
  "@{ shape: rect }", "default", "&quot;", "#quot;", "#35;", "graph TD", "\xff", "$$x$$", "fa:fa-x", "- item", "1. item",
  "**b**", "_i_", "o---x", "a->>b: c", "participant x", "loop", "and", "Note over a", "autonumber", "三つの猫", "=", "1) x",
}

-- As it is shown: cleaned, on one line.
local function shown(text)
  return (width.clean(text):gsub("%s+", " "))
end

local function council_of(text)
  return curia.council(text) {
    profile = text, tools = { text }, router = text,
    curia.member(text) {},
    curia.member(text .. "!") { council = curia.council(text) { curia.member(text) { model = text }, curia.round(text) {} } },
    curia.round(text) { rule = text }, curia.round "critique" { name = text }, curia.chair(text .. "?") {},
  }
end

local function events_of(text)
  local function event(kind, fields)
    fields.type, fields.run_id, fields.at = kind, "r", 0
    return fields
  end
  local call, err = { id = "1", name = text }, { kind = "transient", message = text, reason = text }
  return {
    event("run_started", { council = text, input = text }),
    event("round_started", { round = text, idx = 1, iteration = 1 }),
    event("member_started", { round = text, member = text }),
    event("member_retry", { member = text, error = err, wait_ms = 1 }),
    event("tool_call_request", { member = text, call = call }),
    event("tool_call_result", { member = text, call = call, error = text }),
    event("member_completed", { member = text, result = { status = "error", error = err } }),
    event("round_completed", { round = text, result = { decision = { winner = text }, error = err } }),
    event("run_blocked", { reason = text }),
    event("run_failed", { errors = { err } }),
  }
end

local function counted(texts, text)
  local count = 0
  for _, other in ipairs(texts) do
    if other:find(text, 1, true) then count = count + 1 end
  end
  return count
end

describe("Mermaid's parser #slow", function()
  it("reads the councils that come with Curia, as flowcharts and as sequences", function()
    local sources = {}
    for _, name in ipairs { "critic", "free_form", "llm_council", "panel", "peer_review" } do
      local council = assert(curia.load("councils/" .. name .. ".lua"))
      sources[#sources + 1] = council:diagram "mermaid"
      sources[#sources + 1] = curia.sequence_diagram(council, "mermaid")
    end
    for i, found in ipairs(parsed(sources)) do
      assert.equal(i % 2 == 1 and "flowchart-v2" or "sequence", found.type, found.error)
    end
  end)

  it("reads councils with nothing in them", function()
    local empty = curia.council "empty" { curia.round "critique" {}, curia.round "again" {} }
    local none = curia.council "none" {}
    for _, found in ipairs(parsed { empty:diagram "mermaid", none:diagram "mermaid",
      curia.sequence_diagram(empty), curia.sequence_diagram(none), curia.sequence_diagram {} }) do
      assert.is_nil(found.error)
    end
  end)

  it("keeps hostile names in their places", function()
    local plain, sources = council_of "plain", {}
    for _, text in ipairs(HOSTILE) do
      local council = council_of(text)
      sources[#sources + 1] = council:diagram "mermaid"
      sources[#sources + 1] = curia.sequence_diagram(council)
      sources[#sources + 1] = curia.sequence_diagram(events_of(text))
    end
    local expected = parsed { plain:diagram "mermaid", curia.sequence_diagram(plain), curia.sequence_diagram(events_of "plain") }
    for i, found in ipairs(parsed(sources)) do
      local text, model = HOSTILE[(i - 1) // 3 + 1], expected[(i - 1) % 3 + 1]
      assert.is_nil(found.error, sources[i])
      assert.equal(#model.texts, #found.texts, sources[i])
      assert.is_true(counted(found.texts, shown(text)) >= counted(model.texts, "plain"), sources[i])
    end
  end)
end)
