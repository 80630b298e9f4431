// Keeps answers in Redis for all replicas, and in this process for when Redis is away.
import { randomUUID } from 'node:crypto';
import type { Logger } from '@weft/core/logger';
import { openScripts, type Scripts } from '../guard/redis.ts';
import type { Row } from '../load/connect.ts';
import { ENTRY_BYTES_MAX, FLIGHT_MS_MAX, PENDING_DROPS_MAX } from './limits.ts';
import { createMemoryStore } from './memory-store.ts';
import { encodeRows, type FreshStore, type Keeping, type Place, type Snapshot } from './store.ts';

const NOW = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
`;

/** KEYS entries, then two groups for each. Returns {now, what MGET returns of all}. */
const READ = `${NOW}
if #KEYS == 0 then return {now, {}} end
return {now, redis.call('MGET', unpack(KEYS))}
`;

/** KEYS entries; ARGV for each its text and its milliseconds. */
const WRITE = `
for index, key in ipairs(KEYS) do redis.call('SET', key, ARGV[index * 2 - 1], 'PX', ARGV[index * 2]) end
return #KEYS
`;

/** KEYS groups; ARGV 1 milliseconds. */
const DROP = `${NOW}
for _, key in ipairs(KEYS) do redis.call('SET', key, now, 'PX', ARGV[1]) end
return now
`;

/** KEYS claims; ARGV 1 who, 2 milliseconds. Returns 1 for each that nobody had. */
const CLAIM = `
local mine = {}
for index, key in ipairs(KEYS) do
  mine[index] = redis.call('SET', key, ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 0
end
return mine
`;

/** KEYS claims; ARGV 1 who. */
const RELEASE = `
for _, key in ipairs(KEYS) do if redis.call('GET', key) == ARGV[1] then redis.call('DEL', key) end end
return 0
`;

const PREFIX = '{weft:fresh}:';
const entryKey = ({ entry }: Place) => `${PREFIX}entry:${entry}`;
const groupKey = (group: string) => `${PREFIX}dropped:${group}`;
const claimKey = ({ entry }: Place) => `${PREFIX}asked:${entry}`;

/** Lua's `unpack` ends near eight thousand. */
const KEYS_MAX = 4_000;

/** Never rejects: what Redis does not answer in time, this process answers from what it has itself. */
export function openRedisStore(url: string, logger: Logger): FreshStore {
  const who = randomUUID();
  const scripts = openScripts(url, `weft-fresh-${who}`, logger);
  const memory = createMemoryStore();
  const pending = createPendingDrops(scripts);
  return {
    async read(places) {
      if (places.length * 3 > KEYS_MAX || !(await pending.told())) return memory.read(places);
      const keys = [...places.map(entryKey), ...places.flatMap(({ groups }) => groups.map(groupKey))];
      const reply = await scripts.run(READ, keys, []).catch(() => undefined);
      return decodeSnapshot(reply, places) ?? memory.read(places);
    },
    async write(keeping) {
      await memory.write(keeping);
      const texts = keeping.map(encodeKept);
      const kept = keeping.flatMap((each, index) => {
        const text = texts[index];
        return text === undefined ? [] : [{ key: entryKey(each.place), text, lifeMs: each.lifeMs }];
      });
      for (let at = 0; at < kept.length; at += KEYS_MAX) {
        const some = kept.slice(at, at + KEYS_MAX);
        const args = some.flatMap(({ text, lifeMs }) => [text, Math.ceil(lifeMs)]);
        const keys = some.map(({ key }) => key);
        await scripts.run(WRITE, keys, args).catch(() => undefined);
      }
    },
    async drop(groups, lifeMs) {
      await memory.drop(groups, lifeMs);
      await pending.drop(groups.map(groupKey), lifeMs);
    },
    async claim(places) {
      const keys = places.map(claimKey);
      const reply = await scripts.run(CLAIM, keys, [who, FLIGHT_MS_MAX]).catch(() => undefined);
      const mine = places.map((_place, index) => !Array.isArray(reply) || Number(reply[index]) === 1);
      const release = () => {
        const held = keys.filter((_key, index) => mine[index]);
        if (held.length > 0) scripts.run(RELEASE, held, [who]).catch(() => undefined);
      };
      return { mine, release };
    },
    async close() {
      await memory.close();
      await scripts.close();
    },
  };
}

function encodeKept({ rows, observedAtMs }: Keeping): string | undefined {
  const text = encodeRows(rows, ENTRY_BYTES_MAX);
  return text === undefined ? undefined : `${observedAtMs} ${text}`;
}

function decodeSnapshot(reply: unknown, places: readonly Place[]): Snapshot | undefined {
  if (!Array.isArray(reply) || !Array.isArray(reply[1])) return undefined;
  const values: readonly unknown[] = reply[1];
  const found = places.map((_place, index) => {
    const text = values[index];
    if (typeof text !== 'string') return undefined;
    const space = text.indexOf(' ');
    const observedAtMs = Number(text.slice(0, space));
    const at = places.length + index * 2;
    const droppedAtMs = Math.max(Number(values[at] ?? 0), Number(values[at + 1] ?? 0));
    if (observedAtMs <= droppedAtMs) return undefined;
    return { rows: JSON.parse(text.slice(space + 1)) as readonly Row[], observedAtMs };
  });
  return { nowMs: Number(reply[0]), found };
}

/** Drops that Redis was not told are told before anything is read from it again: what is there may not hold. */
function createPendingDrops(scripts: Scripts) {
  const pending = new Map<string, number>();
  const tell = async (): Promise<boolean> => {
    if (pending.size === 0) return true;
    const told = [...pending];
    const lifeMs = Math.max(...told.map(([, life]) => life));
    try {
      const keys = told.map(([key]) => key);
      await scripts.run(DROP, keys, [Math.ceil(lifeMs)]);
      for (const [key, life] of told) if (pending.get(key) === life) pending.delete(key);
      return true;
    } catch {
      // It stays pending, and Redis is not read meanwhile.
      return false;
    }
  };
  return {
    told: tell,
    async drop(keys: readonly string[], lifeMs: number): Promise<void> {
      for (const key of keys) pending.set(key, lifeMs);
      // The oldest are given up: the answers that they are about end by their age.
      for (const key of pending.keys()) {
        if (pending.size <= PENDING_DROPS_MAX) break;
        pending.delete(key);
      }
      await tell();
    },
  };
}
