-- Says that a task has started, while its claim lasts: its end may have come before.
-- KEYS: unacked_index, the result. ARGV: the tag, its fence, seconds to keep it, the document.
if not holds(KEYS[1], ARGV[1], ARGV[2]) then return 0 end
redis.call('SET', KEYS[2], ARGV[4], 'EX', ARGV[3])
redis.call('PUBLISH', KEYS[2], ARGV[4])
return 1
