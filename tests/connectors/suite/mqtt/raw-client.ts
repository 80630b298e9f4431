// An MQTT client by hand over a socket: it sends what it is told, DUP and all, and keeps what comes.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import mqttPacket, { type IConnackPacket, type IPublishPacket, type Packet } from 'mqtt-packet';

export interface RawOptions {
  readonly port: number;
  readonly version: 4 | 5;
  readonly clientId: string;
  readonly login?: readonly [user: string, password: string];
  /** Told of every message; those of QoS 1 are acknowledged at once. */
  onMessage?(packet: IPublishPacket): void;
}

export interface RawClient {
  /** Resolves when the broker has acknowledged it; rejects when the connection ends before. */
  publish(topic: string, payload: string | Buffer, more?: Partial<IPublishPacket>): Promise<Packet>;
  subscribe(filter: string): Promise<Packet>;
  readonly closed: Promise<unknown>;
  close(): void;
}

const ANSWER_MS_MAX = 5_000;

export async function connectRaw(options: RawOptions): Promise<RawClient> {
  const socket = connect({ host: '127.0.0.1', port: options.port });
  const closed = once(socket, 'close');
  socket.on('error', () => undefined);
  const protocol = { protocolVersion: options.version };
  const send = (packet: Packet) => void socket.write(mqttPacket.generate(packet, protocol));
  const waiting = new Map<string, (packet: Packet) => void>();
  const parser = mqttPacket.parser(protocol);
  parser.on('error', () => socket.destroy());
  parser.on('packet', (packet: Packet) => {
    if (packet.cmd !== 'publish') return waiting.get(`${packet.cmd}:${packet.messageId ?? ''}`)?.(packet);
    if (packet.qos === 1) send({ cmd: 'puback', messageId: packet.messageId, reasonCode: 0 } as Packet);
    options.onMessage?.(packet);
  });
  socket.on('data', (chunk) => parser.parse(chunk as Buffer));
  const answer = (name: string, packet: Packet) => ask(socket, waiting, name, () => send(packet));
  let messageId = 0;
  const nextId = () => (messageId = (messageId % 65_535) + 1);

  const [username, password] = options.login ?? [];
  const connack = (await answer('connack:', {
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: options.version,
    clean: true,
    clientId: options.clientId,
    keepalive: 0,
    ...(username === undefined ? {} : { username, password: Buffer.from(password ?? '') }),
  } as Packet)) as IConnackPacket;
  if ((connack.returnCode ?? connack.reasonCode ?? 0) !== 0)
    throw new Error('the broker refuses the old system');
  return {
    closed,
    publish(topic, payload, more = {}) {
      const id = nextId();
      const packet = {
        cmd: 'publish',
        topic,
        payload,
        qos: 1,
        dup: false,
        retain: false,
        messageId: id,
        ...more,
      };
      return answer(`puback:${id}`, packet as Packet);
    },
    subscribe(filter) {
      const id = nextId();
      return answer(`suback:${id}`, {
        cmd: 'subscribe',
        messageId: id,
        subscriptions: [{ topic: filter, qos: 1, nl: false, rap: false, rh: 0 }],
      } as Packet);
    },
    close: () => socket.destroy(),
  };
}

async function ask(
  socket: Socket,
  waiting: Map<string, (packet: Packet) => void>,
  name: string,
  send: () => void,
): Promise<Packet> {
  const { promise, resolve, reject } = Promise.withResolvers<Packet>();
  const fail = () => reject(new Error(`the connection ended before ${name}`));
  const timer = setTimeout(() => reject(new Error(`no ${name} within ${ANSWER_MS_MAX} ms`)), ANSWER_MS_MAX);
  waiting.set(name, resolve);
  socket.once('close', fail);
  try {
    if (socket.destroyed) fail();
    else send();
    return await promise;
  } finally {
    clearTimeout(timer);
    waiting.delete(name);
    socket.off('close', fail);
  }
}
