#!lua
-- Puts a command for the desk once, however often its sender repeats it.
--
-- KEYS  do, do:KEY
-- ARGV  key, record, raw, how long (s) a repeat is recognised
if redis.call('EXISTS', KEYS[2]) == 1 then
    return 0
end
redis.call('XADD', KEYS[1], '*', 'id', ARGV[1], 'record', ARGV[2], 'raw', ARGV[3])
redis.call('SET', KEYS[2], '', 'EX', ARGV[4])
return 1
