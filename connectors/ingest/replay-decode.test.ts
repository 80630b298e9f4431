import { compileMapping } from '@weft/schema/mapping/compile';
import { describe, expect, it } from 'vitest';
import type { IngestPlan, MqttSource, SystemPlan } from '../plan.ts';
import { decodeAgain } from './replay-decode.ts';

const source = { protocol: 'mqtt', name: 'iot', encoding: 'utf-8', timezone: 'Asia/Shanghai' } as MqttSource;
const ingest: IngestPlan = {
  type: 'Reading',
  source: 'iot',
  from: { kind: 'topic', pattern: 'city/{deviceId}/up', group: undefined },
  keyField: 'id',
  orderField: 'seq',
  time: undefined,
  select: compileMapping('id: $topic.deviceId seq: n value: v->number'),
  topic: 'Reading',
  entityField: 'reading',
  report: undefined,
  keepMs: undefined,
  dedupe: undefined,
};
const system = {
  name: 'city',
  sources: new Map([['iot', source]]),
  ingests: [ingest],
} as unknown as SystemPlan;
const item = (body: string, place: string | null) => ({
  source: 'iot',
  dedupeId: 'd',
  type: null,
  body: Buffer.from(body),
  place,
});

describe('a message that is decoded anew', () => {
  it('has the levels of the topic that it came under', () => {
    expect(decodeAgain(system, item('{"n":3,"v":"1.5"}', 'city/d-7/up'), {})).toMatchObject({
      kind: 'changes',
      changes: [{ key: 'd-7', data: { seq: 3, value: 1.5 } }],
    });
  });

  it('stays with its reason when it is still not understood, or its topic is taken in no more', () => {
    expect(decodeAgain(system, item('{"v":"1.5"}', 'city/d-7/up'), {})).toEqual({
      kind: 'bad',
      reason: 'expected a version in seq',
    });
    expect(decodeAgain(system, item('{"n":3}', 'town/d-7/up'), {})).toEqual({
      kind: 'bad',
      reason: "nothing is taken in from 'town/d-7/up' any more",
    });
  });
});
