-- seal.lua: say that all records so far lie in the archive, if nothing was added since they were read.
--
-- ARGV[2] what it was seen to be (see `standing`)     ARGV[3] its last tag, as it was seen
-- ARGV[4] the parts of the archive
--
-- Answers `sealed`, `changed` (it is not what was seen any more), `running` (it has not ended),
-- `unknown`; nothing was changed then.

local state = load_state()
if not state then return answer('unknown') end
if ARGV[2] ~= standing(state) or tonumber(ARGV[3]) ~= state.tag then
  return answer('changed', state)
end
if state['end'] == '' then return answer('running', state) end
also_when_full()
redis.call('HSET', state_key, 'archived', text_of(state.seq), 'sealed', text_of(now_ms()),
  'archive', ARGV[4])
return answer('sealed', state)
