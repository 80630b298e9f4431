// Laws of checks over the real registry: what gateways told of use decides whether a change is let in.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import {
  ADMIN,
  approver,
  codeOf,
  PUBLISH,
  publisher,
  publishing,
  type SignedRegistry,
  SYSTEM_URL,
  startRegistry,
} from './signed-registry.ts';

const noPostgres = await whyNoPostgres();
const PERMITS = publisher('permits-office');
const RECORD = 'mutation ($report: UsageReportInput!) { recordUsage(report: $report) }';
const CHECK = `query ($changes: [VersionInput!]!, $window: CheckWindowInput) {
  checkVersions(changes: $changes, window: $window) { id verdict code approvedBy operations {
    coordinate message operation { hash document name clientName clientVersion count errors lastSeen } } }
}`;
const WHOLE =
  'type Query { permit(id: ID!): Permit old: Int } type Permit { id: ID! number: String fee: Int }';
const WITHOUT_FEE = WHOLE.replace(' fee: Int', '');
const DAY_MS = 86_400_000;

interface Checked {
  readonly checkVersions: {
    readonly id: string;
    readonly verdict: string;
    readonly code: string | null;
    readonly approvedBy: string | null;
    readonly operations: readonly {
      readonly coordinate: string;
      readonly operation: { readonly clientName: string };
    }[];
  };
}

const FEES = 'query Fees{permit(id:""){fee}}';
const NUMBERS = 'query Numbers{permit(id:""){number}}';

describe.skipIf(noPostgres !== undefined)('a change of what is used', () => {
  let registry: SignedRegistry;
  let sequence = 0;
  const lastSeen = new Date().toISOString();
  const use = async (document: string, more: Record<string, unknown>) => {
    const operation = {
      hash: createHash('sha256').update(document).digest('hex'),
      document,
      name: /query (\w+)/.exec(document)?.[1],
      clientName: 'desk',
      clientVersion: '1.2',
      kind: 'query',
      count: 5,
      errors: 1,
      lastSeen,
      ...more,
    };
    const report = {
      gateway: 'g',
      sequence: ++sequence,
      from: lastSeen,
      to: lastSeen,
      dropped: 0,
      systems: [],
    };
    expect(
      await registry.data(undefined, RECORD, { report: { ...report, operations: [operation] } }),
    ).toEqual({ recordUsage: true });
  };
  const change = (sdl: string, system = 'permits') => ({ system, sdl, url: SYSTEM_URL });
  const check = async (sdl: string, window = {}) =>
    (await registry.data<Checked>(PERMITS, CHECK, { changes: [change(sdl)], window })).checkVersions;

  beforeAll(async () => {
    registry = await startRegistry();
    await registry.data(PERMITS, PUBLISH, publishing('permits', WHOLE));
    await registry.data(PERMITS, PUBLISH, publishing('forms', 'type Query { forms: Int }'));
    await use(FEES, { coordinates: ['Query.permit', 'Query.permit(id:)', 'Permit.fee'] });
    await use(NUMBERS, {
      coordinates: ['Query.permit', 'Query.permit(id:)', 'Permit.number'],
      clientName: 'old',
      clientVersion: '0.9',
      lastSeen: new Date(Date.now() - 40 * DAY_MS).toISOString(),
    });
  }, 60_000);
  afterAll(() => registry?.close(), 60_000);

  it('is refused naming the operation that it breaks, the client with its version, and when that last ran', async () => {
    const answer = await registry.as(PERMITS, PUBLISH, publishing('permits', WITHOUT_FEE));
    expect(answer.errors?.[0]).toMatchObject({
      message: `Permit.fee: Cannot query field "fee" on type "Permit".; Fees of desk 1.2 used it last at ${lastSeen}`,
      extensions: { code: 'CHECK_FAILED', operations: 1, operation: 'Fees', client: 'desk', lastSeen },
    });
    expect(await check(WITHOUT_FEE)).toMatchObject({
      verdict: 'FAIL',
      code: 'CHECK_FAILED',
      operations: [
        {
          coordinate: 'Permit.fee',
          message: 'Cannot query field "fee" on type "Permit".',
          operation: {
            document: FEES,
            name: 'Fees',
            clientName: 'desk',
            clientVersion: '1.2',
            count: 5,
            errors: 1,
            lastSeen,
          },
        },
      ],
    });
  });

  it('passes by a window, a threshold or excluded clients that leave nobody who is broken', async () => {
    expect(await check(WITHOUT_FEE, { countMin: 6 })).toMatchObject({ verdict: 'PASS', operations: [] });
    expect(await check(WITHOUT_FEE, { excludedClients: ['desk@1.2'] })).toMatchObject({ verdict: 'PASS' });
    expect(await check(WITHOUT_FEE, { excludedClients: ['desk'] })).toMatchObject({ verdict: 'PASS' });
    expect(await check(WITHOUT_FEE, { excludedClients: ['desk@1.3'] })).toMatchObject({ verdict: 'FAIL' });
    const withoutNumber = WHOLE.replace(' number: String', '');
    expect(await check(withoutNumber, { days: 30 })).toMatchObject({ verdict: 'PASS' });
    expect(await check(withoutNumber, { days: 60 })).toMatchObject({
      operations: [{ operation: { clientName: 'old', clientVersion: '0.9' } }],
    });
  });

  it('counts the threshold by all clients and versions of an operation together', async () => {
    await use(FEES, { clientVersion: '1.3', count: 1, coordinates: ['Permit.fee'] });
    const { operations } = await check(WITHOUT_FEE, { countMin: 6 });
    expect(operations.map(({ operation }) => operation)).toMatchObject([
      { clientVersion: '1.2', count: 5 },
      { clientVersion: '1.3', count: 1 },
    ]);
  });

  it('passes when nobody uses what goes, or when it only adds', async () => {
    const harmless = WHOLE.replace(' old: Int', ' fresh: Int');
    expect(await check(harmless)).toMatchObject({ verdict: 'PASS', code: null, operations: [] });
    await registry.data(PERMITS, PUBLISH, publishing('permits', harmless));
    await registry.data(PERMITS, PUBLISH, publishing('permits', WHOLE));
  });

  it('is judged with all that changes with it: what moves to another system breaks nobody', async () => {
    const permits = change(
      WHOLE.replace('permit(id: ID!): Permit old: Int', 'old: Int').replace(/type Permit.*/, ''),
    );
    const forms = change(
      `type Query { forms: Int permit(id: ID!): Permit } type Permit { id: ID! number: String fee: Int }`,
      'forms',
    );
    const alone = await registry.data<Checked>(PERMITS, CHECK, { changes: [permits] });
    expect(alone.checkVersions).toMatchObject({ verdict: 'FAIL', code: 'CHECK_FAILED' });
    const both = await registry.data<Checked>(PERMITS, CHECK, { changes: [permits, forms] });
    expect(both.checkVersions).toMatchObject({ verdict: 'PASS', operations: [] });
  });

  it('is let in by an approval, for exactly the versions that were approved', async () => {
    const { id } = await check(WITHOUT_FEE);
    const approve = `mutation ($check: ID!) { approveBreakingChange(check: $check, remark: "the desk is told") { verdict approvedBy } }`;
    expect(codeOf(await registry.as(PERMITS, approve, { check: id }))).toBe('FORBIDDEN');
    const approved = { verdict: 'APPROVED', approvedBy: 'permits-office-2' };
    expect(await registry.data(approver('permits-office'), approve, { check: id })).toEqual({
      approveBreakingChange: approved,
    });
    expect(await check(WITHOUT_FEE)).toMatchObject({ id, ...approved });
    const other = `${WITHOUT_FEE} # otherwise`;
    expect(codeOf(await registry.as(PERMITS, PUBLISH, publishing('permits', other)))).toBe('CHECK_FAILED');
    await registry.data(PERMITS, PUBLISH, publishing('permits', WITHOUT_FEE));
    await registry.data(ADMIN, 'mutation { rollback(reason: "once more") { changed } }');
  });

  it('counts an operation whose text is too long to be read by the coordinates that it uses', async () => {
    const long = `query Long{${Array.from({ length: 3_000 }, (_, n) => `a${n}:old`).join(' ')}}`;
    await use(long, { coordinates: ['Query.old'], clientName: 'long' });
    const { operations } = await check(WHOLE.replace(' old: Int', ''));
    expect(operations).toMatchObject([
      { coordinate: 'Query.old', operation: { document: null, name: 'Long', clientName: 'long' } },
    ]);
    expect(await check(WITHOUT_FEE)).toMatchObject({ verdict: 'APPROVED' });
  });
});
