-- Sends a message again that was sent, has not ended, and is nowhere to be found: a worker of kombu took it off its list and
-- died before it had noted that.
-- KEYS: unacked, the texts of what was sent, when each is to be looked at, the result.
-- ARGV: the tag, its member in the second list, the moment of the next look, that of a second look, how many messages of a list
-- are searched.
-- Returns 1 when it was sent again, 2 when its list is too long to tell, 0 otherwise.
local unacked, texts, looks, result = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local tag, member, next_look, second_look, depth = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])

local function forget()
    redis.call('HDEL', texts, tag, '?' .. tag)
    redis.call('ZREM', looks, member)
    return 0
end
local function look_again(at)
    redis.call('ZADD', looks, at, member)
    return 0
end

local text = redis.call('HGET', texts, tag)
if not text then return forget() end
local split = text:find('\n', 1, true)
local list, message = text:sub(1, split - 1), text:sub(split + 1)

local document = redis.call('GET', result)
local decoded, meta = pcall(cjson.decode, document or '')
local state = decoded and meta.status or 'PENDING'
-- Whoever stored a retry has sent another message.
if state ~= 'PENDING' and state ~= 'STARTED' then return forget() end
if state == 'STARTED' or redis.call('HEXISTS', unacked, tag) == 1 then
    redis.call('HDEL', texts, '?' .. tag)
    return look_again(next_look)
end
-- In a long list it may be further back than what is searched.
if redis.call('LLEN', list) > depth then
    look_again(next_look)
    return 2
end
if redis.call('LPOS', list, message, 'RANK', -1) then return look_again(next_look) end
-- It may have been taken in this very moment.
if redis.call('HSETNX', texts, '?' .. tag, 1) == 1 then return look_again(second_look) end
redis.call('HDEL', texts, '?' .. tag)
redis.call('RPUSH', list, message)
look_again(next_look)
return 1
