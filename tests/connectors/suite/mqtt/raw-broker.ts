// An MQTT broker by hand for one subscriber: it sends what it is told under the packet id it is told, and keeps every PUBACK.
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import mqttPacket, { type Packet } from 'mqtt-packet';

export interface RawBroker {
  readonly port: number;
  /** Packet ids, in the order in which they were acknowledged. */
  readonly acknowledged: number[];
  /** Topic filters that were asked for, of all connections. */
  readonly filters: string[];
  send(messageId: number, topic: string, payload: string, dup?: boolean): void;
  /** Resets the subscriber's connection. */
  cut(): void;
  /** How often somebody subscribed. */
  subscriptions(): number;
  close(): Promise<void>;
}

export async function startRawBroker(version: 4 | 5): Promise<RawBroker> {
  const protocol = { protocolVersion: version };
  const [acknowledged, filters]: [number[], string[]] = [[], []];
  let socket: Socket | undefined;
  let subscriptions = 0;
  const send = (packet: object) => void socket?.write(mqttPacket.generate(packet as Packet, protocol));
  const server = createServer((client) => {
    socket = client;
    const parser = mqttPacket.parser(protocol);
    parser.on('packet', (packet: Packet) => {
      if (packet.cmd === 'connect')
        send({ cmd: 'connack', sessionPresent: true, returnCode: 0, reasonCode: 0 });
      else if (packet.cmd === 'pingreq') send({ cmd: 'pingresp' });
      else if (packet.cmd === 'puback') acknowledged.push(packet.messageId ?? 0);
      else if (packet.cmd === 'subscribe') {
        filters.push(...packet.subscriptions.map(({ topic }) => topic));
        send({ cmd: 'suback', messageId: packet.messageId, granted: packet.subscriptions.map(() => 1) });
        subscriptions += 1;
      }
    });
    client.on('data', (chunk) => parser.parse(chunk as Buffer));
    client.on('error', () => undefined);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    acknowledged,
    filters,
    send: (messageId, topic, payload, dup = false) =>
      send({ cmd: 'publish', qos: 1, messageId, topic, payload, dup, retain: false }),
    cut: () => void socket?.resetAndDestroy(),
    subscriptions: () => subscriptions,
    async close() {
      socket?.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
