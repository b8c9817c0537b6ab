#!lua
-- Queues answers of one account, each once a turn. A turn is one decision of the desk to have the answer
-- sent: the first, then each restart after it ended. Telling the same turn again changes nothing, so a
-- desk that dies between telling and noting it can tell it again, whatever became of it meanwhile.
--
-- KEYS  out, retry, answer of each
-- ARGV  now, then for each: id, record, turn, attempt (the newest the desk has heard of)
-- Returns for each: 1 put, 0 told before, 2 an earlier turn is still on its way.
local open = { queued = true, sending = true, later = true }
local results = {}
for i = 1, #KEYS - 2 do
    local key, at = KEYS[2 + i], 2 + 4 * (i - 1)
    local known = redis.call('HMGET', key, 'state', 'turn', 'attempt')
    if known[1] and known[2] == ARGV[at + 2] then
        results[i] = 0
    elseif known[1] and open[known[1]] then
        results[i] = 2
    else
        redis.call('ZREM', KEYS[2], ARGV[at])
        local entry = redis.call('XADD', KEYS[1], '*', 'id', ARGV[at], 'record', ARGV[at + 1])
        -- Attempts are never numbered twice, also when the hash was forgotten in between.
        local attempt = math.max(tonumber(known[3] or 0), tonumber(ARGV[at + 3]))
        redis.call('HSET', key, 'state', 'queued', 'turn', ARGV[at + 2], 'attempt', attempt, 'entry', entry, 'at', ARGV[1])
        redis.call('HDEL', key, 'platform_id', 'by')
        results[i] = 1
    end
end
return results
