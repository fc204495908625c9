--- The tools that Curia ships, as words of the language. Each is loaded when it is first asked for, and is made of
--- nothing that a user's own tool could not use.
local M = {}

M.words = {}

--- See curia.tools.bm25.
function M.words.bm25(opts)
  return require("curia.tools.bm25").new(opts)
end

--- See curia.tools.http_get.
function M.words.http_get(opts)
  return require("curia.tools.http_get").new(opts)
end

--- See curia.tools.mcp.
function M.words.mcp(server)
  return require("curia.tools.mcp").new(server)
end

return M
