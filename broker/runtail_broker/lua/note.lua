-- note.lua: keep one change of the notes that people pin to an execution's lines. They lie beside
-- the log: its records, numbers and totals stay as they are, also when it has ended.
--
-- The key `notes` is a stream of one entry a note, its latest words: `j` its JSON, `a` who may
-- change it. Of the state `notes` says how many there are, and `noted` rises with every change.
--
-- ARGV[2] the entry that is replaced or removed, as it was seen; '' for a new note
-- ARGV[3] JSON of the note, '' if it is removed     ARGV[4] who may change it
-- ARGV[5] most notes
--
-- Tells it on the channel that is called like the key.
--
-- Answers `noted`, `changed` (the entry is not there any more: nothing was changed), `full`,
-- `unknown`.

local state = load_state()
if not state then return answer('unknown') end
local notes = key_of('notes')
if ARGV[2] ~= '' then
  if redis.call('XDEL', notes, ARGV[2]) == 0 then return answer('changed', state) end
elseif redis.call('XLEN', notes) >= tonumber(ARGV[5]) then
  return answer('full', state)
end
if ARGV[3] ~= '' then redis.call('XADD', notes, '*', 'j', ARGV[3], 'a', ARGV[4]) end
local noted = tonumber(redis.call('HGET', state_key, 'noted') or '0') or 0
-- the time in it, so that two histories of as many changes are not taken for one
redis.call('HSET', state_key, 'notes', text_of(redis.call('XLEN', notes)),
  'noted', text_of(math.max(noted + 1, now_ms())))
redis.pcall('SPUBLISH', notes, 'noted')
return answer('noted', state)
