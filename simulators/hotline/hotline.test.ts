import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  call,
  createTestFolder,
  type Receiver,
  startReceiver,
  type TestFolder,
  until,
} from '../test-support.ts';
import { type Hotline, startHotline } from './server.ts';

const AREA = '320508018014';
const KEY = 'key';
const SECRET = 'secret';

let folder: TestFolder;
let receiver: Receiver;
let hotline: Hotline;

const start = (webhookUrl: string | undefined) =>
  startHotline({ directory: folder.path, port: 0, appKey: KEY, webhookUrl, webhookSecret: SECRET });

beforeEach(async () => {
  folder = createTestFolder();
  receiver = await startReceiver();
  hotline = await start(receiver.url);
});

afterEach(async () => {
  await hotline.close();
  await receiver[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

interface Answer {
  readonly code: string;
  readonly data: { readonly total: number; readonly rows: readonly Record<string, unknown>[] };
}

const ask = async (query: string) => {
  const response = await fetch(`${hotline.url}/orders?${query}`, { headers: { 'X-App-Key': KEY } });
  return (await response.json()) as Answer;
};
const create = (externalRef: string, more: object = {}) =>
  hotline.createOrders([{ externalRef, subject: '路灯异常', areaCode: AREA, ...more }])[0]?.orderNo ?? '';
const control = (path: string) => `${hotline.url}/_control/${path}`;
const pushed = (count: number) =>
  until(`${count} pushes`, () => (receiver.received.length >= count ? receiver.received : undefined));

describe('the orders interface', () => {
  test('counts what is neither closed nor returned, below an area or in all', async () => {
    const unfinished = async (query: string) => {
      const response = await fetch(`${hotline.url}/orders/statistics${query}`, {
        headers: { 'X-App-Key': KEY },
      });
      return (await response.json()) as {
        readonly code: string;
        readonly data: { readonly unfinished: number };
      };
    };
    const closed = create('a');
    const returned = create('b');
    create('c');
    create('d', { areaCode: '320508017003' });
    hotline.changeState(closed, '50');
    hotline.changeState(returned, '90');
    expect((await unfinished('')).data.unfinished).toBe(2);
    expect((await unfinished('?area=320508')).data.unfinished).toBe(2);
    expect((await unfinished(`?area=${AREA}`)).data.unfinished).toBe(1);
    expect((await unfinished('?area=999999')).code).toBe('1001');
  });

  test('answers the orders of the numbers asked for, and leaves out unknown ones', async () => {
    const orderNo = create('a', {
      acceptTime: '2026-03-01 08:00:00',
      receiptNo: 'JJ1',
      itemCode: '01037',
      source: 'WX',
      longitude: 120.6186,
      latitude: 31.3217,
    });
    expect(orderNo).toBe('GS20260301000001');
    const answer = await ask(`no=${orderNo},GS20260301999999&size=50`);
    expect(answer.code).toBe('0000');
    expect(answer.data.total).toBe(1);
    expect(answer.data.rows[0]).toMatchObject({
      orderNo,
      state: '10',
      areaCode: AREA,
      receiptNo: 'JJ1',
      longitude: 120.6186,
      latitude: 31.3217,
      seq: 1,
    });
    expect(answer.data.rows[0]?.gridNo).toMatch(/^32050801801400[123]$/);
    expect(answer.data.rows[0]?.acceptTime).toBe('2026-03-01 08:00:00');
  });

  test('gives the orders of an area that are in some states', async () => {
    const numbers = ['1', '2', '3'].map((ref) => create(ref));
    hotline.changeState(numbers[1] ?? '', '40');
    hotline.changeState(numbers[2] ?? '', '50');
    const found = async (query: string) => (await ask(query)).data;
    const waiting = await found('area=320508&state=10,40');
    expect(waiting.total).toBe(2);
    expect(waiting.rows.map(({ orderNo }) => orderNo).sort()).toEqual([numbers[0], numbers[1]].sort());
    expect((await found('area=320508&state=77')).rows).toEqual([]);
  });

  test('pages the orders of an area, newest first', async () => {
    for (const hour of ['08', '10', '09']) create(hour, { acceptTime: `2026-03-01 ${hour}:00:00` });
    const first = await ask('area=320508018&page=1&size=2');
    const second = await ask('area=320500&page=2&size=2');
    expect(first.data.total).toBe(3);
    const times = [...first.data.rows, ...second.data.rows].map((row) => row.acceptTime);
    expect(times).toEqual(['2026-03-01 10:00:00', '2026-03-01 09:00:00', '2026-03-01 08:00:00']);
  });

  test.each([
    'no=1&size=51',
    'no=1&size=0',
    'area=320508&page=0',
    'area=320508&state=x',
    'area=999999',
    'area=',
    `no=${Array.from({ length: 51 }, (_, index) => index).join(',')}`,
  ])('refuses %s with a business code inside HTTP 200', async (query) => {
    expect(await ask(query)).toMatchObject({ code: '1001', data: null });
  });

  test('answers a missing or wrong key with 401 and nothing', async () => {
    for (const headers of [{}, { 'X-App-Key': 'other' }]) {
      const response = await fetch(`${hotline.url}/orders?no=1`, { headers });
      expect([response.status, await response.text()]).toEqual([401, '']);
    }
  });

  test('counts what it was asked', async () => {
    await ask('no=1,2,3');
    const stats = await call('GET', control('stats'));
    expect(stats.body).toMatchObject({ orders: 0, requests: { '/orders': 1 }, numbersAsked: [3] });
  });
});

describe('the control', () => {
  test('makes one order of an external reference, and pushes it once', async () => {
    const body = [{ externalRef: 'r', subject: '路灯异常', areaCode: AREA }];
    const first = await call('POST', control('orders'), body);
    const second = await call('POST', control('orders'), body[0]);
    expect(first.status).toBe(201);
    expect(first.body).toMatchObject([{ externalRef: 'r', created: true }]);
    expect(second.body).toEqual([{ ...(first.body as object[])[0], created: false }]);
    await until('all pushed', async () => ((await stats()).pending === 0 ? true : undefined));
    expect(receiver.received).toHaveLength(1);
  });

  test('refuses an order that it cannot read, naming the field, and takes none of its batch', async () => {
    const bad = await call('POST', control('orders'), [
      { externalRef: 'ok', subject: '路灯异常', areaCode: AREA },
      { externalRef: 'bad', subject: '路灯异常', areaCode: '12' },
    ]);
    expect([bad.status, JSON.stringify(bad.body)]).toEqual([400, expect.stringContaining('areaCode')]);
    expect((await stats()).orders).toBe(0);
  });

  test('refuses a place that is none, naming the field', async () => {
    const far = { externalRef: 'far', subject: '路灯异常', areaCode: AREA, longitude: 120, latitude: 91 };
    const bad = await call('POST', control('orders'), far);
    expect([bad.status, JSON.stringify(bad.body)]).toEqual([400, expect.stringContaining('latitude')]);
  });

  test('answers 404 for the state of an order that is not there', async () => {
    expect((await call('POST', control('orders/GS1/state'), { state: '20' })).status).toBe(404);
  });
});

const stats = async () =>
  (await call('GET', control('stats'))).body as Record<'orders' | 'pending' | 'pushed', number>;

describe('the pushes', () => {
  test('are signed over time stamp and body, and carry the order as the interface shows it', async () => {
    const orderNo = create('a');
    const [push] = await pushed(1);
    const timestamp = push?.headers['x-timestamp'];
    const signature = createHmac('sha256', SECRET).update(`${timestamp}.${push?.body}`).digest('hex');
    expect(push?.headers['x-signature']).toBe(signature);
    const body = JSON.parse(push?.body ?? '') as { eventId: string; eventType: string; order: unknown };
    expect(body.eventId).toBe(push?.headers['x-event-id']);
    expect(body.eventType).toBe('ORDER_CREATED');
    expect(body.order).toEqual((await ask(`no=${orderNo}`)).data.rows[0]);
  });

  test('of one order come in its order, while the receiver refuses and when it takes them again', async () => {
    receiver.status = 503;
    const orderNo = create('a');
    for (const state of ['20', '30', '50']) hotline.changeState(orderNo, state);
    await pushed(2);
    expect(new Set(receiver.received.map((push) => push.seq))).toEqual(new Set([1]));
    expect(new Set(receiver.received.map((push) => push.headers['x-event-id'])).size).toBe(1);
    receiver.received.length = 0;
    receiver.status = 200;
    expect((await pushed(4)).map((push) => push.seq)).toEqual([1, 2, 3, 4]);
  });

  test('of other orders do not wait for one that is refused', async () => {
    receiver.status = 422;
    create('a');
    await pushed(1);
    receiver.status = 200;
    const other = create('b');
    await until('the other order', () => receiver.received.find((push) => push.orderNo === other));
  });

  test('that were not acknowledged come again after a restart, and acknowledged ones do not', async () => {
    create('a');
    await until('acknowledged', async () => ((await stats()).pushed === 1 ? true : undefined));
    receiver.status = 500;
    const orderNo = create('b');
    await pushed(2);
    await hotline.close();
    receiver.received.length = 0;
    receiver.status = 200;
    hotline = await start(receiver.url);
    expect((await pushed(1)).map((push) => push.orderNo)).toEqual([orderNo]);
    await until('all pushed', async () => ((await stats()).pending === 0 ? true : undefined));
    expect(receiver.received).toHaveLength(1);
  });

  test('keep up with more than 300 new orders a second, at most 8 at a time', async () => {
    const startedAtMs = Date.now();
    for (let batch = 0; batch < 30; batch += 1) {
      const orders = Array.from({ length: 50 }, (_, index) => ({
        externalRef: `${batch}-${index}`,
        subject: '路灯异常',
        areaCode: AREA,
      }));
      await call('POST', control('orders'), orders);
    }
    await pushed(1_500);
    expect(Date.now() - startedAtMs).toBeLessThan(5_000);
    expect(receiver.inFlightMax).toBeLessThanOrEqual(8);
  });
});

describe('the replies', () => {
  const reply = async (body: object) => {
    const headers = { 'X-App-Key': KEY, 'content-type': 'application/json' };
    const response = await fetch(`${hotline.url}/replies`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    return (await response.json()) as { code: string; data: { serialNo: string } | null };
  };

  test('are written down in their order, twice when they are told twice, and known by the number of who tells', async () => {
    const orderNo = create('a');
    const told = { replyNo: 'r1', orderNo, replyType: '10', content: '您反映的事项已受理。' };
    const first = await reply(told);
    expect([first.code, first.data?.serialNo]).toEqual(['0000', expect.stringMatching(/^HF\d{14}$/)]);
    expect((await reply(told)).data?.serialNo).not.toBe(first.data?.serialNo);
    const known = await fetch(`${hotline.url}/replies?replyNo=r1`, { headers: { 'X-App-Key': KEY } });
    expect(await known.json()).toMatchObject({ code: '0000', data: { total: 2, rows: [told, told] } });
    expect((await call('GET', control('replies'))).body).toMatchObject([told, told]);
    expect((await call('GET', control('stats'))).body).toMatchObject({ replies: 2 });
  });

  test.each([
    ['2001', { orderNo: 'GS1' }],
    ['1001', { replyType: '99' }],
    ['1001', { content: '' }],
    ['1001', { replyNo: '' }],
  ])('are refused with %s for %j', async (code, more) => {
    const told = { replyNo: 'r', orderNo: create('a'), replyType: '50', content: '办结' };
    expect(await reply({ ...told, ...more })).toMatchObject({ code, data: null });
  });

  test('are refused where work is', async () => {
    const orderNo = create('a');
    await call('POST', control('faults'), { refuseWork: true });
    const told = { replyNo: 'r', orderNo, replyType: '50', content: '办结' };
    expect(await reply(told)).toMatchObject({ code: '2003' });
  });
});

describe('the fault switches', () => {
  const set = (faults: object) => call('POST', control('faults'), faults);

  test('refuse an unknown one, and DELETE clears all', async () => {
    expect((await set({ slow: true })).status).toBe(400);
    await set({ refuse: true });
    await expect(ask('no=1')).rejects.toThrow();
    expect((await call('DELETE', control('faults'))).body).toMatchObject({ refuse: false });
    expect((await ask('no=1')).code).toBe('0000');
  });

  test('latencyMs holds the answer back, not the control', async () => {
    await set({ latencyMs: 300 });
    const startedAtMs = Date.now();
    const slow = ask('no=1').then(() => Date.now() - startedAtMs);
    await call('GET', control('stats'));
    expect(Date.now() - startedAtMs).toBeLessThan(300);
    expect(await slow).toBeGreaterThanOrEqual(290);
  });

  test('garbage is a page of HTML with status 200', async () => {
    await set({ garbage: true });
    const response = await fetch(`${hotline.url}/orders?no=1`, { headers: { 'X-App-Key': KEY } });
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('<html>')]);
  });

  test('half promises the whole body and breaks off', async () => {
    await set({ half: true });
    const response = await fetch(`${hotline.url}/orders?no=1`, { headers: { 'X-App-Key': KEY } });
    expect(Number(response.headers.get('content-length'))).toBeGreaterThan(10);
    await expect(response.text()).rejects.toThrow();
  });

  test('duplicate doubles rows and pushes', async () => {
    await set({ duplicate: true });
    const orderNo = create('a');
    const pushes = await pushed(2);
    expect(pushes[0]?.headers['x-event-id']).toBe(pushes[1]?.headers['x-event-id']);
    expect((await ask(`no=${orderNo}`)).data.rows).toHaveLength(2);
  });

  test('outOfOrder reverses rows and tells the changes of an order newest first', async () => {
    await set({ outOfOrder: true });
    const numbers = [
      create('a', { acceptTime: '2026-03-01 08:00:00' }),
      create('b', { acceptTime: '2026-03-02 08:00:00' }),
    ];
    const rows = (await ask('area=320508')).data.rows;
    expect(rows.map((row) => row.orderNo)).toEqual(numbers);
    for (const state of ['20', '30']) hotline.changeState(numbers[0] ?? '', state);
    const pushes = await pushed(4);
    expect(pushes.filter((push) => push.orderNo === numbers[0]).map((push) => push.seq)).toEqual([3, 2, 1]);
  });
});
