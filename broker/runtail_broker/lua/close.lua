-- close.lua: a publisher leaves; its owner's leaving, or an explicit finish, is the final status.
--
-- ARGV[2] publisher     ARGV[3] its last batch number     ARGV[4] random
-- ARGV[5] '' or the final status     ARGV[6] JSON of the status record     ARGV[7] reason
-- ARGV[8] 1 if the status is an explicit finish, which counts from anybody
--
-- Answers `closed` (also when it was deleted), `behind` (batches are missing: send them first), `unopened`, `unknown`.

local state = load_state()
if not state then return answer(was_deleted() and 'closed' or 'unknown') end
local publisher = load_publisher(ARGV[2])
if not publisher then return answer('unopened', state) end
if publisher.last < tonumber(ARGV[3]) then return answer('behind', state, publisher) end

also_when_full()
local status, more = ARGV[5], nil
local may = ARGV[8] == '1' or state.owner == publisher.id
-- a worker's word overrules the guess that it was lost, however late it comes
if status ~= '' and may and (not terminal(state.status) or state.guess == '1') then
  state.status, state.guess = status, ''
  append(state, frame_of(ARGV[6]), 1, STATUS, tonumber(ARGV[4]))
  more = { 'ended_at', text_of(now_ms()), 'reason', ARGV[7] }
end
if publisher.open then
  set_open(state, publisher, false)
  if publisher.lost then state.lost = state.lost - 1 end
end
publisher.lost = false
save_publisher(publisher)
save_state(state, more)
return answer('closed', state, publisher)
