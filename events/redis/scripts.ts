// What must happen in Redis as one step: Lua scripts on a topic's stream and on the hash that says what the stream is.

/**
 * KEYS: the topic's stream, its state (hash `generation`, `fence`, `last`).
 * ARGV: generation, fence, last position expected, then for each entry: id, position, previous position, envelope ('' for none).
 * Returns 'appended' or 'conflict'; nothing is written in a conflict.
 */
export const APPEND = `
local state = redis.call('HMGET', KEYS[2], 'generation', 'fence', 'last')
if state[1] ~= ARGV[1] or state[3] ~= ARGV[3] then return 'conflict' end
local seen = state[2] or '0'
if #seen > #ARGV[2] or (#seen == #ARGV[2] and seen > ARGV[2]) then return 'conflict' end
for i = 4, #ARGV, 4 do
  if ARGV[i + 3] == '' then
    redis.call('XADD', KEYS[1], ARGV[i], 'previous', ARGV[i + 2])
  else
    redis.call('XADD', KEYS[1], ARGV[i], 'previous', ARGV[i + 2], 'event', ARGV[i + 3])
  end
end
redis.call('HSET', KEYS[2], 'last', ARGV[#ARGV - 2], 'fence', ARGV[2])
return 'appended'`;

/**
 * KEYS: the topic's stream, its state. ARGV: generation, fence, the position after which the stream begins.
 * Returns 'appended' when the topic is empty and of this generation, 'conflict' when a later relay has been here.
 */
export const BEGIN = `
local seen = redis.call('HGET', KEYS[2], 'fence') or '0'
if #seen > #ARGV[2] or (#seen == #ARGV[2] and seen > ARGV[2]) then return 'conflict' end
redis.call('UNLINK', KEYS[1], KEYS[2])
redis.call('HSET', KEYS[2], 'generation', ARGV[1], 'fence', ARGV[2], 'last', ARGV[3])
return 'appended'`;
