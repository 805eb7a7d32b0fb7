-- Counts a part of a chord, and claims the chord when it was the last.
-- From Celery 5.7 (`CHORD_PART_RETURN_LUA` in celery/backends/redis.py, BSD-3-Clause), which shares its keys with every
-- version: a part counts once, by its id and its place.
-- KEYS: .j, .t, .s, .d, the group, .c
-- ARGV: id, value, place, seconds to keep the counters, seconds to keep the claim, token.
-- Returns whether it was claimed, the parts, and the saved result of the group.
local jkey, tkey, skey, dkey, gkey, ckey = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local tid, value, score = ARGV[1], ARGV[2], ARGV[3]
local expires, claim_expires, token = tonumber(ARGV[4]), ARGV[5], ARGV[6]
if redis.call('GET', ckey) == 'done' then return {0, {}, ''} end
local member = tid .. ':' .. score
if redis.call('SISMEMBER', dkey, member) == 0 then
    redis.call('ZADD', jkey, score, value)
    redis.call('SADD', dkey, member)
end
if expires > 0 then
    for _, key in ipairs({jkey, tkey, skey, dkey}) do redis.call('EXPIRE', key, expires) end
end
local size = redis.call('GET', skey)
local more = redis.call('GET', tkey)
if not size or redis.call('ZCARD', jkey) ~= tonumber(size) + tonumber(more or 0) then return {0, {}, ''} end
if not redis.call('SET', ckey, token, 'NX', 'EX', claim_expires) then return {0, {}, ''} end
return {1, redis.call('ZRANGE', jkey, 0, -1), redis.call('GET', gkey) or ''}
