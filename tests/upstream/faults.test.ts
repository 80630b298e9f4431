// Row 3 of the fault matrix for subscriptions: an upstream that is there and says nothing is noticed, told, and opened again.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createLogger } from '@weft/core/logger';
import { UPSTREAM_LIMITS, type UpstreamLimits } from '@weft/gateway/upstream/limits';
import {
  createUpstreamSubscriptions,
  type UpstreamSubscriptions,
} from '@weft/gateway/upstream/subscriptions';
import { afterEach, describe, expect, it } from 'vitest';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { waitFor } from '../support/wait.ts';
import { startLiveSubgraph } from './live-subgraph.ts';
import { createRecorder, type Recorder, requestTo } from './recorder.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

function open(limits: Partial<UpstreamLimits> = {}): UpstreamSubscriptions {
  const subscriptions = createUpstreamSubscriptions({ logger: createLogger('test', 'silent'), limits });
  cleanups.push(() => subscriptions.close());
  return subscriptions;
}

async function behindProxy() {
  const subgraph = await startLiveSubgraph({
    name: 'traffic',
    field: 'changed',
    sdl: 'type Query { n: Int } type Subscription { changed: Change } type Change { id: ID! n: Int }',
  });
  cleanups.push(() => subgraph.kill());
  const proxy: FaultProxy = await startFaultProxy(subgraph.port);
  cleanups.push(() => proxy.close());
  return { subgraph, proxy };
}

/** Ms from the fault to the moment it was told. */
async function noticedMs(recorder: Recorder, timeoutMs: number): Promise<number> {
  const startedAt = performance.now();
  expect(await recorder.nextGap(timeoutMs)).toBe('UPSTREAM_LOST');
  return performance.now() - startedAt;
}

const QUICK = {
  keepAliveMs: 300,
  pongTimeoutMs: 300,
  retryDelayMsMin: 50,
  retryDelayMsMax: 200,
  handshakeTimeoutMs: 300,
  ackTimeoutMs: 300,
};
/** For a machine that is busy. */
const SLACK_MS = 1_000;

describe('an upstream WebSocket that is half open', () => {
  it.each(['halfopen', 'blackhole'] as const)('is noticed within twice the keep-alive: %s', async (kind) => {
    const { subgraph, proxy } = await behindProxy();
    const recorder = createRecorder();
    open(QUICK).subscribe(requestTo(`ws://127.0.0.1:${proxy.port}/graphql`), recorder);
    await waitFor('the subscription upstream', () => subgraph.active() === 1);
    await proxy.setMode({ kind });
    expect(await noticedMs(recorder, 5_000)).toBeLessThan(2 * QUICK.keepAliveMs + SLACK_MS);
    // Tries that hang are given up too, and the one that gets through is told.
    await waitFor('another try', () => proxy.accepted() > 2);
    await proxy.setMode({ kind: 'pass' });
    expect(await recorder.nextGap()).toBe('UPSTREAM_RECONNECTED');
    subgraph.publish({ id: 'a', n: 1 });
    expect(await recorder.nextData()).toEqual({ changed: { id: 'a', n: 1 } });
    await waitFor('one connection', () => proxy.connections() === 1);
  });

  it('is noticed within 20 s, by the limits as they are', { timeout: 40_000 }, async () => {
    const { subgraph, proxy } = await behindProxy();
    const recorder = createRecorder();
    open().subscribe(requestTo(`ws://127.0.0.1:${proxy.port}/graphql`), recorder);
    await waitFor('the subscription upstream', () => subgraph.active() === 1);
    await proxy.setMode({ kind: 'halfopen' });
    const ms = await noticedMs(recorder, 30_000);
    expect(ms).toBeLessThan(2 * UPSTREAM_LIMITS.keepAliveMs);
  });

  it('is not taken for lost when it is only quiet, or slow', async () => {
    const { subgraph, proxy } = await behindProxy();
    const recorder = createRecorder();
    open(QUICK).subscribe(requestTo(`ws://127.0.0.1:${proxy.port}/graphql`), recorder);
    await waitFor('the subscription upstream', () => subgraph.active() === 1);
    await proxy.setMode({ kind: 'delay', delayMs: 100 });
    await new Promise((resolve) => setTimeout(resolve, 5 * QUICK.keepAliveMs));
    subgraph.publish({ id: 'a', n: 1 });
    expect(await recorder.nextData()).toEqual({ changed: { id: 'a', n: 1 } });
  });
});

describe('an event stream that is silent', () => {
  it('is opened again', async () => {
    const { subgraph, proxy } = await behindProxy();
    const recorder = createRecorder();
    const request = requestTo(`http://127.0.0.1:${proxy.port}/graphql`, { protocol: 'graphql-sse' });
    open({ ...QUICK, idleTimeoutMs: 400 }).subscribe(request, recorder);
    await waitFor('the subscription upstream', () => subgraph.active() === 1);
    await proxy.setMode({ kind: 'halfopen' });
    expect(await noticedMs(recorder, 5_000)).toBeLessThan(400 + SLACK_MS);
    await proxy.setMode({ kind: 'pass' });
    expect(await recorder.nextGap()).toBe('UPSTREAM_RECONNECTED');
    subgraph.publish({ id: 'a', n: 1 });
    expect(await recorder.nextData()).toEqual({ changed: { id: 'a', n: 1 } });
  });
});

async function startProcess(): Promise<{ child: ChildProcess; port: number }> {
  const program = join(import.meta.dirname, 'live-subgraph-program.ts');
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  cleanups.push(async () => {
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  const [line] = await once(child.stdout ?? child, 'data');
  return { child, port: Number(String(line)) };
}

describe('an upstream process', { timeout: 30_000 }, () => {
  it('that is stopped is noticed, and one that goes on is opened again', async () => {
    const { child, port } = await startProcess();
    const recorder = createRecorder();
    open(QUICK).subscribe(requestTo(`ws://127.0.0.1:${port}/graphql`), recorder);
    await recorder.nextData();
    child.kill('SIGSTOP');
    const stoppedAt = performance.now();
    let told = await recorder.next();
    // What was on its way.
    while (told.kind === 'result') told = await recorder.next();
    expect(told).toEqual({ kind: 'gap', reason: 'UPSTREAM_LOST' });
    expect(performance.now() - stoppedAt).toBeLessThan(2 * QUICK.keepAliveMs + SLACK_MS);
    child.kill('SIGCONT');
    expect(await recorder.nextGap()).toBe('UPSTREAM_RECONNECTED');
    await recorder.nextData();
  });
});
