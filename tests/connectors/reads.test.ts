import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import { waitFor } from '../support/wait.ts';
import { COMMUNITY, list, makeOrders, pick, type Rig, startRig } from './rig.ts';

const skipReason = await whyNoPostgres();

describe.skipIf(skipReason !== undefined)('reading wrapped systems', () => {
  let rig: Rig;
  let orders: readonly string[];
  let receipts: readonly string[];

  beforeAll(async () => {
    rig = await startRig({ systems: ['hotline', 'grid', 'police'] });
    orders = await makeOrders(rig, 60, 'reads');
    const cases = Array.from({ length: 25 }, (_, index) => ({
      externalRef: `c-${index}`,
      place: `𠮷祥里${index}号`,
      category: '03',
    }));
    receipts = (await rig.simulators.control<{ receiptNo: string }[]>('police', '/cases', 'POST', cases)).map(
      (made) => made.receiptNo,
    );
  });
  afterAll(() => rig?.close());
  beforeEach(async () => {
    for (const system of ['hotline', 'grid', 'police'] as const)
      await rig.simulators.control(system, '/faults', 'DELETE');
    // A breaker that an earlier fault opened closes with the first good call.
    await waitFor('all three to answer', async () => {
      const answers = await Promise.all([
        rig.entities('hotline', 'HotlineOrder.id', orders.slice(0, 1), 'title'),
        rig.entities('police', 'PoliceCase.receiptNo', receipts.slice(0, 1), 'place'),
        rig.query('grid', `{ grids(community: "${COMMUNITY}") { code } }`),
      ]);
      return answers.every(({ errors }) => errors === undefined);
    });
  });

  async function pathCount(): Promise<number> {
    const stats = await rig.simulators.control<{ requests: Record<string, number> }>('hotline', '/stats');
    return Object.values(stats.requests).reduce((sum, count) => sum + count, 0);
  }

  it('serves the SDL without connector directives', async () => {
    for (const system of ['hotline', 'grid', 'police'] as const) {
      const { data } = await rig.query(system, '{ _service { sdl } }');
      expect(pick(data, '_service', 'sdl')).toContain('@key');
      expect(pick(data, '_service', 'sdl')).not.toMatch(
        /@source|@connect|@ingest|@changes|@freshness|specs\.weft\.dev\/hub/,
      );
    }
  });

  it('asks a REST source once for many keys, and in chunks of its own limit', async () => {
    const before = await pathCount();
    const { data, errors } = await rig.entities(
      'hotline',
      'HotlineOrder.id',
      orders.slice(0, 40),
      'id title status kind openedAt',
    );
    expect(errors).toBeUndefined();
    expect(list(data, '_entities')).toHaveLength(40);
    expect(pick(data, '_entities', 3)).toMatchObject({
      id: orders[3],
      title: '路灯不亮 3',
      status: 'PENDING',
      kind: 'COMPLAINT',
    });
    expect(pick(data, '_entities', 3, 'openedAt')).toMatch(/\+08:00$/);
    expect((await pathCount()) - before).toBe(1);
    await rig.entities('hotline', 'HotlineOrder.id', orders, 'title');
    expect((await pathCount()) - before).toBe(3);
  });

  it('asks for a key once, however often it is wanted, and not at all for the key itself', async () => {
    const before = await pathCount();
    const twice = [orders[0] as string, orders[0] as string];
    const { data } = await rig.entities('hotline', 'HotlineOrder.id', twice, 'title');
    expect(list(data, '_entities')).toHaveLength(2);
    const incidents = await rig.query(
      'hotline',
      `query($r: [_Any!]!) { _entities(representations: $r) { ... on Incident { hotlineOrder { id } } } }`,
      {
        r: [
          { __typename: 'Incident', id: '1', externalNumbers: [{ kind: 'hotlineOrder', number: orders[1] }] },
        ],
      },
    );
    expect(pick(incidents.data, '_entities', 0, 'hotlineOrder')).toEqual({ id: orders[1] });
    expect((await pathCount()) - before).toBe(1);
  });

  it('completes a list by one call for all its members', async () => {
    const before = await pathCount();
    const { data, errors } = await rig.query(
      'hotline',
      `{ hotlineOrders(division: "${COMMUNITY}") { id title division } }`,
    );
    expect(errors).toBeUndefined();
    expect(list(data, 'hotlineOrders')).toHaveLength(50);
    expect(pick(data, 'hotlineOrders', 0)).toMatchObject({ division: COMMUNITY });
    expect((await pathCount()) - before).toBe(2);
  });

  it('gives null for a record that is not there, and its siblings', async () => {
    const { data, errors } = await rig.entities(
      'hotline',
      'HotlineOrder.id',
      ['GS20000101000000', orders[0] as string],
      'title',
    );
    expect(errors).toBeUndefined();
    expect(pick(data, '_entities')).toEqual([null, { title: '路灯不亮 0' }]);
    const police = await rig.query(
      'police',
      '{ policeCase(receiptNo: "JJ32050820000101000000") { receiptNo place } }',
    );
    expect(police).toMatchObject({ data: { policeCase: null } });
    expect(police.errors).toBeUndefined();
  });

  it('keeps an unknown code as its raw value', async () => {
    await rig.simulators.control('hotline', `/orders/${orders[5]}/state`, 'POST', { state: '77' });
    const { data, errors } = await rig.entities(
      'hotline',
      'HotlineOrder.id',
      [orders[5] as string],
      'status rawStatus',
    );
    expect(errors).toBeUndefined();
    expect(pick(data, '_entities', 0)).toEqual({ status: null, rawStatus: '77' });
  });

  it('speaks SOAP in GB18030 both ways, 20 numbers a call', async () => {
    const before = await rig.simulators.control<{ requests: number }>('police', '/stats');
    const { data, errors } = await rig.entities(
      'police',
      'PoliceCase.receiptNo',
      receipts,
      'receiptNo place category reportedAt',
    );
    expect(errors).toBeUndefined();
    expect(pick(data, '_entities', 7)).toMatchObject({
      receiptNo: receipts[7],
      place: '𠮷祥里7号',
      category: 'TRAFFIC',
    });
    expect(pick(data, '_entities', 7, 'reportedAt')).toMatch(/T.*\+08:00$/);
    const after = await rig.simulators.control<{ requests: number }>('police', '/stats');
    expect(after.requests - before.requests).toBe(2);
  });

  it('reads SQL in batches, with rows a key limited and references completed', async () => {
    const grids = await rig.query(
      'grid',
      `{ grids(community: "${COMMUNITY}") { code name households worker { id name } patrols { id startedAt worker { name } } } }`,
    );
    expect(grids.errors).toBeUndefined();
    expect(list(grids.data, 'grids').length).toBeGreaterThanOrEqual(3);
    for (const grid of list(grids.data, 'grids')) {
      expect(pick(grid, 'worker', 'name')).toMatch(/^网格员/);
      expect(list(grid, 'patrols').length).toBeLessThanOrEqual(10);
      const times = list(grid, 'patrols').map((patrol) => String(pick(patrol, 'startedAt')));
      expect(times).toEqual([...times].sort().reverse());
    }
  });

  it("reads the open tasks of grid workers, each worker's own, the first due first", async () => {
    const [one, other] = ['320508018014001', '320508018014002'];
    const assign = async (gridCode: string, title: string, dueAt: string) => {
      const body = { gridCode, title, dueAt, kind: '3', urgency: '2' };
      const [made] = await rig.simulators.control<{ taskNo: string; worker: string }[]>(
        'grid',
        '/tasks',
        'POST',
        body,
      );
      return made as { taskNo: string; worker: string };
    };
    const late = await assign(one, '核查占道', '2099-01-02T00:00:00Z');
    const early = await assign(one, '核查井盖', '2020-01-02T00:00:00Z');
    const done = await assign(one, '核查路灯', '2020-01-01T00:00:00Z');
    await rig.simulators.control('grid', `/tasks/${done.taskNo}/state`, 'POST', { state: '2' });
    const elsewhere = await assign(other, '核查垃圾', '2020-01-03T00:00:00Z');
    const workers = [early.worker, elsewhere.worker, 'WGY9999'];
    const lists = await rig.entities(
      'grid',
      'GridTaskList.worker',
      workers,
      'tasks { id title kind urgency status dueAt worker { id name } }',
    );
    expect(lists.errors).toBeUndefined();
    // The platform has given each worker a visit when it began.
    expect(list(pick(lists.data, '_entities', 0), 'tasks')).toMatchObject([
      { id: early.taskNo, kind: 'CHECK', urgency: 'URGENT', status: 'WAITING', worker: { id: early.worker } },
      { title: '察院场社区入户走访', kind: 'VISIT' },
      { id: late.taskNo, dueAt: '2099-01-02T08:00:00+08:00' },
    ]);
    expect(list(pick(lists.data, '_entities', 1), 'tasks')[0]).toMatchObject({ id: elsewhere.taskNo });
    expect(pick(lists.data, '_entities', 2)).toEqual({ tasks: [] });
    const { data } = await rig.entities('grid', 'GridWorker.id', workers, 'phone grids { code }');
    expect(pick(data, '_entities', 0)).toEqual({ phone: '0512-00000043', grids: [{ code: one }] });
    expect(pick(data, '_entities', 2)).toBeNull();
  });

  describe.each([
    ['garbage', { garbage: true }, 'UPSTREAM_INVALID'],
    ['half an answer', { half: true }, 'UPSTREAM_INVALID'],
    ['refusal', { refuse: true }, 'UPSTREAM_UNAVAILABLE'],
    ['slowness', { latencyMs: 8_000 }, 'DEADLINE_EXCEEDED'],
  ])('under %s', (_name, faults, code) => {
    it.each([
      ['hotline', 'HotlineOrder.id', 'title'],
      ['police', 'PoliceCase.receiptNo', 'place'],
    ] as const)('%s ends in one coded error that names it, in time', async (system, typeAndKey, field) => {
      await rig.simulators.control(system, '/faults', 'POST', faults);
      const key = (system === 'hotline' ? orders : receipts)[0] as string;
      const startedAt = performance.now();
      const { data, errors } = await rig.entities(system, typeAndKey, [key], field);
      expect(performance.now() - startedAt).toBeLessThan(5_300);
      expect(pick(data, '_entities')).toEqual([null]);
      expect(errors).toHaveLength(1);
      expect(errors?.[0]).toMatchObject({
        path: ['_entities', 0],
        extensions: { code, system, source: system, origin: 'PROVIDER' },
      });
      expect(JSON.stringify(errors)).not.toMatch(/at .*\.ts|<html/i);
    });
  });

  it('refuses text in another charset than the one that is told', async () => {
    await rig.simulators.control('police', '/faults', 'POST', { garbage: 'charset' });
    const { errors } = await rig.entities('police', 'PoliceCase.receiptNo', [receipts[0] as string], 'place');
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'UPSTREAM_INVALID', system: 'police' });
  });

  it('calls a record that is there twice invalid, never picks one', async () => {
    await rig.simulators.control('hotline', '/faults', 'POST', { duplicate: true });
    const { data, errors } = await rig.entities(
      'hotline',
      'HotlineOrder.id',
      [orders[0] as string, 'GS1'],
      'title',
    );
    expect(pick(data, '_entities')).toEqual([null, null]);
    expect(errors).toHaveLength(1);
    expect(errors?.[0]).toMatchObject({
      path: ['_entities', 0],
      extensions: { code: 'UPSTREAM_INVALID', duplicates: 2 },
    });
  });

  it('gives the rows in the order of the keys, whatever order they come in', async () => {
    await rig.simulators.control('hotline', '/faults', 'POST', { outOfOrder: true });
    const asked = orders.slice(0, 5);
    const { data } = await rig.entities('hotline', 'HotlineOrder.id', asked, 'id');
    expect(list(data, '_entities').map((order) => pick(order, 'id'))).toEqual(asked);
  });

  it('puts the old system’s own code into the error when HTTP 200 says that it failed', async () => {
    const { data, errors } = await rig.query('hotline', '{ hotlineOrders(division: "999999") { id } }');
    expect(data).toEqual({ hotlineOrders: null });
    expect(errors?.[0]).toMatchObject({
      path: ['hotlineOrders'],
      extensions: { code: 'UPSTREAM_INVALID', upstreamCode: '1001', operation: 'GET /orders' },
    });
  });

  it('sends a value with its meaning characters as a value', async () => {
    const { data, errors } = await rig.entities(
      'hotline',
      'HotlineOrder.id',
      ['GS1&size=999&x=', 'a b#c'],
      'title',
    );
    expect(errors).toBeUndefined();
    expect(pick(data, '_entities')).toEqual([null, null]);
  });

  it('bounds a call by the deadline that the caller still has', async () => {
    await rig.simulators.control('hotline', '/faults', 'POST', { latencyMs: 3_000 });
    const startedAt = performance.now();
    const { errors } = await rig.query(
      'hotline',
      `{ hotlineOrders(division: "${COMMUNITY}") { id } }`,
      {},
      { 'x-weft-deadline-ms': '200' },
    );
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  it.each([
    ['garbage', { garbage: true }],
    ['no tables', { refuse: true }],
    // Counted, not slept, by a measure taken on a machine that may be busy: far more than the time-out.
    ['slow queries', { latencyMs: 15_000 }],
    ['doubled rows', { duplicate: true }],
  ])('tells of %s in the grid database with a code, and of nothing else', async (_name, faults) => {
    const before = await rig.query('grid', `{ grids(community: "${COMMUNITY}") { code } }`);
    const code = String(pick(before.data, 'grids', 0, 'code'));
    await rig.simulators.control('grid', '/faults', 'POST', faults);
    const { data, errors } = await rig.entities('grid', 'Grid.code', [code], 'name households');
    if ('garbage' in faults) {
      expect(JSON.stringify(data)).not.toContain('NaN');
      return;
    }
    expect(pick(data, '_entities')).toEqual([null]);
    expect(errors?.[0]?.extensions).toMatchObject({ system: 'grid', source: 'grid', origin: 'PROVIDER' });
    expect(errors?.[0]?.extensions.code).toBe(
      'latencyMs' in faults ? 'DEADLINE_EXCEEDED' : 'UPSTREAM_INVALID',
    );
  });

  it('opens the breaker of a dead system, answers at once, tells DOWN, and recovers by itself', async () => {
    await rig.simulators.kill();
    const ask = () => rig.entities('police', 'PoliceCase.receiptNo', receipts.slice(0, 1), 'place');
    await waitFor('the breaker to open', async () => {
      const { errors } = await ask();
      expect(errors?.[0]?.extensions).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', system: 'police' });
      return errors?.[0]?.extensions.breaker === 'OPEN';
    });
    const startedAt = performance.now();
    const { errors } = await rig.entities('police', 'PoliceCase.receiptNo', [receipts[0] as string], 'place');
    expect(performance.now() - startedAt).toBeLessThan(100);
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', breaker: 'OPEN' });
    const stateOf = async () =>
      (
        await rig.rows<{ state: string }>(
          `SELECT envelope->'data'->>'state' AS state FROM events.event WHERE topic = 'system' AND subject = 'System:police' ORDER BY seq DESC LIMIT 1`,
        )
      )[0]?.state;
    await waitFor('police to be told DOWN', async () => (await stateOf()) === 'DOWN', 2_000);
    await rig.simulators.start();
    await waitFor(
      'the police to answer again',
      async () =>
        (await rig.entities('police', 'PoliceCase.receiptNo', [receipts[0] as string], 'place')).errors ===
        undefined,
      5_000,
    );
    await waitFor('police to be told UP', async () => (await stateOf()) === 'UP', 5_000);
  });
});
