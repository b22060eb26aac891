-- finish.lua: append the `end` record, once nobody will write any more.
--
-- ARGV[2] random     ARGV[3] JSON of the record without its closing brace
--
-- Answers `ended`, `already` (it is the last record, or was deleted), `running` (no final status yet), `open` (some
-- publisher has not left yet), `unknown`.

local state = load_state()
if not state then return answer(was_deleted() and 'already' or 'unknown') end
if state['end'] ~= '' then return answer('already', state) end
if not terminal(state.status) then return answer('running', state) end
if state.open > 0 then return answer('open', state) end

also_when_full()
local json = ARGV[3] .. ',"status":"' .. state.status .. '","totals":{"first":' .. text_of(state.first)
  .. ',"last":' .. text_of(state.seq + 1) .. ',"records":' .. text_of(state.seq + 1)
  .. ',"levels":{"debug":' .. text_of(state.debug) .. ',"info":' .. text_of(state.info)
  .. ',"warning":' .. text_of(state.warning) .. ',"error":' .. text_of(state.error)
  .. '},"dropped":' .. text_of(state.dropped) .. ',"bytes":' .. text_of(state.raw) .. '}}'
state['end'] = json
append(state, frame_of(json), 1, STATUS + END, tonumber(ARGV[2]))
save_state(state)
return answer('ended', state)
