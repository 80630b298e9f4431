// Human resources where no RabbitMQ is: an MQTT 3.1.1 broker inside the program; a request names the topic for its answer.
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Aedes, type AedesPublishPacket } from 'aedes';
import type { AnswerRequest, Broker } from './broker.ts';

const REQUESTS = 'human-resources/requests';
const CHANGES = 'human-resources/changes';
const ACKNOWLEDGED_MS_MAX = 5_000;

export interface MqttBroker extends Broker {
  /** `mqtt://127.0.0.1:<port>` */
  readonly url: string;
}

/** @param port 0 takes a free one. Bound to 127.0.0.1 only. */
export async function openMqtt(port: number, answer: AnswerRequest): Promise<MqttBroker> {
  const aedes = await Aedes.createBroker();
  const server = createServer(aedes.handle);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const publish = (topic: string, payload: Buffer) =>
    new Promise<void>((resolve, reject) => {
      const packet = { cmd: 'publish', topic, payload, qos: 1, retain: false, dup: false } as const;
      aedes.publish(packet, (error) => (error === undefined || error === null ? resolve() : reject(error)));
    });
  const onRequest = async ({ payload }: AedesPublishPacket) => {
    const request = Buffer.from(payload);
    const replyTo = replyTopicOf(request);
    const reply = await answer(request);
    if (reply !== undefined && replyTo !== undefined) await publish(replyTo, reply);
  };
  await new Promise<void>((resolve) =>
    aedes.subscribe(
      REQUESTS,
      (packet, done) => {
        // Requests are worked on side by side; the broker need not wait.
        onRequest(packet).catch(() => undefined);
        done();
      },
      () => resolve(),
    ),
  );
  const acknowledged = countAcknowledged(aedes);
  return {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async tell(_messageId, message) {
      // A broker in memory keeps nothing over its own end: only what the reader has acknowledged is told.
      if (aedes.connectedClients === 0) return false;
      const isAcknowledged = acknowledged(message);
      await publish(CHANGES, message).catch(() => undefined);
      return await isAcknowledged;
    },
    async close() {
      server.close();
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
    },
  };
}

function countAcknowledged(aedes: Aedes): (message: Buffer) => Promise<boolean> {
  const waiting = new Map<string, () => void>();
  // Against its types, the packet is undefined when its message was acknowledged before.
  aedes.on('ack', (packet: { readonly cmd?: string; readonly payload?: unknown } | undefined) => {
    if (packet?.cmd === 'publish') waiting.get(String(packet.payload))?.();
  });
  return (message) =>
    new Promise((resolve) => {
      const text = message.toString();
      const end = (isAcknowledged: boolean) => {
        clearTimeout(timer);
        waiting.delete(text);
        resolve(isAcknowledged);
      };
      const timer = setTimeout(() => end(false), ACKNOWLEDGED_MS_MAX);
      waiting.set(text, () => end(true));
    });
}

function replyTopicOf(request: Buffer): string | undefined {
  try {
    const { replyTo } = JSON.parse(request.toString('utf8')) as { readonly replyTo?: unknown };
    return typeof replyTo === 'string' && !/[#+]/.test(replyTo) ? replyTo : undefined;
  } catch {
    // No JSON: nobody can be answered.
    return undefined;
  }
}
