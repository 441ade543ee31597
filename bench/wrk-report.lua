-- Request from BENCH_METHOD and BENCH_BODY_BYTES; result as one line of JSON.
if os.getenv("BENCH_METHOD") then
  wrk.method = os.getenv("BENCH_METHOD")
end
local bytes = tonumber(os.getenv("BENCH_BODY_BYTES") or "0")
if bytes > 0 then
  wrk.headers["Content-Type"] = "application/fhir+json"
  wrk.body = '{"resourceType":"Patient","text":"' .. string.rep("x", bytes - 36) .. '"}'
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"seconds":%.6f,"bytes":%d,"errors":%d,"p50Ms":%.3f,"p99Ms":%.3f,"maxMs":%.3f}\n',
    summary.requests, summary.duration / 1e6, summary.bytes,
    e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000))
end
