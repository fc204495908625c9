--- JSON: strict RFC 8259, exact 64-bit integers, sorted keys, arrays and objects told apart.
--
-- Arrays that were decoded carry the mark of `json.array`, so that an empty one is written as []
-- again. An unmarked table is an array if its keys are exactly 1..n, n > 0; otherwise an object, so
-- that an empty one is {}. Metatables other than the two marks mean nothing: access is raw.
local core = require "curia.core.json"
local errors = require "curia.errors"
local suggest = require "curia.suggest"

local bound = core.bind(errors.new, suggest.hint)

local M = {}

---@class curia.json.DecodeOptions
---@field max_depth? integer nesting that is still accepted, 1 to 1024 (128)
---@field nulls? boolean false: members that are null are left out, items stay json.null (true)

---@class curia.json.EncodeOptions
---@field indent? integer blanks per level, 0 (all in one line) to 16 (0)
---@field max_depth? integer nesting that is still accepted, 1 to 1024 (128)

--- What null decodes to and what encodes as null: the light userdata NULL, as in lua-cjson.
---@type lightuserdata
M.null = bound.null

--- Decodes one document; anything but blanks behind it is an error. Integers that fit 64 bits are
--- integers; every other number, and -0, is a float; one too large for a float is an error. Of
--- equal keys the last wins. Bytes that are not UTF-8 and lone surrogates become U+FFFD; a leading
--- byte order mark is skipped. On failure: nil and an error of kind "validation" with `position`,
--- the offending byte counted from 1.
---@type fun(text: string, opts?: curia.json.DecodeOptions): any, curia.Error?
M.decode = bound.decode

--- A function that decodes as `decode` does, with these options.
---@type fun(opts?: curia.json.DecodeOptions): fun(text: string): any, curia.Error?
M.decoder = bound.decoder

--- Encodes a value. Equal values give equal bytes: keys are sorted bytewise, floats have the fewest
--- digits that read back the same and never look like integers (1.0, 1e+300). Bytes that are not
--- UTF-8 become U+FFFD. Errors: NaN and infinite numbers, functions and other values that JSON has
--- no form for, sparse arrays, keys that are no strings in objects, and cycles (by max_depth). On
--- failure: nil and an error of kind "validation" with `path`, such as "$.messages[2].content".
---@type fun(value: any, opts?: curia.json.EncodeOptions): string?, curia.Error?
M.encode = bound.encode

--- Encodes a value with its long texts apart: each is written as `{"$blob": hash}`, of its SHA-256.
--- Gives the text, the list `{hash, text, hash, text, ...}` or nil for an empty one, and whether an object of the
--- value has a key `$blob` or `$object` of its own. On failure as `encode`. `known` keeps the hashes of texts, for the
--- next time; `fragments` keeps tables as they were written, for as long as none of them changes: their long texts are
--- in the list of the value that they are first written in.
---@type fun(value: any, from: integer, known?: table<string, string>, fragments?: table<table, string>): string?,
--- (string[]|curia.Error)?, boolean?
M.encode_apart = bound.encode_apart

--- Marks a table (a new one without argument) as an array and returns it. Raises if the table has
--- a metatable of its own.
---@type fun(t?: table): table
M.array = bound.array

--- Marks a table (a new one without argument) as an object and returns it: its keys must be strings
--- when it is encoded. Raises if the table has a metatable of its own.
---@type fun(t?: table): table
M.object = bound.object

--- Whether `encode` writes the value as an array: it carries the mark, or it is an unmarked table
--- whose keys are exactly 1..n, n > 0.
---@type fun(value: any): boolean
M.is_array = bound.is_array

return M
