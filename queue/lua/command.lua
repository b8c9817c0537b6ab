#!lua
-- Puts a command for the desk, unless an entry of the same request waits there already.
--
-- KEYS  do, do:REQUEST (a hash: entry; puts: how many were put and not taken back; got: its answer came
--       through; gone:SENDER: that sender has given up)
-- ARGV  request, record, raw, how long (s) the hash is kept, sender
-- Returns 1 put, 0 it waits already, -1 its sender has given up: this came late, over a lost connection.
if redis.call('HEXISTS', KEYS[2], 'gone:' .. ARGV[5]) == 1 then
    return -1
end
local id = redis.call('HGET', KEYS[2], 'entry')
if id and #redis.call('XRANGE', KEYS[1], id, id) == 1 then
    return 0
end
id = redis.call('XADD', KEYS[1], '*', 'id', ARGV[1], 'record', ARGV[2], 'raw', ARGV[3])
redis.call('HSET', KEYS[2], 'entry', id)
redis.call('HINCRBY', KEYS[2], 'puts', 1)
redis.call('EXPIRE', KEYS[2], ARGV[4])
return 1
