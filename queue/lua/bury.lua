#!lua
-- Keeps a dead letter, the same one once.
--
-- KEYS  dead, dead:index
-- ARGV  digest of (kind, ref, reason), kind, ref, reason, record, raw, at
-- Returns its stream id.
local id = redis.call('HGET', KEYS[2], ARGV[1])
if id then
    return id
end
id = redis.call('XADD', KEYS[1], '*', 'kind', ARGV[2], 'ref', ARGV[3], 'reason', ARGV[4], 'record', ARGV[5],
    'raw', ARGV[6], 'at', ARGV[7], 'digest', ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], id)
return id
