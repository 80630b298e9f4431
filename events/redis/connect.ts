// Opens a connection to Redis and sees that it is one that keeps what it is given.
import { createClient, ErrorReply } from '@redis/client';
import { OperatorError } from '@weft/core/errors';
import type { Opener } from '../connection.ts';
import { CONNECT_TIMEOUT_MS } from '../limits.ts';

/** Sends a command and gives the reply as Redis sends it: text, numbers, lists, null. */
export interface RedisClient {
  send(...command: string[]): Promise<unknown>;
  destroy(): void;
}

/** XTRIM MINID and exclusive ranges of streams: https://redis.io/docs/latest/commands/xtrim/ */
const VERSION_MIN = [6, 2] as const;

/**
 * @param name shown by CLIENT LIST
 * @throws OperatorError from `open` when the server drops data by itself or is too old
 */
export function redisOpener(url: string, name: string): Opener<RedisClient> {
  return {
    name: 'Redis',
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
        const opened: RedisClient = {
          send: (...command) => client.sendCommand(command),
          destroy: () => {
            if (client.isOpen) client.destroy();
          },
        };
        await requireUsable(opened);
        return opened;
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

async function requireUsable(client: RedisClient): Promise<void> {
  const version = await infoOf(client, 'server', 'redis_version');
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
  if (major < VERSION_MIN[0] || (major === VERSION_MIN[0] && minor < VERSION_MIN[1]))
    throw new OperatorError(
      `EVENT_LOG: Redis ${version} is too old: ${VERSION_MIN.join('.')} or later is needed`,
    );
  const policy = await policyOf(client);
  if (policy !== 'noeviction')
    throw new OperatorError(
      `EVENT_LOG: Redis has maxmemory-policy ${policy} and would drop events by itself: set it to noeviction`,
    );
}

/** CONFIG is refused to many users, and by many providers. */
async function policyOf(client: RedisClient): Promise<string | undefined> {
  try {
    const reply = await client.send('CONFIG', 'GET', 'maxmemory-policy');
    if (Array.isArray(reply) && typeof reply[1] === 'string') return reply[1];
  } catch (thrown) {
    if (!isReplyError(thrown)) throw thrown;
  }
  return infoOf(client, 'memory', 'maxmemory_policy');
}

async function infoOf(client: RedisClient, section: string, name: string): Promise<string | undefined> {
  const text = String(await client.send('INFO', section));
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(text)?.[1];
}

/** What Redis itself answered, as opposed to a connection that failed. */
export function isReplyError(thrown: unknown): thrown is ErrorReply {
  return thrown instanceof ErrorReply;
}
