import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import { type Asker, createMigratedDatabase, startSigned } from '../support/owned-subgraphs.ts';

const noPostgres = await whyNoPostgres();

const STAFF: Asker = { subject: '中心甲', roles: ['centre-staff'], division: '320508' };
const LEADER: Asker = { subject: '领导', roles: ['leader'], division: '3205' };
const handler = (department: string): Asker => ({
  subject: `${department}经办`,
  roles: ['department-handler'],
  department,
});
const CITIZEN: Asker = { subject: '320508199001010000', roles: ['citizen'] };

describe.skipIf(noPostgres !== undefined)('the closed loop', () => {
  let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
  let hub: Awaited<ReturnType<typeof startSigned>>;
  beforeAll(async () => {
    database = await createMigratedDatabase();
    hub = await startSigned(database.url);
  });
  afterAll(async () => {
    await hub.close();
    await database.drop();
  });

  const report = async (asker: Asker, input: Record<string, unknown> = {}) => {
    const { data, errors } = await hub.askAs(
      asker,
      'mutation ($input: ReportIncidentInput!) { reportIncident(input: $input) { id } }',
      {
        input: {
          requestId: randomUUID(),
          channel: 'APP',
          title: '拖欠工资',
          division: '320508017003',
          ...input,
        },
      },
    );
    expect(errors).toBeUndefined();
    return (data as unknown as { reportIncident: { id: string } }).reportIncident.id;
  };
  /** Runs one mutation; `args` is the text between the parentheses behind the id. */
  const act = (asker: Asker | undefined, id: string, field: string, args = '') =>
    hub.askAs(asker, `mutation ($id: ID!) { ${field}(id: $id ${args}) { state version } }`, { id });
  const done = async (...parameters: Parameters<typeof act>) => {
    const answer = await act(...parameters);
    expect(answer.errors, parameters.slice(2).join(' ')).toBeUndefined();
    return answer.data?.[parameters[2]] as unknown as { state: string; version: number };
  };
  const refusal = async (...parameters: Parameters<typeof act>) => {
    const { errors } = await act(...parameters);
    return { message: errors?.[0]?.message, ...errors?.[0]?.extensions };
  };
  const read = async <Row>(id: string, fields: string, asker: Asker = STAFF) => {
    const { data, errors } = await hub.askAs(asker, `query ($id: ID!) { incident(id: $id) { ${fields} } }`, {
      id,
    });
    expect(errors).toBeUndefined();
    return data?.incident as unknown as Row;
  };
  const handled = async (id: string, department: string) => {
    await done(STAFF, id, 'acceptIncident');
    await done(STAFF, id, 'routeIncident', `department: "${department}"`);
    await done(handler(department), id, 'signForIncident');
  };

  it('goes from A to B to C: returned, sent on, settled, verified, rated, reopened', async () => {
    const id = await report(CITIZEN);
    await done(STAFF, id, 'acceptIncident');
    await done(STAFF, id, 'routeIncident', 'department: "market-supervision"');
    const market = handler('market-supervision');
    await done(market, id, 'returnIncident', 'returnReason: NOT_OUR_DUTY, reason: "超出职责"');
    await done(STAFF, id, 'routeIncident', 'department: "human-resources"');
    const resources = handler('human-resources');
    await done(resources, id, 'signForIncident', 'externalNumber: { kind: "wageCase", number: "R-7" }');
    await done(resources, id, 'feedBackIncident', 'result: "已补发"');
    await done(STAFF, id, 'startIncidentVerification');
    await done(STAFF, id, 'reworkIncident', 'reason: "未到账"');
    await done(resources, id, 'feedBackIncident', 'result: "已到账"');
    await done(STAFF, id, 'startIncidentVerification');
    expect(await refusal(STAFF, id, 'closeIncident')).toMatchObject({ code: 'CONFLICT', state: 'VERIFYING' });
    await done(STAFF, id, 'passIncident');
    await done(STAFF, id, 'closeIncident');
    await done(CITIZEN, id, 'evaluateIncident', 'rating: 2, text: "太慢"');
    await done(STAFF, id, 'reopenIncident', 'reason: "群众不满意"');
    const shown = await read<Record<string, unknown>>(
      id,
      `state round returnCount reworkCount rating manyReturns department { code } externalNumbers { kind number source }
       attempts { number round department { code } outcome returnReasonLabel returnText returnedLate result reworkCount externalNumber { number } }
       steps { sequence kind from to by role attempt } notifications { sequence channel state }`,
    );
    expect(shown).toMatchObject({
      state: 'ROUTED',
      round: 2,
      returnCount: 1,
      reworkCount: 1,
      rating: 2,
      manyReturns: false,
      department: { code: 'human-resources' },
      externalNumbers: [{ kind: 'wageCase', number: 'R-7', source: 'human-resources' }],
      attempts: [
        {
          number: 1,
          round: 1,
          outcome: 'RETURNED',
          returnReasonLabel: '超出职责范围',
          returnText: '超出职责',
          returnedLate: false,
        },
        {
          number: 2,
          round: 1,
          outcome: 'FED_BACK',
          result: '已到账',
          reworkCount: 1,
          externalNumber: { number: 'R-7' },
        },
        { number: 3, round: 2, department: { code: 'human-resources' }, outcome: null },
      ],
      notifications: [2, 13, 15].map((sequence) => ({ sequence, channel: 'APP', state: 'SENT' })),
    });
    const steps = shown.steps as { kind: string; by: string; role: string }[];
    expect(steps.map(({ kind }) => kind).join(' ')).toBe(
      'REPORTED ACCEPTED ROUTED RETURNED ROUTED SIGNED FED_BACK VERIFICATION_STARTED REWORKED FED_BACK VERIFICATION_STARTED VERIFIED CLOSED EVALUATED REOPENED',
    );
    expect(steps[1]).toMatchObject({ by: '中心甲', role: 'centre-staff' });
    // Nobody reads the citizen's name in the steps.
    expect(steps[0]).toMatchObject({ by: '上报人', role: 'citizen' });
    expect(steps[13]).toMatchObject({ by: '上报人' });
  });

  it('refuses a department that has returned it, unless somebody with the right overrides that with a reason', async () => {
    const id = await report(CITIZEN);
    await done(STAFF, id, 'acceptIncident');
    for (const department of ['police', 'justice']) {
      await done(STAFF, id, 'routeIncident', `department: "${department}"`);
      await done(handler(department), id, 'returnIncident', 'returnReason: OTHER, reason: "不属"');
    }
    const circle = await refusal(STAFF, id, 'routeIncident', 'department: "police"');
    expect(circle).toMatchObject({
      code: 'CONFLICT',
      allowed: 'another department, override',
      department: 'police',
    });
    expect(await refusal(STAFF, id, 'routeIncident', 'department: "police", override: true')).toMatchObject({
      code: 'BAD_USER_INPUT',
      argument: 'reason',
    });
    const officer: Asker = { subject: '值班', roles: ['duty-officer'], division: '3205' };
    const override = 'department: "police", override: true, reason: "会商决定"';
    expect(await refusal(officer, id, 'routeIncident', override)).toMatchObject({ code: 'FORBIDDEN' });
    await done(LEADER, id, 'routeIncident', override);
    expect(await read(id, 'manyReturns attempts { department { code } overrideReason }')).toEqual({
      manyReturns: true,
      attempts: [
        { department: { code: 'police' }, overrideReason: null },
        { department: { code: 'justice' }, overrideReason: null },
        { department: { code: 'police' }, overrideReason: '会商决定' },
      ],
    });
  });

  it('says to everybody who may not what they may', async () => {
    const id = await report(CITIZEN);
    expect(await refusal(undefined, id, 'acceptIncident', 'by: "x"')).toMatchObject({
      code: 'UNAUTHENTICATED',
      allowed: '',
    });
    expect(await refusal(CITIZEN, id, 'acceptIncident')).toMatchObject({ code: 'FORBIDDEN', allowed: '' });
    const other: Asker = { ...STAFF, division: '320583' };
    expect(await refusal(other, id, 'acceptIncident')).toMatchObject({ code: 'FORBIDDEN', allowed: '' });
    expect(await refusal(STAFF, id, 'closeIncident')).toMatchObject({
      code: 'CONFLICT',
      allowed: 'accept,escalate,handDown,supervise,merge',
      message: expect.stringContaining('allowed: accept, escalate'),
    });
    await handled(id, 'police');
    expect(await refusal(handler('justice'), id, 'feedBackIncident', 'result: "x"')).toMatchObject({
      code: 'FORBIDDEN',
    });
    expect(
      await read(id, 'availableActions { action label mutation to toLabel inputs }', handler('police')),
    ).toEqual({
      availableActions: [
        {
          action: 'return',
          label: '退回',
          mutation: 'returnIncident',
          to: 'RETURNED',
          toLabel: '退回',
          inputs: ['returnReason', 'reason'],
        },
        {
          action: 'feedBack',
          label: '反馈',
          mutation: 'feedBackIncident',
          to: 'FED_BACK',
          toLabel: '反馈',
          inputs: ['result'],
        },
        {
          action: 'requestExtension',
          label: '申请延期',
          mutation: 'requestIncidentExtension',
          to: null,
          toLabel: null,
          inputs: ['until', 'reason'],
        },
      ],
    });
    const { errors } = await hub.askAs(
      { subject: '审计', roles: ['auditor'] },
      'mutation { reportIncident(input: { requestId: "a", channel: APP, title: "x" }) { id } }',
    );
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN' });
  });

  it('does a command once for a requestId, and none for a version that has passed', async () => {
    const id = await report(CITIZEN);
    const accepts = await Promise.all(
      Array.from({ length: 6 }, () =>
        act(STAFF, id, 'acceptIncident', 'requestId: "r1", expectedVersion: 1'),
      ),
    );
    for (const { data } of accepts)
      expect(data).toEqual({ acceptIncident: { state: 'ACCEPTED', version: 2 } });
    expect(await refusal(STAFF, id, 'routeIncident', 'requestId: "r1", department: "police"')).toMatchObject({
      code: 'CONFLICT',
      argument: 'requestId',
    });
    expect(
      await refusal(STAFF, id, 'routeIncident', 'department: "police", expectedVersion: 1'),
    ).toMatchObject({
      code: 'CONFLICT',
      version: 2,
      state: 'ACCEPTED',
      allowed: expect.stringContaining('route'),
    });
    await done(STAFF, id, 'routeIncident', 'department: "police", expectedVersion: 2');
  });

  it('moves the owning centre up and down its branch, and the right to act with it', async () => {
    const id = await report(CITIZEN);
    const town: Asker = { subject: '街道', roles: ['centre-staff'], division: '320508017' };
    await done(town, id, 'escalateIncident');
    await done(town, id, 'escalateIncident', 'reason: "需区级协调"');
    expect(await refusal(town, id, 'acceptIncident')).toMatchObject({ code: 'FORBIDDEN' });
    await done(STAFF, id, 'acceptIncident');
    for (const centre of ['320508018-01', '320583-01', '3205-01'])
      expect(await refusal(STAFF, id, 'handDownIncident', `centre: "${centre}"`)).toMatchObject({
        code: 'BAD_USER_INPUT',
        argument: 'centre',
      });
    await done(STAFF, id, 'handDownIncident', 'centre: "320508017-01"');
    await done(town, id, 'routeIncident', 'department: "police"');
    expect(await read(id, 'state centre { code } steps { kind from to centre { code } }')).toMatchObject({
      state: 'ROUTED',
      centre: { code: '320508017-01' },
      steps: [
        { kind: 'REPORTED' },
        { kind: 'ESCALATED', from: 'REPORTED', to: 'REPORTED', centre: { code: '320508017-01' } },
        { kind: 'ESCALATED', centre: { code: '320508-01' } },
        { kind: 'ACCEPTED' },
        { kind: 'HANDED_DOWN', centre: { code: '320508017-01' } },
        { kind: 'ROUTED' },
      ],
    });
  });

  it('extends, supervises and adds those who help', async () => {
    const id = await report(CITIZEN);
    await handled(id, 'police');
    const police = handler('police');
    const until = '2099-01-01T00:00:00.000Z';
    expect(
      await refusal(police, id, 'requestIncidentExtension', 'until: "2020-01-01T00:00:00Z", reason: "x"'),
    ).toMatchObject({ argument: 'until' });
    await done(police, id, 'requestIncidentExtension', `until: "${until}", reason: "取证"`);
    expect(
      await refusal(police, id, 'requestIncidentExtension', `until: "${until}", reason: "x"`),
    ).toMatchObject({ code: 'CONFLICT' });
    await done(STAFF, id, 'grantIncidentExtension', 'granted: true');
    await done(LEADER, id, 'superviseIncident', 'reason: "限期"');
    await done(STAFF, id, 'addIncidentCoHandler', 'department: "justice"');
    expect(await refusal(STAFF, id, 'addIncidentCoHandler', 'department: "justice"')).toMatchObject({
      code: 'BAD_USER_INPUT',
    });
    expect(await read(id, 'supervised coHandlers { code } attempts { handleDueAt extensionCount }')).toEqual({
      supervised: true,
      coHandlers: [{ code: 'justice' }],
      attempts: [{ handleDueAt: until, extensionCount: 1 }],
    });
  });

  it('keeps a draft for who wrote it, until they submit it', async () => {
    const id = await report(CITIZEN, { draft: true });
    const stranger: Asker = { subject: '别人', roles: ['citizen'] };
    expect(await read(id, 'state', CITIZEN)).toEqual({ state: 'DRAFT' });
    expect(await read(id, 'state', stranger)).toBeNull();
    expect(await refusal(stranger, id, 'submitIncident')).toMatchObject({ code: 'NOT_FOUND' });
    expect((await done(CITIZEN, id, 'submitIncident')).state).toBe('REPORTED');
    expect(await read(id, 'state', stranger)).toEqual({ state: 'REPORTED' });
  });

  it('shows what is confidential to its centre, its department and its reporter, in whatever way it is asked for', async () => {
    const number = randomUUID();
    const externalNumbers = [{ kind: 'hotlineOrder', number }];
    const id = await report(CITIZEN, { confidential: true, division: '320508019', externalNumbers });
    await done(STAFF, id, 'acceptIncident');
    await done(STAFF, id, 'routeIncident', 'department: "police"');
    const ways = `query ($id: ID!, $number: ID!, $r: [_Any!]!) { incident(id: $id) { id }
      incidentByExternalNumber(kind: "hotlineOrder", number: $number) { id }
      incidents(division: "320508019") { totalCount edges { node { id } } }
      incidentCounts(division: "320508019") { count } _entities(representations: $r) { ... on Incident { id } } }`;
    const variables = { id, number, r: [{ __typename: 'Incident', id }] };
    const all = {
      incident: { id },
      incidentByExternalNumber: { id },
      incidents: { totalCount: 1, edges: [{ node: { id } }] },
      incidentCounts: [{ count: 1 }],
      _entities: [{ id }],
    };
    const none = {
      incident: null,
      incidentByExternalNumber: null,
      incidents: { totalCount: 0, edges: [] },
      incidentCounts: [],
      _entities: [null],
    };
    for (const asker of [STAFF, LEADER, handler('police'), CITIZEN])
      expect((await hub.askAs(asker, ways, variables)).data, JSON.stringify(asker)).toEqual(all);
    const strangers = [
      undefined,
      handler('justice'),
      { ...CITIZEN, subject: 'x' },
      { ...STAFF, division: '320583' },
      { ...STAFF, division: '320508017' },
    ];
    for (const asker of strangers)
      expect((await hub.askAs(asker, ways, variables)).data, JSON.stringify(asker)).toEqual(none);
    const { rows } = await database.client.query(
      `SELECT envelope->'data'->'change'->>'by' AS by FROM events.event WHERE subject = $1`,
      [`Incident:${id}`],
    );
    expect(rows.map(({ by }) => by)).toEqual(['保密', '保密', '保密']);
  });

  it('tells whoever carries it to a department all that the department has to know', async () => {
    const id = await report(CITIZEN, {
      description: '三个月',
      urgency: 'URGENT',
      position: { longitude: 120.1, latitude: 31.1 },
    });
    await done(STAFF, id, 'acceptIncident');
    await done(STAFF, id, 'routeIncident', 'department: "police", requestId: "d1"');
    const { rows } = await database.client.query(
      `SELECT envelope FROM events.event WHERE topic = 'incident' AND subject = $1 AND type = 'dev.weft.incident.routed'`,
      [`Incident:${id}`],
    );
    expect(rows[0].envelope.data.dispatch).toMatchObject({
      incident: id,
      attempt: 1,
      round: 1,
      department: 'police',
      title: '拖欠工资',
      description: '三个月',
      division: '320508017003',
      urgency: 'URGENT',
      longitude: 120.1,
      latitude: 31.1,
      reporterKind: 'CITIZEN',
      routedBy: '中心甲',
      requestId: 'd1',
    });
    const { signBy, handleBy } = rows[0].envelope.data.dispatch;
    // URGENT: an hour to sign for it, a day to handle it, around the clock.
    expect(Date.parse(handleBy) - Date.parse(signBy)).toBe(23 * 3_600_000);
  });
});
