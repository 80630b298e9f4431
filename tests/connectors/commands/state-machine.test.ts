// Random commands, outcomes, hosts that are gone and persons who decide, on the tables themselves: nothing illegal happens.
import { acceptCommand } from '@weft/connectors/commands/accept';
import {
  type Lane,
  type Question,
  sweep,
  takePending,
  takeQuestions,
} from '@weft/connectors/commands/claims';
import type { Command } from '@weft/connectors/commands/command';
import { confirmCommand, discardCommand, redriveCommand } from '@weft/connectors/commands/operate';
import { type Fate, type Finding, settleQuestion, settleSending } from '@weft/connectors/commands/settle';
import { TRANSITIONS } from '@weft/connectors/commands/states';
import { openStore, type Store } from '@weft/connectors/ingest/store';
import { createLogger } from '@weft/core/logger';
import { postgresAppender } from '@weft/events/postgres/appender';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../../support/engines.ts';
import { type CommandDatabase, createCommandDatabase } from './rig.ts';

const noPostgres = await whyNoPostgres();
const LEASE_MS = 60_000;
const SETTLE_MS = 1_000;
const FIELDS = ['askable', 'unaskable', 'retryable'] as const;
const appender = postgresAppender;

const FATES: readonly Fate[] = [
  { kind: 'NOT_SENT', isAway: true, code: 'ECONNREFUSED' },
  { kind: 'ANSWERED', row: { upstreamRef: 'R1' } },
  { kind: 'ANSWERED', row: null },
  { kind: 'REFUSED', code: '1042' },
  { kind: 'NOT_ANSWERED', code: 'HTTP_500' },
];
const FINDINGS: readonly Finding[] = [
  { kind: 'FOUND', row: { upstreamRef: 'R1' } },
  { kind: 'NOT_FOUND' },
  { kind: 'NOT_ASKED', code: 'HTTP_503' },
];

type Step =
  | { readonly kind: 'accept'; readonly field: (typeof FIELDS)[number]; readonly subject: string | null }
  | { readonly kind: 'take' | 'ask' | 'sweep' | 'hour passes' | 'day passes' | 'settled time passes' }
  | { readonly kind: 'settle'; readonly which: number; readonly fate: Fate }
  | { readonly kind: 'answer'; readonly which: number; readonly finding: Finding }
  | {
      readonly kind: 'person';
      readonly which: number;
      readonly act: 'redrive' | 'force' | 'discard' | 'confirm';
    };

const which = fc.nat({ max: 5 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('accept' as const),
    field: fc.constantFrom(...FIELDS),
    subject: fc.constantFrom('A', 'B', null),
  }),
  fc.record({ kind: fc.constantFrom('take' as const, 'ask' as const, 'sweep' as const) }),
  fc.record({
    kind: fc.constantFrom('hour passes' as const, 'day passes' as const, 'settled time passes' as const),
  }),
  fc.record({ kind: fc.constant('settle' as const), which, fate: fc.constantFrom(...FATES) }),
  fc.record({ kind: fc.constant('settle' as const), which, fate: fc.constantFrom(...FATES) }),
  fc.record({ kind: fc.constant('answer' as const), which, finding: fc.constantFrom(...FINDINGS) }),
  fc.record({
    kind: fc.constant('person' as const),
    which,
    act: fc.constantFrom('redrive' as const, 'force' as const, 'discard' as const, 'confirm' as const),
  }),
);

describe.skipIf(noPostgres !== undefined)('commands, whatever happens to them', () => {
  let database: CommandDatabase;
  let store: Store;
  let systems = 0;
  beforeAll(async () => {
    database = await createCommandDatabase();
    store = openStore(database.url, createLogger('test', 'silent'));
  });
  afterAll(async () => {
    await store?.close();
    await database?.drop();
  });

  /** Each run has a system of its own. */
  function newLane(): Lane {
    systems += 1;
    return {
      ...{ system: `s${systems}`, source: 'web', fields: FIELDS },
      ...{ askable: ['askable'], retryable: ['retryable'] },
    };
  }

  /** What the hosts hold in their hands: leases may have ended long ago. */
  interface Hands {
    readonly accepted: Command[];
    readonly sending: Command[];
    readonly asking: Question[];
  }

  async function take(lane: Lane, step: Step, hands: Hands): Promise<void> {
    switch (step.kind) {
      case 'accept': {
        const draft = {
          ...lane,
          ...step,
          principal: '',
          args: {},
          giveUpAfterMs: 80_000_000,
          correlationId: 'c',
        };
        const idempotencyKey = `k${hands.accepted.length}`;
        hands.accepted.push(await acceptCommand(store, appender, { ...draft, idempotencyKey }));
        return;
      }
      case 'take':
        hands.sending.push(
          ...(await store.transaction((transaction) =>
            takePending({ transaction, appender }, lane, 2, LEASE_MS),
          )),
        );
        return;
      case 'ask':
        hands.asking.push(
          ...(await store.transaction((transaction) => takeQuestions(transaction, lane, 2, LEASE_MS))),
        );
        return;
      case 'sweep':
        await store.transaction((transaction) => sweep({ transaction, appender }, lane));
        return;
      case 'hour passes':
      case 'day passes':
      case 'settled time passes':
        await passTime(
          lane,
          { 'hour passes': 3_600, 'day passes': 86_400, 'settled time passes': 2 }[step.kind],
        );
        return;
      default:
        await settleOrDecide(step, hands);
    }
  }

  async function settleOrDecide(step: Step, { accepted, sending, asking }: Hands): Promise<void> {
    if (step.kind === 'settle') {
      const command = sending[step.which % Math.max(1, sending.length)];
      if (command === undefined) return;
      const how =
        command.field === 'askable' ? 'ASK' : command.field === 'retryable' ? 'SEND_AGAIN' : undefined;
      await store.transaction((transaction) =>
        settleSending({ transaction, appender }, command, step.fate, how),
      );
    } else if (step.kind === 'answer') {
      const question = asking[step.which % Math.max(1, asking.length)];
      if (question === undefined) return;
      await store.transaction((transaction) =>
        settleQuestion(
          { transaction, appender },
          question.command,
          step.finding,
          question.askedAt,
          SETTLE_MS,
        ),
      );
    } else if (step.kind === 'person') {
      const { id } = accepted[step.which % Math.max(1, accepted.length)] ?? { id: '' };
      const options = { store, appender, isAskable: ({ field }: Command) => field === 'askable' };
      const acts = {
        redrive: () => redriveCommand(options, id),
        force: () => redriveCommand(options, id, true),
        discard: () => discardCommand(options, id),
        confirm: () => confirmCommand(options, id, null),
      };
      // Refused where the state does not allow it: that is the law.
      await acts[step.act]().catch((thrown: { code?: string }) =>
        expect(['CONFLICT', 'NOT_FOUND']).toContain(thrown.code),
      );
    }
  }

  /** For the rows of a run: everything that is dated lies further back. */
  function passTime({ system }: Lane, seconds: number) {
    return database.rows(
      `UPDATE connectors.command SET next_at = next_at - make_interval(secs => $2), lease_until = lease_until - make_interval(secs => $2),
         unknown_since = unknown_since - make_interval(secs => $2), give_up_at = give_up_at - make_interval(secs => $2)
       WHERE system = $1`,
      [system, seconds],
    );
  }

  it('go by the legal transitions, one of a subject at a time, and never out again while they may be applied', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 45 }), async (steps) => {
        const lane = newLane();
        const hands: Hands = { accepted: [], sending: [], asking: [] };
        for (const one of steps) {
          await take(lane, one, hands);
          const busy = await database.rows(
            `SELECT subject FROM connectors.command WHERE system = $1 AND state = 'SENT' AND subject IS NOT NULL
             GROUP BY subject HAVING count(*) > 1`,
            [lane.system],
          );
          expect(busy).toEqual([]);
        }
        await judge(lane);
      }),
      {
        numRuns: process.env.WEFT_TEST_WHOLE === '1' ? 1_000 : 30,
        interruptAfterTimeLimit: 600_000,
        seed: 20_261,
      },
    );
  }, 700_000);

  interface Change {
    readonly from: string | null;
    readonly to: string;
    readonly cause: string;
  }

  /** Reads the events of each command as its history. */
  async function judge({ system }: Lane): Promise<void> {
    const rows = await database.rows<{ subject: string; change: Change; state: string }>(
      `SELECT e.subject, e.envelope->'data'->'change' AS change, c.state FROM events.event e
       JOIN connectors.command c ON e.subject = 'Command:' || c.id WHERE c.system = $1 ORDER BY e.seq`,
      [system],
    );
    for (const history of Map.groupBy(rows, ({ subject }) => subject).values()) {
      expect(history[0]?.change).toMatchObject({ from: null, to: 'PENDING', cause: 'ACCEPTED' });
      expect(history.at(-1)?.change.to).toBe(history[0]?.state);
      let mayBeApplied = false;
      for (const [at, { change }] of history.entries()) {
        if (at === 0) continue;
        expect(TRANSITIONS).toContainEqual({ from: change.from, cause: change.cause, to: change.to });
        expect(change.from).toBe(history[at - 1]?.change.to);
        if (change.cause === 'TAKEN') expect(mayBeApplied).toBe(false);
        if (change.to === 'UNKNOWN') mayBeApplied = true;
        if (['NOT_FOUND', 'RETRYABLE', 'REDRIVEN'].includes(change.cause)) mayBeApplied = false;
      }
    }
  }
});
