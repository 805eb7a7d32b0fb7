-- Claims messages: takes them off their lists and notes them as unacknowledged, in one step.
-- KEYS: unacked, unacked_index, leases, undecodable, the prefix of revocations, and then the lists, the most urgent first.
-- ARGV: how many at most; the time in seconds; the first claim's fence; when the leases end; how many messages may be passed
-- over in a list; the queue of each list, as JSON; what is wanted, as JSON, or nothing.
-- Returns the claims, what could not be decoded, and the mark of what is left; none if there may be more that is wanted.
local unacked, index, leases, undecodable, revoked = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local limit, first, ends, depth = tonumber(ARGV[1]), tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local queues = cjson.decode(ARGV[6])
local want = ARGV[7] ~= '' and cjson.decode(ARGV[7]) or nil

local function wanted(task)
    if not want then return true end
    local quota = want.tasks[task]
    if not quota then return not want.only end
    if quota == 0 then return true end
    if want.left[quota] == 0 then return false end
    want.left[quota] = want.left[quota] - 1
    return true
end

-- The text of the message stays as it is: decoding and encoding would change numbers and empty lists.
local function entry(raw, queue)
    return '[' .. raw .. ',"",' .. cjson.encode(queue) .. ']'
end

-- Halves of surrogate pairs, which Python's strings may have, are taken for spaces: what is looked at here has none.
local function decode(raw)
    local decoded, message = pcall(cjson.decode, raw)
    if decoded then return decoded, message end
    return pcall(cjson.decode, (raw:gsub('\\u[dD][89a-fA-F]%x%x', '\\u0020')))
end

-- An exchange may have given one message to several queues, where kombu leaves the tag the same. Claims are kept by tags: two
-- workers that hold a copy each would take the claim from each other.
local function own_copy(raw, message, tag, queue)
    local info = message.properties.delivery_info
    local routed = type(info) == 'table' and type(info.exchange) == 'string' and info.exchange ~= ''
    local own = '/' .. queue
    if not routed or tag:sub(-#own) == own then return raw, tag end
    local copy = with_tag(raw, tag, tag .. own)
    if copy == raw then return raw, tag end
    return copy, tag .. own
end

local claims, bad = {}, {}
for place, queue in ipairs(queues) do
    local list, passed = KEYS[5 + place], 0
    while #claims < limit and passed < depth do
        local raw = redis.call('LINDEX', list, -1 - passed)
        if not raw then break end
        local decoded, message = decode(raw)
        local known, tag, task, id = pcall(function()
            return message.properties.delivery_tag, message.headers.task, message.headers.id
        end)
        if not decoded or not known or type(tag) ~= 'string' then
            redis.call('LREM', list, -1, raw)
            redis.call('LPUSH', undecodable, raw)
            redis.call('LTRIM', undecodable, 0, 9999)
            bad[#bad + 1] = {queue, raw}
        elseif not wanted(task) then
            passed = passed + 1
        else
            if passed == 0 then redis.call('RPOP', list) else redis.call('LREM', list, -1, raw) end
            raw, tag = own_copy(raw, message, tag, queue)
            local fence = string.format('%06d', (first + #claims) % 1000000)
            redis.call('HSET', unacked, tag, entry(raw, queue))
            redis.call('ZADD', index, score_of(ARGV[2], fence), tag)
            redis.call('ZADD', leases, ends, tag .. ' ' .. fence)
            local revocation = type(id) == 'string' and redis.call('GET', revoked .. id) or false
            claims[#claims + 1] = {place, raw, tag, fence, revocation or ''}
        end
    end
end

return {claims, bad, #claims < limit and mark_of_all(KEYS, 6) or ''}
