-- What the other scripts share: who holds a claim, and what lists hold.
--
-- A claim's score in `unacked_index` is a time, as in kombu, whose microseconds are its holder's: chosen at random at the
-- claim, and kept when the claim is renewed. A restored message keeps its delivery tag, so the tag does not tell.
local function holds(index, tag, fence)
    local score = redis.call('ZSCORE', index, tag)
    return score and math.floor((tonumber(score) % 1) * 1000000 + 0.5) % 1000000 == tonumber(fence)
end
local function score_of(seconds, fence)
    return string.format('%d.%06d', tonumber(seconds), tonumber(fence))
end
-- Is another one whenever messages were added to a list, which happens at its ends: a number of messages may be the same
-- again when others have been taken.
local function mark_of(list)
    local length = redis.call('LLEN', list)
    if length == 0 then return '' end
    local function last(place) return redis.sha1hex(redis.call('LINDEX', list, place)) end
    return length .. last(0) .. last(-1)
end
local function mark_of_all(keys, first)
    local marks = {}
    for place = first, #keys do marks[#marks + 1] = mark_of(keys[place]) end
    return table.concat(marks, ' ')
end

-- `message` with another delivery tag.
local function with_tag(message, tag, other)
    local first, last = message:find('"' .. tag .. '"', 1, true)
    if not first then return message end
    return message:sub(1, first) .. other .. message:sub(last)
end

-- What a worker that is gone has not run of broadcasts to it, nobody will.
local function expire_inbox(list)
    if list:find('bcast.', 1, true) then redis.call('PEXPIRE', list, 86400000) end
end
