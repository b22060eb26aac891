-- file.lua: say that the notes of a history lie in the archive as they were after a change of them.
--
-- ARGV[2] its epoch     ARGV[3] the change: `noted` of the state (see note.lua) when they were read
--
-- Answers `filed`, `changed` (it is of another history), `unknown`.

local state = load_state()
if not state then return answer('unknown') end
if tonumber(ARGV[2]) ~= state.epoch then return answer('changed', state) end
also_when_full() -- its stream is removed only after this
local filed = tonumber(redis.call('HGET', state_key, 'filed') or '0') or 0
redis.call('HSET', state_key, 'filed', text_of(math.max(filed, tonumber(ARGV[3]))))
return answer('filed', state)
