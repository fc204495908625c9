-- JSON: curia.json against lua-cjson, microseconds per document. Run: curia lua bench/json.lua
local cjson = require "cjson"
local json = require "curia.json"
local task = require "curia.task"

local BATCH_SECONDS, BATCHES = 0.1, 7

--- A chat completion of about 1.4 kB, as a provider answers.
local function chat_completion()
  local answer = ("Shipping on Friday is risky: the weekend has no on-call engineer, and the "
    .. "migration has not been rehearsed. I would \"ship dark\" behind a flag,\nwatch the error "
    .. "rate, and turn it on on Monday morning. "):rep(4)
  return {
    id = "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT", object = "chat.completion", created = 1741569952,
    model = "gpt-4.1-2025-04-14", service_tier = "default", system_fingerprint = "fp_4691090a87",
    choices = { {
      index = 0, finish_reason = "stop", logprobs = json.null,
      message = {
        role = "assistant", content = answer, refusal = json.null, annotations = json.array(),
      },
    } },
    usage = {
      prompt_tokens = 219, completion_tokens = 188, total_tokens = 407,
      prompt_tokens_details = { cached_tokens = 128, audio_tokens = 0 },
      completion_tokens_details = {
        reasoning_tokens = 0, audio_tokens = 0, accepted_prediction_tokens = 0,
        rejected_prediction_tokens = 0,
      },
    },
  }
end

--- One message that holds a text of 100 kB with the escapes of prose.
local function one_text()
  local line = "The committee met on Tuesday, \"agreed\" on nothing in particular and adjourned.\n"
  return { role = "user", content = line:rep(100000 // #line) }
end

--- The log probabilities of an answer, about 128 kB: many small tables and floats.
local function logprobs()
  local content, state = {}, 7
  local function random()
    state = (state * 1103515245 + 12345) % 2147483648
    return -state / 2147483648 * 12
  end
  local function entry(i)
    return { token = " tok" .. i, logprob = random(), bytes = { 32, 116, 111, 107, 48 + i % 10 } }
  end
  for i = 1, 290 do
    local token = entry(i)
    token.top_logprobs = { entry(i), entry(i + 1), entry(i + 2), entry(i + 3), entry(i + 4) }
    content[i] = token
  end
  return { logprobs = { content = content } }
end

local function seconds_of(f, argument, times)
  local start = os.clock()
  for _ = 1, times do f(argument) end
  return os.clock() - start
end

--- The best of several batches, in microseconds per call.
local function microseconds(f, argument)
  local times = 1
  while seconds_of(f, argument, times) < BATCH_SECONDS / 4 do times = times * 2 end
  times = times * 4
  local best = math.huge
  for _ = 1, BATCHES do
    best = math.min(best, seconds_of(f, argument, times) / times)
    task.sleep(0) -- a turn of the loop, which its watchdog waits for
  end
  return best * 1e6
end

local function report(name, bytes, what, ours, theirs, argument)
  local a, b = microseconds(ours, argument), microseconds(theirs, argument)
  print(("%-16s %7d B  %-6s  curia %8.1f us (%5.0f MB/s)  cjson %8.1f us  %5.2fx"):format(
    name, bytes, what, a, bytes / a, b, b / a))
end

local documents = { { "chat completion", chat_completion() }, { "one text", one_text() },
  { "logprobs tree", logprobs() } }
for _, document in ipairs(documents) do
  local name, value = document[1], document[2]
  local text = assert(json.encode(value))
  report(name, #text, "decode", json.decode, cjson.decode, text)
  report(name, #text, "encode", json.encode, cjson.encode, assert(json.decode(text)))
end
