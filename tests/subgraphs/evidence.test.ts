// What every step leaves in evidence, and who may read it.
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createLogger } from '@weft/core/logger';
import { openSigner } from '@weft/evidence/checkpoint';
import { PrismaClient } from '@weft/subgraphs/incidents/generated/client';
import { incidentIdOf } from '@weft/subgraphs/incidents/identity';
import { tellOverdue } from '@weft/subgraphs/incidents/overdue';
import { openSqlStore } from '@weft/subgraphs/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import {
  type Asker,
  appendEvents,
  createMigratedDatabase,
  hotlineReport,
  startSigned,
} from '../support/owned-subgraphs.ts';
import { waitFor } from '../support/wait.ts';

const noPostgres = await whyNoPostgres();

const STAFF: Asker = { subject: '中心甲', roles: ['centre-staff'], division: '320508' };
const AUDITOR: Asker = { subject: '审计', roles: ['auditor'], division: '3205' };
const POLICE: Asker = { subject: '经办', roles: ['department-handler'], department: 'police' };
const CITIZEN: Asker = { subject: '320508199001010000', roles: ['citizen'] };

const TRACE = `query ($id: ID!) { trace(incident: $id) {
  subject verifies findings { where problem }
  entries { sequence step at action by actor { kind id roles division department } system reason remark requestId
    before { name value } after { name value } authority { role reach place rule } details { name value } personal { name value }
    algorithm hash previousHash checkpoint }
} }`;

interface Named {
  readonly name: string;
  readonly value: string;
}
interface Entry {
  readonly action: string;
  readonly before: readonly Named[] | null;
  readonly after: readonly Named[];
  readonly details: readonly Named[];
  readonly personal: readonly Named[];
  readonly hash: string;
  readonly previousHash: string;
  readonly checkpoint: number | null;
  readonly [field: string]: unknown;
}
interface Trace {
  readonly subject: string;
  readonly verifies: boolean;
  readonly findings: readonly { where: string; problem: string }[];
  readonly entries: readonly Entry[];
}

const read = (values: readonly Named[] | null) =>
  Object.fromEntries((values ?? []).map(({ name, value }) => [name, JSON.parse(value)]));

describe.skipIf(noPostgres !== undefined)('the evidence of an incident', () => {
  let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
  let hub: Awaited<ReturnType<typeof startSigned>>;
  beforeAll(async () => {
    database = await createMigratedDatabase();
    const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
    const evidence = { signer: openSigner(pem as string), algorithm: 'sm3', intervalMs: 100 } as const;
    hub = await startSigned(database.url, { evidence });
  });
  afterAll(async () => {
    await hub.close();
    await database.drop();
  });

  const trace = async (id: string, asker: Asker | undefined = AUDITOR) => {
    const { data, errors } = await hub.askAs(asker, TRACE, { id });
    return { trace: data?.trace as unknown as Trace | null, errors };
  };
  const entriesOf = async (id: string) => {
    const { trace: traced, errors } = await trace(id);
    expect(errors).toBeUndefined();
    expect(traced).toMatchObject({ verifies: true, findings: [], subject: `Incident:${id}` });
    return traced?.entries ?? [];
  };
  const report = async (asker: Asker, input: Record<string, unknown> = {}) => {
    const { data, errors } = await hub.askAs(
      asker,
      'mutation ($input: ReportIncidentInput!) { reportIncident(input: $input) { id } }',
      {
        input: { requestId: randomUUID(), channel: 'APP', title: '噪音', division: '320508017003', ...input },
      },
    );
    expect(errors).toBeUndefined();
    return (data as unknown as { reportIncident: { id: string } }).reportIncident.id;
  };
  const act = async (asker: Asker, id: string, field: string, args = '') => {
    const { errors } = await hub.askAs(asker, `mutation ($id: ID!) { ${field}(id: $id ${args}) { id } }`, {
      id,
    });
    expect(errors, field).toBeUndefined();
  };

  it('says of each step who, when, by which system, what before and after, why and with which authority', async () => {
    const id = await report(CITIZEN, { description: '家里吵' });
    await act(STAFF, id, 'acceptIncident', 'requestId: "a-1", remark: "属实"');
    await act(STAFF, id, 'routeIncident', 'department: "police"');
    await act(POLICE, id, 'returnIncident', 'returnReason: NOT_OUR_DUTY, reason: "超出职责"');
    const entries = await entriesOf(id);
    expect(entries.map(({ action }) => action)).toEqual(['REPORTED', 'ACCEPTED', 'ROUTED', 'RETURNED']);
    const [reported, accepted, routed, returned] = entries;
    expect(reported).toMatchObject({
      sequence: 1,
      by: '上报人',
      system: 'gateway',
      actor: { kind: 'principal', id: null, roles: ['citizen'] },
      authority: { role: 'citizen', reach: 'ANY', place: null, rule: null },
      before: null,
      algorithm: 'sm3',
      previousHash: '0'.repeat(64),
    });
    expect(read(reported?.after ?? null)).toMatchObject({
      state: 'REPORTED',
      centre: '320508017003-01',
      title: '噪音',
    });
    expect(read(reported?.personal ?? null)).toEqual({
      actorIdentity: JSON.stringify([null, CITIZEN.subject]),
      description: '家里吵',
      reporters: [expect.objectContaining({ kind: 'CITIZEN', name: CITIZEN.subject, number: 1 })],
    });
    expect(accepted).toMatchObject({
      step: 2,
      by: '中心甲',
      actor: {
        kind: 'principal',
        id: JSON.stringify([null, '中心甲']),
        roles: ['centre-staff'],
        division: '320508',
      },
      authority: { role: 'centre-staff', reach: 'SUBTREE', place: '320508' },
      reason: null,
      remark: '属实',
      requestId: 'a-1',
      previousHash: reported?.hash,
      personal: [],
    });
    expect(read(accepted?.before ?? null)).toMatchObject({
      state: 'REPORTED',
      department: null,
      replyDueAt: null,
    });
    expect(read(routed?.after ?? null)).toMatchObject({ state: 'ROUTED', department: 'police', attempt: 1 });
    expect(returned).toMatchObject({
      reason: '超出职责',
      authority: { role: 'department-handler', reach: 'DEPARTMENT', place: 'police' },
    });
    expect(read(returned?.before ?? null)).toMatchObject({
      state: 'ROUTED',
      department: 'police',
      returnCount: 0,
    });
    expect(read(returned?.after ?? null)).toMatchObject({
      state: 'RETURNED',
      department: null,
      returnCount: 1,
    });
    expect(read(returned?.details ?? null)).toMatchObject({
      attempt: { number: 1, outcome: 'RETURNED', returnReason: 'NOT_OUR_DUTY' },
    });
    // Not one entry speaks of the citizen outside its personal fields.
    expect(JSON.stringify(entries.map(({ personal: _, ...rest }) => rest))).not.toContain(CITIZEN.subject);
    await waitFor('the checkpoint', async () =>
      (await entriesOf(id)).every(({ checkpoint }) => checkpoint !== null),
    );
  });

  it('keeps what was said with a rating apart from the reason', async () => {
    const id = await report(CITIZEN);
    for (const [asker, field, args] of [
      [STAFF, 'acceptIncident', ''],
      [STAFF, 'routeIncident', 'department: "police"'],
      [POLICE, 'signForIncident', ''],
      [POLICE, 'feedBackIncident', 'result: "已处理"'],
      [STAFF, 'startIncidentVerification', ''],
      [STAFF, 'passIncident', ''],
      [STAFF, 'closeIncident', ''],
      [CITIZEN, 'evaluateIncident', 'rating: 2, text: "我是王某", remark: "住在王家巷"'],
    ] as const)
      await act(asker, id, field, args);
    const entries = await entriesOf(id);
    expect(read(entries[7]?.details ?? null)).toEqual({ notifications: 1 });
    const last = entries.at(-1);
    expect(last).toMatchObject({ action: 'EVALUATED', reason: null, authority: { reach: 'OWN' } });
    expect(last?.remark).toBeNull();
    expect(read(last?.personal ?? null)).toMatchObject({
      evaluation: '我是王某',
      reporterRemark: '住在王家巷',
    });
    expect(JSON.stringify(entries.map(({ personal: _, ...rest }) => rest))).not.toContain('王');
    expect(read(last?.after ?? null)).toMatchObject({ state: 'EVALUATED', rating: 2 });
  });

  it('does not tell at a step what a reporter said but by the guarded field of it', async () => {
    const id = await report(CITIZEN, { draft: true });
    const done: readonly (readonly [Asker, string, string])[] = [
      [CITIZEN, 'submitIncident', 'remark: "我叫王某"'],
      [STAFF, 'acceptIncident', 'remark: "请核实"'],
      [STAFF, 'routeIncident', 'department: "police"'],
      [POLICE, 'signForIncident', ''],
      [POLICE, 'feedBackIncident', 'result: "已处理"'],
      [STAFF, 'startIncidentVerification', ''],
      [STAFF, 'passIncident', ''],
      [STAFF, 'closeIncident', ''],
      // By telephone: the staff write down what the citizen says.
      [STAFF, 'evaluateIncident', 'rating: 2, text: "王某不满意", remark: "电话回访"'],
      [STAFF, 'reopenIncident', 'reason: "群众不满意"'],
    ];
    for (const [asker, field, args] of done) await act(asker, id, field, args);
    const { data } = await hub.askAs(
      STAFF,
      'query ($id: ID!) { incident(id: $id) { steps { kind reason remark statement } } }',
      { id },
    );
    const { steps } = (data as unknown as { incident: { steps: Record<string, unknown>[] } }).incident;
    expect(steps.filter(({ reason, remark, statement }) => reason ?? remark ?? statement)).toEqual([
      { kind: 'REPORTED', reason: null, remark: null, statement: '我叫王某' },
      { kind: 'ACCEPTED', reason: null, remark: '请核实', statement: null },
      { kind: 'EVALUATED', reason: null, remark: null, statement: '王某不满意\n电话回访' },
      { kind: 'REOPENED', reason: '群众不满意', remark: null, statement: null },
    ]);
  });

  it('begins with the report of the system that told it, whatever stands in it', async () => {
    const event = hotlineReport('E1');
    await appendEvents(database.client, 'incident-report', [
      {
        ...event,
        data: {
          ...event.data,
          description: 'half \ud800',
          reporterName: '王某\udc00',
          externalNumbers: { hotlineOrder: 'E1' },
        },
      },
      hotlineReport('E2', { description: '\u0001'.repeat(20_000) }),
    ]);
    const id = incidentIdOf('/systems/hotline', 'report:HotlineOrder:E1');
    const [entry] = await waitFor('the incident', async () =>
      (await trace(id)).trace === null ? undefined : await entriesOf(id),
    );
    expect(entry).toMatchObject({
      action: 'REPORTED',
      by: 'hotline',
      system: 'hotline',
      actor: { kind: 'system', id: 'hotline', roles: null },
      authority: { role: null, rule: 'REPORT' },
    });
    expect(read(entry?.details ?? null)).toEqual({
      cause: { event: 'report:HotlineOrder:E1', source: '/systems/hotline', correlationid: 'E1' },
      externalNumbers: [{ kind: 'hotlineOrder', number: 'E1' }],
    });
    expect(read(entry?.personal ?? null)).toMatchObject({ description: 'half \ufffd' });
    await waitFor(
      'the long one',
      async () =>
        (await trace(incidentIdOf('/systems/hotline', 'report:HotlineOrder:E2'))).trace?.entries.length === 1,
    );
  });

  it('has a merging in both chains, and a deadline that passed', async () => {
    const position = { longitude: 120.6, latitude: 31.3 };
    const told = { position, matter: '01076', reportedAt: '2026-11-20T08:00:00+08:00' };
    const survivor = await report(STAFF, told);
    const merged = await report(CITIZEN, { ...told, externalNumbers: [{ kind: 'appCase', number: 'A-1' }] });
    const absorbed = (await entriesOf(survivor)).at(-1);
    const ended = (await entriesOf(merged)).at(-1);
    const moved = {
      reports: [merged],
      reportCount: 1,
      externalNumbers: [{ kind: 'appCase', number: 'A-1' }],
      externalNumberCount: 1,
    };
    const library = { system: 'incidents', actor: { kind: 'library' }, authority: { rule: 'DUPLICATE' } };
    expect(absorbed).toMatchObject({ action: 'ABSORBED', ...library });
    expect(read(absorbed?.details ?? null)).toEqual({ moved, other: merged });
    expect(ended).toMatchObject({ action: 'MERGED', ...library });
    expect(read(ended?.details ?? null)).toEqual({ moved, other: survivor });
    expect(read(ended?.after ?? null)).toMatchObject({ state: 'MERGED', mergedInto: survivor });
    await act(STAFF, survivor, 'acceptIncident');
    await act(STAFF, survivor, 'routeIncident', 'department: "police"');
    const logger = createLogger('test', 'silent');
    const { adapter, sql, close } = openSqlStore(database.url, 'incidents', logger);
    const prisma = new PrismaClient({ adapter });
    await tellOverdue({ prisma, sql }, new Date(Date.now() + 30 * 24 * 3_600_000), 'sm3');
    await prisma.$disconnect();
    await close();
    const overdue = (await entriesOf(survivor)).filter(({ action }) => action === 'OVERDUE');
    expect(overdue.map(({ reason }) => reason).sort()).toEqual(['HANDLE', 'REPLY', 'SIGN']);
    expect(overdue[0]).toMatchObject({ system: 'incidents', authority: { role: null, rule: 'DEADLINE' } });
  });

  it('is for those whose office it is, in their subtree', async () => {
    const id = await report(CITIZEN);
    const code = async (asker: Asker | undefined) => (await trace(id, asker)).errors?.[0]?.extensions.code;
    for (const role of ['auditor', 'leader', 'centre-staff', 'duty-officer'])
      expect(await code({ subject: 'x', roles: [role], division: '320508' })).toBeUndefined();
    expect(await code({ ...AUDITOR, division: '3201' })).toBe('FORBIDDEN');
    expect(await code({ subject: 'x', roles: ['auditor'] })).toBe('FORBIDDEN');
    expect(await code(CITIZEN)).toBe('FORBIDDEN');
    expect(await code(POLICE)).toBe('FORBIDDEN');
    expect((await hub.askAs(undefined, TRACE, { id })).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
    const secret = await report(STAFF, { confidential: true });
    expect(await trace(secret, { ...AUDITOR, division: '3201' })).toEqual({ trace: null, errors: undefined });
    expect(await trace('no-id')).toEqual({ trace: null, errors: undefined });
  });

  it('says where the chain does not hold, after somebody changed the store behind its back', async () => {
    const id = await report(CITIZEN);
    await act(STAFF, id, 'acceptIncident', 'remark: "属实"');
    await database.client.query('ALTER TABLE evidence.entry DISABLE TRIGGER ALL');
    await database.client.query(
      `UPDATE evidence.entry SET fields = replace(fields::text, '属实', '不实')::json WHERE subject = $1`,
      [`Incident:${id}`],
    );
    await database.client.query('ALTER TABLE evidence.entry ENABLE TRIGGER ALL');
    expect((await trace(id)).trace).toMatchObject({
      verifies: false,
      findings: [{ where: 'entries[1].fields.remark', problem: expect.stringContaining('changed') }],
    });
  });
});
