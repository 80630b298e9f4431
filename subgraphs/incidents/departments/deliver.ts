// Puts what became of a dispatch to its attempt: the state, the system's own number, and the step that tells of it.
import type { HashAlgorithm } from '@weft/evidence/hash';
import type { DeliveryState } from '@weft/schema/incident-dispatch';
import { TRANSACTION_LIMITS } from '../../store.ts';
import { takeAction } from '../act.ts';
import { systemActor } from '../actor.ts';
import { decodeCommand } from '../command.ts';
import type { Attempt, Delivery, Incident, Prisma, PrismaClient } from '../generated/client.ts';
import { incidentIdOf } from '../identity.ts';
import type { IncidentState } from '../labels.ts';
import { lockIncidents } from '../lock.ts';
import { testimonyOfSystem } from '../step-evidence.ts';
import { writeStep } from '../steps.ts';
import type { DeadlinePolicy } from '../time/deadline-policy.ts';

/** By what steps are taken: the deadlines that they set, and how their evidence is hashed. */
export interface StepLaw {
  readonly policy: DeadlinePolicy;
  readonly hash: HashAlgorithm;
}

/** Once for each version of the command, whichever process is first. */
export async function deliver(prisma: PrismaClient, commandId: string, law: StepLaw): Promise<void> {
  await prisma.$transaction(async (tx) => {
    const known = await tx.delivery.findUnique({ where: { commandId } });
    if (known === null) return;
    await lockIncidents(tx, [known.incidentId]);
    // Somebody may have put it there, or newer may have come, while the lock was waited for.
    const news = await tx.delivery.findUniqueOrThrow({ where: { commandId } });
    if (news.nextAt === null) return;
    const { incidentId, attempt: number } = news;
    const incident = await tx.incident.findUnique({ where: { id: incidentId } });
    const attempt = await tx.attempt.findUnique({ where: { incidentId_number: { incidentId, number } } });
    if (incident !== null && attempt !== null) await tell(tx, incident, attempt, news, law);
    await tx.delivery.updateMany({ where: { commandId, version: news.version }, data: { nextAt: null } });
  }, TRANSACTION_LIMITS);
}

async function tell(
  tx: Prisma.TransactionClient,
  incident: Incident,
  attempt: Attempt,
  news: Delivery,
  law: StepLaw,
): Promise<void> {
  const state = news.state as DeliveryState;
  const { incidentId, number, department } = attempt;
  const by = `system:${news.system}`;
  const isWithIt = incident.attempt === number && attempt.outcome === null && isAtDepartment(incident);
  if (state === 'REJECTED' && isWithIt) await giveBack(tx, attempt, news, law);
  else if (isTold(attempt.delivery as DeliveryState | null, state)) {
    const facts = { kind: 'DELIVERY', to: incident.state as IncidentState, at: new Date(), by } as const;
    const step = { ...facts, attempt: number, department, reason: state };
    const testimony = testimonyOfSystem(news.system, law.hash, 'DELIVERY');
    await writeStep(tx, incident, step, { testimony, remark: news.code });
  }
  const applied = state === 'APPLIED' ? await keepNumber(tx, incident, attempt, news) : {};
  await tx.attempt.update({
    where: { incidentId_number: { incidentId, number } },
    data: { delivery: state, deliveryCode: news.code, deliverySystem: news.system, ...applied },
  });
}

function isAtDepartment({ state }: Incident): boolean {
  return state === 'ROUTED' || state === 'HANDLING';
}

/** A system that cannot be reached is tried for hours: that it is tried is shown, and makes no step each time. */
export function isTold(before: DeliveryState | null, now: DeliveryState): boolean {
  return now !== before && now !== 'SENT' && !(now === 'PENDING' && before === 'SENT');
}

/** The system refused the work: nothing has been written in the transaction yet. */
async function giveBack(
  tx: Prisma.TransactionClient,
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
  await takeAction(tx, command, { actor: systemActor(system, department), ...law });
}

/** The number by which the system knows it, at the attempt and among the incident's; also of what waited for it. */
async function keepNumber(
  tx: Prisma.TransactionClient,
  { id, mergedInto }: Incident,
  { department, externalNumber }: Attempt,
  { numberKind: kind, upstreamRef: number, at }: Delivery,
): Promise<Prisma.AttemptUncheckedUpdateInput> {
  if (number === null) return { deliveredAt: at };
  // Numbers of what was merged are with the survivor.
  const data = [{ incidentId: mergedInto ?? id, kind, number, source: department }];
  await tx.externalNumber.createMany({ data, skipDuplicates: true });
  await tx.progress.updateMany({
    where: { kind, number, incidentId: null },
    data: { nextAt: new Date(), problem: null, problemAt: null },
  });
  return {
    deliveredAt: at,
    ...(externalNumber === null ? { externalKind: kind, externalNumber: number } : {}),
  };
}
