-- Puts a message back whose holder is gone: if nobody has claimed or acknowledged it since, once.
-- KEYS: unacked, unacked_index, leases, then the lists that it goes to.
-- ARGV: the tag, the fence of its claim, the message; where calls are looked after, their texts, or ''.
-- Returns whether it was put back; without a list, it is dropped.
local tag, fence, message, texts = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
redis.call('ZREM', KEYS[3], tag .. ' ' .. fence)
if not holds(KEYS[2], tag, fence) then return 0 end
redis.call('ZREM', KEYS[2], tag)
redis.call('HDEL', KEYS[1], tag)
for place = 4, #KEYS do redis.call('RPUSH', KEYS[place], message) end
-- Its text is another one now.
if texts ~= '' and #KEYS == 4 and redis.call('HEXISTS', texts, tag) == 1 then
    redis.call('HSET', texts, tag, KEYS[4] .. '\n' .. message)
end
return 1
