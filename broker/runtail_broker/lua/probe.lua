-- probe.lua: prove that this node takes writes and that its messages arrive.
--
-- KEYS[1] a key of the prober's own     ARGV[1] its channel     ARGV[2] token     ARGV[3] ms to keep it
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('SPUBLISH', ARGV[1], ARGV[2])
return ARGV[2]
