import { createHmac, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import { waitFor } from '../support/wait.ts';
import { COMMUNITY, makeOrders, type Rig, startRig } from './rig.ts';
import { WEBHOOK_SECRET } from './simulator-process.ts';

const skipReason = await whyNoPostgres();

describe.skipIf(skipReason !== undefined)('taking in changes', () => {
  let rig: Rig;

  beforeAll(async () => {
    rig = await startRig({ systems: ['hotline', 'grid'] });
  });
  afterAll(() => rig?.close());

  interface Push {
    readonly id?: string;
    readonly at?: number;
    readonly secret?: string;
  }

  function push(
    body: string | object,
    { id = randomUUID(), at = Date.now() / 1000, secret = WEBHOOK_SECRET }: Push = {},
  ) {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const timestamp = String(Math.floor(at));
    const signature = createHmac('sha256', secret).update(`${timestamp}.${text}`).digest('hex');
    return fetch(rig.ingestUrl, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-event-id': id,
        'x-timestamp': timestamp,
        'x-signature': signature,
      },
      body: text,
    });
  }

  function order(orderNo: string, seq: number, more: object = {}) {
    return {
      eventType: 'ORDER_CHANGED',
      order: {
        orderNo,
        seq,
        subject: '路灯不亮',
        content: '夜间无照明',
        state: '10',
        areaCode: COMMUNITY,
        address: '平江路1号',
        gridNo: null,
        receiptNo: null,
        itemCode: null,
        source: 'PHONE',
        acceptTime: '2026-11-22 08:00:00',
        updateTime: '2026-11-22 08:00:01',
        ...more,
      },
    };
  }

  interface Logged extends Record<string, unknown> {
    readonly topic: string;
    readonly envelope: {
      readonly id: string;
      readonly sequence?: string;
      readonly data: Record<string, unknown>;
    };
  }

  function logged(topic: string, subject: string): Promise<readonly Logged[]> {
    return rig.rows<Logged>(
      'SELECT topic, envelope FROM events.event WHERE topic = $1 AND subject = $2 ORDER BY tx, seq',
      [topic, subject],
    );
  }

  async function sequences(orderNo: string): Promise<readonly (string | undefined)[]> {
    return (await logged('HotlineOrder', `HotlineOrder:${orderNo}`)).map(({ envelope }) => envelope.sequence);
  }

  const reports = (orderNo: string) => logged('incident-report', `HotlineOrder:${orderNo}`);

  it('turns a push into one event and one report, durable when it is acknowledged', async () => {
    const response = await push(
      order('GS-A', 1, { gridNo: '320508017003001', source: 'WX', longitude: 120.6, latitude: 31.3 }),
    );
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ outcome: 'APPLIED' });
    const [event] = await logged('HotlineOrder', 'HotlineOrder:GS-A');
    expect(event?.envelope).toMatchObject({
      id: 'HotlineOrder:GS-A:1',
      source: '/systems/hotline',
      type: 'dev.weft.hotlineorder.changed',
      sequence: '1',
      partitionkey: 'GS-A',
      time: '2026-11-22T08:00:01+08:00',
      data: { order: { id: 'GS-A' }, id: 'GS-A', version: 1, status: '10', division: COMMUNITY },
    });
    const [report] = await reports('GS-A');
    expect(report?.envelope).toMatchObject({
      id: 'report:HotlineOrder:GS-A',
      correlationid: 'GS-A',
      data: {
        channel: 'WECHAT',
        title: '路灯不亮',
        longitude: 120.6,
        latitude: 31.3,
        reportedAt: '2026-11-22T08:00:00+08:00',
        externalNumbers: { hotlineOrder: 'GS-A', gridCode: '320508017003001', policeReceipt: null },
      },
    });
  });

  it('does nothing on the same delivery again, nor on the same version in another delivery', async () => {
    const id = randomUUID();
    expect(await (await push(order('GS-B', 1), { id })).json()).toEqual({ outcome: 'APPLIED' });
    expect(await (await push(order('GS-B', 1), { id })).json()).toEqual({ outcome: 'DUPLICATE' });
    expect((await push(order('GS-B', 1))).status).toBe(200);
    expect(await sequences('GS-B')).toEqual(['1']);
    expect(await reports('GS-B')).toHaveLength(1);
  });

  it('never lets an older version overwrite a newer one, and counts it as late', async () => {
    await push(order('GS-C', 3, { state: '50' }));
    await push(order('GS-C', 2, { state: '30' }));
    await push(order('GS-C', 10, { state: '90' }));
    expect(await sequences('GS-C')).toEqual(['3', '10']);
    expect(await reports('GS-C')).toHaveLength(1);
    const [record] = await rig.rows<{ data: { status: string }; late_count: number }>(
      `SELECT data, late_count FROM connectors.record WHERE type = 'HotlineOrder' AND key = 'GS-C'`,
    );
    expect(record).toMatchObject({ data: { status: '90' }, late_count: 1 });
  });

  it('keeps the order of one record when many deliveries share a batch', async () => {
    await Promise.all(
      Array.from({ length: 30 }, (_, index) => push(order(`GS-D${index % 3}`, Math.floor(index / 3) + 1))),
    );
    for (const key of ['GS-D0', 'GS-D1', 'GS-D2']) {
      const got = (await sequences(key)).map(Number);
      expect(got).toEqual(got.toSorted((a, b) => a - b));
      expect(got.at(-1)).toBe(10);
      expect(await reports(key)).toHaveLength(1);
    }
  });

  it('keeps what it cannot understand in quarantine, once, with its reason, and does not lose its neighbours', async () => {
    const id = randomUUID();
    const answers = await Promise.all([
      push(order('GS-E1', 1)),
      push('{"order":', { id }),
      push({ order: { orderNo: 'GS-E2' } }),
      push(order('GS-E3', 1, { acceptTime: 'yesterday' })),
      push({ hello: 'world' }),
      push(order('GS-E4', 1, { subject: 'with \u0000 inside' })),
      push(order('GS-E5\u0000', 1)),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 202, 202, 202, 202, 200, 202]);
    expect((await push('{"order":', { id })).status).toBe(200);
    expect(await sequences('GS-E1')).toEqual(['1']);
    const rows = await rig.rows<{ reason: string; body: Buffer }>(
      'SELECT reason, body FROM connectors.quarantine ORDER BY received_at',
    );
    expect(rows.map(({ reason }) => reason).toSorted()).toEqual([
      'expected JSON in UTF-8',
      'expected a key of at most 200 characters',
      'expected a record of HotlineOrder with its key',
      'expected a version in version',
      'report: expected reportedAt',
    ]);
    expect(rows.map(({ body }) => body.toString())).toContain('{"order":');
  });

  it('applies another body under an id that was used: the id is not signed', async () => {
    const id = randomUUID();
    expect(await (await push(order('GS-G1', 1), { id })).json()).toEqual({ outcome: 'APPLIED' });
    expect(await (await push(order('GS-G2', 1), { id })).json()).toEqual({ outcome: 'APPLIED' });
    expect(await sequences('GS-G2')).toEqual(['1']);
  });

  it('lets a change stand whose report is not whole, and reports the record by the first one that is', async () => {
    const partial = { subject: null };
    expect((await push(order('GS-H', 1, partial))).status).toBe(202);
    expect(await sequences('GS-H')).toEqual(['1']);
    expect(await reports('GS-H')).toEqual([]);
    expect(await (await push(order('GS-H', 2))).json()).toEqual({ outcome: 'APPLIED' });
    expect(await (await push(order('GS-H', 3, partial))).json()).toEqual({ outcome: 'APPLIED' });
    expect(await sequences('GS-H')).toEqual(['1', '2', '3']);
    expect(await reports('GS-H')).toHaveLength(1);
    const kept = await rig.rows<{ reason: string }>(
      `SELECT reason FROM connectors.quarantine WHERE convert_from(body, 'UTF8') LIKE '%GS-H%'`,
    );
    expect(kept).toEqual([{ reason: 'report: expected title' }]);
  });

  it('refuses a wrong signature, an old timestamp and none at all', async () => {
    expect((await push(order('GS-F', 1), { secret: 'other' })).status).toBe(401);
    expect((await push(order('GS-F', 1), { at: Date.now() / 1000 - 301 })).status).toBe(401);
    expect((await push(order('GS-F', 1), { at: Date.now() / 1000 + 400 })).status).toBe(401);
    expect((await fetch(rig.ingestUrl, { method: 'POST', body: '{}' })).status).toBe(401);
    expect(await sequences('GS-F')).toEqual([]);
  });

  it('refuses a body above its limit', async () => {
    expect((await push('x'.repeat(1_000_001))).status).toBe(413);
  });

  it('reports each of 2,000 orders once, and says how fast', async () => {
    const startedAt = performance.now();
    const made: string[] = [];
    for (let part = 0; part < 4; part += 1) made.push(...(await makeOrders(rig, 500, `load-${part}`)));
    const count = async () =>
      (
        await rig.rows<{ count: number }>(
          `SELECT count(*)::int AS count FROM events.event WHERE topic = 'incident-report' AND subject = ANY($1)`,
          [made.map((orderNo) => `HotlineOrder:${orderNo}`)],
        )
      )[0]?.count;
    await waitFor('every order to be reported', async () => (await count()) === made.length, 60_000);
    expect(await count()).toBe(made.length);
    const perSecond = made.length / ((performance.now() - startedAt) / 1000);
    console.log(`ingest: ${Math.round(perSecond)} orders/s`);
  }, 90_000);

  it('takes what the hotline doubles and turns around as it is', async () => {
    await rig.simulators.control('hotline', '/faults', 'POST', { duplicate: true, outOfOrder: true });
    const [orderNo] = (await makeOrders(rig, 1, 'disturbed')) as [string];
    for (const state of ['20', '30', '50']) {
      await rig.simulators.control('hotline', `/orders/${orderNo}/state`, 'POST', { state });
    }
    await rig.simulators.control('hotline', '/faults', 'DELETE');
    await waitFor('the newest version', async () => (await sequences(orderNo)).includes('4'));
    await waitFor(
      'nothing to be pending',
      async () => (await rig.simulators.control<{ pending: number }>('hotline', '/stats')).pending === 0,
    );
    const got = await sequences(orderNo);
    expect(got).toEqual([...new Set(got)].toSorted());
    expect(await reports(orderNo)).toHaveLength(1);
  });

  it('finds changes of the grid by polling, each version once, also after a restart', async () => {
    const event = (externalRef: string) => ({
      externalRef,
      title: '占道经营',
      areaCode: COMMUNITY,
      description: '摊位占道',
    });
    const [first] = await rig.simulators.control<{ eventNo: string }[]>('grid', '/events', 'POST', [
      event('poll-1'),
    ]);
    const versions = async (eventNo: string | undefined) =>
      (await logged('GridEvent', `GridEvent:${eventNo}`)).map(({ envelope }) => Number(envelope.sequence));
    await waitFor('the event', async () => (await versions(first?.eventNo)).length === 1, 5_000);
    await rig.simulators.control('grid', `/events/${first?.eventNo}/state`, 'POST', { state: '2' });
    await waitFor('its change', async () => (await versions(first?.eventNo)).length === 2, 5_000);
    await rig.stopHost();
    const [second] = await rig.simulators.control<{ eventNo: string }[]>('grid', '/events', 'POST', [
      event('poll-2'),
    ]);
    await rig.startHost();
    await waitFor(
      'what happened meanwhile',
      async () => (await versions(second?.eventNo)).length === 1,
      5_000,
    );
    const all = await versions(first?.eventNo);
    expect(all).toHaveLength(2);
    expect(all).toEqual(all.toSorted((a, b) => a - b));
    const [report] = await logged('incident-report', `GridEvent:${first?.eventNo}`);
    expect(report?.envelope.data).toMatchObject({
      channel: 'SYSTEM_PUSH',
      externalNumbers: { gridEvent: first?.eventNo },
    });
    expect(await logged('incident-report', `GridEvent:${first?.eventNo}`)).toHaveLength(1);
  });

  it('goes on polling after nonsense, a lock and an older version', async () => {
    const event = (externalRef: string) => ({ externalRef, title: '井盖破损', areaCode: COMMUNITY });
    await rig.simulators.control('grid', '/faults', 'POST', { garbage: true });
    const [bad] = await rig.simulators.control<{ eventNo: string }[]>('grid', '/events', 'POST', [
      event('bad-1'),
    ]);
    await waitFor('the nonsense to be quarantined', async () => {
      const rows = await rig.rows(`SELECT 1 FROM connectors.quarantine WHERE system = 'grid'`);
      return rows.length > 0;
    });
    await rig.simulators.control('grid', '/faults', 'POST', { refuse: true });
    await rig.simulators.control('grid', '/faults', 'DELETE');
    await waitFor(
      'the event in its right form',
      async () => (await logged('incident-report', `GridEvent:${bad?.eventNo}`)).length === 1,
    );
    await rig.simulators.control('grid', '/faults', 'POST', { outOfOrder: true });
    const [late] = await rig.simulators.control<{ eventNo: string }[]>('grid', '/events', 'POST', [
      event('late-1'),
    ]);
    await waitFor(
      'a row that was dated back',
      async () => (await logged('GridEvent', `GridEvent:${late?.eventNo}`)).length === 1,
    );
    await rig.simulators.control('grid', '/faults', 'DELETE');
  });

  it('tells its systems DOWN when it is closed, and UP when it is there again', async () => {
    const told = async () =>
      (await logged('system', 'System:grid')).map(({ envelope }) => {
        const { state, reason } = envelope.data;
        return { state, reason };
      });
    await rig.stopHost();
    expect((await told()).at(-1)).toEqual({ state: 'DOWN', reason: 'connectors stopped' });
    await rig.startHost();
    await waitFor('the grid to be told UP', async () => (await told()).at(-1)?.state === 'UP');
  });
});
