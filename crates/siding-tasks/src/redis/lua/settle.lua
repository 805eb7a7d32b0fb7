-- Ends a claim, stores results and sends messages, in one step; nothing of it when the claim is over.
-- KEYS: unacked, unacked_index, leases, the prefix of revocations; and where calls are looked after, their texts and looks.
-- ARGV: the tag, its fence ('' when no claim is ended), the task's id; the number of guards, then for each a key and the
-- value that it must have; the number of results, then for each its key, seconds to keep it and the document; the
-- number of messages, then for each its place, its text, its tag, its member among the looks and when that is; the
-- number of values, then for each its key, the value and seconds to keep it (0 deletes it; -1 deletes it if it has the
-- value).
-- Returns whether it was done, and the messages that lead nowhere, by their number: these are left out.
local unacked, index, leases, revoked = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local tag, fence, id = ARGV[1], ARGV[2], ARGV[3]
local at = 3
local function take()
    at = at + 1
    return ARGV[at]
end

if fence ~= '' and not holds(index, tag, fence) then return {0, {}} end
for _ = 1, tonumber(take()) do
    local key, value = take(), take()
    if redis.call('GET', key) ~= value then return {0, {}} end
end
if fence ~= '' then
    redis.call('ZREM', index, tag)
    redis.call('HDEL', unacked, tag)
    redis.call('ZREM', leases, tag .. ' ' .. fence)
    redis.call('DEL', revoked .. id)
    if KEYS[5] then
        redis.call('HDEL', KEYS[5], tag, '?' .. tag)
        redis.call('ZREM', KEYS[6], tag .. ' ' .. id)
    end
end

-- A success that is there stays, as in Celery.
local function succeeded(document)
    if not document then return false end
    -- As Celery and Siding write it; this also tells of documents that are too deep for a decoder.
    if document:find('^{"status": ?"SUCCESS"') then return true end
    if not document:find('"status": ?"SUCCESS"') then return false end
    local decoded, meta = pcall(cjson.decode, document)
    return decoded and meta.status == 'SUCCESS'
end
for _ = 1, tonumber(take()) do
    local key, seconds, document = take(), take(), take()
    if not succeeded(redis.call('GET', key)) then
        redis.call('SET', key, document, 'EX', seconds)
        redis.call('PUBLISH', key, document)
    end
end
local lost = {}
for number = 1, tonumber(take()) do
    local place = place_of(take)
    local message, new, member, look = take(), take(), take(), take()
    if not leads_anywhere(place) then lost[#lost + 1] = number end
    put(place, message, new)
    if look ~= '' then
        redis.call('HSET', KEYS[5], new, place.lists[1] .. '\n' .. message)
        redis.call('ZADD', KEYS[6], look, member)
    end
end
for _ = 1, tonumber(take()) do
    local key, value, seconds = take(), take(), tonumber(take())
    if seconds > 0 then
        redis.call('SET', key, value, 'EX', seconds)
    elseif seconds == 0 or redis.call('GET', key) == value then
        redis.call('DEL', key)
    end
end
return {1, lost}
