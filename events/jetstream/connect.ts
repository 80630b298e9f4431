// Opens a connection to NATS with JetStream, and listens there for news of the log.
import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { OperatorError } from '@weft/core/errors';
import type { Opener } from '../connection.ts';
import { COMMAND_TIMEOUT_MS, CONNECT_TIMEOUT_MS } from '../limits.ts';

export interface NatsClient {
  readonly connection: NatsConnection;
  readonly jetstream: JetStreamClient;
  readonly manager: JetStreamManager;
}

const PING_INTERVAL_MS = 2_000;
const PINGS_UNANSWERED_MAX = 2;

/**
 * @param newsSubject what is published there is given to `onNews`, with its subject
 * @throws OperatorError from `open` when the server has no JetStream
 */
export function natsOpener(
  url: URL,
  newsSubject: string,
  onNews: (subject: string, text: string) => void,
): Opener<NatsClient> {
  return {
    name: 'NATS',
    async open(onLost) {
      const connection = await connect({
        servers: url.host,
        ...credentialsIn(url),
        ...(url.protocol === 'tls:' ? { tls: {} } : {}),
        name: 'weft events',
        reconnect: false,
        timeout: CONNECT_TIMEOUT_MS,
        pingInterval: PING_INTERVAL_MS,
        maxPingOut: PINGS_UNANSWERED_MAX,
        ignoreClusterUpdates: true,
      });
      void connection.closed().then(onLost);
      try {
        const manager = await managerOf(connection);
        connection.subscribe(newsSubject, {
          callback: (error, message) => {
            if (error === null) onNews(message.subject, message.string());
          },
        });
        return { connection, manager, jetstream: jetstream(connection, { timeout: COMMAND_TIMEOUT_MS }) };
      } catch (thrown) {
        destroy(connection);
        throw thrown;
      }
    },
    destroy: ({ connection }) => destroy(connection),
  };
}

function destroy(connection: NatsConnection): void {
  // It is thrown away because it does not work: that it does not end well is no news.
  connection.close().catch(() => undefined);
}

async function managerOf(connection: NatsConnection): Promise<JetStreamManager> {
  try {
    return await jetstreamManager(connection, { timeout: COMMAND_TIMEOUT_MS });
  } catch (cause) {
    if ((cause as Error).name !== 'JetStreamNotEnabled') throw cause;
    throw new OperatorError('EVENT_LOG: this NATS has no JetStream: start it with -js', { cause });
  }
}

function credentialsIn({ username, password }: URL) {
  if (username === '') return {};
  const [user, pass] = [decodeURIComponent(username), decodeURIComponent(password)];
  return pass === '' ? { token: user } : { user, pass };
}
