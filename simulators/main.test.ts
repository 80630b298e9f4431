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
      ['gridControl', 'gridDsn', 'hotline', 'hotlineControl', 'police', 'policeControl'].toSorted(),
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
    expect(Object.keys(message.urls)).toEqual(['police', 'policeControl']);
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

  test('lets the city live: orders, police cases, grid events, and states that move on', async () => {
    const { message } = await launch({ DEMO_RATE: '6000' });
    const stats = async (url = '') =>
      (await call('GET', `${url}/_control/stats`)).body as Record<string, number>;
    await until('a lively city', async () => {
      const [hotline, grid, police] = await Promise.all([
        stats(message.urls.hotline),
        stats(message.urls.gridControl?.replace('/_control', '')),
        stats(message.urls.policeControl?.replace('/_control', '')),
      ]);
      const isLively =
        (hotline.orders ?? 0) > 20 &&
        (hotline.pending ?? 0) > (hotline.orders ?? 0) &&
        (grid.events ?? 0) > 2;
      return isLively && (police.cases ?? 0) > 0 ? true : undefined;
    });
  });
});
