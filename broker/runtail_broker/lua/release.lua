-- release.lua: remove the stream, all of which lies in the archive; the rest stays as a tombstone.
-- Late records go on behind it, under the next seq.
--
-- ARGV[2] what it was seen to be (see `standing`)     ARGV[3] its last tag, as it was seen
-- ARGV[4] the parts of the archive, as they were verified
-- ARGV[5] ms for which it must have been sealed
--
-- Answers `released`, `changed` (it is not what was seen any more: a sweeper that slept removes
-- nothing new), `early`, `unknown`; nothing was changed then.

local state = load_state()
if not state then return answer('unknown') end
local archive = redis.call('HGET', state_key, 'archive') or ''
if ARGV[2] ~= standing(state) or tonumber(ARGV[3]) ~= state.tag or ARGV[4] ~= archive
  or state.archived ~= state.seq then
  return answer('changed', state)
end
if now_ms() - state.sealed < tonumber(ARGV[5]) then return answer('early', state) end
redis.call('UNLINK', stream_key)
state.records, state.bytes = 0, 0
save_state(state)
return answer('released', state)
