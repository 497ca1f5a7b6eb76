-- Sends the requests of a file one after the other, from the place it is told, and says in JSON
-- what came of it. Arguments: the file, the place of the first request.
-- The file: for each request its length in bytes, a line feed, and the request as it is sent.

local requests, place = {}, 0
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  local file = assert(io.open(args[1], "rb"))
  local line = file:read("*l")
  while line do
    requests[#requests + 1] = file:read(tonumber(line))
    line = file:read("*l")
  end
  file:close()
  place = tonumber(args[2]) % #requests
  sent = 0
end

function request()
  place = place % #requests + 1
  sent = sent + 1
  return requests[place]
end

function done(summary, latency, _)
  local total = 0
  for _, thread in ipairs(threads) do
    total = total + thread:get("sent")
  end
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "sent": %d, "seconds": %.6f, "refused": %d, "broken": %d, "p50": %.3f, "p99": %.3f}\n',
    summary.requests, total, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
