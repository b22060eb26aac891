-- beat.lua: say that a publisher lives, and find out what it must send again. A new
-- beat of one that was marked lost undoes the mark.
--
-- ARGV[2] publisher     ARGV[3] last batch number it was told is stored     ARGV[4] beat number
-- ARGV[5] 1 if it listens for a wish to cancel
--
-- Answers `alive`, `behind` (a failover lost batches that were acknowledged), `unopened`, `unknown`.

local state = load_state()
if not state then return answer('unknown') end
local publisher = load_publisher(ARGV[2])
if not publisher then return answer('unopened', state) end
local beat = tonumber(ARGV[4])
-- one that comes twice (a packet that was late, or a retry) says nothing about now
local was_lost = publisher.lost and beat ~= publisher.beat
if was_lost then heard(state, publisher) end
if set_listens(state, publisher, ARGV[5] == '1') or was_lost then save_state(state) end
publisher.beat = beat
save_publisher(publisher)
return answer(publisher.last < tonumber(ARGV[3]) and 'behind' or 'alive', state, publisher)
