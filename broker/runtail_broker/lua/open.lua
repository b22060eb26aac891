-- open.lua: create an execution (owner), or join one that is open (participant).
--
-- ARGV[2] publisher       ARGV[3] role: owner or participant      ARGV[4] epoch, if it is created
-- ARGV[5] random          ARGV[6] JSON of the status record, if it is created
-- ARGV[7] workflow id     ARGV[8] most publishers     ARGV[9] ms for which closed ones are kept
-- ARGV[10] most records kept     ARGV[11] most bytes kept     ARGV[12] ms for which they are kept
-- ARGV[13] 1 if it listens for a wish to cancel
--
-- Answers `created`, `joined`, `again` (this publisher was here before), `late` (a participant, and
-- the execution is over), `finished` (an owner, and it is over: nothing was changed), `full`.

local id, role = ARGV[2], ARGV[3]
local most, keep = tonumber(ARGV[8]), tonumber(ARGV[9])

-- Forget closed publishers that are older than any spill file may be.
local function make_room(now)
  local all = redis.call('HGETALL', publishers_key)
  for i = 1, #all, 2 do
    local p = load_publisher(all[i])
    if not p or (not p.open and p.opened + keep < now) then
      redis.call('HDEL', publishers_key, all[i])
    end
  end
  return redis.call('HLEN', publishers_key) < most
end

-- The fields of an entry that XRANGE answered; nil for none.
local function fields_of(entry)
  if not entry then return nil end
  local fields = {}
  for i = 1, #entry[2], 2 do fields[entry[2][i]] = entry[2][i + 1] end
  return fields
end

-- A stream without its state (the hash was removed): go on behind its last entry. What publishers
-- stored is still there, so their numbers hold; without a stream they would claim what is gone.
local function adopt(state)
  local entry = redis.call('XREVRANGE', stream_key, '+', '-', 'COUNT', 1)[1]
  local last = fields_of(entry)
  if not last then
    redis.call('DEL', publishers_key)
    return
  end
  local head = fields_of(redis.call('XRANGE', stream_key, '-', '+', 'COUNT', 1)[1])
  local ms, n = string.match(entry[1], '^(%d+)-(%d+)$')
  state.ms, state.n, state.tag = tonumber(ms), tonumber(n), tonumber(last.t)
  state.seq = tonumber(last.s) + tonumber(last.n) - 1
  state.first = tonumber(head.s)
  state.records = state.seq - state.first + 1
  -- an estimate: reading it all would take too long
  state.bytes = redis.call('XLEN', stream_key) * #last.f
  if state.first == 1 then state.epoch = tonumber(head.p) end
  for _, packed in ipairs(redis.call('HVALS', publishers_key)) do
    local open = string.match(packed, '^%d+ %d+ (%d)')
    local is_open = open == '1' or open == '2'
    if is_open then state.open = state.open + 1 end
    if is_open and string.match(packed, ' listens$') then state.listening = state.listening + 1 end
    if open == '2' then state.lost = state.lost + 1 end
  end
end

local state, now = load_state(), now_ms()
local publisher = load_publisher(id)

if state and publisher then
  publisher.opened = now
  set_listens(state, publisher, ARGV[13] == '1')
  heard(state, publisher)
  if not publisher.open then
    set_open(state, publisher, true)
    publisher.lost = false
    if state.status == 'lost' then revive(state, publisher) end
  end
  save_publisher(publisher)
  save_state(state)
  return answer('again', state, publisher)
end
if state and terminal(state.status) and role == 'owner' then return answer('finished', state) end
if redis.call('HLEN', publishers_key) >= most and not make_room(now) then
  return answer('full', state)
end

local word = 'joined'
if not state then
  word = 'created'
  local epoch = tonumber(ARGV[4])
  state = {}
  for _, name in ipairs(NUMBERS) do state[name] = 0 end
  state.epoch, state.tag, state.format = epoch, epoch, FORMAT
  state.max_records, state.max_bytes = tonumber(ARGV[10]), tonumber(ARGV[11])
  state.max_age = tonumber(ARGV[12])
  for _, name in ipairs(WORDS) do state[name] = '' end
  state.status = 'running'
  adopt(state)
  redis.call('DEL', key_of('deleted'))
  publisher = load_publisher(id)
  append(state, frame_of(ARGV[6]), 1, STATUS, tonumber(ARGV[5]))
  save_state(state, { 'created', text_of(now), 'started', text_of(now), 'workflow', ARGV[7],
    'notes', text_of(redis.call('XLEN', key_of('notes'))), 'noted', text_of(now) })
elseif terminal(state.status) then
  word = 'late'
end

-- a second owner of a running execution is a restarted worker: its word counts from now on
if role == 'owner' then state.owner = id end
if role == 'owner' and ARGV[7] ~= '' then redis.call('HSET', state_key, 'workflow', ARGV[7]) end
publisher = publisher or { id = id, last = 0, count = 0, dropped = 0, beat = 0, opened = now,
  role = role }
set_listens(state, publisher, ARGV[13] == '1')
if not publisher.open then set_open(state, publisher, true) end
if state.status == 'lost' then revive(state, publisher) end
save_publisher(publisher)
save_state(state)
return answer(word, state, publisher)
