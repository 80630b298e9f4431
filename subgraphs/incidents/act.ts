// Takes an incident one action further: the one place where the state machine and the authority are enforced.
import { HubError } from '@weft/core/errors';
import type { HashAlgorithm } from '@weft/evidence/hash';
import { TRANSACTION_LIMITS } from '../store.ts';
import { type Actor, shownName } from './actor.ts';
import {
  type Authority,
  authorityFor,
  availableActions,
  type GovernedIncident,
  hasAction,
  isVisible,
} from './authority.ts';
import { badInput, type Command } from './command.ts';
import { type ActionContext, EFFECTS } from './effects.ts';
import type { Incident, Prisma, PrismaClient } from './generated/client.ts';
import { governed } from './governed.ts';
import { isIncidentId } from './identity.ts';
import { type IncidentState, isIncidentState } from './labels.ts';
import { lockIncidents } from './lock.ts';
import { type Action, ruleOf, whyNot } from './state-machine.ts';
import { testimonyOf } from './step-evidence.ts';
import { writeStep } from './steps.ts';
import type { DeadlinePolicy } from './time/deadline-policy.ts';

/** What an action runs with. */
export interface Acting {
  readonly actor: Actor;
  readonly policy: DeadlinePolicy;
  /** Of the evidence that the step leaves. */
  readonly hash: HashAlgorithm;
  /** What it has not committed when this aborts is undone. */
  readonly signal: AbortSignal;
}

/**
 * Does what a command says, once for a `requestId`.
 * @throws HubError NOT_FOUND; UNAUTHENTICATED or FORBIDDEN; CONFLICT when state, guard or version do not allow it;
 *   BAD_USER_INPUT naming the argument. Refusals say what was allowed.
 */
export async function actOnIncident(
  prisma: PrismaClient,
  command: Command,
  acting: Acting,
): Promise<Incident> {
  return await prisma.$transaction(async (tx) => {
    const after = await takeAction(tx, command, acting);
    acting.signal.throwIfAborted();
    return after;
  }, TRANSACTION_LIMITS);
}

/** The same in the caller's transaction, in which nothing may have been written: see `lockIncidents`. */
export async function takeAction(
  tx: Prisma.TransactionClient,
  command: Command,
  { actor, policy, hash }: Omit<Acting, 'signal'>,
): Promise<Incident> {
  const { action } = command;
  const incident = await lockIncident(tx, command, actor);
  const done = await findDone(tx, command);
  if (done) return incident;
  const subject = governed(incident);
  requireVersion(incident, command, actor, subject);
  const authority = requireAllowed(action, actor, subject, incident.id);
  const { role } = authority;
  const by = nameOf(actor, role, command);
  const context: ActionContext = { tx, incident, command, actor, by, policy, hash, at: new Date() };
  const { patch = {}, step = {}, kind, dispatch, told } = await EFFECTS[action](context);
  const rule = ruleOf(action);
  const to = rule.to ?? (incident.state as IncidentState);
  const { requestId, remark } = command;
  // Whoever tells something twice under one number must be known by who they are, too.
  const fingerprint = requestId === null ? null : command.fingerprint;
  const facts = { ...step, kind: kind ?? rule.kind, to, at: context.at, by, role };
  const testimony = testimonyOf(actor, authority, hash, told);
  return await writeStep(tx, incident, facts, { testimony, patch, dispatch, remark, requestId, fingerprint });
}

/** Locked until the transaction ends, so that of two who act at the same moment the second sees what the first did. */
async function lockIncident(tx: Prisma.TransactionClient, { id, into }: Command, actor: Actor) {
  const ids = [id, into].filter((each) => each !== null && isIncidentId(each));
  if (ids.length > 0)
    await lockIncidents(
      tx,
      ids.filter((each) => each !== null),
    );
  const incident = isIncidentId(id)
    ? await tx.incident.findUnique({ where: { id }, include: { reporters: REPORTERS } })
    : null;
  if (incident !== null && isVisible(actor, governed(incident))) return incident;
  throw new HubError('NOT_FOUND', `there is no incident ${id}`, { details: { argument: 'id' } });
}

const REPORTERS = {
  orderBy: [{ reportedAt: 'asc' }, { reportId: 'asc' }, { number: 'asc' }],
} as const satisfies Prisma.Incident$reportersArgs;

/** Whether the same command has been done already. */
async function findDone(
  tx: Prisma.TransactionClient,
  { id, requestId, fingerprint }: Command,
): Promise<boolean> {
  if (requestId === null) return false;
  const step = await tx.incidentStep.findUnique({
    where: { incidentId_requestId: { incidentId: id, requestId } },
  });
  if (step === null) return false;
  if (step.fingerprint === fingerprint) return true;
  throw new HubError(
    'CONFLICT',
    `requestId ${requestId} was used with another command before, for step ${step.sequence}`,
    {
      details: { argument: 'requestId', incident: id },
    },
  );
}

function requireVersion(
  { id, version, state }: Incident,
  { action, expectedVersion }: Command,
  actor: Actor,
  subject: GovernedIncident,
): void {
  if (expectedVersion === null || expectedVersion === version) return;
  const allowed = availableActions(actor, subject).join(',');
  throw new HubError(
    'CONFLICT',
    `incident ${id} has the version ${version}, not ${expectedVersion}; allowed now: ${listed(allowed)}`,
    {
      details: { state, action, allowed, version },
      retryable: true,
    },
  );
}

/** @returns whose authority it is */
function requireAllowed(action: Action, actor: Actor, subject: GovernedIncident, id: string): Authority {
  const { state } = subject;
  if (!isIncidentState(state))
    throw new HubError('INTERNAL_SERVER_ERROR', `incident ${id} has the state ${state}`);
  const allowed = availableActions(actor, subject).join(',');
  const details = { state, action, allowed };
  if (!hasAction(action, actor))
    throw forbidden(actor, `${action} is not for ${rolesOf(actor)}; allowed: ${listed(allowed)}`, details);
  const reason = whyNot(action, state, subject);
  if (reason !== undefined) {
    const message = `incident ${id} ${reason}: ${action} is not allowed; allowed: ${listed(allowed)}`;
    throw new HubError('CONFLICT', message, { details });
  }
  const authority = authorityFor(action, actor, subject);
  if (authority !== undefined) return authority;
  throw forbidden(
    actor,
    `incident ${id} is not within the reach of ${rolesOf(actor)} for ${action}; allowed: ${listed(allowed)}`,
    details,
  );
}

function forbidden(actor: Actor, message: string, details: Readonly<Record<string, string>>): HubError {
  return new HubError(actor.kind === 'anonymous' ? 'UNAUTHENTICATED' : 'FORBIDDEN', message, { details });
}

function rolesOf({ kind, roles, division, department }: Actor): string {
  if (kind === 'anonymous') return 'the anonymous';
  const places = [division, department].filter((place) => place !== undefined).join(', ');
  return `${roles.join(', ') || 'nobody in particular'}${places === '' ? '' : ` (${places})`}`;
}

function listed(allowed: string): string {
  return allowed.replaceAll(',', ', ') || 'nothing';
}

/** Who is known by credentials is called so, whatever they say; the anonymous of a demo say who they are. */
function nameOf(actor: Actor, role: string, { by }: Command): string {
  const name = shownName(actor, role);
  if (name !== undefined) return name;
  if (by !== null) return by;
  throw badInput('by', 'expected who acts: nobody is known by credentials');
}
