// Every role, every action, every place that somebody can stand in: what is done, what is refused, and what is offered, over the subgraph.
import { randomUUID } from 'node:crypto';
import { STATE_LABELS } from '@weft/subgraphs/incidents/labels';
import { ACTION_NAMES, type Action, ruleOf } from '@weft/subgraphs/incidents/state-machine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import {
  type Asker,
  createMigratedDatabase,
  type GraphQLAnswer,
  startSigned,
} from '../support/owned-subgraphs.ts';

const noPostgres = await whyNoPostgres();

type Reach = 'SUBTREE' | 'DEPARTMENT' | 'OWN';
type Refusal = NonNullable<GraphQLAnswer['errors']>[number];

const REPORTER = { OWN: 'submit evaluate' };
const HANDLER = { DEPARTMENT: 'signFor return feedBack requestExtension', OWN: 'submit evaluate' };
/** All that the roles may, in the words of the domain; what is not here is refused. */
const MAY: Readonly<Record<string, Partial<Record<Reach, string>>>> = {
  citizen: REPORTER,
  volunteer: REPORTER,
  'grid-worker': REPORTER,
  'grid-head': {
    SUBTREE: 'submit accept markInvalid startVerification pass rework escalate',
    OWN: 'evaluate',
  },
  'centre-staff': {
    SUBTREE:
      'submit accept reject markInvalid route startVerification pass rework close evaluate reopen escalate handDown grantExtension supervise addCoHandler merge',
  },
  'stationed-agency': HANDLER,
  'department-handler': HANDLER,
  leader: { SUBTREE: 'route rework close reopen escalate handDown grantExtension supervise addCoHandler' },
  auditor: {},
};
const ROLES = Object.keys(MAY);

/** Where the incidents of this test are: owned by a town's centre, in a community of it, with the police, told by one person. */
const CENTRE = '320508017-01';
const COMMUNITY = '320508017003';
const TELLER = 'wang';
const PLACES: readonly (readonly [string, Omit<Asker, 'roles'>, readonly Reach[]])[] = [
  ['in no place', { subject: 'a' }, []],
  ['in the centre', { subject: 'b', division: '320508017' }, ['SUBTREE']],
  ['above the centre', { subject: 'c', division: '3205' }, ['SUBTREE']],
  ['in another branch', { subject: 'd', division: '320508018' }, []],
  ['below the centre', { subject: 'e', division: COMMUNITY }, []],
  ['in the department', { subject: 'f', department: 'police' }, ['DEPARTMENT']],
  ['in the department, elsewhere', { subject: 'g', department: 'police', division: '320583' }, []],
  ['in another department', { subject: 'h', department: 'justice' }, []],
  ['who told it', { subject: TELLER }, ['OWN']],
  ['who told it, in the centre', { subject: TELLER, division: '320508017' }, ['OWN', 'SUBTREE']],
];
/** Whose office it is to see what is not for everybody, in their subtree and in their department. */
const SEES: Readonly<Record<string, Reach>> = {
  'centre-staff': 'SUBTREE',
  leader: 'SUBTREE',
  auditor: 'SUBTREE',
  'stationed-agency': 'DEPARTMENT',
  'department-handler': 'DEPARTMENT',
};

const ARGUMENTS: Partial<Record<Action, string>> = {
  reject: 'reason: "原因"',
  markInvalid: 'reason: "原因"',
  route: 'department: "justice"',
  return: 'returnReason: NOT_OUR_DUTY, reason: "原因"',
  feedBack: 'result: "结果"',
  rework: 'reason: "原因"',
  evaluate: 'rating: 3',
  reopen: 'reason: "原因"',
  handDown: `centre: "${COMMUNITY}-01"`,
  requestExtension: 'until: "2099-01-01T00:00:00Z", reason: "原因"',
  grantExtension: 'granted: true',
  supervise: 'reason: "原因"',
  addCoHandler: 'department: "justice"',
};

/** Whoever is refused reads in which state the incident is, and what they may do to it instead. */
function expectSaysWhatIsAllowed(
  { message, extensions }: Refusal,
  id: string,
  action: Action,
  allowed: readonly string[],
): void {
  const [state] = action === 'merge' ? ['HANDLING' as const] : ruleOf(action).from;
  const label = state === undefined ? '' : STATE_LABELS[state];
  expect(message).toContain(`incident ${id} is ${state} (${label})`);
  expect(message).toMatch(new RegExp(`; allowed: ${allowed.join(', ') || 'nothing'}$`));
  expect(extensions).toMatchObject({ state, action, allowed: allowed.join(',') });
}

describe.skipIf(noPostgres !== undefined)('what a role may', () => {
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

  /** One incident for each action, in a state that has it. @returns the ids, by action */
  async function make(
    fields: { confidential?: boolean } = {},
  ): Promise<ReadonlyMap<Action | 'into', string>> {
    const rows = [...ACTION_NAMES, 'into' as const].map((action) => {
      const state = action === 'into' || action === 'merge' ? 'HANDLING' : ruleOf(action).from[0];
      const isOut = !['DRAFT', 'REPORTED', 'ACCEPTED'].includes(state ?? '');
      return {
        id: randomUUID(),
        action,
        state,
        department: isOut ? 'police' : null,
        attempt: isOut ? 1 : 0,
        verified: action === 'close',
        extension: action === 'grantExtension',
        confidential: fields.confidential ?? false,
      };
    });
    const given = [JSON.stringify(rows), CENTRE, COMMUNITY];
    const asked = `json_to_recordset($1::json) AS row(id uuid, action text, state text, department text, attempt int, verified boolean, extension boolean, confidential boolean)`;
    await database.client.query(
      `INSERT INTO incidents.incident (id, title, channel, state, version, division, centre, department, attempt, confidential, reported_at, received_at, verified_at, extension_until)
       SELECT id, action, 'APP', state, 1, $3, $2, department, attempt, confidential, now(), now(), CASE WHEN verified THEN now() END, CASE WHEN extension THEN now() + interval '9 days' END
       FROM ${asked}`,
      given,
    );
    await database.client.query(
      `INSERT INTO incidents.attempt (incident_id, number, round, department, routed_at, routed_by, handle_due_at)
       SELECT id, 1, 1, 'police', now(), 'x', now() + interval '1 day' FROM ${asked} WHERE attempt = 1`,
      given.slice(0, 1),
    );
    await database.client.query(
      `INSERT INTO incidents.reporter (report_id, number, incident_id, kind, channel, subject, reported_at)
       SELECT id, 1, id, 'CITIZEN', 'APP', $2, now() FROM ${asked}`,
      [given[0], JSON.stringify([null, TELLER])],
    );
    return new Map(rows.map(({ id, action }) => [action, id]));
  }

  const mayDo = (role: string, action: Action, within: readonly Reach[]) => {
    const reach = (Object.entries(MAY[role] ?? {}) as [Reach, string][]).find(([, actions]) =>
      actions.split(' ').includes(action),
    )?.[0];
    // A draft is with no department: who may not see it can do nothing to it.
    const isSeen = action !== 'submit' || within.includes('OWN') || isSeenBy(role, within, 'SUBTREE');
    return reach !== undefined && within.includes(reach) && isSeen;
  };
  const isSeenBy = (role: string, within: readonly Reach[], ...reaches: Reach[]) => {
    const reach = SEES[role];
    return reach !== undefined && reaches.includes(reach) && within.includes(reach);
  };

  it.each(ROLES)(
    '%s: is done, refused and offered by role and place, and by nothing else',
    async (role) => {
      for (const [place, where, within] of PLACES) {
        const asker: Asker = { ...where, roles: [role] };
        const ids = await make();
        const of = (action: Action | 'into') => ids.get(action) ?? '';
        const offers = ACTION_NAMES.map(
          (action) => `${action}: incident(id: "${of(action)}") { availableActions { action } }`,
        );
        const offered = (await hub.askAs(asker, `{ ${offers.join(' ')} }`)).data as unknown as Record<
          string,
          { availableActions: { action: string }[] } | null
        >;
        const moves = ACTION_NAMES.map((action) => {
          const args = action === 'merge' ? `into: "${of('into')}"` : (ARGUMENTS[action] ?? '');
          return `${action}: ${ruleOf(action).mutation}(id: "${of(action)}" ${args}) { version }`;
        });
        const { data, errors = [] } = await hub.askAs(asker, `mutation { ${moves.join(' ')} }`);
        const answers = data as unknown as Record<string, { version: number } | null>;
        const { rows } = await database.client.query<{ id: string; version: number }>(
          'SELECT id, version FROM incidents.incident WHERE id = ANY($1)',
          [[...ids.values()]],
        );
        const versions = new Map(rows.map(({ id, version }) => [id, version]));
        for (const action of ACTION_NAMES) {
          const what = `${role} ${place}: ${action}`;
          const may = mayDo(role, action, within);
          const error = errors.find(({ path }) => path?.[0] === action);
          expect(answers[action] !== null, `${what}: ${error?.message}`).toBe(may);
          expect(versions.get(of(action)), what).toBe(may ? 2 : 1);
          const isOffered = offered[action]?.availableActions.some((each) => each.action === action) ?? false;
          expect(isOffered, `${what}, offered`).toBe(may);
          if (!may) expect(['FORBIDDEN', 'NOT_FOUND'], what).toContain(error?.extensions.code);
          if (error?.extensions.code === 'NOT_FOUND') expect(offered[action], what).toBeNull();
          if (error?.extensions.code === 'FORBIDDEN') {
            const allowed = offered[action]?.availableActions.map((each) => each.action) ?? [];
            expectSaysWhatIsAllowed(error, of(action), action, allowed);
          }
        }
      }
    },
    120_000,
  );

  it('is nothing for the anonymous, and for who has a role that nobody knows', async () => {
    const ids = await make();
    for (const asker of [undefined, { subject: 'x', roles: ['emperor'], division: '32' }]) {
      const moves = ACTION_NAMES.map((action) => {
        const args = action === 'merge' ? `into: "${ids.get('into')}"` : (ARGUMENTS[action] ?? '');
        return `${action}: ${ruleOf(action).mutation}(id: "${ids.get(action)}" ${args} by: "x") { version }`;
      });
      const { data, errors } = await hub.askAs(asker, `mutation { ${moves.join(' ')} }`);
      expect(Object.values(data ?? {}).every((answer) => answer === null)).toBe(true);
      expect(new Set(errors?.map(({ extensions }) => extensions.code))).toEqual(
        new Set([asker === undefined ? 'UNAUTHENTICATED' : 'FORBIDDEN', 'NOT_FOUND']),
      );
    }
  });

  it.each(ROLES)('%s: sees what is confidential, and evidence, by office and place alone', async (role) => {
    const secret = (await make({ confidential: true })).get('feedBack');
    const open = (await make()).get('feedBack');
    const query =
      'query ($id: ID!, $open: ID!) { incident(id: $id) { id } trace(incident: $open) { subject } }';
    for (const [place, where, within] of PLACES) {
      const asker: Asker = { ...where, roles: [role] };
      const { data } = await hub.askAs(asker, query, { id: secret, open });
      const isSeen = within.includes('OWN') || isSeenBy(role, within, 'SUBTREE', 'DEPARTMENT');
      expect(data?.incident !== null, `${role} ${place}: confidential`).toBe(isSeen);
      expect(data?.trace !== null, `${role} ${place}: evidence`).toBe(isSeenBy(role, within, 'SUBTREE'));
    }
  });
});
