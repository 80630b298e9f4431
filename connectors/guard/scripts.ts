// What all replicas must agree on, as Lua scripts: each is one step, and takes the time from Redis alone.

/** Milliseconds of Redis' own clock. */
const NOW = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
`;

/**
 * One call asks to go out.
 * KEYS 1 state of the gate (hash), 2 leases that are out (sorted set by their end), 3 replicas (sorted set by when they were heard),
 *      4 replicas that share (likewise), 5 calls that may have arrived within the last second (sorted set by until when they count)
 * ARGV 1 lease, 2 its milliseconds, 3 concurrency, 4 tokens a second (0: no bucket), 5 burst, 6 milliseconds after which a
 *      replica counts as one that sees no Redis, 7 after which it counts no more, 8 life of the state, 9 calls that may arrive
 *      within the second (0: any number), 10 milliseconds of that second
 * Returns {'ADMITTED', 0 or 1 for the one call that tries} or {'OPEN' | 'RATE' | 'BULKHEAD', milliseconds}
 */
export const ENTER = `${NOW}
local s = redis.call('HMGET', KEYS[1], 'until', 'trial', 'trialUntil', 'tokens', 'at')
local untilMs, trialUntil = tonumber(s[1] or 0), tonumber(s[3] or 0)
if untilMs > now then return {'OPEN', untilMs - now} end
if untilMs > 0 and trialUntil > now then return {'OPEN', trialUntil - now} end
local concurrency, perSecond, burst = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local members = redis.call('ZRANGEBYSCORE', KEYS[3], now - tonumber(ARGV[7]), '+inf')
local arrivalsMax, second = tonumber(ARGV[9]), tonumber(ARGV[10])
local count, apart, apartFirst, apartArrivals = #members, 0, 0, 0
table.sort(members)
for rank, member in ipairs(members) do
  local heard = redis.call('ZSCORE', KEYS[4], member)
  if not heard or tonumber(heard) < now - tonumber(ARGV[6]) then
    apart = apart + 1
    if rank <= concurrency then apartFirst = apartFirst + 1 end
    if rank <= arrivalsMax then apartArrivals = apartArrivals + 1 end
  end
end
local limit, arrivals, bucket = concurrency, arrivalsMax, burst
if apart > 0 and count > 0 then
  local part = math.floor(concurrency / count)
  limit = concurrency - (part > 0 and apart * part or apartFirst)
  local arrivalsPart = math.floor(arrivalsMax / count)
  arrivals = arrivalsMax - (arrivalsPart > 0 and apart * arrivalsPart or apartArrivals)
  local all = (perSecond + burst) * (count - apart) / count
  bucket = math.max(1, burst * (count - apart) / count)
  if perSecond > 0 then perSecond = math.max(all - bucket, perSecond / count / 10) end
end
local tokens = 1
if perSecond > 0 then
  if s[5] then
    tokens = math.min(bucket, tonumber(s[4]) + math.max(0, now - tonumber(s[5])) * perSecond / 1000)
  else
    tokens = 0
  end
  redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'at', now)
  redis.call('PEXPIRE', KEYS[1], ARGV[8])
  if tokens < 1 then return {'RATE', math.ceil((1 - tokens) * 1000 / perSecond)} end
end
if perSecond > 0 then
  redis.call('ZREMRANGEBYSCORE', KEYS[5], '-inf', now)
  if redis.call('ZCARD', KEYS[5]) >= arrivals then
    local first = redis.call('ZRANGE', KEYS[5], 0, 0, 'WITHSCORES')
    local left = first[2] and tonumber(first[2]) - now or second
    return {'RATE', math.max(1, math.min(left, second))}
  end
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
if redis.call('ZCARD', KEYS[2]) >= limit then return {'BULKHEAD', 0} end
if perSecond > 0 then
  redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens - 1))
  redis.call('ZADD', KEYS[5], now + tonumber(ARGV[2]) + second, ARGV[1])
  redis.call('PEXPIRE', KEYS[5], ARGV[8])
end
redis.call('ZADD', KEYS[2], now + tonumber(ARGV[2]), ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[8])
if untilMs > 0 then
  redis.call('HSET', KEYS[1], 'trial', ARGV[1], 'trialUntil', now + tonumber(ARGV[2]))
  return {'ADMITTED', 1}
end
return {'ADMITTED', 0}
`;

/**
 * A call is over.
 * KEYS 1 state, 2 leases, 3 calls that may have arrived within the last second; ARGV 1 lease, 2 outcome, 3 failure ratio, 4 fewest calls, 5 milliseconds that the breaker stays open,
 *      6 milliseconds of the sample, 7 life of the state, 8 milliseconds that it counts from now among those that may have arrived
 * Returns 'CLOSED', 'OPEN' or 'HALF_OPEN'
 */
export const LEAVE = `${NOW}
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZADD', KEYS[3], 'XX', now + tonumber(ARGV[8]), ARGV[1])
local s = redis.call('HMGET', KEYS[1], 'until', 'trial')
local untilMs = tonumber(s[1] or 0)
local function open()
  redis.call('HDEL', KEYS[1], 'trial', 'trialUntil', 'sample')
  redis.call('HSET', KEYS[1], 'until', now + tonumber(ARGV[5]))
  redis.call('PEXPIRE', KEYS[1], math.max(tonumber(ARGV[7]), 2 * tonumber(ARGV[5])))
  return 'OPEN'
end
if untilMs > 0 then
  if s[2] == ARGV[1] then
    if ARGV[2] == 'failed' then return open() end
    redis.call('HDEL', KEYS[1], 'trial', 'trialUntil')
    if ARGV[2] == 'answered' then
      redis.call('HDEL', KEYS[1], 'until')
      return 'CLOSED'
    end
  end
  return untilMs > now and 'OPEN' or 'HALF_OPEN'
end
if ARGV[2] == 'unknown' then return 'CLOSED' end
local step = math.floor(tonumber(ARGV[6]) / 10)
local slot = math.floor(now / step)
local kept, all, bad = {}, 0, 0
local sample = redis.call('HGET', KEYS[1], 'sample')
if sample then kept = cjson.decode(sample) end
local slots, found = {}, false
for _, each in ipairs(kept) do
  if each[1] > slot - 10 then
    if each[1] == slot then
      found = true
      each[2] = each[2] + 1
      if ARGV[2] == 'failed' then each[3] = each[3] + 1 end
    end
    all, bad = all + each[2], bad + each[3]
    slots[#slots + 1] = each
  end
end
if not found then
  local failed = ARGV[2] == 'failed' and 1 or 0
  slots[#slots + 1] = {slot, 1, failed}
  all, bad = all + 1, bad + failed
end
if ARGV[2] == 'failed' and all >= tonumber(ARGV[4]) and bad / all >= tonumber(ARGV[3]) then return open() end
redis.call('HSET', KEYS[1], 'sample', cjson.encode(slots))
redis.call('PEXPIRE', KEYS[1], ARGV[7])
return 'CLOSED'
`;

/**
 * A replica says that it is there.
 * KEYS 1 replicas, 2 replicas that share, 3 when this start of Redis was first seen
 * ARGV 1 replica, 2 'shared' or 'local', 3 milliseconds after which one counts no more
 * Returns {replicas, rank of this one from 0, milliseconds since this start of Redis was first seen}
 */
export const ANNOUNCE = `${NOW}
redis.call('SET', KEYS[3], now, 'NX', 'PX', 2592000000)
local gone = now - tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', gone)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', gone)
redis.call('ZADD', KEYS[1], now, ARGV[1])
if ARGV[2] == 'shared' then redis.call('ZADD', KEYS[2], now, ARGV[1]) else redis.call('ZREM', KEYS[2], ARGV[1]) end
redis.call('PEXPIRE', KEYS[1], 2 * tonumber(ARGV[3]))
redis.call('PEXPIRE', KEYS[2], 2 * tonumber(ARGV[3]))
local members = redis.call('ZRANGE', KEYS[1], 0, -1)
table.sort(members)
local rank = 0
for index, member in ipairs(members) do if member == ARGV[1] then rank = index - 1 end end
return {#members, rank, now - tonumber(redis.call('GET', KEYS[3]))}
`;

/**
 * Calls that went out while Redis was away are counted until they end, and those that are over for the second in which they may have arrived.
 * KEYS 1 leases, 2 calls that may have arrived within the last second
 * ARGV 1 milliseconds of a lease, 2 life of the state, 3 milliseconds of that second, 4 how many leases are out, then these, then for each
 *      call that is over its lease and how many milliseconds it counts
 * Returns how many leases are out
 */
export const ADOPT = `${NOW}
local out = tonumber(ARGV[4])
for index = 5, 4 + out do
  redis.call('ZADD', KEYS[1], now + tonumber(ARGV[1]), ARGV[index])
  redis.call('ZADD', KEYS[2], now + tonumber(ARGV[1]) + tonumber(ARGV[3]), ARGV[index])
end
for index = 5 + out, #ARGV, 2 do redis.call('ZADD', KEYS[2], now + tonumber(ARGV[index + 1]), ARGV[index]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return out
`;

/** A replica ends. KEYS 1 replicas, 2 replicas that share; ARGV 1 replica */
export const GOODBYE = `
redis.call('ZREM', KEYS[1], ARGV[1])
return redis.call('ZREM', KEYS[2], ARGV[1])
`;
