-- delete.lua: remove an execution, whoever watches it is told. For a while it is remembered that it
-- was deleted: so that who watched and did not hear it learns it all the same, and so that a worker
-- that leaves it once more (see close.lua) does not create it anew.
--
-- ARGV[2] 1 to remove also what has not ended     ARGV[3] ms for which it is remembered
-- ARGV[4] '', or what it was seen to be: '<epoch> <seq> <ms>-<n> <status> <open>'; without a state
--         '- <last id of the stream>'
-- ARGV[5], ARGV[6] … publishers and their entries, as they were seen
--
-- Answers `deleted`, `running` (it has not ended: nothing was changed), `changed` (it is not what was
-- seen any more: nothing was changed), `unknown`.

local function is_as_seen(state)
  if ARGV[4] ~= '' and ARGV[4] ~= standing(state) then return false end
  for i = 5, #ARGV, 2 do
    if redis.call('HGET', publishers_key, ARGV[i]) ~= ARGV[i + 1] then return false end
  end
  return true
end

local state = load_state()
local function exists(part) return redis.call('EXISTS', key_of(part)) == 1 end
if not state and not (exists('stream') or exists('publishers') or exists('steps')
  or exists('notes')) then
  return answer('unknown')
end
if not is_as_seen(state) then return answer('changed', state) end
if state and state['end'] == '' and ARGV[2] ~= '1' then return answer('running', state) end

redis.pcall('UNLINK', key_of('viewers')) -- first, as `also_when_full` says
-- then what may fail: where the slot is moving away from, no key can be made
redis.call('SET', key_of('deleted'), text_of(state and state.epoch or 0), 'PX', ARGV[3])
for _, part in ipairs({ 'steps', 'notes' }) do
  redis.pcall('UNLINK', key_of(part)) -- there, even looking for one that does not exist fails
end
for _, part in ipairs({ 'stream', 'state', 'publishers' }) do redis.call('UNLINK', key_of(part)) end
redis.pcall('SPUBLISH', live, 'deleted')
redis.pcall('SPUBLISH', key_of('notes'), 'deleted')
return answer('deleted', state)
