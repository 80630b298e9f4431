import { randomBytes } from 'node:crypto';
import { Connection, type Publisher } from 'rabbitmq-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RABBITMQ_URL, whyNoRabbitmq } from '../support/brokers.ts';
import { whyNoPostgres } from '../support/engines.ts';
import { waitFor } from '../support/wait.ts';
import { type MessageRig, startMessageRig } from './message-rig.ts';
import { type AmqpGate, startAmqpGate } from './suite/amqp/gate.ts';

const whyNot = (await whyNoPostgres()) ?? (await whyNoRabbitmq());

const SDL = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  @source(name: "old", readOnly: false, guard: { timeout: "1500ms", retries: 0 }, amqp: { url: "{$env.AMQP}" })
  @source(name: "late", amqp: { url: "{$env.AMQP}" })
type Query {
  lampState(id: ID!): LampState @connect(source: "old", amqp: { routingKey: "{$args.id}", body: "id: $args.id" }, select: "state")
  nobody: LampState @connect(source: "old", amqp: { routingKey: "{$env.NAME}-nobody" }, select: "state")
}
type Mutation {
  switchLamp: Receipt @connect(source: "old", amqp: { routingKey: "{$env.NAME}-set", body: "on: true", reply: false }, select: "accepted")
  shout: Receipt @connect(source: "old", amqp: { exchange: "{$env.NAME}-no-exchange", routingKey: "a", reply: false }, select: "accepted")
}
type LampState { state: String }
type Receipt { accepted: Boolean }
type Lamp @key(fields: "id")
  @ingest(source: "old", queue: "{$env.NAME}-up", key: "id", order: "version", select: "id: no version: n") { id: ID! }
type Pole @key(fields: "id")
  @ingest(source: "late", queue: "{$env.NAME}-late", key: "id", order: "version", select: "id: no version: n") { id: ID! }
`;

const NAME = `weft-test-${randomBytes(6).toString('hex')}`;
const QUEUES = ['up', 'dead', 'set', 'late'].map((part) => `${NAME}-${part}`);
const [UP, DEAD, SET, LATE] = QUEUES as [string, string, string, string];

describe.skipIf(whyNot !== undefined)('an AMQP source', () => {
  let gate: AmqpGate;
  let rig: MessageRig;
  let broker: Connection;
  let publisher: Publisher;

  beforeAll(async () => {
    const url = new URL(RABBITMQ_URL);
    gate = await startAmqpGate(url.hostname, Number(url.port || 5672));
    broker = new Connection(RABBITMQ_URL);
    broker.on('error', () => undefined);
    publisher = broker.createPublisher({ confirm: true });
    await broker.queueDeclare({ queue: DEAD });
    await broker.queueDeclare({ queue: SET });
    const deadLetters = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': DEAD };
    await broker.queueDeclare({ queue: UP, durable: true, arguments: deadLetters });
    rig = await startMessageRig(SDL, { AMQP: `amqp://127.0.0.1:${gate.port}`, NAME });
    await rig.startHost();
  });
  afterAll(async () => {
    await rig?.close();
    for (const queue of QUEUES) await broker.queueDelete({ queue });
    await publisher?.close();
    await broker?.close();
    await gate?.close();
  });

  const tell = (id: string, version = 1) =>
    publisher.send({ routingKey: UP, durable: true }, { no: id, n: version });
  const waiting = async (queue: string) => (await broker.queueDeclare({ queue, passive: true })).messageCount;
  const expectOnce = async (count: number) => {
    const events = await rig.untilEvents(count);
    expect(events.size).toBe(count);
    expect(Math.max(...events.values())).toBe(1);
  };

  it('C-amqp-poison: sets a message aside after five tries, dead-letters it, and keeps the queue moving', async () => {
    await tell('before');
    await publisher.send({ routingKey: UP, durable: true }, Buffer.from('\0not json'));
    for (let index = 0; index < 5; index += 1) await tell(`behind-${index}`);
    await expectOnce(6);
    const [poison] = await waitFor('the quarantine', async () => {
      const found = await rig.rows<{ reason: string; body: Buffer; late: boolean }>(
        `SELECT reason, body, received_at > (SELECT max(appended_at) FROM events.event WHERE topic = 'Lamp') AS late
         FROM connectors.quarantine`,
      );
      return found.length > 0 && found;
    });
    expect(poison).toEqual({
      reason: 'expected JSON (tried 5 times)',
      body: Buffer.from('\0not json'),
      late: true,
    });
    const dead = await waitFor('the dead letter', () => broker.basicGet({ queue: DEAD, noAck: true }));
    expect(dead?.headers?.['x-death']).toMatchObject([{ queue: UP, reason: 'rejected', count: 1 }]);
    expect(await waiting(UP)).toBe(0);
  });

  it('makes one event of what is redelivered, and acknowledges only what is durable', async () => {
    rig.databaseGate.shut();
    const refused = rig.databaseGate.refused();
    for (let index = 0; index < 10; index += 1) await tell(`again-${index}`);
    await waitFor('the hub to hold all of them', async () => (await waiting(UP)) === 0);
    await waitFor('the hub to seek its database', () => rig.databaseGate.refused() > refused);
    gate.cut();
    rig.databaseGate.open();
    await expectOnce(16);
  });

  it('counts a version that comes late, and tells no event of it', async () => {
    await tell('order', 3);
    await rig.untilEvents(17);
    await tell('order', 2);
    await waitFor('the late one to be counted', async () => {
      const [row] = await rig.rows<{ late_count: number }>(
        "SELECT late_count FROM connectors.record WHERE key = 'order'",
      );
      return row?.late_count === 1;
    });
    await expectOnce(17);
  });

  it('loses and doubles nothing while its connection is cut again and again', async () => {
    for (let index = 0; index < 200; index += 1) {
      if (index % 50 === 25) gate.cut();
      await tell(`cut-${index}`);
    }
    await expectOnce(217);
  });

  it('tells at once that no queue takes a message, or that the exchange is not there', async () => {
    const startedAt = performance.now();
    const { errors } = await rig.query('{ nobody { state } }');
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', reason: 'UNROUTABLE' });
    expect(performance.now() - startedAt).toBeLessThan(1_500);
    const shouted = await rig.query('mutation { shout { accepted } }');
    expect(shouted.errors?.[0]?.extensions).toMatchObject({
      code: 'WRITE_UNKNOWN',
      reason: 'EXCHANGE_MISSING',
    });
    const next = await waitFor('the next call', async () => {
      const answer = await rig.query('mutation { switchLamp { accepted } }');
      return answer.errors === undefined && answer;
    });
    expect(next.data).toEqual({ switchLamp: { accepted: true } });
    const sent = await waitFor('the message', () => broker.basicGet({ queue: SET, noAck: true }));
    expect(JSON.parse(String(sent?.body))).toEqual({ on: true });
    expect(sent).toMatchObject({ durable: true });
    expect(sent?.replyTo).toBeUndefined();
  });

  it.each(['#', '*', 'a.b', 'a/b', ''])('refuses the routing key %o before anything is sent', async (id) => {
    const { errors } = await rig.query('query($id: ID!) { lampState(id: $id) { state } }', { id });
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', reason: 'ADDRESS_REFUSED' });
  });

  it('tells of a queue that is missing, makes none, and takes from it when its owner has made it', async () => {
    await rig.untilState('DEGRADED', /QUEUE_MISSING/);
    await expect(waiting(LATE)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await broker.queueDeclare({ queue: LATE });
    await publisher.send({ routingKey: LATE }, { no: 'P1', n: 1 });
    await waitFor(
      'the pole',
      async () => {
        const found = await rig.rows("SELECT 1 FROM connectors.record WHERE type = 'Pole' AND key = 'P1'");
        return found.length === 1;
      },
      15_000,
    );
  });

  it('leaves nothing unacknowledged behind: what it held without need would be in the queue again', async () => {
    await rig.stopHost();
    expect(await waiting(UP)).toBe(0);
    expect(await waiting(LATE)).toBe(0);
  });
});
