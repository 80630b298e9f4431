// One connection to an MQTT broker, and why it could not be made or has ended. It is never made again by itself.

import { invariant } from '@weft/core/errors';
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient, type Packet } from 'mqtt';
import type { Link } from '../message/lazy-link.ts';
import type { BrokerLogin } from '../message/login.ts';
import type { MqttSource } from '../plan.ts';

export interface MqttLink extends Link {
  readonly client: MqttClient;
}

export interface MqttSession {
  readonly clientId: string;
  /** Whether the broker keeps the session, and what comes meanwhile, when the connection ends. */
  readonly isKept: boolean;
  /** Messages of QoS 1 that may be unacknowledged at once (MQTT 5: Receive Maximum). */
  readonly inFlightMax: number;
}

const CONNECT_TIMEOUT_MS = 5_000;
const CLOSE_TIMEOUT_MS = 2_000;
const KEEP_ALIVE_S = 10;
/** How long a broker of MQTT 5 keeps our session; 3.1.1 leaves that to the broker. */
const SESSION_EXPIRY_S = 7 * 86_400;
const PROTOCOL_VERSION = { '3.1.1': 4, '5': 5 } as const;

/** Not authorized, or a bad user name or password: CONNACK of 3.1.1, 3.2.2.3, and of 5, 3.2.2.2. */
const REFUSED_LOGIN: ReadonlySet<unknown> = new Set([4, 5, 0x86, 0x87]);

/**
 * Connects, once.
 * @param prepare is given the client before the first packet is read
 * @throws the error of the socket or the broker
 */
export async function openMqttLink(
  login: BrokerLogin,
  version: MqttSource['version'],
  session: MqttSession,
  prepare: (client: MqttClient) => void,
): Promise<MqttLink> {
  const client = mqtt.connect(login.url.href, optionsOf(login, version, session));
  prepare(client);
  const { promise: ended, resolve } = Promise.withResolvers<Error>();
  let last = new Error('the connection ended');
  client.on('error', (error) => {
    last = error;
  });
  client.on('disconnect', ({ reasonCode }) => {
    last = Object.assign(new Error('the broker ended the connection'), { code: reasonCode });
  });
  client.on('close', () => resolve(last));
  const close = async () => {
    await Promise.race([
      client.endAsync(),
      new Promise((done) => setTimeout(done, CLOSE_TIMEOUT_MS).unref()),
    ]);
    client.end(true);
  };
  const connected = new Promise<void>((done) => client.once('connect', () => done()));
  const failed = await Promise.race([connected, ended]);
  if (failed !== undefined) {
    client.end(true);
    throw failed;
  }
  return { client, ended, close };
}

function optionsOf(login: BrokerLogin, version: MqttSource['version'], session: MqttSession): IClientOptions {
  return {
    clientId: session.clientId,
    protocolVersion: PROTOCOL_VERSION[version],
    clean: !session.isKept,
    keepalive: KEEP_ALIVE_S,
    connectTimeout: CONNECT_TIMEOUT_MS,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    ...(login.username === undefined ? {} : { username: login.username }),
    ...(login.password === undefined ? {} : { password: login.password }),
    ...login.tls,
    ...(version === '5'
      ? {
          properties: {
            receiveMaximum: session.inFlightMax,
            ...(session.isKept ? { sessionExpiryInterval: SESSION_EXPIRY_S } : {}),
          },
        }
      : {}),
  };
}

/** Whether the broker refuses who we are. */
export function isRefusedLogin(thrown: unknown): boolean {
  return REFUSED_LOGIN.has((thrown as { code?: unknown }).code);
}

/** Takes one message; resolves when it may be acknowledged, rejects when it must not be. */
export type TakeMessage = (packet: IPublishPacket) => Promise<void>;

/**
 * Has messages of QoS 1 acknowledged when they were taken, and not before, in the order in which they came (MQTT 5, 4.6).
 *
 * mqtt.js acknowledges a message when `handleMessage` calls back, and reads no other packet until then: every message
 * would cost a transaction of its own. So its own PUBACKs are held back, and ours are sent by the same way.
 * @param inFlightMax messages being taken at once; beyond, nothing is read from the socket
 */
export function acknowledgeWhenTaken(client: MqttClient, inFlightMax: number, take: TakeMessage): void {
  const internals = client as unknown as { _sendPacket?: (packet: Packet, done?: () => void) => void };
  const send = internals._sendPacket?.bind(client);
  invariant(send !== undefined, 'this version of mqtt.js sends its acknowledgements in another way');
  internals._sendPacket = (packet, ...rest) => {
    if (packet.cmd === 'puback') rest[0]?.();
    else send(packet, ...rest);
  };
  let inFlight = 0;
  let readOn: (() => void) | undefined;
  let acknowledged: Promise<void> = Promise.resolve();
  client.handleMessage = (packet, callback) => {
    inFlight += 1;
    const taken = take(packet);
    acknowledged = Promise.all([taken, acknowledged]).then(() => {
      if (packet.qos === 1 && client.connected)
        send({ cmd: 'puback', messageId: packet.messageId, reasonCode: 0 } as Packet);
    });
    // What was not taken is not acknowledged, nor what came after it: the broker sends all of it again.
    acknowledged.catch(() => undefined);
    const leave = () => {
      inFlight -= 1;
      readOn?.();
      readOn = undefined;
    };
    taken.then(leave, leave);
    if (inFlight < inFlightMax) callback();
    else readOn = () => callback();
  };
}
