// Laws of joining the graph: what is stored, what is pointed at, who may, and who comes second.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import {
  ADMIN,
  approver,
  codeOf,
  PUBLISH,
  type Published,
  publisher,
  publishing,
  type SignedRegistry,
  SYSTEM_URL,
  startRegistry,
} from './signed-registry.ts';

const noPostgres = await whyNoPostgres();
const PERMITS = publisher('permits-office');
const WATER = publisher('water-office');

describe.skipIf(noPostgres !== undefined)('joining the graph', () => {
  let registry: SignedRegistry;
  beforeAll(async () => {
    registry = await startRegistry();
    await registry.data(PERMITS, PUBLISH, publishing('permits', 'type Query { permits: Int }'));
  }, 60_000);
  afterAll(() => registry?.close(), 60_000);

  const publish = (asker: Parameters<SignedRegistry['as']>[0], system: string, sdl: string, more = {}) =>
    registry.as(asker, PUBLISH, publishing(system, sdl, more));
  const graph = async () => {
    const { supergraph } = await registry.data<{ supergraph: { publication: number; payload: string } }>(
      undefined,
      '{ supergraph { publication payload } }',
    );
    return supergraph;
  };

  it('registers, stores and publishes in one publication, and tells who it is', async () => {
    const input = {
      register: [
        { name: 'water', title: '水务系统', contact: '12345', dataSharingBasis: '条例第三条' },
        { name: 'meters' },
      ],
      versions: ['water', 'meters'].map((system) => ({
        system,
        sdl: `type Query { ${system}: Int }`,
        url: SYSTEM_URL,
      })),
      reason: 'first',
    };
    const { publishVersions } = await registry.data<Published>(WATER, PUBLISH, { input });
    expect(publishVersions).toMatchObject({ changed: true, versions: [{ number: 1 }, { number: 1 }] });
    const asked = `{ system(name: "water") { title kind owner contact dataSharingBasis version { id url sdl pushedBy } } }`;
    const { system } = await registry.data<{ system: unknown }>(WATER, asked);
    expect(system).toEqual({
      title: '水务系统',
      kind: 'REMOTE',
      owner: 'water-office',
      contact: '12345',
      dataSharingBasis: '条例第三条',
      version: {
        id: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
        url: SYSTEM_URL,
        sdl: 'type Query { water: Int }',
        pushedBy: 'water-office-1',
      },
    });
    const { number } = publishVersions.publication;
    const { publication } = await registry.data<{ publication: unknown }>(
      WATER,
      `{ publication(number: ${number}) { kind by reason rolledBackTo difference { system before { number } after { number } } } }`,
    );
    expect(publication).toEqual({
      kind: 'PUBLISH',
      by: 'water-office-1',
      reason: 'first',
      rolledBackTo: null,
      difference: [
        { system: 'meters', before: null, after: { number: 1 } },
        { system: 'water', before: null, after: { number: 1 } },
      ],
    });
    expect((await graph()).payload).toContain('water: Int');
  });

  it('names a version by its content: what is the same again changes nothing', async () => {
    const before = await graph();
    const again = await registry.data<Published>(
      PERMITS,
      PUBLISH,
      publishing('permits', 'type Query { permits: Int }'),
    );
    expect(again.publishVersions).toMatchObject({
      changed: false,
      publication: { number: before.publication },
    });
  });

  it('pushes without pointing, and points later by number', async () => {
    const push = `mutation ($input: VersionInput!) { pushVersion(input: $input) { id number } }`;
    const input = { system: 'permits', sdl: 'type Query { permits: Int pushed: Int }', url: SYSTEM_URL };
    const { pushVersion } = await registry.data<{ pushVersion: { number: number } }>(PERMITS, push, {
      input,
    });
    expect((await graph()).payload).not.toContain('pushed');
    const stored = [{ system: 'permits', version: String(pushVersion.number) }];
    await registry.data(PERMITS, PUBLISH, { input: { stored } });
    expect((await graph()).payload).toContain('pushed: Int');
  });

  it('refuses a version that does not compose, and the last good graph stays for it and for others', async () => {
    const before = await graph();
    const answer = await publish(WATER, 'water', 'type Query { water: Int permits: String }');
    expect(answer.errors?.[0]).toMatchObject({
      message: expect.stringContaining('permits'),
      extensions: { code: 'COMPOSITION_FAILED', problems: expect.any(Number) },
    });
    expect(await graph()).toEqual(before);
    expect(
      codeOf(await publish(PERMITS, 'permits', 'type Query { permits: Int after: Int }')),
    ).toBeUndefined();
    expect((await graph()).payload).toContain('after: Int');
  });

  it('is for the department of the system, its scope and admins alone, and every refusal is in the history', async () => {
    const sdl = 'type Query { permits: Int stolen: Int }';
    expect(codeOf(await publish(undefined, 'permits', sdl))).toBe('UNAUTHENTICATED');
    expect(codeOf(await publish(WATER, 'permits', sdl))).toBe('FORBIDDEN');
    const withoutScope = { subject: 'x', department: 'permits-office', scopes: ['registry:read'] };
    expect(codeOf(await publish(withoutScope, 'permits', sdl))).toBe('FORBIDDEN');
    expect(codeOf(await publish(publisher('hub'), 'mine', 'type Query { mine: Int }'))).toBe('FORBIDDEN');
    expect(
      codeOf(await publish(ADMIN, 'permits', 'type Query { permits: Int byAdmin: Int }')),
    ).toBeUndefined();
    const { registryAudit } = await registry.data<{ registryAudit: unknown[] }>(
      ADMIN,
      '{ registryAudit(system: "permits", first: 3) { by department action systems outcome publication } }',
    );
    const row = { action: 'publishVersions', systems: ['permits'] };
    expect(registryAudit).toEqual([
      { ...row, by: 'root', department: null, outcome: 'OK', publication: expect.any(Number) },
      { ...row, by: 'x', department: 'permits-office', outcome: 'FORBIDDEN', publication: null },
      { ...row, by: 'water-office-1', department: 'water-office', outcome: 'FORBIDDEN', publication: null },
    ]);
  });

  it('lets one of two win who expect the same version or the same publication', async () => {
    const { publication } = await graph();
    const { system } = await registry.data<{ system: { version: { number: number } } }>(
      PERMITS,
      '{ system(name: "permits") { version { number } } }',
    );
    const expectedVersion = String(system.version.number);
    const both = await Promise.all(
      ['one', 'other'].map((name) =>
        publish(PERMITS, 'permits', `type Query { permits: Int ${name}: Int }`, { expectedVersion }),
      ),
    );
    expect(both.map(codeOf).sort()).toEqual(['CONFLICT', undefined]);
    const late = await publish(WATER, 'water', 'type Query { water: Int late: Int }', {
      expectedPublication: publication,
    });
    expect(codeOf(late)).toBe('CONFLICT');
    expect(codeOf(await publish(WATER, 'brook', 'type Query { brook: Int }', { expectedVersion: '1' }))).toBe(
      'CONFLICT',
    );
  });

  it('lets all of many have their place who expect nothing, on two processes', async () => {
    const second = await startRegistry({ database: registry.database });
    const names = Array.from({ length: 6 }, (_, n) => `racer${n}`);
    const answers = await Promise.all(
      names.map((name, n) =>
        (n % 2 === 0 ? registry : second).as(WATER, PUBLISH, publishing(name, `type Query { ${name}: Int }`)),
      ),
    );
    await second.close();
    expect(answers.map(codeOf)).toEqual(names.map(() => undefined));
    const { payload } = await graph();
    expect(names.filter((name) => !payload.includes(`${name}: Int`))).toEqual([]);
  }, 60_000);

  it('answers the same requestId once, and refuses it with another command', async () => {
    const sdl = 'type Query { water: Int once: Int }';
    const first = await registry.data<Published>(
      WATER,
      PUBLISH,
      publishing('water', sdl, { requestId: 'r1' }),
    );
    await registry.data(WATER, PUBLISH, publishing('water', 'type Query { water: Int twice: Int }'));
    const again = await registry.data<Published>(
      WATER,
      PUBLISH,
      publishing('water', sdl, { requestId: 'r1' }),
    );
    expect(again.publishVersions.publication).toEqual(first.publishVersions.publication);
    expect((await graph()).payload).toContain('twice: Int');
    const other = await publish(WATER, 'water', 'type Query { water: Int }', { requestId: 'r1' });
    expect(codeOf(other)).toBe('CONFLICT');
  });

  it('waits for a second person where the owner demands it', async () => {
    const input = {
      register: [{ name: 'seals', requiresApproval: true }],
      versions: [{ system: 'seals', sdl: 'type Query { seals: Int }', url: SYSTEM_URL }],
    };
    await registry.data(
      WATER,
      'mutation ($input: RegisterSystemInput!) { registerSystem(input: $input) { name } }',
      {
        input: { name: 'seals', requiresApproval: true },
      },
    );
    const waiting = await registry.as(WATER, PUBLISH, { input });
    expect(codeOf(waiting)).toBe('APPROVAL_REQUIRED');
    const version = waiting.errors?.[0]?.extensions.version as string;
    const approve = `mutation ($version: ID!) { approveVersion(system: "seals", version: $version) { approvals { by } } }`;
    const bothScopes = { ...WATER, scopes: ['registry:publish', 'registry:approve'] };
    expect(codeOf(await registry.as(bothScopes, approve, { version }))).toBe('FORBIDDEN');
    expect(codeOf(await registry.as(WATER, approve, { version }))).toBe('FORBIDDEN');
    // Another department's word is written down, and does not count.
    await registry.data(approver('permits-office'), approve, { version });
    expect(codeOf(await registry.as(WATER, PUBLISH, { input }))).toBe('APPROVAL_REQUIRED');
    await registry.data(approver('water-office'), approve, { version });
    expect(codeOf(await registry.as(WATER, PUBLISH, { input }))).toBeUndefined();
    const lower = 'mutation { registerSystem(input: { name: "seals", requiresApproval: false }) { name } }';
    expect(codeOf(await registry.as(WATER, lower))).toBe('FORBIDDEN');
  });

  it('gives a field to another department when the one that has it says so', async () => {
    const link = (imports: string) =>
      `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [${imports}])`;
    const home = `${link('"@key"')} type Query { house: House } type House @key(fields: "id") { id: ID! area: Float }`;
    await registry.data(WATER, PUBLISH, publishing('houses', home));
    await registry.data(PERMITS, PUBLISH, publishing('plots', 'type Query { plots: Int }'));
    const taking = `${link('"@key", "@override"')} type Query { plots: Int }
      type House @key(fields: "id") { id: ID! area: Float @override(from: "houses") }`;
    const refused = await publish(PERMITS, 'plots', taking);
    expect(refused.errors?.[0]?.extensions).toMatchObject({
      code: 'NOT_OWNER',
      coordinate: 'House.area',
      from: 'houses',
      owner: 'water-office',
    });
    const approve = `mutation ($version: ID!) { approveVersion(system: "plots", version: $version) { id } }`;
    const version = refused.errors?.[0]?.extensions.version;
    await registry.data(approver('permits-office'), approve, { version });
    expect(codeOf(await publish(PERMITS, 'plots', taking))).toBe('NOT_OWNER');
    await registry.data(approver('water-office'), approve, { version });
    expect(codeOf(await publish(PERMITS, 'plots', taking))).toBeUndefined();
  });

  it('says of a proposal what would become of it, and stores no version', async () => {
    const check = `query ($changes: [VersionInput!]!) {
      checkVersions(changes: $changes) { id verdict code problems { code message systems } operations { coordinate } }
    }`;
    const changes = (sdl: string) => ({ changes: [{ system: 'water', sdl, url: SYSTEM_URL }] });
    const good = await registry.data(WATER, check, changes('type Query { water: Int proposed: Int }'));
    expect(good).toMatchObject({ checkVersions: { verdict: 'PASS', code: null, problems: [] } });
    const wrong = await registry.data(WATER, check, changes('type Query { water: Int permits: String }'));
    expect(wrong).toMatchObject({
      checkVersions: {
        verdict: 'FAIL',
        code: 'COMPOSITION_FAILED',
        problems: [{ code: expect.any(String) }],
      },
    });
    // An admin asks of a system that there is not yet.
    const fresh = { changes: [{ system: 'fresh', sdl: 'type Query { fresh: Int }', url: SYSTEM_URL }] };
    expect(await registry.data(ADMIN, check, fresh)).toMatchObject({ checkVersions: { verdict: 'PASS' } });
    const { rows } = await registry.database.client.query(
      `SELECT count(*)::int AS count FROM registry.version WHERE sdl LIKE '%proposed%'`,
    );
    expect(rows).toEqual([{ count: 0 }]);
  });
});
