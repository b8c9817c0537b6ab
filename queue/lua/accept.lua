#!lua
-- Accepts messages: each one that was never seen goes to the stream, then is remembered; cursors
-- move last. A script that fails is not rolled back, so everything that could fail on a key of
-- the wrong type is asked before the first write, and what must not outlive its message (the
-- "seen" mark, the cursor) is written after it.
--
-- KEYS  in, media, mark, attempt, then one seen bucket for each message
-- ARGV  messages, marks,
--       for each message: id, digest, record, raw, jobs, then key and record of each media job
--       for each mark: name, value
-- Returns how many were new, then the stream id of every message.
local stream, media, mark, attempt = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local messages, marks = tonumber(ARGV[1]), tonumber(ARGV[2])

local ids, first = {}, {}
local at, jobs = 3, 0
for i = 1, messages do
    local bucket, digest = KEYS[4 + i], ARGV[at + 1]
    ids[i] = redis.call('HGET', bucket, digest)
    if not ids[i] then
        -- The same id twice in one call: the second is a repeat of the first.
        local again = first[bucket .. digest]
        if again then ids[i] = again else first[bucket .. digest] = i end
    end
    jobs = jobs + tonumber(ARGV[at + 4])
    at = at + 5 + 2 * tonumber(ARGV[at + 4])
end
if jobs > 0 then redis.call('XLEN', media) end
if marks > 0 then redis.call('HLEN', mark) end
local counted = redis.call('HLEN', attempt) > 0

local fresh = 0
at = 3
for i = 1, messages do
    local count = tonumber(ARGV[at + 4])
    if type(ids[i]) == 'number' then
        ids[i] = ids[ids[i]]
    elseif not ids[i] then
        local id = redis.call('XADD', stream, '*', 'id', ARGV[at], 'record', ARGV[at + 2], 'raw', ARGV[at + 3])
        for j = 1, count do
            redis.call('XADD', media, '*', 'id', ARGV[at + 3 + 2 * j], 'record', ARGV[at + 4 + 2 * j])
        end
        redis.call('HSET', KEYS[4 + i], ARGV[at + 1], id)
        ids[i] = id
        fresh = fresh + 1
    end
    if counted then redis.call('HDEL', attempt, ARGV[at]) end
    at = at + 5 + 2 * count
end
for _ = 1, marks do
    redis.call('HSET', mark, ARGV[at], ARGV[at + 1])
    at = at + 2
end

table.insert(ids, 1, fresh)
return ids
