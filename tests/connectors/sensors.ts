// The sensors of the MQTT tests: the SDL that wraps them, their readings, and what must have become of these.
import { expect } from 'vitest';
import type { MessageRig } from './message-rig.ts';
import type { RawClient } from './suite/mqtt/raw-client.ts';

/**
 * A system of street lamps and sensors behind an MQTT broker: asked, told and taken in from.
 * @param version MQTT_311 or MQTT_5
 */
export function sensorsSdl(version: string, group = ''): string {
  const replyTo = version === 'MQTT_311' ? ' replyTo: $call.replyTopic' : '';
  return `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  @source(name: "sensors", readOnly: false, guard: { timeout: "1500ms", retries: 0 }, mqtt: { url: "{$env.MQTT}", version: ${version}, clientId: "{$env.CLIENT}" })
type Query {
  reading(device: ID!, metric: ID!): Reading @connect(store: true)
  lampState(id: ID!): LampState @connect(source: "sensors", mqtt: { topic: "lamps/{$args.id}/get", body: "id: $args.id${replyTo}" }, select: "state")
}
type Mutation {
  switchLamp(id: ID!): Receipt @connect(source: "sensors", mqtt: { topic: "lamps/{$args.id}/set", body: "on: true", reply: false }, select: "accepted")
}
type LampState { state: String }
type Receipt { accepted: Boolean }
type Lamp @key(fields: "id")
  @ingest(source: "sensors", topic: "city/{device}/up"${group}, key: "id", order: "version", select: "id: $topic.device version: n") { id: ID! }
type Reading @key(fields: "device metric") @connect(store: true)
  @ingest(source: "sensors", topic: "city/{device}/up/{metric}"${group}, key: "device metric", order: "seq", keep: "72h", select: "device: $topic.device metric: $topic.metric seq: n value: v") {
  device: ID!
  metric: ID!
  value: Float
}
`;
}

/** One reading of each device. */
export function readings(
  prefix: string,
  count: number,
): readonly (readonly [topic: string, payload: string])[] {
  return Array.from({ length: count }, (_, index) => [
    `city/${prefix}${index}/up`,
    JSON.stringify({ n: index + 1 }),
  ]);
}

export async function publishAll(client: RawClient, all: ReturnType<typeof readings>): Promise<void> {
  for (const [topic, payload] of all) await client.publish(topic, payload);
}

export async function expectOnce(rig: MessageRig, count: number): Promise<void> {
  const events = await rig.untilEvents(count);
  expect(events.size).toBe(count);
  expect(Math.max(...events.values())).toBe(1);
}
