-- Puts a message back whose holder is gone: if nobody has claimed or acknowledged it since, once.
-- KEYS: unacked, unacked_index, leases, then the lists that it goes to.
-- ARGV: the tag, the score that its claim had, the lease of it, the message; no list drops it.
redis.call('ZREM', KEYS[3], ARGV[3])
local now = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not now or tonumber(now) ~= tonumber(ARGV[2]) then return 0 end
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[1], ARGV[1])
for place = 4, #KEYS do redis.call('RPUSH', KEYS[place], ARGV[4]) end
return 1
