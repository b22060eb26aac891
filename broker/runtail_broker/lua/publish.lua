-- publish.lua: append one sealed batch, exactly once. One that is stored undoes
-- the mark of a publisher that was called lost.
--
-- ARGV[2] publisher     ARGV[3] batch number
-- ARGV[4] records that this publisher's batches before it stand for
-- ARGV[5] random        ARGV[6] records in it    ARGV[7] flags
-- ARGV[8..11] logs by level: debug info warning error
-- ARGV[12] bytes of JSON in it     ARGV[13] records its `lost` records stand for
-- ARGV[14] records it stands for in all: those too, and its own but for such as tell of others
-- ARGV[15] progress (JSON number, 'null', or '' when it holds none)
-- ARGV[16] '' or the last number known, if everything between it and this batch is declared lost
-- ARGV[17] JSON of a `lost` record without its closing brace, if so
-- ARGV[18] the frame
-- ARGV[19] '', or the last error in it: '<its place, from 0> <JSON>'
-- ARGV[20], ARGV[21] … a step's name and its ends in it: 'runs failed duration duration …'
--
-- Answers `stored`, `duplicate` (it was stored before; nothing changes), `behind` (batches before
-- it are missing: send them, or declare them lost), `unopened`, `unknown`.

local STEPS, DURATIONS = 200, 16 -- names that are kept, durations of each: the last ones

-- Add the ends of steps to what is known of each; a name beyond the bound is left out.
local function add_steps(key)
  for i = 20, #ARGV, 2 do
    local known = redis.call('HGET', key, ARGV[i])
    if known or redis.call('HLEN', key) < STEPS then
      local runs, failed, durations = string.match(known or '0 0', '^(%d+) (%d+)(.*)$')
      local more_runs, more_failed, more = string.match(ARGV[i + 1], '^(%d+) (%d+)(.*)$')
      local kept = {}
      for each in string.gmatch(durations .. more, '%S+') do kept[#kept + 1] = each end
      redis.call('HSET', key, ARGV[i], text_of(tonumber(runs) + tonumber(more_runs)) .. ' '
        .. text_of(tonumber(failed) + tonumber(more_failed)) .. ' '
        .. table.concat(kept, ' ', math.max(1, #kept - DURATIONS + 1)))
    end
  end
end

local state = load_state()
if not state then return answer('unknown') end
local publisher = load_publisher(ARGV[2])
if not publisher then return answer('unopened', state) end

local number = tonumber(ARGV[3])
if number <= publisher.last then
  -- the same bytes once more: who waits for replicas, or for the disk, waits for the last write of
  -- its own connection, and over another one there would be nothing to wait for
  save_publisher(publisher)
  return answer('duplicate', state, publisher)
end
if number > publisher.last + 1 then
  -- the hole is declared only if nothing has filled it since the publisher last knew of it
  if ARGV[16] == '' or tonumber(ARGV[16]) ~= publisher.last then
    return answer('behind', state, publisher)
  end
  heard(state, publisher)
  local lost = tonumber(ARGV[4]) - publisher.count
  if lost > 0 then
    local json = ARGV[17] .. ',"lost":' .. text_of(lost) .. '}'
    append(state, frame_of(json), 1, 0, tonumber(ARGV[5]))
    state.dropped = state.dropped + lost
    publisher.dropped = publisher.dropped + lost
    state.raw = state.raw + #json
  end
end

heard(state, publisher)
local count = tonumber(ARGV[6])
append(state, ARGV[18], count, tonumber(ARGV[7]), tonumber(ARGV[5]))
publisher.last, publisher.count = number, tonumber(ARGV[4]) + tonumber(ARGV[14])
publisher.dropped = publisher.dropped + tonumber(ARGV[13])
state.debug = state.debug + tonumber(ARGV[8])
state.info = state.info + tonumber(ARGV[9])
state.warning = state.warning + tonumber(ARGV[10])
state.error = state.error + tonumber(ARGV[11])
state.raw = state.raw + tonumber(ARGV[12])
state.dropped = state.dropped + tonumber(ARGV[13])
save_publisher(publisher)
local more = ARGV[15] ~= '' and { 'progress', ARGV[15] } or {}
if ARGV[19] and ARGV[19] ~= '' then
  local place, json = string.match(ARGV[19], '^(%d+) (.*)$')
  more[#more + 1] = 'last_error'
  more[#more + 1] = text_of(state.seq - count + 1 + tonumber(place)) .. ' ' .. json
end
save_state(state, more)
-- where the slot is moving away from, no key can be made, nor looked for in vain: the statistic does
-- without this batch then, which is stored all the same
if #ARGV > 19 then pcall(add_steps, key_of('steps')) end
return answer('stored', state, publisher)
