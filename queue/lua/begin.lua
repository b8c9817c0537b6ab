#!lua
-- Marks an answer as being sent, before its first byte leaves.
--
-- KEYS  answer, retry
-- ARGV  id, now, by (who asks), repeated (1: the same call was made before and got no reply)
-- Returns the attempt's number; 0 when the answer is not queued or waiting.
local record = redis.call('HMGET', KEYS[1], 'state', 'attempt', 'by')
if record[1] == 'sending' and ARGV[4] == '1' and record[3] == ARGV[3] then
    return tonumber(record[2])
end
if record[1] ~= 'queued' and record[1] ~= 'later' then
    return 0
end
local attempt = tonumber(record[2] or 0) + 1
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('HSET', KEYS[1], 'state', 'sending', 'attempt', attempt, 'by', ARGV[3], 'at', ARGV[2])
return attempt
