// Puts what became of a dispatch to its attempt: the state, the system's own number, and the step that tells of it.

import type { SqlStore, StoreTransaction } from '@weft/core/sql-store';
import type { HashAlgorithm } from '@weft/evidence/hash';
import type { DeliveryState } from '@weft/schema/incident-dispatch';
import { takeHeld } from '../act.ts';
import { systemActor } from '../actor.ts';
import { decodeCommand } from '../command.ts';
import type { Attempt, Delivery, Incident } from '../generated/client.ts';
import { type Held, holdIncidents } from '../hold.ts';
import { incidentIdOf } from '../identity.ts';
import type { IncidentState } from '../labels.ts';
import {
  attemptColumns,
  attemptOf,
  deliveryColumns,
  inOneStatement,
  type Sql,
  updateAttempt,
} from '../rows.ts';
import { testimonyOfSystem } from '../step-evidence.ts';
import { writeStep } from '../steps.ts';
import type { DeadlinePolicy } from '../time/deadline-policy.ts';

/** By what steps are taken: the deadlines that they set, and how their evidence is hashed. */
export interface StepLaw {
  readonly policy: DeadlinePolicy;
  readonly hash: HashAlgorithm;
}

const READ = `
SELECT ${deliveryColumns('d')}, ${attemptColumns('a')}
FROM incidents.delivery d LEFT JOIN incidents.attempt a ON a.incident_id = d.incident_id AND a.number = d.attempt
WHERE d.command_id = $1 AND d.next_at IS NOT NULL`;
const DONE = 'UPDATE incidents.delivery SET next_at = NULL WHERE command_id = $1 AND version = $2';

/** Once for each version of the command, whichever process is first. */
export async function deliver(
  store: SqlStore,
  { commandId, incidentId }: Pick<Delivery, 'commandId' | 'incidentId'>,
  law: StepLaw,
): Promise<void> {
  await store.transaction(async (tx) => {
    // Somebody may have put it there, or newer may have come, while the incident was waited for: it is read as it is then.
    const [all, [news]] = await Promise.all([
      holdIncidents(tx, [incidentId]),
      tx.query<Delivery & Record<string, unknown>>(READ, [commandId]),
    ]);
    if (news === undefined) return;
    const [held, attempt] = [all.get(incidentId), attemptOf(news)];
    const writes: Sql[] = [{ sql: DONE, parameters: [commandId, news.version] }];
    if (held !== undefined && attempt !== null) writes.push(...(await tell(tx, held, attempt, news, law)));
    const { sql, parameters } = inOneStatement(writes);
    await tx.later.query(sql, parameters);
  });
}

/** @returns what is written besides the step */
async function tell(
  tx: StoreTransaction,
  held: Held,
  attempt: Attempt,
  news: Delivery,
  law: StepLaw,
): Promise<readonly Sql[]> {
  const { incident } = held;
  const state = news.state as DeliveryState;
  const { incidentId, number, department } = attempt;
  const by = `system:${news.system}`;
  const isWithIt = incident.attempt === number && attempt.outcome === null && isAtDepartment(incident);
  if (state === 'REJECTED' && isWithIt) await giveBack(tx, held, attempt, news, law);
  else if (isTold(attempt.delivery as DeliveryState | null, state)) {
    const facts = { kind: 'DELIVERY', to: incident.state as IncidentState, at: new Date(), by } as const;
    const step = { ...facts, attempt: number, department, reason: state };
    const testimony = testimonyOfSystem(news.system, law.hash, 'DELIVERY');
    await writeStep(tx, held, step, { testimony, remark: news.code });
  }
  const told = { delivery: state, deliveryCode: news.code, deliverySystem: news.system };
  if (state !== 'APPLIED') return [updateAttempt(incidentId, number, told)];
  const { patch, writes } = keepNumber(incident, attempt, news);
  return [
    updateAttempt(incidentId, number, { ...told, ...patch }),
    ...writes,
    ...(isNoWork(attempt) ? [keepProblem(attempt, news)] : []),
  ];
}

function isAtDepartment({ state }: Incident): boolean {
  return state === 'ROUTED' || state === 'HANDLING';
}

/** The department has it no more: given back by hand, or the incident was merged. */
function isNoWork({ outcome }: Attempt): boolean {
  return outcome === 'RETURNED' || outcome === 'WITHDRAWN';
}

const KEEP_PROBLEM = `
INSERT INTO incidents.progress (source, event_id, system, kind, number, state, at, received_at, give_up_at, incident_id, problem, problem_at)
VALUES ($1, $2, $3, $4, $5, 'DELIVERY', $6, $7, $7, $8, $9, $7) ON CONFLICT DO NOTHING`;

/** The system has got what had ended by then: somebody must tell it. */
function keepProblem(
  { incidentId, number, outcome }: Attempt,
  { commandId, version, system, numberKind: kind, upstreamRef, at }: Delivery,
): Sql {
  const problem = `attempt ${number} has ended: ${outcome}; the system has it all the same, and nobody has told it`;
  const told = [
    `/systems/${system}/commands`,
    `${commandId}:${version}`,
    system,
    kind,
    upstreamRef ?? '',
    at,
  ];
  return { sql: KEEP_PROBLEM, parameters: [...told, new Date(), incidentId, problem] };
}

/** A system that cannot be reached is tried for hours: that it is tried is shown, and makes no step each time. */
export function isTold(before: DeliveryState | null, now: DeliveryState): boolean {
  return now !== before && now !== 'SENT' && !(now === 'PENDING' && before === 'SENT');
}

/** The system refused the work. */
async function giveBack(
  tx: StoreTransaction,
  held: Held,
  { incidentId, number, department }: Attempt,
  { system, code, commandId }: Delivery,
  law: StepLaw,
): Promise<void> {
  const command = decodeCommand('return', {
    id: incidentId,
    requestId: incidentIdOf(`/systems/${system}/commands`, commandId),
    returnReason: 'OTHER',
    reason: code ?? 'REJECTED',
    remark: `对方系统拒收（第 ${number} 次派发）`,
  });
  await takeHeld(tx, new Map([[incidentId, held]]), command, {
    actor: systemActor(system, department),
    ...law,
  });
}

const ADD_NUMBER = `
INSERT INTO incidents.external_number (incident_id, kind, number, source) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`;
const WAKE = `
UPDATE incidents.progress SET next_at = $3, problem = NULL, problem_at = NULL
WHERE kind = $1 AND number = $2 AND incident_id IS NULL`;

/** The number by which the system knows it, at the attempt and among the incident's; also of what waited for it. */
function keepNumber(
  { id, mergedInto }: Incident,
  { department, externalNumber }: Attempt,
  { numberKind: kind, upstreamRef: number, at }: Delivery,
): { readonly patch: Partial<Attempt>; readonly writes: readonly Sql[] } {
  if (number === null) return { patch: { deliveredAt: at }, writes: [] };
  const known = externalNumber === null ? { externalKind: kind, externalNumber: number } : {};
  return {
    patch: { deliveredAt: at, ...known },
    writes: [
      // Numbers of what was merged are with the survivor.
      { sql: ADD_NUMBER, parameters: [mergedInto ?? id, kind, number, department] },
      { sql: WAKE, parameters: [kind, number, new Date()] },
    ],
  };
}
