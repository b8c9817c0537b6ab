#!lua
-- Takes a command back that the desk was not handed, and bars what its sender still has under way.
--
-- KEYS  do, do:REQUEST (see command.lua)
-- ARGV  the desk's group, how long (s) that is kept, sender
-- Returns 1 the desk never had it and never will, 0 it has or had it.
local id = redis.call('HGET', KEYS[2], 'entry')
if id and #redis.call('XRANGE', KEYS[1], id, id) == 1 then
    local handed = redis.pcall('XPENDING', KEYS[1], ARGV[1], id, id, 1)
    if handed.err and not string.find(handed.err, 'NOGROUP') then
        return handed
    end
    -- NOGROUP: nobody has ever read.
    if handed.err or #handed == 0 then
        redis.call('XDEL', KEYS[1], id)
        redis.call('HDEL', KEYS[2], 'entry')
        redis.call('HINCRBY', KEYS[2], 'puts', -1)
    end
end
redis.call('HSET', KEYS[2], 'gone:' .. ARGV[3], '1')
redis.call('EXPIRE', KEYS[2], ARGV[2])
if (tonumber(redis.call('HGET', KEYS[2], 'puts')) or 0) > 0 then
    return 0
end
return 1
