-- mark.lua: call a publisher lost, or an execution that nobody has open. A guess: a visible record,
-- undone by another one when the publisher speaks (see `heard` in append.lua).
--
-- ARGV[2] publisher, '' for an execution that nobody has open
-- ARGV[3] what was seen unchanged for a whole lease: the publisher's entry, or '<epoch> <seq>'
-- ARGV[4] reason
--
-- Answers `marked`, `changed` (it is not what was seen any more: nothing was changed), `unknown`.

local state = load_state()
if not state then return answer('unknown') end
if state['end'] ~= '' then return answer('changed', state) end -- nobody waits for anybody
if ARGV[2] == '' then
  local seen = text_of(state.epoch) .. ' ' .. text_of(state.seq) == ARGV[3]
  local running = not terminal(state.status) and state.status ~= 'lost'
  if not (seen and running and state.open == state.lost) then return answer('changed', state) end
else
  local publisher = load_publisher(ARGV[2])
  local seen = publisher and publisher.packed == ARGV[3]
  if not (seen and publisher.open and not publisher.lost) then return answer('changed', state) end
  publisher.lost, state.lost = true, state.lost + 1
  save_publisher(publisher)
end
if state.open == state.lost and not terminal(state.status) then
  state.status = 'lost'
  say_why(ARGV[4], 0)
end
tell(state, ARGV[4], ARGV[2])
save_state(state)
return answer('marked', state)
