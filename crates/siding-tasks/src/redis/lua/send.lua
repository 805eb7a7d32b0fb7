-- Sends messages, all of them; those whose guard is taken are left out.
-- KEYS: where calls are looked after, their texts and looks.
-- ARGV: the number of values, then for each its key, the value and seconds to keep it; then for each message its list, its
-- text, its id, its guard (a key or '') and seconds to keep that, its tag, its member among the looks and when that is.
-- Returns for each message '' when it was sent, or the id that has its guard.
local at = 0
local function take()
    at = at + 1
    return ARGV[at]
end
for _ = 1, tonumber(take()) do
    local key, value, seconds = take(), take(), take()
    redis.call('SET', key, value, 'EX', seconds)
end
local answers = {}
while at < #ARGV do
    local list, message, id, guard, seconds = take(), take(), take(), take(), take()
    local tag, member, look = take(), take(), take()
    local answer = ''
    if guard ~= '' and not redis.call('SET', guard, id, 'NX', 'EX', seconds) then
        answer = redis.call('GET', guard)
    else
        redis.call('LPUSH', list, message)
        if look ~= '' then
            redis.call('HSET', KEYS[1], tag, list .. '\n' .. message)
            redis.call('ZADD', KEYS[2], look, member)
        end
    end
    answers[#answers + 1] = answer
end
return answers
