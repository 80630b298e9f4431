// Laws of what gateways tell of use: each report counts once, and who uses a field can be asked.
import { createHash } from 'node:crypto';
import { createLogger } from '@weft/core/logger';
import { PrismaClient } from '@weft/subgraphs/registry/generated/client';
import { TRIM_LIMITS, trimRegistry } from '@weft/subgraphs/registry/trim';
import { openStore } from '@weft/subgraphs/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import {
  ADMIN,
  codeOf,
  PUBLISH,
  publisher,
  publishing,
  type SignedRegistry,
  startRegistry,
} from './signed-registry.ts';

const noPostgres = await whyNoPostgres();
const PERMITS = publisher('permits-office');
const RECORD = 'mutation ($report: UsageReportInput!) { recordUsage(report: $report) }';
const USAGE = `query ($coordinate: String!) {
  usage(coordinate: $coordinate) { name document clientName clientVersion count errors }
}`;
const DOCUMENT = 'query Permits{permits}';
const HASH = createHash('sha256').update(DOCUMENT).digest('hex');

function report(sequence: number, more: Record<string, unknown> = {}) {
  const now = new Date().toISOString();
  const operation = {
    hash: HASH,
    document: DOCUMENT,
    name: 'Permits',
    clientName: 'desk',
    clientVersion: '1.2',
    kind: 'query',
    count: 5,
    errors: 1,
    lastSeen: now,
    coordinates: ['Query.permits'],
  };
  const system = { name: 'permits', calls: 10, failures: 1, p50Ms: 4, p99Ms: 20 };
  const base = { gateway: 'gateway-1', sequence, from: now, to: now, dropped: 0, systems: [system] };
  return { report: { ...base, operations: [{ ...operation, ...more }] } };
}

describe.skipIf(noPostgres !== undefined)('use of the graph', () => {
  let registry: SignedRegistry;
  beforeAll(async () => {
    registry = await startRegistry();
    await registry.data(PERMITS, PUBLISH, publishing('permits', 'type Query { permits: Int }'));
  }, 60_000);
  afterAll(() => registry?.close(), 60_000);

  it('is counted once a report, by client and version, and told by coordinate', async () => {
    for (const sequence of [1, 2, 2])
      expect(await registry.data(undefined, RECORD, report(sequence))).toEqual({ recordUsage: true });
    // The document is known by then.
    await registry.data(undefined, RECORD, report(3, { document: null, clientVersion: '1.3' }));
    const { usage } = await registry.data<{ usage: unknown[] }>(ADMIN, USAGE, {
      coordinate: 'Query.permits',
    });
    const row = { name: 'Permits', document: DOCUMENT, clientName: 'desk' };
    expect(usage).toEqual([
      { ...row, clientVersion: '1.2', count: 10, errors: 2 },
      { ...row, clientVersion: '1.3', count: 5, errors: 1 },
    ]);
    expect(await registry.data(ADMIN, USAGE, { coordinate: 'Query.other' })).toEqual({ usage: [] });
  });

  it('asks for the document of an operation that is not known', async () => {
    const unknown = { hash: 'a'.repeat(64), document: null };
    expect(await registry.data(undefined, RECORD, report(4, unknown))).toEqual({ recordUsage: false });
  });

  it.each([
    ['a hash that is not of the document', { hash: 'b'.repeat(64) }, 'BAD_USER_INPUT'],
    ['a hash that is none', { hash: 'x' }, 'BAD_USER_INPUT'],
    ['more coordinates than any operation has', { coordinates: Array(5_001).fill('A.b') }, 'LIMIT_EXCEEDED'],
  ])('is refused with %s', async (_, wrong, code) => {
    expect(codeOf(await registry.as(undefined, RECORD, report(5, wrong)))).toBe(code);
  });

  it('shows latency and error rate of a system', async () => {
    const { system } = await registry.data<{ system: unknown }>(
      PERMITS,
      '{ system(name: "permits") { errorRate latency { p50Ms p99Ms } } }',
    );
    expect(system).toEqual({ errorRate: 0.1, latency: { p50Ms: 4, p99Ms: 20 } });
  });

  it('shows that a live system differs from what is registered, since when, and no longer when it does not', async () => {
    const tell = `mutation ($differences: [String!]!, $at: DateTime!) {
      recordDrift(system: "permits", differences: $differences, at: $at)
    }`;
    const drift = '{ system(name: "permits") { drift { since differences } } }';
    const at = (second: number) => new Date(Date.UTC(2026, 10, 29, 12, 0, second)).toISOString();
    await registry.data(undefined, tell, { differences: ['Query.permits is gone'], at: at(1) });
    await registry.data(undefined, tell, { differences: ['Query.more is new'], at: at(3) });
    // One that comes late says nothing of now.
    await registry.data(undefined, tell, { differences: [], at: at(2) });
    expect(await registry.data(PERMITS, drift)).toEqual({
      system: { drift: { since: at(1), differences: ['Query.more is new'] } },
    });
    await registry.data(undefined, tell, { differences: [], at: at(4) });
    expect(await registry.data(PERMITS, drift)).toEqual({ system: { drift: null } });
  });

  it('is forgotten after its days, and so are graphs that nobody goes back to', async () => {
    for (const field of ['a', 'b', 'c'])
      await registry.data(
        PERMITS,
        PUBLISH,
        publishing('permits', `type Query { permits: Int ${field}: Int }`),
      );
    await registry.database.client.query(`
      UPDATE registry.operation_use SET day = day - 91;
      UPDATE registry.operation SET first_seen = first_seen - interval '91 days'`);
    const prisma = new PrismaClient({
      adapter: openStore(registry.database.url, 'registry', createLogger('test', 'silent')),
    });
    await trimRegistry(prisma, { ...TRIM_LIMITS, graphsMax: 2 });
    await prisma.$disconnect();
    expect(await registry.data(ADMIN, USAGE, { coordinate: 'Query.permits' })).toEqual({ usage: [] });
    const { rows } = await registry.database.client.query(
      `SELECT (SELECT count(*)::int FROM registry.operation) AS operations, (SELECT count(*)::int FROM registry.payload) AS payloads`,
    );
    expect(rows).toEqual([{ operations: 0, payloads: 2 }]);
    const back = 'mutation { rollback(to: 1, reason: "far back") { changed } }';
    expect(codeOf(await registry.as(PERMITS, back))).toBe('NOT_FOUND');
  });
});
