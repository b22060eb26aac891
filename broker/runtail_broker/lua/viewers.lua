-- viewers.lua: count who watches an execution, over all gateways. Each says how many it serves; what
-- one has not said again for a while counts no more, so one that died is forgotten.
--
-- KEYS[1] hash: gateway -> '<how many> <ms until when that counts>'; it goes with the last of them
-- ARGV[1] gateway     ARGV[2] how many it serves     ARGV[3] ms for which that counts
-- ARGV[4] channel that is told when this gateway's number is another than before
--
-- Answers how many there are.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local count, keep = tonumber(ARGV[2]), tonumber(ARGV[3])
local before = string.match(redis.call('HGET', KEYS[1], ARGV[1]) or '0', '^%d+')
if count > 0 then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. string.format('%.0f', now + keep))
  if redis.call('PTTL', KEYS[1]) < keep then redis.call('PEXPIRE', KEYS[1], keep) end
else
  redis.call('HDEL', KEYS[1], ARGV[1])
end
local all, sum = redis.call('HGETALL', KEYS[1]), 0
for i = 1, #all, 2 do
  local many, until_ms = string.match(all[i + 1], '^(%d+) (%d+)$')
  if tonumber(until_ms) < now then
    redis.call('HDEL', KEYS[1], all[i])
  else
    sum = sum + tonumber(many)
  end
end
if tonumber(before) ~= count then redis.pcall('SPUBLISH', ARGV[4], 'viewers') end
return sum
