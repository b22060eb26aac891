-- claim.lua: take, renew or give back the lease for work that one process at a time does.
--
-- KEYS[1] the claim     ARGV[1] who wants it     ARGV[2] ms for which it holds; 0 gives it back
--
-- Answers 1 if it is held now, 0 if it is another's or was given back.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then
  redis.call('DEL', KEYS[1])
  return 0
end
redis.call('DEL', KEYS[1]) -- frees some, so that an engine that is full lets it go on
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
