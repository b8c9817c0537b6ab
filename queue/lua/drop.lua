#!lua
-- Ends a dead letter. KEYS dead, dead:index; ARGV stream id. Returns 1, or 0 when it is not there.
local found = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])
if #found == 0 then
    return 0
end
local fields = found[1][2]
for i = 1, #fields, 2 do
    if fields[i] == 'digest' then redis.call('HDEL', KEYS[2], fields[i + 1]) end
end
return redis.call('XDEL', KEYS[1], ARGV[1])
