-- Prints the reference of a language: docs/reference-lua.md, docs/reference-c.md.
--
--     curia lua docs/reference.lua lua > docs/reference-lua.md
--     curia lua docs/reference.lua c > docs/reference-c.md
local language = ...

if language ~= "lua" and language ~= "c" then error("which reference: lua or c?", 0) end
io.write(require("docs.reference." .. language .. "_page").text())
