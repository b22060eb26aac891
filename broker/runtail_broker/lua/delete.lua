-- delete.lua: remove an execution, whoever watches it is told. For a while it is remembered that it
-- was deleted: so that who watched and did not hear it learns it all the same, and so that a worker
-- that leaves it once more (see close.lua) does not create it anew.
--
-- ARGV[2] 1 to remove also what has not ended     ARGV[3] ms for which it is remembered
--
-- Answers `deleted`, `running` (it has not ended: nothing was changed), `unknown`.

local state = load_state()
if not state and redis.call('EXISTS', stream_key, publishers_key) == 0 then
  return answer('unknown')
end
if state and state['end'] == '' and ARGV[2] ~= '1' then return answer('running', state) end

for _, part in ipairs({ 'stream', 'state', 'publishers', 'notes' }) do
  redis.call('UNLINK', key_of(part))
end
redis.call('SET', key_of('deleted'), text_of(state and state.epoch or 0), 'PX', ARGV[3])
redis.pcall('SPUBLISH', live, 'deleted')
return answer('deleted', state)
