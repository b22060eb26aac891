-- unlist.lua: take executions off the list, if their place in it is what was seen.
--
-- KEYS[1] a sorted set that lists executions
-- ARGV[1], ARGV[2] … an execution's id and its score, as they were seen
--
-- Answers the ids that it took off.
local gone = {}
for i = 1, #ARGV, 2 do
  local score = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if score and tonumber(score) == tonumber(ARGV[i + 1]) then
    redis.call('ZREM', KEYS[1], ARGV[i])
    gone[#gone + 1] = ARGV[i]
  end
end
return gone
