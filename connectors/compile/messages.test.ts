import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { SystemPlan } from '../plan.ts';
import { checkFolder } from './check.ts';
import { compileSystem } from './compile.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function folderOf(sdl: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'weft-messages-'));
  folders.push(folder);
  writeFileSync(join(folder, 'a.graphql'), sdl);
  return folder;
}

const GOOD = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  @source(name: "sensors", readOnly: false, mqtt: { url: "{$env.MQTT}", auth: { basic: "sensors-login" }, tls: { ca: "city-ca" } })
  @source(name: "old", mqtt: { url: "{$env.OLD}", version: MQTT_311, clientId: "weft-{$env.HOST}" })
  @source(name: "permits", amqp: { url: "{$env.AMQP}" })
type Query {
  permit(no: ID!): Permit @connect(source: "permits", amqp: { exchange: "{$env.X}", routingKey: "permit.{$args.no}", body: "no: $args.no" }, select: "$ { id: no }")
  lamp(id: ID!): Lamp @connect(source: "old", mqtt: { topic: "lamps/{$args.id}/get", body: "id: $args.id replyTo: $call.replyTopic" }, select: "$ { id }")
}
type Mutation {
  switchLamp(id: ID!): Receipt @connect(source: "sensors", mqtt: { topic: "lamps/{$args.id}/set", reply: false }, select: "accepted")
}
type Receipt { accepted: Boolean }
type Lamp { id: ID! }
type Permit @key(fields: "id")
  @connect(source: "permits", amqp: { routingKey: "asks", body: "numbers: $batch.id" }, batch: { how: JSON_BODY, match: "id" }, select: "$.rows { id: no }")
  @ingest(source: "permits", queue: "permit-{$env.X}", key: "id", order: "version", dedupe: "$message.messageId", select: "id: no version: bb kind: $message.type")
{ id: ID! }
type Reading @key(fields: "device metric")
  @ingest(source: "sensors", topic: "city/{device}/up/{metric}", group: "weft", key: "device metric", order: "seq", select: "device: $topic.device metric: $topic.metric seq: $.n")
{ device: ID! @shareable metric: ID! @shareable }
`.replaceAll(' @shareable', '');

function planOf(sdl: string): SystemPlan {
  return compileSystem(folderOf(sdl)).plan;
}

describe('sources and calls by message', () => {
  const plan = planOf(GOOD);

  test('have brokers, logins and certificates as names', () => {
    expect(plan.sources.get('sensors')).toMatchObject({
      protocol: 'mqtt',
      version: '5',
      clientId: undefined,
      replyTopic: 'weft/reply',
      loginSecret: 'sensors-login',
      tls: { ca: 'city-ca', cert: undefined, key: undefined },
    });
    const old = plan.sources.get('old');
    expect(old).toMatchObject({ protocol: 'mqtt', version: '3.1.1' });
    expect(old?.protocol === 'mqtt' && old.clientId?.evaluate({ env: { HOST: 'a' } })).toBe('weft-a');
    expect(plan.sources.get('permits')).toMatchObject({ protocol: 'amqp', loginSecret: undefined });
  });

  test('refuse a value that could reach another address', () => {
    const field = plan.fields.get('Query.permit');
    const call = field?.kind === 'call' ? field.connect.call : undefined;
    if (call?.protocol !== 'amqp') throw new TypeError(`got ${call?.protocol}`);
    expect(call.routingKey.evaluate({ args: { no: 'A_1-2' } })).toBe('permit.A_1-2');
    for (const no of ['#', '*', 'a.b', 'a/b', '', '路', 'x'.repeat(201)]) {
      expect(() => call.routingKey.evaluate({ args: { no } })).toThrow(
        expect.objectContaining({ code: 'BAD_USER_INPUT' }),
      );
    }
    expect(call.reply).toBe(true);
  });

  test('have topics and queues to take in from', () => {
    const [permit, reading] = plan.ingests;
    const queue = permit?.from.kind === 'queue' ? permit.from.queue.evaluate({ env: { X: 'a' } }) : undefined;
    expect(queue).toBe('permit-a');
    expect(permit?.dedupe?.evaluate({ message: { messageId: 'm1' } })).toBe('m1');
    expect(reading).toMatchObject({
      from: { kind: 'topic', pattern: 'city/{device}/up/{metric}', group: 'weft' },
      keyFields: ['device', 'metric'],
    });
    expect(reading?.select.evaluate({ $: { n: 1 }, topic: { device: 'd', metric: 'm' } })).toEqual({
      device: 'd',
      metric: 'm',
      seq: 1,
    });
  });
});

/** Code, what is replaced in GOOD, by what. */
const MISTAKES: readonly (readonly [code: string, from: string, to: string])[] = [
  ['BAD_VALUE', 'basic: "sensors-login"', 'bearer: "sensors-login"'],
  ['SECRET_IN_CLEAR', 'basic: "sensors-login"', 'basic: "user:password"'],
  ['SECRET_IN_CLEAR', 'ca: "city-ca"', 'ca: "-----BEGIN"'],
  ['WRONG_TOGETHER', 'tls: { ca: "city-ca" }', 'tls: { cert: "city-cert" }'],
  ['BAD_MAPPING', '"{$env.MQTT}"', '"{$args.url}"'],
  ['BAD_VALUE', 'version: MQTT_311,', 'version: MQTT_311, replyTopic: "weft/+",'],
  ['BAD_MAPPING', ' replyTo: $call.replyTopic', ''],
  ['BAD_MAPPING', '$call.replyTopic', '$call.answerTo'],
  ['BAD_MAPPING', 'exchange: "{$env.X}"', 'exchange: "{$args.no}"'],
  ['BAD_VALUE', 'topic: "lamps/{$args.id}/set"', 'topic: "lamps/+/set"'],
  ['BAD_VALUE', 'topic: "lamps/{$args.id}/set"', 'topic: "$SYS/{$args.id}"'],
  ['PROTOCOL_MISMATCH', 'source: "old", mqtt', 'source: "permits", mqtt'],
  ['PROTOCOL_MISMATCH', 'how: JSON_BODY', 'how: LIST_PARAM'],
  ['PROTOCOL_MISMATCH', 'queue: "permit-{$env.X}"', 'topic: "permits/{no}"'],
  ['PROTOCOL_MISMATCH', 'topic: "city/{device}/up/{metric}", group', 'queue: "q", group'],
  ['MISSING_ARGUMENT', 'queue: "permit-{$env.X}", ', ''],
  ['MISSING_ARGUMENT', 'topic: "city/{device}/up/{metric}", ', ''],
  ['BAD_VALUE', 'city/{device}/up/{metric}', 'city/{device}/#'],
  ['BAD_VALUE', 'city/{device}/up/{metric}', 'city/{device}/up/{device}'],
  ['BAD_VALUE', 'city/{device}/up/{metric}', 'city//{device}/{metric}'],
  ['BAD_VALUE', 'group: "weft"', 'group: "a/b"'],
  ['BAD_VALUE', '@ingest(source: "sensors"', '@ingest(source: "old"'],
  ['BAD_MAPPING', 'device: $topic.device', 'device: $topic.sensor'],
  ['BAD_MAPPING', '$message.messageId', '$message.id'],
  ['BAD_MAPPING', 'seq: $.n', 'seq: $call.replyTopic'],
  ['WRITE_ON_READ_ONLY', 'readOnly: false, ', ''],
];

describe('mistakes', () => {
  test.each(MISTAKES)('%s: %s → %s', (code, from, to) => {
    expect(GOOD).toContain(from);
    const { issues } = checkFolder(folderOf(GOOD.replace(from, to)));
    expect(issues.map((issue) => issue.code)).toContain(code);
  });
});
