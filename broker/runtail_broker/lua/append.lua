-- append.lua: the head of every script that adds a frame. Loaded in front of it.
--
-- KEYS[1] stream      one entry a frame; entry id = id of the frame's last record. Fields:
--                     s seq of the first record, n how many records, p the tag before, t its tag,
--                     x flags (1: holds a status or an end, 2: is an `end` record), f the frame
-- KEYS[2] state       hash of one execution:
--                     epoch tag the history starts from     status, reason, owner, workflow
--                     ms n seq tag  of the last record       first  seq of the first record kept
--                     records bytes  kept in the stream      debug info warning error, dropped, raw
--                     created started ended_at (ms)          progress (JSON number or null)
--                     open   publishers that have it open    lost  those of them that are marked
--                     guess  1 while the final status is a gateway's guess, not a worker's word
--                     cancel 1 when asked to stop
--                     end    the JSON of the `end` record while it is the last record, else ''
--                     max_records max_bytes max_age (ms)  limits of what is kept
--                     listening  publishers that have it open and listen for a wish to cancel
--                     last_error '<seq> <JSON>' of the last log of level error
--                     notes noted  how many notes there are, their last change; see note.lua
--                     filed  the change after which they were archived; see file.lua
--                     format version of all this; 0 is 1, and a newer one is refused
--                     head   ms of the first record kept in the stream, never later; 0: not known
--                     archived  seq up to which all lies in the archive, sealed (ms) since when,
--                     archive   its parts (see archived.py); written by seal.lua alone
-- KEYS[3] publishers  hash: publisher id -> 'last count open dropped beat opened role[ listens]'
--                     last batch number, records its batches stand for, whether it has it open (0 it left,
--                     1 open, 2 open but marked lost, 3 given up: lost for too long), records
--                     dropped, last beat, ms of its latest opening, owner or participant, and
--                     `listens` if it listens for a wish to cancel. It stays byte for byte the same
--                     while the publisher is silent, and only then
-- ARGV[1] live        channel that gets every entry: '<id> <s> <n> <p> <t> <x>\n<frame>'.
--                     In ARGV because a channel in KEYS answers TRYAGAIN while its slot moves.
--
-- Beside them: `steps`, a hash: step name -> 'runs failed duration duration …' (see publish.lua),
-- `notes`, and `deleted`, which exists for a while after the others were removed.
--
-- Numbers are doubles: everything here stays below 2^53.

local TAG_MODULUS, TAG_FACTOR = 4294967291, 1000003
local STATUS, END = 1, 2
local FORMAT = 1 -- proof.py knows it too
local TRIM_AT_MOST = 64 -- entries dropped from the head in one call, so that no call is long

local stream_key, live = KEYS[1], ARGV[1]

-- The key of another part of the same execution.
local function key_of(part) return (string.gsub(stream_key, 'stream$', part)) end

-- A node that the slot is moving to is called with KEYS[1] alone: for several it would answer
-- TRYAGAIN as long as one of them is not there.
local state_key, publishers_key = KEYS[2] or key_of('state'), KEYS[3] or key_of('publishers')

local NUMBERS = { 'epoch', 'ms', 'n', 'seq', 'tag', 'first', 'records', 'bytes', 'debug', 'info',
  'warning', 'error', 'dropped', 'raw', 'open', 'lost', 'listening', 'head' }
-- Numbers that only open.lua writes.
local FIXED = { 'max_records', 'max_bytes', 'max_age', 'format' }
local WORDS = { 'status', 'cancel', 'owner', 'end', 'guess' }

local function text_of(number) return string.format('%.0f', number) end

local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- The state as a table; nil when the execution is unknown.
local function load_state()
  local names = {}
  for i, name in ipairs(NUMBERS) do names[i] = name end
  for i, name in ipairs(FIXED) do names[#NUMBERS + i] = name end
  for i, name in ipairs(WORDS) do names[#NUMBERS + #FIXED + i] = name end
  local values = redis.call('HMGET', state_key, unpack(names))
  if not values[1] then return nil end
  local state = {}
  for i, name in ipairs(NUMBERS) do state[name] = tonumber(values[i] or '0') or 0 end
  for i, name in ipairs(FIXED) do state[name] = tonumber(values[#NUMBERS + i] or '0') or 0 end
  for i, name in ipairs(WORDS) do state[name] = values[#NUMBERS + #FIXED + i] or '' end
  if state.format > FORMAT then
    error('NEWERFORMAT the state has version ' .. state.format .. ', expected at most ' .. FORMAT)
  end
  return state
end

local function save_state(state, more)
  local pairs_ = {}
  for _, name in ipairs(NUMBERS) do
    pairs_[#pairs_ + 1] = name
    pairs_[#pairs_ + 1] = text_of(state[name])
  end
  for _, name in ipairs(WORDS) do
    pairs_[#pairs_ + 1] = name
    pairs_[#pairs_ + 1] = state[name]
  end
  for _, value in ipairs(more or {}) do pairs_[#pairs_ + 1] = value end
  redis.call('HSET', state_key, unpack(pairs_))
end

-- A publisher as a table; nil when it never opened this execution.
local function load_publisher(id)
  local packed = redis.call('HGET', publishers_key, id)
  if not packed then return nil end
  local last, count, open, dropped, beat, opened, role, listens =
    string.match(packed, '^(%d+) (%d+) (%d) (%d+) (%d+) (%d+) (%a+) ?(%a*)$')
  return { id = id, last = tonumber(last), count = tonumber(count), dropped = tonumber(dropped),
    open = open == '1' or open == '2', lost = open == '2' or open == '3',
    beat = tonumber(beat), opened = tonumber(opened), role = role, listens = listens == 'listens',
    packed = packed }
end

local function save_publisher(p)
  local open = p.open and (p.lost and '2' or '1') or (p.lost and '3' or '0')
  redis.call('HSET', publishers_key, p.id, text_of(p.last) .. ' ' .. text_of(p.count) .. ' '
    .. open .. ' ' .. text_of(p.dropped) .. ' ' .. text_of(p.beat) .. ' '
    .. text_of(p.opened) .. ' ' .. p.role .. (p.listens and ' listens' or ''))
end

-- A publisher opens the execution, or leaves it; the caller saves both.
local function set_open(state, publisher, open)
  publisher.open = open
  local by = open and 1 or -1
  state.open = state.open + by
  if publisher.listens then state.listening = state.listening + by end
end

-- It says whether it listens for a wish to cancel; true if that is news. The caller saves both.
local function set_listens(state, publisher, listens)
  if listens == (publisher.listens or false) then return false end
  publisher.listens = listens
  if publisher.open then state.listening = state.listening + (listens and 1 or -1) end
  return true
end

-- An engine at its `maxmemory` refuses a script whose first write takes memory, and lets it go on
-- after one that takes none. For what leads to an end, since only what has ended makes room.
local function also_when_full() redis.call('HDEL', state_key, '') end

-- Whether what is unknown was removed on purpose.
local function was_deleted() return redis.call('EXISTS', key_of('deleted')) == 1 end

local function terminal(status)
  return status == 'completed' or status == 'failed' or status == 'cancelled'
end

-- What it is now, for who compares it with what was seen (see standing.py)
local function standing(state)
  if state then
    return table.concat({ text_of(state.epoch), text_of(state.seq),
      text_of(state.ms) .. '-' .. text_of(state.n), state.status, text_of(state.open) }, ' ')
  end
  local last = redis.call('XREVRANGE', stream_key, '+', '-', 'COUNT', 1)[1]
  return '- ' .. (last and last[1] or '')
end

-- What every script answers: a word, then where the publisher and the execution stand.
local function answer(word, state, publisher)
  return { word, text_of(publisher and publisher.last or 0), text_of(state and state.ms or 0),
    text_of(state and state.n or 0), text_of(state and state.seq or 0),
    text_of(state and state.tag or 0), state and state.cancel or '',
    state and state.status or '', text_of(state and state.epoch or 0) }
end

-- A frame that holds one record of JSON text, as frame.py would write it (version 1, plain).
local function frame_of(json)
  local length = #json
  local head
  if length < 256 then
    head = string.char(196, length)
  elseif length < 65536 then
    head = string.char(197, math.floor(length / 256), length % 256)
  else
    head = string.char(198, math.floor(length / 16777216), math.floor(length / 65536) % 256,
      math.floor(length / 256) % 256, length % 256)
  end
  return string.char(16, 145) .. head .. json
end

-- Records up to `last` are in the stream no more; what the archive holds of them is kept still.
local function dropped_up_to(state, last)
  local archived = tonumber(redis.call('HGET', state_key, 'archived') or '0')
  if last > archived then state.first = last + 1 end
end

local function ms_of(id) return tonumber(string.match(id, '^%d+')) end

-- Whether what is kept is beyond a limit. `head` is never later than the first record: at worst it
-- is looked at in vain, once.
local function too_much(state)
  return state.records > state.max_records or state.bytes > state.max_bytes
    or (state.max_age > 0 and state.ms - state.head > state.max_age)
end

-- Drop entries from the head until what is kept is within the limits; never the last one.
local function trim(state)
  local budget = TRIM_AT_MOST
  while budget > 0 and too_much(state) do
    local heads = redis.call('XRANGE', stream_key, '-', '+', 'COUNT', 2)
    if #heads < 2 then return end
    state.head = ms_of(heads[1][1])
    if not too_much(state) then return end
    local fields = {}
    for i = 1, #heads[1][2], 2 do fields[heads[1][2][i]] = heads[1][2][i + 1] end
    redis.call('XDEL', stream_key, heads[1][1])
    state.records = state.records - tonumber(fields.n)
    state.bytes = state.bytes - #fields.f
    state.head = ms_of(heads[2][1])
    dropped_up_to(state, tonumber(fields.s) + tonumber(fields.n) - 1)
    budget = budget - 1
  end
end

-- Append one frame of `count` records; changes `state`, which the caller saves.
local function append(state, frame, count, flags, random)
  local now = now_ms()
  local ms, n = state.ms, state.n + count
  -- a clock that stepped back, or a primary whose clock is behind, must not refuse an append
  if now > state.ms then ms, n = now, count - 1 end
  local before, first = state.tag, state.seq + 1
  -- exact: each product and its sum < 2^53. In two steps, because ms + n would be the same sum for
  -- a batch that a primary whose clock is a millisecond behind stores again as the next in its ms
  local tag = ((before * TAG_FACTOR + random + ms) % TAG_MODULUS * TAG_FACTOR + n) % TAG_MODULUS
  local id = text_of(ms) .. '-' .. text_of(n)
  local s, c, p, t, x = text_of(first), text_of(count), text_of(before), text_of(tag), text_of(flags)
  redis.call('XADD', stream_key, id, 's', s, 'n', c, 'p', p, 't', t, 'x', x, 'f', frame)
  if state.records > 0 and redis.call('XLEN', stream_key) == 1 then
    state.records, state.bytes = 0, 0 -- the stream was evicted: say what is gone
    dropped_up_to(state, first - 1)
  end
  if state.records == 0 then state.head = ms end
  state.ms, state.n, state.seq, state.tag = ms, n, state.seq + count, tag
  state.records, state.bytes = state.records + count, state.bytes + #frame
  if state.first == 0 then state.first = first end
  if flags < END then -- an `end` drops nothing: its totals name the first record that is kept
    state['end'] = ''
    trim(state)
  end
  -- by pcall: a missing right to publish must not make a stored frame look failed
  redis.pcall('SPUBLISH', live, id .. ' ' .. s .. ' ' .. c .. ' ' .. p .. ' ' .. t .. ' ' .. x
    .. '\n' .. frame)
end

-- `ms` as RFC 3339 in UTC: the sandbox has no os.date.
local function rfc3339(ms)
  local seconds = math.floor(ms / 1000)
  local z = math.floor(seconds / 86400) + 719468 -- days since 0000-03-01
  local era = math.floor(z / 146097)
  local day = z - era * 146097
  local year = math.floor((day - math.floor(day / 1460) + math.floor(day / 36524)
    - math.floor(day / 146096)) / 365)
  day = day - (365 * year + math.floor(year / 4) - math.floor(year / 100))
  local m = math.floor((5 * day + 2) / 153)
  local month = m < 10 and m + 3 or m - 9
  return string.format('%04d-%02d-%02dT%02d:%02d:%02d.%03dZ',
    year + era * 400 + (month <= 2 and 1 or 0), month, day - math.floor((153 * m + 2) / 5) + 1,
    math.floor(seconds / 3600) % 24, math.floor(seconds / 60) % 60, seconds % 60, ms % 1000)
end

local function quoted(text)
  return '"' .. string.gsub(text, '[%c"\\]', function(c)
    return string.format('\\u%04x', string.byte(c))
  end) .. '"'
end

-- What stands for the random number of a record that a script makes by itself: two histories that
-- agree in it hold the same record.
local function digest(text)
  local sum = 0
  for i = 1, #text do sum = (sum * 257 + string.byte(text, i)) % 2147483647 end
  return sum
end

-- Append a status record of the engine's own: the status as it is now, and why.
local function tell(state, reason, publisher)
  local json = '{"execution_id":' .. quoted(string.match(state_key, '{(.*)}'))
    .. ',"kind":"status","status":' .. quoted(state.status) .. ',"reason":' .. quoted(reason)
    .. (publisher ~= '' and ',"publisher":' .. quoted(publisher) or '')
    .. ',"timestamp":' .. quoted(rfc3339(now_ms())) .. '}'
  append(state, frame_of(json), 1, STATUS, digest(json))
end

local function say_why(reason, ended_at)
  redis.call('HSET', state_key, 'reason', reason, 'ended_at', text_of(ended_at))
end

-- A guess was wrong: it runs.
local function revive(state, publisher)
  state.status, state.guess = 'running', ''
  say_why('', 0)
  tell(state, 'the worker speaks again', publisher.id)
end

-- Undo the guess that a publisher is lost, because it speaks; the caller saves both.
local function heard(state, publisher)
  if not publisher.lost then return end
  local final = terminal(state.status) and state.guess == ''
  -- the end that a worker reported stays: what comes now is late, whoever sends it
  if final and not publisher.open then return end
  publisher.lost = false
  if publisher.open then
    state.lost = state.lost - 1
  else
    set_open(state, publisher, true)
  end
  if final then tell(state, 'the worker speaks again', publisher.id) else revive(state, publisher) end
end
