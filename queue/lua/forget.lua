#!lua
-- Forgets answers that ended. KEYS retry, answer of each; ARGV id of each. Returns how many have not.
local open = 0
for i = 2, #KEYS do
    local state = redis.call('HGET', KEYS[i], 'state')
    if state == 'queued' or state == 'sending' or state == 'later' then
        open = open + 1
    else
        redis.call('ZREM', KEYS[1], ARGV[i - 1])
        redis.call('DEL', KEYS[i])
    end
end
return open
