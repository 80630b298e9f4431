// The log live in Redis Streams: one stream a topic, whose ids are the outbox's positions.
import { randomUUID } from 'node:crypto';
import { invariant } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import { away, keepConnection, type Opener } from '../connection.ts';
import type { AppendAt, AppendOutcome, LiveEngine, LiveEntry } from '../live-engine.ts';
import { isReplyError, type RedisClient, redisOpener } from './connect.ts';
import { APPEND, BEGIN } from './scripts.ts';
import { type BlockingClient, createWaker, toStreamId } from './waker.ts';

export interface RedisEngineOptions {
  /** `redis[s]://[[user]:password@]host[:port][/database]` */
  readonly url: string;
  /** Of the outbox: keeps logs apart that share a server. Rejects while it is not known. */
  readonly logId: () => Promise<string>;
  readonly logger: Logger;
}

/** Two connections: one for commands, one that blocks. Both come back by themselves. */
export function openRedisEngine({ url, logId, logger }: RedisEngineOptions): LiveEngine {
  const name = `weft-events-${randomUUID().slice(0, 8)}`;
  const commands = keepConnection(redisOpener(url, name), logger);
  const blocking = keepConnection(blockingOpener(url, `${name}-blocking`), logger);
  const waker = createWaker(blocking, (id) => commands.run((client) => client.send('CLIENT', 'UNBLOCK', id)));
  // One slot a topic, so that a cluster keeps the keys of a script together.
  const keysOf = async (topic: string) => {
    const prefix = `weft:${await logId()}:{${topic}}`;
    return { stream: `${prefix}:events`, state: `${prefix}:state` };
  };
  const send = (...command: string[]) => guarded(() => commands.run((client) => client.send(...command)));
  const script = async (text: string, topic: string, ...args: string[]) => {
    const { stream, state } = await keysOf(topic);
    return send('EVAL', text, '2', stream, state, ...args);
  };
  return {
    name: 'Redis',
    async readPage(topic, after, entriesMax) {
      const { stream, state } = await keysOf(topic);
      // In this order: what the state tells of is in the stream by then.
      const ask = ({ send: ask }: RedisClient) =>
        Promise.all([
          ask('HGET', state, 'last'),
          ask('XRANGE', stream, `(${toStreamId(after)}`, '+', 'COUNT', String(entriesMax)),
        ]);
      const [last, reply] = await guarded(() => commands.run(ask));
      return { last: typeof last === 'string' ? last : undefined, entries: decodeEntries(reply) };
    },
    async wait(topic, after, timeoutMs, signal) {
      // A reader has read before it waits: the name of the log is known.
      const { stream } = await keysOf(topic);
      await waker.wait(stream, after, timeoutMs, signal);
    },
    async readState(topic) {
      const { state } = await keysOf(topic);
      const reply = await send('HMGET', state, 'generation', 'last');
      const [generation, last] = Array.isArray(reply) ? reply : [];
      return typeof generation === 'string' && typeof last === 'string' ? { generation, last } : undefined;
    },
    begin: (topic, at) => tryScript(() => script(BEGIN, topic, at.generation, String(at.fence), at.last)),
    append: (topic, at, entries) => tryScript(() => script(APPEND, topic, ...appendArguments(at, entries))),
    async trim(topic, upTo) {
      const { stream } = await keysOf(topic);
      // Exactly: an approximation may keep what must be gone.
      await send('XTRIM', stream, 'MINID', idAfter(upTo));
    },
    isConnected: () => commands.isConnected(),
    check: () => commands.ready(),
    async close() {
      waker.close();
      await Promise.all([commands.close(), blocking.close()]);
    },
  };
}

function blockingOpener(url: string, name: string): Opener<BlockingClient> {
  const opener = redisOpener(url, name);
  return {
    name: opener.name,
    async open(onLost) {
      const client = await opener.open(onLost);
      return { ...client, id: String(await client.send('CLIENT', 'ID')) };
    },
    destroy: (client) => client.destroy(),
  };
}

function appendArguments(at: AppendAt, entries: readonly LiveEntry[]): readonly string[] {
  const ofEntries = entries.flatMap(({ position, previous, envelope = '' }) => [
    toStreamId(position),
    position,
    previous,
    envelope,
  ]);
  return [at.generation, String(at.fence), at.last, ...ofEntries];
}

/** Replies that say that the server has no room, is not ready, or is no master: to be asked again, as one that is away. */
const NOT_NOW =
  /^(OOM|LOADING|MISCONF|READONLY|MASTERDOWN|NOREPLICAS|BUSY|TRYAGAIN|CLUSTERDOWN|NOAUTH|NOPERM|WRONGPASS)\b/;
/** How Redis 7 passes on what a command in a script was answered. */
const IN_SCRIPT = /^(?:ERR )?(?:Error running script.*?: @?\w*: \d+: )?-?/;

async function tryScript(ask: () => Promise<unknown>): Promise<AppendOutcome> {
  try {
    const reply = await ask();
    invariant(reply === 'appended' || reply === 'conflict', `a script of the log answered ${String(reply)}`);
    return { kind: reply };
  } catch (thrown) {
    if (!isReplyError(thrown)) throw thrown;
    return { kind: 'refused', reason: thrown.message };
  }
}

/** What Redis cannot do now is STORE_UNAVAILABLE; what it will never do stays the reply that it is. */
async function guarded<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (thrown) {
    if (isReplyError(thrown) && !NOT_NOW.test(thrown.message.replace(IN_SCRIPT, ''))) throw thrown;
    throw away('Redis', thrown);
  }
}

function decodeEntries(reply: unknown): readonly LiveEntry[] {
  return (Array.isArray(reply) ? reply : []).map(([id, fields]: [string, readonly string[]]) => ({
    position: id.replace('-', '.'),
    previous: fieldOf(fields, 'previous') ?? '',
    envelope: fieldOf(fields, 'event'),
  }));
}

function fieldOf(fields: readonly string[], name: string): string | undefined {
  const at = fields.indexOf(name);
  return at % 2 === 0 ? fields[at + 1] : undefined;
}

function idAfter(position: string): string {
  const [tx = '0', seq = '0'] = position.split('.');
  return `${tx}-${BigInt(seq) + 1n}`;
}
