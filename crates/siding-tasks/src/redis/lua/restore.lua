-- Puts a message back whose holder is gone: if nobody has claimed or acknowledged it since, once.
-- KEYS: unacked, unacked_index, leases, then the lists that it goes to.
-- ARGV: the tag, the score that its claim had, the lease of it, the message; no list drops it; where calls are looked after, their texts.
redis.call('ZREM', KEYS[3], ARGV[3])
local now = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not now or tonumber(now) ~= tonumber(ARGV[2]) then return 0 end
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[1], ARGV[1])
for place = 4, #KEYS do redis.call('RPUSH', KEYS[place], ARGV[4]) end
-- Its text is another one now.
if ARGV[5] ~= '' and #KEYS == 4 and redis.call('HEXISTS', ARGV[5], ARGV[1]) == 1 then
    redis.call('HSET', ARGV[5], ARGV[1], KEYS[4] .. '\n' .. ARGV[4])
end
return 1
