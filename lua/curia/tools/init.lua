--- The tools that Curia ships, as words of the language. Each is loaded when it is first asked for, and is made of
--- nothing that a user's own tool could not use.
local M = {}

M.words = {}

--- A tool that searches documents: `bm25 { documents = {...} }`, or `bm25 { "text", {text =, meta =}, ... }`.
---@param opts table {documents =, name =, about =, k1 =, b =}, or the list of documents
---@return table tool
function M.words.bm25(opts)
  return require("curia.tools.bm25").new(opts)
end

--- A tool that reads texts over HTTP: `http_get { hosts = { "example.org", "*.example.net" } }`, or
--- `http_get { "example.org" }`. Addresses that are not public are refused unless `allow_private`.
---@param opts table {hosts =, allow_private =, max_bytes =, timeout =, name =, about =}, or the list of hosts
---@return table tool
function M.words.http_get(opts)
  return require("curia.tools.http_get").new(opts)
end

--- The tools of an MCP server, as one entry of `tools`.
---@param server string|table a command, an address, or {command =, env =} or {url =, headers =}, with `timeout`,
--- `only` (the names of the tools that are offered) and `approval`, which each call then needs
---@return table set
function M.words.mcp(server)
  return require("curia.tools.mcp").new(server)
end

return M
