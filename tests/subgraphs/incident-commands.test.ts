import { randomUUID } from 'node:crypto';
import { HubError } from '@weft/core/errors';
import { createLogger } from '@weft/core/logger';
import { fromPrisma } from '@weft/events/postgres/appender';
import { readEntries } from '@weft/evidence/postgres/read';
import { verifyChain } from '@weft/evidence/verify';
import { takeAction } from '@weft/subgraphs/incidents/act';
import type { Actor } from '@weft/subgraphs/incidents/actor';
import { availableActions } from '@weft/subgraphs/incidents/authority';
import { type ActionArguments, decodeCommand } from '@weft/subgraphs/incidents/command';
import { PrismaClient } from '@weft/subgraphs/incidents/generated/client';
import { governed } from '@weft/subgraphs/incidents/governed';
import { putReports } from '@weft/subgraphs/incidents/put-reports';
import { ACTION_NAMES, type Action, ruleOf, TRANSITIONS } from '@weft/subgraphs/incidents/state-machine';
import { subjectOf, testimonyOfSystem } from '@weft/subgraphs/incidents/step-evidence';
import { DEFAULT_POLICY } from '@weft/subgraphs/incidents/time/deadline-policy';
import { type OpenStore, openSqlStore } from '@weft/subgraphs/store';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import { createMigratedDatabase } from '../support/owned-subgraphs.ts';

const noPostgres = await whyNoPostgres();

const DEPARTMENTS = ['police', 'justice'];
const person = (name: string, role: string, where: Partial<Actor> = {}): Actor => ({
  kind: 'principal',
  key: name,
  name,
  roles: [role],
  division: undefined,
  department: undefined,
  ...where,
});
const ACTORS: readonly Actor[] = [
  person('centre', 'centre-staff', { division: '320508' }),
  person('town', 'centre-staff', { division: '320508017' }),
  person('leader', 'leader', { division: '3205' }),
  person('police', 'department-handler', { department: 'police' }),
  person('justice', 'department-handler', { department: 'justice' }),
  person('reporter', 'citizen'),
  person('stranger', 'citizen'),
  person('auditor', 'auditor', { division: '32' }),
];

/** One thing that somebody tries to do. */
interface Try {
  readonly actor: Actor;
  readonly action: Action;
  /** Which of the incidents, and which other of a merging. */
  readonly index: number;
  readonly other: number;
  readonly department: string;
  readonly override: boolean;
  /** Where it is a number: one of what is allowed instead of what is above, so that incidents get far. */
  readonly allowed: number | undefined;
}

const TRY: fc.Arbitrary<Try> = fc.record({
  // Half of what is tried comes from who can do most, or nothing would ever get far.
  actor: fc.oneof(fc.constantFrom(...ACTORS.slice(0, 1)), fc.constantFrom(...ACTORS)),
  action: fc.constantFrom(...ACTION_NAMES),
  index: fc.nat({ max: 2 }),
  other: fc.nat({ max: 2 }),
  department: fc.constantFrom(...DEPARTMENTS),
  override: fc.boolean(),
  allowed: fc.oneof(
    { weight: 2, arbitrary: fc.nat({ max: 999 }) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  ),
});
/** A whole course, with a return in it: what is drawn by chance may end before an incident is closed. */
const WHOLE_COURSE: readonly Try[] = (
  [
    ['centre', 'accept'],
    ['centre', 'route', 'police'],
    ['police', 'return'],
    ['centre', 'route', 'justice'],
    ['justice', 'signFor'],
    ['justice', 'feedBack'],
    ['centre', 'startVerification'],
    ['centre', 'pass'],
    ['centre', 'close'],
    ['reporter', 'evaluate'],
  ] as const
).map(([name, action, department = 'police']) => ({
  actor: ACTORS.find((actor) => actor.name === name) ?? expect.fail(name),
  ...{ action, department, index: 0, other: 0, override: false, allowed: undefined },
}));
/** Once done, nothing more is. */
const ENDS: readonly Action[] = ['reject', 'markInvalid', 'merge'];

/** Another try, of those that are allowed. */
function guided(one: Try, isAllowed: (each: Try) => boolean): Try {
  if (one.allowed === undefined) return one;
  const all = ACTORS.flatMap((actor) => ACTION_NAMES.map((action) => ({ ...one, actor, action })));
  const going = all.filter((each) => !ENDS.includes(each.action) && isAllowed(each));
  return going[one.allowed % Math.max(1, going.length)] ?? one;
}

/** What each may do, by the letter of the brief and not by the table of the library: used by the model alone. */
const CENTRE_MOVES: Partial<Record<Action, readonly [string, string]>> = {
  accept: ['REPORTED', 'ACCEPTED'],
  reject: ['ACCEPTED', 'REJECTED'],
  markInvalid: ['ACCEPTED', 'INVALID'],
  startVerification: ['FED_BACK', 'VERIFYING'],
  rework: ['VERIFYING', 'HANDLING'],
};
const HANDLER_MOVES: Partial<Record<Action, readonly [readonly string[], string]>> = {
  signFor: [['ROUTED'], 'HANDLING'],
  return: [['ROUTED', 'HANDLING'], 'RETURNED'],
  feedBack: [['HANDLING'], 'FED_BACK'],
};

interface Model {
  state: string;
  department: string | null;
  verified: boolean;
  returnedBy: Set<string>;
}

/** The next state by the model; undefined: to be refused. Only what moves the state is modelled. */
function predict(model: Model, { actor, action, department, override }: Try): string | undefined {
  const isCentre = actor.name === 'centre' || actor.name === 'town';
  const centreMove = CENTRE_MOVES[action];
  if (centreMove !== undefined)
    return (isCentre || (actor.name === 'leader' && action === 'rework')) && model.state === centreMove[0]
      ? centreMove[1]
      : undefined;
  const handlerMove = HANDLER_MOVES[action];
  if (handlerMove !== undefined)
    return actor.department !== undefined &&
      actor.department === model.department &&
      handlerMove[0].includes(model.state)
      ? handlerMove[1]
      : undefined;
  const mayRoute = isCentre || actor.name === 'leader';
  const isFree = !model.returnedBy.has(department) || override;
  if (action === 'route')
    return mayRoute && ['ACCEPTED', 'RETURNED'].includes(model.state) && isFree ? 'ROUTED' : undefined;
  if (action === 'reopen') return mayRoute && model.state === 'EVALUATED' && isFree ? 'ROUTED' : undefined;
  if (action === 'close')
    return mayRoute && model.state === 'VERIFYING' && model.verified ? 'CLOSED' : undefined;
  if (action === 'pass') return isCentre && model.state === 'VERIFYING' ? 'VERIFYING' : undefined;
  if (action === 'evaluate')
    return (isCentre || actor.name === 'reporter') && model.state === 'CLOSED' ? 'EVALUATED' : undefined;
  return undefined;
}

describe.skipIf(noPostgres !== undefined)('commands to the incident library', () => {
  let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
  let prisma: PrismaClient;
  let opened: OpenStore;
  beforeAll(async () => {
    database = await createMigratedDatabase();
    opened = openSqlStore(database.url, 'incidents', createLogger('test', 'silent'));
    prisma = new PrismaClient({ adapter: opened.adapter });
  });
  afterAll(async () => {
    await prisma.$disconnect();
    await opened.close();
    await database.drop();
  });

  async function report(count: number): Promise<readonly string[]> {
    const ids = Array.from({ length: count }, () => randomUUID());
    const reports = ids.map((id) => ({
      id,
      by: 'test',
      fingerprint: null,
      subject: 'reporter',
      testimony: testimonyOfSystem('test', 'sha256'),
      report: {
        channel: 'APP' as const,
        title: '事件',
        description: null,
        matter: null,
        division: '320508017003',
        address: null,
        reportedAt: new Date(),
        externalNumbers: [],
        urgency: 'NORMAL' as const,
        confidential: false,
        position: null,
        reporters: [{ kind: 'CITIZEN' as const, name: null, contact: null }],
      },
    }));
    await opened.sql.transaction((tx) => putReports(tx, reports, new Date()));
    return ids;
  }

  function argumentsOf(
    { action, department, override, other }: Try,
    ids: readonly string[],
    id: string,
  ): ActionArguments {
    const inputs: Omit<ActionArguments, 'id'> = {
      department,
      override,
      reason: '原因',
      returnReason: 'NOT_OUR_DUTY',
      result: '结果',
      rating: 3,
      centre: action === 'handDown' ? '320508017003-01' : null,
      until: new Date('2099-01-01T00:00:00Z'),
      granted: override,
      into: ids[other] ?? null,
    };
    return { id, ...inputs };
  }

  /** What came of a try: the state afterwards, or the refusal. */
  async function attempt(one: Try, ids: readonly string[]): Promise<string | HubError> {
    const id = ids[one.index] ?? '';
    try {
      const command = decodeCommand(one.action, argumentsOf(one, ids, id));
      const departments = { has: async (code: string) => DEPARTMENTS.includes(code), like: async () => [] };
      const acting = { actor: one.actor, policy: DEFAULT_POLICY, hash: 'sha256', departments } as const;
      return (await opened.sql.transaction((tx) => takeAction(tx, command, acting))).state;
    } catch (thrown) {
      if (thrown instanceof HubError) return thrown;
      throw thrown;
    }
  }

  async function guidedByLibrary(one: Try, ids: readonly string[]): Promise<Try> {
    if (one.allowed === undefined) return one;
    const id = ids[one.index] ?? '';
    const incident = await prisma.incident.findUniqueOrThrow({ where: { id }, include: { reporters: true } });
    return guided(one, ({ actor, action }) => availableActions(actor, governed(incident)).includes(action));
  }

  function expectToldWhatIsAllowed(refused: HubError): void {
    expect(['CONFLICT', 'FORBIDDEN', 'NOT_FOUND', 'BAD_USER_INPUT']).toContain(refused.code);
    if (refused.code === 'CONFLICT' || refused.code === 'FORBIDDEN') {
      expect(refused.message).toContain('allowed');
      expect(refused.details).toHaveProperty('allowed');
      expect(refused.details).toHaveProperty('state');
    } else expect(refused.details).toHaveProperty('argument');
  }

  it('do in turn what a model of the standard says, and no more', async () => {
    const moving = TRY.filter(
      ({ action }) =>
        ![
          'merge',
          'escalate',
          'handDown',
          'supervise',
          'addCoHandler',
          'submit',
          'requestExtension',
          'grantExtension',
        ].includes(action),
    );
    const reached = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(moving, { minLength: 40, maxLength: 60 }), async (tries) => {
        const ids = await report(1);
        const model: Model = { state: 'REPORTED', department: null, verified: false, returnedBy: new Set() };
        for (const given of tries) {
          const one = guided({ ...given, index: 0 }, (each) => predict(model, each) !== undefined);
          const expected = predict(model, one);
          const got = await attempt(one, ids);
          if (got instanceof HubError) expectToldWhatIsAllowed(got);
          expect(
            got instanceof HubError ? undefined : got,
            `${one.actor.name} ${one.action} in ${model.state}`,
          ).toBe(expected);
          if (expected !== undefined) advance(model, one, expected);
          reached.add(model.state);
        }
        await expectConsistent(ids);
      }),
      { numRuns: 7, interruptAfterTimeLimit: 20_000, endOnFailure: true, examples: [[[...WHOLE_COURSE]]] },
    );
    // A model that never got anywhere would agree with anything.
    expect([...reached]).toEqual(expect.arrayContaining(['CLOSED', 'EVALUATED', 'RETURNED']));
  });

  it('at the same moment leave no illegal transition, no gap and no half attempt', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(TRY, { minLength: 10, maxLength: 20 }), { minLength: 4, maxLength: 4 }),
        async (lanes) => {
          const ids = await report(3);
          let taken = 0;
          await Promise.all(
            lanes.map(async (lane) => {
              for (const one of lane) {
                const got = await attempt(await guidedByLibrary(one, ids), ids);
                if (got instanceof HubError) expectToldWhatIsAllowed(got);
                else taken += 1;
              }
            }),
          );
          await expectConsistent(ids, taken);
        },
      ),
      { numRuns: 6, interruptAfterTimeLimit: 20_000, endOnFailure: true },
    );
  });

  /** One entry a step, in a chain that holds, each beginning where the one before has ended. */
  async function expectEvidence(
    id: string,
    steps: readonly { kind: string; sequence: number }[],
  ): Promise<void> {
    const entries = await readEntries(fromPrisma(prisma), subjectOf(id));
    expect(verifyChain(subjectOf(id), entries)).toEqual([]);
    expect(entries.map(({ fields }) => [fields.step?.value, fields.kind?.value])).toEqual(
      steps.map(({ sequence, kind }) => [sequence, kind]),
    );
    const side = (index: number, name: 'before' | 'after') =>
      entries[index]?.fields[name]?.value as Readonly<Record<string, unknown>>;
    for (let index = 1; index < entries.length; index += 1)
      for (const name of ['state', 'department', 'centre'])
        expect(side(index, 'before')[name] ?? null).toBe(side(index - 1, 'after')[name] ?? null);
  }

  /** What is stored tells one story: states, versions, steps, events, attempts and counters. */
  async function expectConsistent(ids: readonly string[], taken?: number): Promise<void> {
    const incidents = await prisma.incident.findMany({
      where: { id: { in: [...ids] } },
      include: {
        steps: { orderBy: { sequence: 'asc' } },
        attempts: { orderBy: { number: 'asc' } },
        reporters: true,
      },
    });
    for (const { id, state, version, steps, attempts, attempt: latest, ...counters } of incidents) {
      expect(steps.map(({ sequence }) => sequence)).toEqual(
        Array.from({ length: version }, (_, index) => index + 1),
      );
      steps.forEach(({ from, to }, index) => {
        expect(from).toBe(steps[index - 1]?.to ?? null);
        if (from !== null && from !== to) expect(TRANSITIONS[from as keyof typeof TRANSITIONS]).toContain(to);
      });
      expect(steps.at(-1)?.to).toBe(state);
      await expectEvidence(id, steps);
      const count = (kind: string) => steps.filter((step) => step.kind === kind).length;
      expect(attempts.map(({ number }) => number)).toEqual(
        Array.from({ length: latest }, (_, index) => index + 1),
      );
      expect(attempts).toHaveLength(count('ROUTED') + count('REOPENED'));
      const isOut = state === 'ROUTED' || state === 'HANDLING';
      expect(attempts.filter(({ outcome }) => outcome === null)).toHaveLength(isOut ? 1 : 0);
      expect(attempts.filter(({ outcome }) => outcome === 'RETURNED')).toHaveLength(count('RETURNED'));
      expect(counters.returnCount).toBe(count('RETURNED'));
      expect(counters.reworkCount).toBe(count('REWORKED'));
      expect(counters.round).toBe(1 + count('REOPENED'));
      expect(counters.mergedInto === null).toBe(state !== 'MERGED');
      if (state === 'MERGED') expect(counters.reporters).toEqual([]);
      const { rows } = await database.client.query(
        `SELECT array_agg((envelope->>'sequence')::int ORDER BY tx, seq) AS told FROM events.event WHERE subject = $1`,
        [`Incident:${id}`],
      );
      expect(rows[0].told).toEqual(steps.map(({ sequence }) => sequence));
    }
    const survivors = new Set(incidents.filter(({ state }) => state !== 'MERGED').map(({ id }) => id));
    for (const { mergedInto } of incidents) if (mergedInto !== null) expect(survivors).toContain(mergedInto);
    expect(incidents.flatMap(({ reporters }) => reporters)).toHaveLength(ids.length);
    if (taken === undefined) return;
    const absorbed = incidents.flatMap(({ steps }) => steps).filter(({ kind }) => kind === 'ABSORBED').length;
    expect(incidents.reduce((sum, { version }) => sum + version - 1, 0)).toBe(taken + absorbed);
  }

  it('are tried for every action there is', () => {
    for (const action of ACTION_NAMES) {
      const { inputs } = ruleOf(action);
      const one = {
        actor: ACTORS[0] as Actor,
        action,
        index: 0,
        other: 1,
        department: 'police',
        override: true,
        allowed: undefined,
      };
      const given = argumentsOf(one, [randomUUID(), randomUUID()], randomUUID());
      for (const input of inputs) expect(given[input] ?? null, `${action}: ${input}`).not.toBeNull();
    }
  });
});

function advance(model: Model, { action, department }: Try, state: string): void {
  if (action === 'return' && model.department !== null) model.returnedBy.add(model.department);
  if (action === 'return') model.department = null;
  if (action === 'route' || action === 'reopen') model.department = department;
  if (action === 'pass') model.verified = true;
  if (action === 'rework' || action === 'reopen') model.verified = false;
  model.state = state;
}
