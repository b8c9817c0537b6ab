#!lua
-- Ends entries of a stream for its group. KEYS stream; ARGV group, ids. Returns how many were there.
local ended = 0
for i = 2, #ARGV do
    redis.call('XACK', KEYS[1], ARGV[1], ARGV[i])
    ended = ended + redis.call('XDEL', KEYS[1], ARGV[i])
end
return ended
