// The deadlines of an incident as it stands: which run, which is next, and which have passed without a step that says so.
import type { Attempt, Incident } from './generated/client.ts';
import { type DeadlineKind, isIncidentState } from './labels.ts';
import { OPEN_STATES } from './state-machine.ts';

export interface Deadline {
  readonly kind: DeadlineKind;
  /** Null for the reply, which belongs to the incident. */
  readonly attempt: number | null;
  readonly dueAt: Date;
  /** When what was due was done, or no longer needed; null while it runs. */
  readonly metAt: Date | null;
  /** When a step has said that it passed. */
  readonly overdueAt: Date | null;
  readonly byWeekdays: boolean;
}

type Replied = Pick<Incident, 'state' | 'replyDueAt' | 'replyOverdueAt' | 'replyByWeekdays' | 'closedAt'>;

/** Sign, return and handle of one dispatch, as far as it has them. */
export function deadlinesOfAttempt(attempt: Attempt): readonly Deadline[] {
  const { number, signedAt, returnedAt, fedBackAt, outcome, byWeekdays } = attempt;
  // Withdrawn by a merging: it ended, and nobody did it.
  const endedAt =
    returnedAt ?? fedBackAt ?? (outcome === null ? null : (attempt.signedAt ?? attempt.routedAt));
  const rows = [
    { kind: 'SIGN', dueAt: attempt.signDueAt, metAt: signedAt ?? endedAt, overdueAt: attempt.signOverdueAt },
    { kind: 'RETURN', dueAt: attempt.returnDueAt, metAt: endedAt, overdueAt: null },
    { kind: 'HANDLE', dueAt: attempt.handleDueAt, metAt: endedAt, overdueAt: attempt.handleOverdueAt },
  ] as const;
  return rows.flatMap(({ dueAt, ...row }) =>
    dueAt === null ? [] : [{ ...row, dueAt, attempt: number, byWeekdays }],
  );
}

/** The reply to those who reported. */
export function replyDeadline(incident: Replied): readonly Deadline[] {
  const { replyDueAt, replyOverdueAt, replyByWeekdays, closedAt } = incident;
  if (replyDueAt === null) return [];
  const row = { kind: 'REPLY', attempt: null, dueAt: replyDueAt, overdueAt: replyOverdueAt } as const;
  return [{ ...row, metAt: closedAt, byWeekdays: replyByWeekdays }];
}

/** Those that somebody owes something by: to give work back is a right, and its end no debt. */
export function runningDeadlines(incident: Replied, attempt: Attempt | null): readonly Deadline[] {
  if (!isOpen(incident.state)) return [];
  const ofAttempt = attempt === null || attempt.outcome !== null ? [] : deadlinesOfAttempt(attempt);
  return [...ofAttempt, ...replyDeadline(incident)].filter(
    ({ kind, metAt }) => kind !== 'RETURN' && metAt === null,
  );
}

/** The columns of an incident that follow from its deadlines: kept so that lists and the watch need no other table. */
export function dueColumns(
  incident: Replied,
  attempt: Attempt | null,
): { dueAt: Date | null; overdueCheckAt: Date | null } {
  const running = runningDeadlines(incident, attempt);
  return {
    dueAt: earliest(running),
    overdueCheckAt: earliest(running.filter(({ overdueAt }) => overdueAt === null)),
  };
}

function earliest(deadlines: readonly Deadline[]): Date | null {
  const times = deadlines.map(({ dueAt }) => dueAt.getTime());
  return times.length === 0 ? null : new Date(Math.min(...times));
}

function isOpen(state: string): boolean {
  return isIncidentState(state) && (OPEN_STATES as readonly string[]).includes(state);
}
