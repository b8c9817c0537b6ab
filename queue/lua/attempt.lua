#!lua
-- Counts one more attempt for each id, before it is made. KEYS attempt; ARGV ids. Returns counts.
local counts = {}
for i, id in ipairs(ARGV) do
    counts[i] = redis.call('HINCRBY', KEYS[1], id, 1)
end
return counts
