-- Renews claims that are still held.
-- KEYS: unacked_index, leases, the prefix of revocations.
-- ARGV: the time in seconds; when the leases end; then for each claim its tag, its fence and the task's id.
-- Returns for each claim 'lost', or how it was revoked, or ''.
local index, leases, revoked = KEYS[1], KEYS[2], KEYS[3]
local answers = {}
for at = 3, #ARGV, 3 do
    local tag, fence, id = ARGV[at], ARGV[at + 1], ARGV[at + 2]
    if holds(index, tag, fence) then
        redis.call('ZADD', index, score_of(ARGV[1], fence), tag)
        redis.call('ZADD', leases, ARGV[2], tag .. ' ' .. fence)
        answers[#answers + 1] = redis.call('GET', revoked .. id) or ''
    else
        redis.call('ZREM', leases, tag .. ' ' .. fence)
        answers[#answers + 1] = 'lost'
    end
end
return answers
