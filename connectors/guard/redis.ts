// The Redis by which replicas share budgets and fresh answers: scripts that answer in time, or not at all.
import { createHash } from 'node:crypto';
import { createClient, ErrorReply } from '@redis/client';
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import { keepConnection, type Opener } from '@weft/events/connection';
import { REDIS_COMMAND_TIMEOUT_MS } from './limits.ts';

export interface Scripts {
  /**
   * Runs a script, in `REDIS_COMMAND_TIMEOUT_MS` at the most.
   * @throws HubError STORE_UNAVAILABLE, or the reply error
   */
  run(script: string, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>;
  /** Of the start of Redis that is connected, 40 hex digits; empty before the first. */
  runId(): string;
  close(): Promise<void>;
}

/**
 * Connects in the background, and again whenever the connection is lost.
 * @param name shown by CLIENT LIST
 */
export function openScripts(url: string, name: string, logger: Logger): Scripts {
  let runId = '';
  const connection = keepConnection(
    redisOpener(url, name, (found) => {
      runId = found;
    }),
    logger,
  );
  return {
    run(script, keys, args) {
      const rest = [String(keys.length), ...keys, ...args.map(String)];
      return withinTime(connection.run(({ send }) => evaluate(send, script, rest)));
    },
    runId: () => runId,
    close: () => connection.close(),
  };
}

/** Sends a command and gives the reply as Redis sends it. */
interface RedisClient {
  send(...command: string[]): Promise<unknown>;
  destroy(): void;
}

const CONNECT_TIMEOUT_MS = 1_000;
const RUN_ID = /^run_id:([0-9a-f]{40})\r?$/m;

/** @param onRunId told which start of Redis this is, before the connection is used */
function redisOpener(url: string, name: string, onRunId: (runId: string) => void): Opener<RedisClient> {
  return {
    name: 'the Redis of the guard',
    async open(onLost) {
      const client = createClient({
        url,
        name,
        RESP: 2,
        disableOfflineQueue: true,
        disableClientInfo: true,
        maintNotifications: 'disabled',
        socket: { connectTimeout: CONNECT_TIMEOUT_MS, reconnectStrategy: false },
      });
      client.on('error', onLost);
      client.on('end', () => onLost(undefined));
      const timer = setTimeout(() => client.destroy(), CONNECT_TIMEOUT_MS);
      try {
        await client.connect();
        const info = String(await client.sendCommand(['INFO', 'server']));
        onRunId(RUN_ID.exec(info)?.[1] ?? 'unknown');
        return {
          send: (...command) => client.sendCommand(command),
          destroy: () => {
            if (client.isOpen) client.destroy();
          },
        };
      } catch (thrown) {
        if (client.isOpen) client.destroy();
        throw thrown;
      } finally {
        clearTimeout(timer);
      }
    },
    destroy: (client) => client.destroy(),
  };
}

const digests = new Map<string, string>();

async function evaluate(
  send: RedisClient['send'],
  script: string,
  rest: readonly string[],
): Promise<unknown> {
  const digest = digests.getOrInsertComputed(script, () => createHash('sha1').update(script).digest('hex'));
  try {
    return await send('EVALSHA', digest, ...rest);
  } catch (thrown) {
    // A Redis that was started anew does not know the script by its digest.
    if (!(thrown instanceof ErrorReply && thrown.message.startsWith('NOSCRIPT'))) throw thrown;
    return send('EVAL', script, ...rest);
  }
}

/** A slow reply is not waited for, and the connection is kept: the connection itself gives up later. */
async function withinTime<T>(work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const refuse = () =>
    late.reject(
      new HubError('STORE_UNAVAILABLE', `Redis did not answer within ${REDIS_COMMAND_TIMEOUT_MS} ms.`),
    );
  // What came while this process itself was busy is read before it is called late.
  const timer = setTimeout(() => setImmediate(() => setImmediate(refuse)), REDIS_COMMAND_TIMEOUT_MS);
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
