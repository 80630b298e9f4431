import { once } from 'node:events';
import { connect } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { openAmqp } from '@weft/connectors/amqp/client';
import { openMqtt } from '@weft/connectors/mqtt/client';
import type { AmqpSource, GuardPlan, MqttSource } from '@weft/connectors/plan';
import { openSecrets } from '@weft/core/secrets';
import { compileMapping } from '@weft/schema/mapping/compile';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Mosquitto,
  RABBITMQ_URL,
  startMosquitto,
  whyNoMosquitto,
  whyNoRabbitmq,
} from '../support/brokers.ts';
import { createAuthority, whyNoOpenssl } from './http/certificates.ts';

const whyNot = whyNoOpenssl();
const noRabbitmq = await whyNoRabbitmq();
const options = { signal: AbortSignal.timeout(20_000), correlationId: 'c1' };
const guard: GuardPlan = {
  timeoutMs: 2_000,
  concurrency: 1,
  retries: 0,
  breaker: { failureRatio: 0.5, minCalls: 10, openForMs: 1_000 },
  responseBytesMax: 1_000_000,
};
const common = { name: 'broker', guard, timezone: 'Asia/Shanghai', encoding: 'utf-8', readOnly: false };
const text = (value: string) => ({ text: value, evaluate: () => value });
const own = { ca: 'city-ca', cert: 'hub-cert', key: 'hub-key' };
const noneOfOurs = { ca: 'city-ca', cert: undefined, key: undefined };

describe.skipIf(whyNot !== undefined)('a broker that asks for certificates', () => {
  const authority = createAuthority('city');
  const [server, hub] = [authority.certify('localhost'), authority.certify('hub')];
  const secrets = openSecrets(undefined, {
    SECRET_CITY_CA: authority.cert,
    SECRET_HUB_CERT: hub.cert,
    SECRET_HUB_KEY: hub.key,
    SECRET_OTHER_CA: createAuthority('other').cert,
  });
  const sockets = new Set<TLSSocket>();

  /** Ends TLS before a broker that speaks none. */
  async function startTlsDoor(host: string, port: number) {
    const door = createServer({ ...server, ca: authority.cert, requestCert: true, rejectUnauthorized: true });
    door.on('secureConnection', (inner) => {
      const outer = connect(port, host);
      sockets.add(inner);
      inner.on('error', () => outer.destroy()).on('close', () => outer.destroy());
      outer.on('error', () => inner.destroy()).on('close', () => inner.destroy());
      inner.pipe(outer).pipe(inner);
    });
    await once(door.listen(0, '127.0.0.1'), 'listening');
    return { port: (door.address() as { port: number }).port, close: () => door.close() };
  }

  afterAll(() => {
    for (const socket of sockets) socket.destroy();
  });

  it.skipIf(noRabbitmq !== undefined)(
    'speaks AMQP over TLS with our certificate, and not without',
    async () => {
      const url = new URL(RABBITMQ_URL);
      const door = await startTlsDoor(url.hostname, Number(url.port || 5672));
      const callWith = async (tls: AmqpSource['tls']) => {
        const source: AmqpSource = {
          ...common,
          protocol: 'amqp',
          url: text(`amqps://localhost:${door.port}`),
          loginSecret: undefined,
          tls,
        };
        const client = openAmqp('city', source, {}, secrets);
        const call = {
          protocol: 'amqp',
          exchange: text('amq.fanout'),
          routingKey: text('x'),
          body: undefined,
          reply: false,
        } as const;
        return client.call(call, {}, options).finally(() => client.close());
      };
      // Reached: the broker itself says that no queue is bound.
      await expect(callWith(own)).rejects.toMatchObject({ details: { reason: 'UNROUTABLE' } });
      for (const tls of [noneOfOurs, undefined, { ...own, ca: 'other-ca' }])
        await expect(callWith(tls)).rejects.toMatchObject({
          code: 'UPSTREAM_UNAVAILABLE',
          hadNoEffect: true,
        });
      door.close();
    },
  );

  describe.skipIf(whyNoMosquitto() !== undefined)('MQTT', () => {
    let broker: Mosquitto;
    beforeAll(async () => {
      broker = await startMosquitto();
    });
    afterAll(() => broker.close());

    it('is spoken over TLS with our certificate, and not without', async () => {
      const door = await startTlsDoor('127.0.0.1', broker.port);
      const callWith = async (tls: MqttSource['tls']) => {
        const source: MqttSource = {
          ...common,
          protocol: 'mqtt',
          url: text(`mqtts://localhost:${door.port}`),
          version: '3.1.1',
          clientId: undefined,
          replyTopic: 'weft/reply',
          loginSecret: undefined,
          tls,
        };
        const client = openMqtt('city', source, {}, secrets);
        const call = {
          protocol: 'mqtt',
          topic: text('x'),
          body: compileMapping('a: 1'),
          reply: false,
        } as const;
        return client.call(call, {}, options).finally(() => client.close());
      };
      await expect(callWith(own)).resolves.toMatchObject({ accepted: true });
      for (const tls of [noneOfOurs, undefined, { ...own, ca: 'other-ca' }])
        await expect(callWith(tls)).rejects.toMatchObject({
          code: 'UPSTREAM_UNAVAILABLE',
          hadNoEffect: true,
        });
      door.close();
    });
  });
});
