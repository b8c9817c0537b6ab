#!lua
-- Ends one attempt: the new state, its due time or the entry's end, and the event, all at once.
--
-- KEYS  answer, out, event, retry
-- ARGV  id, attempt, entry ('' for the one on record), state, platform id, due, now, event record
-- Returns 1; 0 when another attempt owns the answer. A repeat of what was settled returns 1 and
-- changes nothing.
local record = redis.call('HMGET', KEYS[1], 'state', 'attempt', 'entry')
if record[2] ~= ARGV[2] then
    return 0
end
if record[1] == ARGV[4] then
    return 1
end
if record[1] ~= 'sending' then
    return 0
end
local groups = {}
if redis.call('EXISTS', KEYS[2]) == 1 then
    groups = redis.call('XINFO', 'GROUPS', KEYS[2])
end
redis.call('ZCARD', KEYS[4])

redis.call('XADD', KEYS[3], '*', 'id', ARGV[1], 'record', ARGV[8])
redis.call('HSET', KEYS[1], 'state', ARGV[4], 'at', ARGV[7])
if ARGV[5] ~= '' then
    redis.call('HSET', KEYS[1], 'platform_id', ARGV[5])
end
if ARGV[4] == 'later' then
    redis.call('ZADD', KEYS[4], ARGV[6], ARGV[1])
    return 1
end
redis.call('ZREM', KEYS[4], ARGV[1])
local entry = ARGV[3] ~= '' and ARGV[3] or record[3]
for _, group in ipairs(groups) do
    redis.call('XACK', KEYS[2], group[2], entry)
end
redis.call('XDEL', KEYS[2], entry)
return 1
