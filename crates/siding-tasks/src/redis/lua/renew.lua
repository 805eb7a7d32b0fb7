-- Renews leases that are still held: those whose score is the one that their holder wrote last.
-- KEYS: unacked_index, leases, the prefix of revocations.
-- ARGV: the score of the first renewal; when the leases end; then for each lease its tag, its score and the task's id.
-- Returns for each lease its new score and how it was revoked; '' for one that is lost.
local index, leases, revoked = KEYS[1], KEYS[2], KEYS[3]
local score, ends = tonumber(ARGV[1]), ARGV[2]
local answers = {}
for at = 3, #ARGV, 3 do
    local tag, held, id = ARGV[at], ARGV[at + 1], ARGV[at + 2]
    local now = redis.call('ZSCORE', index, tag)
    redis.call('ZREM', leases, tag .. ' ' .. held)
    if now and tonumber(now) == tonumber(held) then
        local text = string.format('%.6f', score + at * 0.000001)
        redis.call('ZADD', index, text, tag)
        redis.call('ZADD', leases, ends, tag .. ' ' .. text)
        answers[#answers + 1] = {text, redis.call('GET', revoked .. id) or ''}
    else
        answers[#answers + 1] = {'', ''}
    end
end
return answers
