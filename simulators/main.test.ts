import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { call, createTestFolder, startReceiver, type TestFolder, until } from './test-support.ts';

let folder: TestFolder;
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = createTestFolder();
});
afterEach(async () => {
  for (const child of children.splice(0)) await kill(child);
  folder[Symbol.dispose]();
});

type Message = { kind: string; urls: Record<string, string>; message: string };

async function launch(
  environment: Record<string, string>,
): Promise<{ child: ChildProcess; message: Message }> {
  const child = fork(new URL('main.ts', import.meta.url), {
    stdio: 'ignore',
    env: {
      WEFT_SIM_DIR: folder.path,
      HOTLINE_APP_KEY: 'key',
      HOTLINE_WEBHOOK_SECRET: 's',
      DEMO_RATE: '0',
      ...environment,
    },
  });
  children.push(child);
  const [message] = (await once(child, 'message')) as [Message];
  return { child, message };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

const order = (externalRef: string) => ({ externalRef, subject: '路灯异常', areaCode: '320508018014' });

describe('the process of the simulated systems', () => {
  test('tells where the three systems are, and ends with 0 on SIGTERM', async () => {
    const { child, message } = await launch({});
    expect(message.kind).toBe('ready');
    expect(Object.keys(message.urls).toSorted()).toEqual(
      [
        'gridControl',
        'gridDsn',
        'hotline',
        'hotlineControl',
        'police',
        'policeControl',
        'policeExchangeDsn',
      ].toSorted(),
    );
    expect(message.urls.gridDsn).toBe(`sqlite://${folder.path}/grid.db`);
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exit).toEqual([0, null]);
  });

  test('ends when its supervisor is gone', async () => {
    const { child } = await launch({ SIMULATORS: 'police' });
    const exit = once(child, 'exit');
    child.disconnect();
    expect(await exit).toEqual([0, null]);
  });

  test('starts one system alone, and no other', async () => {
    const { message } = await launch({ SIMULATORS: 'police' });
    expect(Object.keys(message.urls)).toEqual(['police', 'policeControl', 'policeExchangeDsn']);
  });

  test('names every wrong setting at once, and ends with 1', async () => {
    const { child, message } = await launch({ POLICE_PORT: 'x', SIMULATORS: 'fire' });
    expect(message).toMatchObject({
      kind: 'failed',
      message: expect.stringMatching(/SIMULATORS.*POLICE_PORT/),
    });
    if (child.exitCode === null) await once(child, 'exit');
    expect(child.exitCode).toBe(1);
  });

  test('pushes after kill -9 all that was accepted and not acknowledged, and loses nothing', async () => {
    await using receiver = await startReceiver();
    receiver.status = 503;
    const environment = { SIMULATORS: 'hotline', HOTLINE_WEBHOOK_URL: receiver.url };
    const first = await launch(environment);
    const orders = Array.from({ length: 300 }, (_, index) => order(`r${index}`));
    const created = await call('POST', `${first.message.urls.hotline}/_control/orders`, orders);
    await kill(first.child);
    receiver.received.length = 0;
    receiver.status = 204;
    const second = await launch(environment);
    await until('all orders', () => (receiver.received.length >= 300 ? true : undefined));
    const accepted = (created.body as { orderNo: string }[]).map((one) => one.orderNo);
    expect(new Set(receiver.received.map((push) => push.orderNo))).toEqual(new Set(accepted));
    const again = await call('POST', `${second.message.urls.hotline}/_control/orders`, orders);
    expect((again.body as { created: boolean }[]).some((one) => one.created)).toBe(false);
  });

  test('names a control URL that is none, and takes one that ends in a slash', async () => {
    const { message } = await launch({ SIMULATORS: 'city', GRID_CONTROL_URL: '127.0.0.1:80' });
    expect(message).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('GRID_CONTROL_URL: expected an http URL, got 127.0.0.1:80'),
    });
    const { message: ready } = await launch({ SIMULATORS: 'city', GRID_CONTROL_URL: 'http://127.0.0.1:80/' });
    expect(ready.kind).toBe('ready');
  });
});

const ordersOf = async (urls: Record<string, string>) => (await statsOf(urls.hotlineControl)).orders ?? 0;
const casesOf = async (urls: Record<string, string>) => (await statsOf(urls.policeControl)).cases ?? 0;
const statsOf = async (controlUrl = '') =>
  (await call('GET', `${controlUrl}/stats`)).body as Record<string, number>;

/** Receipts of the 50 newest orders. */
async function receiptsOfNewest(urls: Record<string, string>): Promise<(string | null)[]> {
  const headers = { 'x-app-key': 'key' };
  const response = await fetch(`${urls.hotline}/orders?area=320508&size=50`, { headers });
  const body = (await response.json()) as { data: { rows: { receiptNo: string | null }[] } };
  return body.data.rows.map((row) => row.receiptNo);
}

describe('the city', () => {
  /** The systems each in a process of its own, and the city in another. */
  async function launchApart() {
    const [hotline, grid, police] = await Promise.all([
      launch({ SIMULATORS: 'hotline' }),
      launch({ SIMULATORS: 'grid' }),
      launch({ SIMULATORS: 'police' }),
    ]);
    const urls = { ...hotline.message.urls, ...grid.message.urls, ...police.message.urls };
    const city = await launch({
      SIMULATORS: 'city',
      DEMO_RATE: '6000',
      WEFT_SIM_DIR: '',
      HOTLINE_CONTROL_URL: urls.hotlineControl ?? '',
      GRID_CONTROL_URL: urls.gridControl ?? '',
      POLICE_CONTROL_URL: urls.policeControl ?? '',
    });
    return { urls, city, police: police.child };
  }
  const untilLively = (urls: Record<string, string>) =>
    until('a lively city', async () => {
      const [hotline, grid, police] = await Promise.all([
        statsOf(urls.hotlineControl),
        statsOf(urls.gridControl),
        statsOf(urls.policeControl),
      ]);
      const isLively =
        (hotline.orders ?? 0) > 20 &&
        (hotline.pending ?? 0) > (hotline.orders ?? 0) &&
        (grid.events ?? 0) > 2 &&
        (grid.patrols ?? 0) > PATROLS_AT_FIRST &&
        (police.cases ?? 0) > 2;
      return isLively ? true : undefined;
    });
  const untilMoreOrders = async (urls: Record<string, string>, count: number) => {
    const before = await ordersOf(urls);
    await until(`${count} more orders`, async () =>
      (await ordersOf(urls)) >= before + count ? true : undefined,
    );
  };

  test('lives in one process with the systems: orders, police cases, grid events, patrols, and states that move on', async () => {
    const { message } = await launch({ DEMO_RATE: '6000' });
    await untilLively(message.urls);
  });

  test('lives in a process of its own, has no URLs and no books, and ends with 0 on SIGTERM', async () => {
    const { urls, city } = await launchApart();
    expect(city.message).toEqual({ kind: 'ready', urls: {} });
    await untilLively(urls);
    const exit = once(city.child, 'exit');
    city.child.kill('SIGTERM');
    expect(await exit).toEqual([0, null]);
  });

  test('takes orders without receipts while the police are killed, and calls them again when they return', async () => {
    const { urls, city, police } = await launchApart();
    await untilLively(urls);
    const casesBefore = await casesOf(urls);
    await kill(police);
    await untilMoreOrders(urls, 100);
    expect(await receiptsOfNewest(urls)).toEqual(Array.from({ length: 50 }, () => null));
    const { port } = new URL(urls.policeControl ?? '');
    await launch({ SIMULATORS: 'police', POLICE_PORT: port });
    await until('new cases', async () => ((await casesOf(urls)) > casesBefore + 5 ? true : undefined));
    await until('a receipt', async () =>
      (await receiptsOfNewest(urls)).some((receipt) => receipt !== null) ? true : undefined,
    );
    expect(city.child.exitCode).toBeNull();
  });

  test('goes on when the police accept calls and never answer, and ends within its time', async () => {
    const { urls, city, police } = await launchApart();
    await untilLively(urls);
    police.kill('SIGSTOP');
    await untilMoreOrders(urls, 60);
    const exit = once(city.child, 'exit');
    city.child.kill('SIGTERM');
    expect(await exit).toEqual([0, null]);
  });

  test('is ready, and ends with 0 on SIGTERM, when nothing happens in it', async () => {
    const { child, message } = await launch({ SIMULATORS: 'city', DEMO_RATE: '0' });
    expect(message).toEqual({ kind: 'ready', urls: {} });
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exit).toEqual([0, null]);
  });
});

/** Two for each of the 513 grids. */
const PATROLS_AT_FIRST = 1_026;
