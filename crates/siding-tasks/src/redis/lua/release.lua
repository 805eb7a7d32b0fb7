-- Gives a claimed message back: to the end of its list that is taken from first, as kombu does.
-- KEYS: unacked, unacked_index, leases, the list. ARGV: the tag, its fence, the message.
-- Returns whether the claim was still there.
if not holds(KEYS[2], ARGV[1], ARGV[2]) then return 0 end
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1] .. ' ' .. ARGV[2])
redis.call('RPUSH', KEYS[4], ARGV[3])
expire_inbox(KEYS[4])
return 1
