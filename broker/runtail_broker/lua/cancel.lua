-- cancel.lua: ask the workers of an execution to stop; every answer tells them.
--
-- ARGV[2] reason
--
-- Answers `requested`, `already` (it was before: nothing was changed), `over`, `unknown`.

local state = load_state()
if not state then return answer('unknown') end
if terminal(state.status) then return answer('over', state) end
if state.cancel == '1' then return answer('already', state) end
state.cancel = '1'
tell(state, ARGV[2], '')
save_state(state)
return answer('requested', state)
