-- give_up.lua: nobody waits any longer for publishers that were marked lost; if no other has the
-- execution open, it has failed. That is a guess still: a worker's own word overrules it.
--
-- ARGV[2] '' or '<epoch> <seq>', as they were through the whole finality window
-- ARGV[3] reason
-- ARGV[4], ARGV[5] … publisher and its entry, as it was through the whole finality window
--
-- Answers `failed`, `left` (publishers count as gone, the status is what it was), `unknown`.

local state = load_state()
if not state then return answer('unknown') end
also_when_full()
for i = 4, #ARGV, 2 do
  local publisher = load_publisher(ARGV[i])
  if publisher and publisher.packed == ARGV[i + 1] and publisher.open and publisher.lost then
    set_open(state, publisher, false)
    state.lost = state.lost - 1
    save_publisher(publisher)
  end
end
local word = 'left'
local seen = text_of(state.epoch) .. ' ' .. text_of(state.seq) == ARGV[2]
if seen and state.open == 0 and state.status == 'lost' then
  word = 'failed'
  state.status, state.guess = 'failed', '1'
  say_why(ARGV[3], now_ms())
  tell(state, ARGV[3], '')
end
save_state(state)
return answer(word, state)
