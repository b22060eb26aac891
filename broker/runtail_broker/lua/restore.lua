-- restore.lua: make an execution known again whose log lies in the archive, and that the engine lost.
-- Its stream stays empty: late records go on behind the archive, under the next seq.
--
-- ARGV[2] its epoch     ARGV[3] the parts of the archive     ARGV[4], [5], [6] how many fields of
-- the state, publishers and steps follow, each as two arguments     then the notes, each as three:
-- its entry, its JSON, who may change it
--
-- Answers `restored`, `known` (this very history is there), `other` (something else is there under
-- its id), `deleted` (it was removed on purpose); nothing was changed then.

local state = load_state()
if state then
  return answer(state.epoch == tonumber(ARGV[2]) and 'known' or 'other', state)
end
if was_deleted() then return answer('deleted') end
if redis.call('EXISTS', stream_key) == 1 then return answer('other') end

redis.call('DEL', state_key, publishers_key, key_of('steps'), key_of('notes'))
local keys, at = { state_key, publishers_key, key_of('steps') }, 7
for i, key in ipairs(keys) do
  for _ = 1, tonumber(ARGV[3 + i]) do
    redis.call('HSET', key, ARGV[at], ARGV[at + 1])
    at = at + 2
  end
end
local notes = key_of('notes')
for i = at, #ARGV, 3 do
  redis.call('XADD', notes, ARGV[i], 'j', ARGV[i + 1], 'a', ARGV[i + 2])
end

state = load_state()
state.records, state.bytes, state.open, state.lost, state.listening = 0, 0, 0, 0, 0
save_state(state, { 'archive', ARGV[3], 'archived', text_of(state.seq), 'sealed',
  text_of(now_ms()), 'notes', text_of(redis.call('XLEN', notes)) })
return answer('restored', state)
