-- What those scripts share that send: where a message goes. That is a list; or the lists of all queues that an exchange has for
-- a routing key, by kombu's table of its bindings, whose members are binding key, pattern and queue; or a channel, for all who
-- listen now; or nowhere.

-- The pattern of a topic exchange's binding key, as kombu translates it: `*` is one word, `#` any text.
local function pattern_of(key)
    local words = {}
    for word in (key .. '.'):gmatch('(.-)%.') do
        if word == '*' then
            word = '[^%.]+'
        elseif word == '#' then
            word = '.-'
        else
            word = (word:gsub('%p', '%%%0'))
        end
        words[#words + 1] = word
    end
    return '^' .. table.concat(words, '%.') .. '$'
end

-- A binding of a direct exchange has no pattern; which kind an exchange is, is said nowhere else.
local function fits(key, pattern, routing_key)
    if pattern == '' then return key == routing_key end
    local matched, at = pcall(string.find, routing_key, pattern_of(key))
    return matched and at ~= nil
end

local function parts_of(member, separator)
    local first = member:find(separator, 1, true)
    local second = first and member:find(separator, first + #separator, true)
    if not second then return nil end
    return member:sub(1, first - 1), member:sub(first + #separator, second - 1), member:sub(second + #separator)
end

-- Queues of broadcasts are left out: whoever serves one hears of it by a channel.
local function queues_of(bindings, routing_key, separator)
    local members, queues, seen = redis.call('SMEMBERS', bindings), {}, {}
    for _, member in ipairs(members) do
        local key, pattern, queue = parts_of(member, separator)
        if key and fits(key, pattern, routing_key) and queue ~= '' and queue:sub(1, 6) ~= 'bcast.' and not seen[queue] then
            seen[queue] = true
            queues[#queues + 1] = queue
        end
    end
    return queues, #members > 0
end

-- Reads a place with `take`, which gives the next argument.
local function place_of(take)
    local kind = take()
    if kind == 'nowhere' then return {lists = {}, bound = true} end
    if kind == 'list' then return {lists = {take()}, bound = true} end
    if kind == 'channel' then return {lists = {}, channel = take(), bound = true} end
    local bindings, routing_key, separator, before, after = take(), take(), take(), take(), take()
    local queues, bound = queues_of(bindings, routing_key, separator)
    local lists = {}
    for at, queue in ipairs(queues) do lists[at] = before .. queue .. after end
    return {lists = lists, bound = bound, fallback = before .. routing_key .. after}
end

local function leads_anywhere(place)
    return place.channel or #place.lists > 0
end

-- Copies have tags of their own, for claims are kept by tags.
local function put(place, message, tag)
    if place.channel then redis.call('PUBLISH', place.channel, message) end
    for at, list in ipairs(place.lists) do
        redis.call('LPUSH', list, at == 1 and message or with_tag(message, tag, tag .. '.' .. at))
        expire_inbox(list)
    end
end
