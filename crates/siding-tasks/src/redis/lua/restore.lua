-- Puts a message back whose holder is gone: if nobody has claimed or acknowledged it since, once.
-- KEYS: unacked, unacked_index, leases. ARGV: the tag, the fence of its claim, the message; where calls are looked after, their
-- texts, or ''; the place that it goes to.
-- Returns how many lists it was put back to, or -1 when somebody else has it. One whose exchange has no queues any more waits
-- where a queue of its routing key's name would be.
local tag, fence, message, texts = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
redis.call('ZREM', KEYS[3], tag .. ' ' .. fence)
if not holds(KEYS[2], tag, fence) then return -1 end
redis.call('ZREM', KEYS[2], tag)
redis.call('HDEL', KEYS[1], tag)

local at = 4
local place = place_of(function()
    at = at + 1
    return ARGV[at]
end)
local lists = place.lists
if not place.bound then lists = {place.fallback} end
for number, list in ipairs(lists) do
    redis.call('RPUSH', list, number == 1 and message or with_tag(message, tag, tag .. '.' .. number))
end
-- Its text is another one now.
if texts ~= '' and #lists == 1 and redis.call('HEXISTS', texts, tag) == 1 then
    redis.call('HSET', texts, tag, lists[1] .. '\n' .. message)
end
return #lists
