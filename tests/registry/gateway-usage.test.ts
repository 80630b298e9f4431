// What a gateway tells the registry of use: operations by client with their coordinates, and the calls of each system.

import { createLogger } from '@weft/core/logger';
import { readGatewayConfig } from '@weft/gateway/config';
import type { UsageLimits } from '@weft/gateway/registry/usage-limits';
import { type StartedGateway, startGateway } from '@weft/gateway/start';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openClient } from '../live/ws-client.ts';
import { waitFor } from '../support/wait.ts';
import { createGraphRig, type GraphRig } from './graph-rig.ts';
import type { UsageReport } from './scripted-registry.ts';

let rig: GraphRig;
let gateway: StartedGateway | undefined;
beforeEach(async () => {
  rig = await createGraphRig();
  rig.registry.publish(rig.whole);
});
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
  await rig.close();
});

async function start(usageLimits: Partial<UsageLimits> = {}): Promise<StartedGateway> {
  gateway = await startGateway({
    config: readGatewayConfig(rig.env),
    logger: createLogger('test', 'silent'),
    usageLimits: { reportMs: 50, ...usageLimits },
  });
  return gateway;
}

async function ask(query: string, headers: Readonly<Record<string, string>> = {}): Promise<void> {
  const response = await fetch(gateway?.urls.graphql ?? '', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  });
  await response.text();
}

const operations = () => rig.registry.reports.flatMap((report) => report.operations);
const counted = () => operations().reduce((sum, { count }) => sum + count, 0);
const untilCounted = (count: number) => waitFor(`${count} uses`, () => counted() === count);

describe('the use that a gateway tells of', () => {
  it('is the operation without what a client wrote into it, with the client’s name and version', async () => {
    await start();
    const client = { 'apollographql-client-name': 'wall', 'apollographql-client-version': '2.1' };
    await ask('query Watch { now shops { name id } }', client);
    await ask('query Watch { shops { id name } now } # the same', client);
    await ask('query Watch { shops { id name } now }');
    await untilCounted(3);
    const [first] = operations();
    expect(first).toMatchObject({
      document: 'query Watch {\n  now\n  shops {\n    id\n    name\n  }\n}',
      name: 'Watch',
      kind: 'query',
      errors: 0,
      coordinates: ['Query.now', 'Query.shops', 'Shop.id', 'Shop.name'],
    });
    expect(new Set(operations().map(({ hash }) => hash)).size).toBe(1);
    const clients = Map.groupBy(
      operations(),
      ({ clientName, clientVersion }) => `${clientName} ${clientVersion}`,
    );
    const countOf = (name: string) => clients.get(name)?.reduce((sum, { count }) => sum + count, 0);
    expect([countOf('wall 2.1'), countOf('null null')]).toEqual([2, 1]);
    expect(Math.abs(Date.parse(first?.lastSeen ?? '') - Date.now())).toBeLessThan(60_000);
  });

  it('tells the document once, and again when the registry does not know it', async () => {
    await start();
    await ask('{ now }');
    await untilCounted(1);
    await ask('{ now }');
    await untilCounted(2);
    expect(operations().map(({ document }) => document)).toEqual(['{\n  now\n}', null]);
    rig.registry.answerUsage = ({ operations: told }) => told.every(({ document }) => document !== null);
    await ask('{ now }');
    await waitFor('the document again', () => operations().length === 4);
    expect(
      operations()
        .slice(2)
        .map(({ document }) => document),
    ).toEqual([null, '{\n  now\n}']);
    expect(rig.registry.reports.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
  });

  it('counts errors of operations, and calls and failures of systems with their latency', async () => {
    await start();
    await ask('{ shops { id } now }');
    rig.shops.fault = { kind: 'status', status: 500, body: 'no' };
    await ask('{ shops { id } }');
    await untilCounted(2);
    expect(operations().reduce((sum, { errors }) => sum + errors, 0)).toBe(1);
    const systems = rig.registry.reports.flatMap((report) => report.systems);
    const of = (name: string) => systems.filter((system) => system.name === name);
    const sum = (name: string, key: 'calls' | 'failures') => of(name).reduce((all, one) => all + one[key], 0);
    expect([sum('shops', 'calls'), sum('shops', 'failures')]).toEqual([2, 1]);
    expect([sum('hours', 'calls'), sum('hours', 'failures')]).toEqual([1, 0]);
    expect(of('hours')[0]?.p50Ms).toBeGreaterThan(0);
    expect(of('hours')[0]?.p99Ms).toBeGreaterThanOrEqual(of('hours')[0]?.p50Ms ?? Number.NaN);
  });

  it('knows a client over WebSocket by what its connection began with', async () => {
    const { urls } = await start();
    const client = await openClient(urls.ws ?? '');
    const payload = { 'apollographql-client-name': 'phone', 'apollographql-client-version': '7' };
    client.send({ type: 'connection_init', payload });
    expect(await client.next()).toMatchObject({ type: 'connection_ack' });
    client.send({ id: 'q', type: 'subscribe', payload: { query: '{ now }' } });
    await untilCounted(1);
    expect(operations()[0]).toMatchObject({ clientName: 'phone', clientVersion: '7' });
    await client.close();
  });

  it('is kept while the registry is away, told once under one number, and counted as dropped beyond its bound', async () => {
    await start({ operationsMax: 2 });
    let tries: UsageReport[] = [];
    rig.registry.answerUsage = (report) => {
      tries = [...tries, report];
      return 'error';
    };
    await ask('{ now }');
    await waitFor('two tries', () => tries.length >= 2);
    expect(tries[1]).toEqual(tries[0]);
    for (const alias of ['a', 'b', 'c', 'd']) await ask(`{ ${alias}: now }`);
    await ask('{ a: now }');
    rig.registry.answerUsage = () => true;
    await untilCounted(4);
    await waitFor(
      'the drops',
      () => rig.registry.reports.reduce((sum, { dropped }) => sum + dropped, 0) === 2,
    );
    expect(rig.registry.reports[0]).toEqual(tries[0]);
    expect(rig.registry.reports.map(({ sequence }) => sequence)).toEqual([1, 2]);
  });

  it('is told a last time when the gateway ends, and does not keep it from ending', async () => {
    const first = await start({ reportMs: 3_600_000 });
    await ask('{ now }');
    await first.close();
    expect(counted()).toBe(1);
    const second = await start({ reportMs: 3_600_000, closeTimeoutMs: 50 });
    await ask('{ now }');
    rig.registry.isSilent = true;
    await second.close();
    gateway = undefined;
  });

  it('is not told of what was refused before it was an operation', async () => {
    await start();
    await ask('{ nothing }');
    await ask('{ now }');
    await untilCounted(1);
    expect(operations()[0]?.coordinates).toEqual(['Query.now']);
  });
});
