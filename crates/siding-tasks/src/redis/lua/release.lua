-- Gives a claimed message back: to the end of its list that is taken from first, as kombu does.
-- KEYS: unacked, unacked_index, leases, the list.
-- ARGV: the tag, its score, the message; whether it goes to the other end instead ('back').
-- Returns whether the claim was still there.
local now = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not now or tonumber(now) ~= tonumber(ARGV[2]) then return 0 end
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1] .. ' ' .. ARGV[2])
redis.call(ARGV[4] == 'back' and 'LPUSH' or 'RPUSH', KEYS[4], ARGV[3])
return 1
