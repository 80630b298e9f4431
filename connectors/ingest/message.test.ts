import { HubError } from '@weft/core/errors';
import { createLogger } from '@weft/core/logger';
import { compileMapping } from '@weft/schema/mapping/compile';
import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import type { AmqpSource, IngestPlan } from '../plan.ts';
import type { Delivery } from './apply.ts';
import { type MessageTask, readMessage, takeMessage } from './message.ts';

const source = {
  protocol: 'amqp',
  name: 'old',
  encoding: 'gb18030',
  timezone: 'Asia/Shanghai',
} as AmqpSource;
const ingest: IngestPlan = {
  type: 'Lamp',
  source: 'old',
  from: { kind: 'queue', queue: { text: 'q', evaluate: () => 'q' } },
  keyField: 'id',
  orderField: 'version',
  time: undefined,
  select: compileMapping('id: no version: bb name: mc'),
  topic: 'Lamp',
  entityField: 'lamp',
  report: undefined,
  keepMs: undefined,
  dedupe: compileMapping('$message.messageId'),
};
const readers = [{ ingest, topic: undefined }];
const body = iconv.encode('{"no":1,"bb":2,"mc":"路灯"}', 'gb18030');

function messageOf(bytes: Buffer, more: { contentType?: string; messageId?: string | null } = {}) {
  const { contentType, messageId = 'm1' } = more;
  return { body: bytes, contentType, address: 'q', facts: { messageId } };
}

const known = { system: 'city', source, env: {} };

describe('readMessage', () => {
  it('reads the charset of the source, or that which the content type names', () => {
    const inSource = readMessage(known, messageOf(body), readers);
    const named = messageOf(Buffer.from('{"no":1,"bb":2,"mc":"路灯"}'), {
      contentType: 'application/json; charset=utf-8',
    });
    for (const { content } of [inSource, readMessage(known, named, readers)]) {
      expect(content).toMatchObject({ kind: 'changes', changes: [{ key: '1', data: { name: '路灯' } }] });
    }
  });

  it('knows a message again by what dedupe yields in its queue, or by its bytes', () => {
    expect(readMessage(known, messageOf(body), readers).dedupeId).toBe('q:m1');
    const byBytes = readMessage(known, messageOf(body, { messageId: null }), readers).dedupeId;
    expect(byBytes).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(
      readMessage(known, { ...messageOf(body, { messageId: null }), address: 'other' }, readers).dedupeId,
    ).not.toBe(byBytes);
    expect(readMessage(known, messageOf(body, { messageId: 'x'.repeat(500) }), readers).dedupeId).toMatch(
      /^sha256:/,
    );
  });

  it.each([
    ['expected JSON', Buffer.from('\0not json')],
    ['expected text in gb18030', Buffer.from([0x81, 0x20, 0xff])],
    ['expected a record of Lamp with its key', Buffer.from('[]')],
    ['expected a version in version', Buffer.from('{"no":1}')],
    ['expected at most 1000000 bytes, got 1000001', Buffer.alloc(1_000_001, 32)],
  ])('says why it does not understand: %s', (reason, bytes) => {
    const delivery = readMessage(known, messageOf(bytes), readers);
    expect(delivery.content).toMatchObject({ kind: 'bad', reason });
    expect(delivery.body.length).toBeLessThanOrEqual(1_000_000);
  });
});

describe('takeMessage', () => {
  function taskWith(
    deliver: (delivery: Delivery, call: number) => void,
    signal = new AbortController().signal,
  ) {
    const deliveries: Delivery[] = [];
    const task: MessageTask = {
      ...known,
      logger: createLogger('test', 'silent'),
      triesMax: 5,
      signal,
      onSeen: () => undefined,
      applier: {
        async deliver(delivery) {
          deliveries.push(delivery);
          deliver(delivery, deliveries.length);
          return delivery.content.kind === 'bad' ? 'QUARANTINED' : 'APPLIED';
        },
        close: async () => undefined,
      },
    };
    return { task, deliveries };
  }

  it('sets a message aside after five tries, with the reason', async () => {
    const { task, deliveries } = taskWith(() => undefined);
    const startedAt = performance.now();
    await expect(takeMessage(task, messageOf(Buffer.from('\0')), readers)).resolves.toBe('SET_ASIDE');
    expect(performance.now() - startedAt).toBeGreaterThan(700);
    expect(deliveries.map(({ content }) => content)).toEqual([
      { kind: 'bad', type: undefined, reason: 'expected JSON (tried 5 times)' },
    ]);
  });

  it('sets aside what the store refuses five times', async () => {
    const { task, deliveries } = taskWith(({ content }) => {
      if (content.kind === 'changes') throw new TypeError('cannot be stored');
    });
    await expect(takeMessage(task, messageOf(body), readers)).resolves.toBe('SET_ASIDE');
    expect(deliveries.map(({ content }) => content.kind)).toEqual([...Array(5).fill('changes'), 'bad']);
  });

  it('waits for a store that is away, however often, and counts that as no try', async () => {
    const { task, deliveries } = taskWith((_delivery, call) => {
      if (call < 4) throw new HubError('STORE_UNAVAILABLE', 'away');
    });
    await expect(takeMessage({ ...task, triesMax: 1 }, messageOf(body), readers)).resolves.toBe('TAKEN');
    expect(deliveries).toHaveLength(4);
  });

  it('never says that it may be acknowledged once the connection is given up', async () => {
    const controller = new AbortController();
    const { task } = taskWith(() => {
      controller.abort(new Error('closed'));
      throw new HubError('STORE_UNAVAILABLE', 'away');
    }, controller.signal);
    await expect(takeMessage(task, messageOf(body), readers)).rejects.toThrow('closed');
  });

  it('sets aside what a mapping cannot map', async () => {
    const select = compileMapping(`id: no version: bb name: mc${'->concat(@)'.repeat(40)}`);
    const { task, deliveries } = taskWith(() => undefined);
    const reader = { ingest: { ...ingest, select }, topic: undefined };
    await expect(takeMessage({ ...task, triesMax: 1 }, messageOf(body), [reader])).resolves.toBe('SET_ASIDE');
    expect(deliveries[0]?.content).toMatchObject({ reason: 'cannot be mapped: LIMIT_EXCEEDED' });
  });
});
