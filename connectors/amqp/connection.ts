// One connection to an AMQP 0-9-1 broker with one channel, and why it could not be made or has ended.
import { hostname } from 'node:os';
import amqplib, { type Channel, type ChannelModel, type ConfirmChannel } from 'amqplib';
import type { Link } from '../message/lazy-link.ts';
import type { BrokerLogin } from '../message/login.ts';

/** A channel of its own connection: either's end is the end of both. */
export interface AmqpLink<Opened extends Channel> extends Link {
  readonly channel: Opened;
}

const CONNECT_TIMEOUT_MS = 5_000;
const CLOSE_TIMEOUT_MS = 2_000;
const HEARTBEAT_S = 10;

/** With publisher confirms: https://www.rabbitmq.com/docs/confirms */
export function openConfirmChannel(login: BrokerLogin, name: string): Promise<AmqpLink<ConfirmChannel>> {
  return openLink(login, name, (connection) => connection.createConfirmChannel());
}

/** A channel to take messages from. */
export function openChannel(login: BrokerLogin, name: string): Promise<AmqpLink<Channel>> {
  return openLink(login, name, (connection) => connection.createChannel());
}

async function openLink<Opened extends Channel>(
  login: BrokerLogin,
  name: string,
  create: (connection: ChannelModel) => Promise<Opened>,
): Promise<AmqpLink<Opened>> {
  const connection = await amqplib.connect(addressOf(login), {
    timeout: CONNECT_TIMEOUT_MS,
    noDelay: true,
    ...login.tls,
    clientProperties: { connection_name: `${name} on ${hostname()}` },
  });
  const { promise: ended, resolve } = Promise.withResolvers<Error>();
  let last = new Error('the connection ended');
  const note = (error: Error) => {
    last = error;
  };
  connection.on('error', note);
  connection.on('close', () => resolve(last));
  let channel: Opened | undefined;
  const closeBoth = async () => {
    // The channel first: what was written to it goes out before its own close, and need not before that of the connection.
    await atMost(CLOSE_TIMEOUT_MS, channel?.close());
    await atMost(CLOSE_TIMEOUT_MS, connection.close());
  };
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= closeBoth();
    return closed;
  };
  try {
    channel = await create(connection);
    channel.on('error', note);
    channel.on('close', () => {
      resolve(last);
      void close();
    });
    return { channel, ended, close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

/** Never rejects: what is closed already is closed. */
async function atMost(ms: number, closing: Promise<unknown> | undefined): Promise<void> {
  const timer = Promise.withResolvers<void>();
  const timeout = setTimeout(timer.resolve, ms).unref();
  await Promise.race([closing?.catch(() => undefined), timer.promise]);
  clearTimeout(timeout);
}

function addressOf({ url, username, password }: BrokerLogin): amqplib.Options.Connect {
  const isTls = url.protocol === 'amqps:';
  const vhost = decodeURIComponent(url.pathname.slice(1));
  return {
    protocol: isTls ? 'amqps' : 'amqp',
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (isTls ? 5671 : 5672) : Number(url.port),
    username: username ?? 'guest',
    password: password ?? 'guest',
    heartbeat: HEARTBEAT_S,
    vhost: encodeURIComponent(vhost === '' ? '/' : vhost),
  };
}

/** Whether the broker refuses who we are: reply code 403, https://www.rabbitmq.com/amqp-0-9-1-reference#constants */
export function isRefusedLogin(thrown: unknown): boolean {
  const { code, message } = thrown as { code?: unknown; message?: unknown };
  return code === 403 || (typeof message === 'string' && /ACCESS[_-]REFUSED/.test(message));
}
