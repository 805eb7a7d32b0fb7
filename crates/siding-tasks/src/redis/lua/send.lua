-- Sends messages, all of them; those whose guard is taken are left out.
-- KEYS: where calls are looked after, their texts and looks.
-- ARGV: the number of values, then for each its key, the value and seconds to keep it; then for each message its place, its
-- text, its id, its guard (a key or '') and seconds to keep that, its tag, its member among the looks and when that is.
-- Returns for each message '' when it was sent, or the id that has its guard; and those that lead nowhere, by their number:
-- if there are any, nothing was sent.
local at = 0
local function take()
    at = at + 1
    return ARGV[at]
end
local values, messages, lost = {}, {}, {}
for number = 1, tonumber(take()) do
    local key, value, seconds = take(), take(), take()
    values[number] = {key = key, value = value, seconds = seconds}
end
while at < #ARGV do
    local place = place_of(take)
    local text, id, guard, seconds = take(), take(), take(), take()
    local tag, member, look = take(), take(), take()
    messages[#messages + 1] = {
        place = place, text = text, id = id, guard = guard, seconds = seconds, tag = tag, member = member, look = look,
    }
    if not leads_anywhere(place) then lost[#lost + 1] = #messages end
end
if #lost > 0 then return {{}, lost} end

for _, one in ipairs(values) do redis.call('SET', one.key, one.value, 'EX', one.seconds) end
local answers = {}
for _, one in ipairs(messages) do
    local answer = ''
    if one.guard ~= '' and not redis.call('SET', one.guard, one.id, 'NX', 'EX', one.seconds) then
        answer = redis.call('GET', one.guard)
    else
        put(one.place, one.text, one.tag)
        if one.look ~= '' then
            redis.call('HSET', KEYS[1], one.tag, one.place.lists[1] .. '\n' .. one.text)
            redis.call('ZADD', KEYS[2], one.look, one.member)
        end
    end
    answers[#answers + 1] = answer
end
return {answers, lost}
