// Takes an incident one action further: the one place where the state machine and the authority are enforced.
import { HubError } from '@weft/core/errors';
import type { SqlStore, StoreTransaction } from '@weft/core/sql-store';
import type { HashAlgorithm } from '@weft/evidence/hash';
import { type Actor, shownName } from './actor.ts';
import { type Attached, attachedFields, attachToStep, claimUploads } from './attachments/refer.ts';
import {
  type Authority,
  authorityFor,
  availableActions,
  type GovernedIncident,
  hasAction,
  isVisible,
  rolesWith,
} from './authority.ts';
import { badInput } from './bad-input.ts';
import type { Command } from './command.ts';
import { type ActionContext, EFFECTS } from './effects.ts';
import type { Incident } from './generated/client.ts';
import { governed } from './governed.ts';
import { type Held, holdIncidents } from './hold.ts';
import { isIncidentId } from './identity.ts';
import { type IncidentState, isIncidentState, STATE_LABELS } from './labels.ts';
import { type Action, ruleOf, whyNot } from './state-machine.ts';
import { testimonyOf } from './step-evidence.ts';
import { writeStep } from './steps.ts';
import type { DeadlinePolicy } from './time/deadline-policy.ts';

/** What the directory knows of divisions, or of centres. It is another subgraph's: who opens both hands it over. */
export interface Known {
  /** Whether there is one of that code. */
  has(code: string): Promise<boolean>;
}

/** What it knows of departments. */
export interface Departments extends Known {
  /** Those that somebody may have meant by what is the code of none, the likest first; a few. */
  like(text: string): Promise<readonly { readonly code: string; readonly name: string }[]>;
}

/** What the library asks the directory without the graph. */
export interface Directory {
  readonly departments: Departments;
  readonly divisions: Known;
  readonly centres: Known;
}

/** Characters of what is no department that a refusal repeats. */
const DEPARTMENT_SHOWN_MAX = 64;

/** What an action runs with. */
export interface Acting {
  readonly actor: Actor;
  readonly policy: DeadlinePolicy;
  /** Of the evidence that the step leaves. */
  readonly hash: HashAlgorithm;
  /** Left out where no command names a department: then none is known. */
  readonly departments?: Departments;
  /** Left out where no command names a centre: then none is looked up. */
  readonly centres?: Known;
  /** What it has not committed when this aborts is undone. */
  readonly signal: AbortSignal;
}

/**
 * Does what a command says, once for a `requestId`.
 * @throws HubError NOT_FOUND; UNAUTHENTICATED or FORBIDDEN; CONFLICT when state, guard or version do not allow it;
 *   BAD_USER_INPUT naming the argument. Refusals say what was allowed.
 */
export async function actOnIncident(store: SqlStore, command: Command, acting: Acting): Promise<Incident> {
  return await store.transaction((tx) => takeAction(tx, command, acting), acting.signal);
}

/** The same in the caller's transaction, in which nothing may have been written: see `lockIncidents`. */
export async function takeAction(
  tx: StoreTransaction,
  command: Command,
  acting: Omit<Acting, 'signal'>,
): Promise<Incident> {
  const { id, into, requestId, department } = command;
  const ids = [id, ...(into === null ? [] : [into])].filter(isIncidentId);
  const held =
    ids.length === 0 ? new Map<string, Held>() : await holdIncidents(tx, ids, { requestId, department });
  return (await takeHeld(tx, held, command, acting)).incident;
}

/**
 * The same with incidents that the transaction holds already.
 * @param all the one that it is about, and the one into which it is merged; asked about the command's `requestId` and department
 * @returns the one that it is about, as it is then
 */
export async function takeHeld(
  tx: StoreTransaction,
  all: ReadonlyMap<string, Held>,
  command: Command,
  { actor, policy, hash, departments, centres }: Omit<Acting, 'signal'>,
): Promise<Held> {
  const { action } = command;
  const held = requireVisible(all.get(command.id), command, actor);
  const { incident } = held;
  if (isDone(held, command)) return held;
  const subject = governed(incident);
  requireVersion(incident, command, actor, subject);
  const authority = requireAllowed(action, actor, subject, incident.id);
  await requireDepartment(command, departments);
  await requireCentre(command.centre, centres);
  const { role } = authority;
  const by = nameOf(actor, role, command);
  const survivor = command.into === null ? undefined : all.get(command.into);
  const context: ActionContext = {
    ...{ tx, held, survivor, incident, command, actor, by, policy, hash, at: new Date() },
  };
  const { step = {}, kind, told, ...effect } = await EFFECTS[action](context);
  const attached = await attach(tx, incident, command, actor);
  const rule = ruleOf(action);
  const to = rule.to ?? (incident.state as IncidentState);
  const { requestId, remark } = command;
  // Whoever tells something twice under one number must be known by who they are, too.
  const fingerprint = requestId === null ? null : command.fingerprint;
  const facts = { ...step, kind: kind ?? rule.kind, to, at: context.at, by, role };
  const testimony = testimonyOf(actor, authority, hash, { ...told, ...attachedFields(attached) });
  return await writeStep(tx, held, facts, { ...effect, testimony, remark, requestId, fingerprint });
}

/** What comes with the step: it has the next number. */
async function attach(
  tx: StoreTransaction,
  { id, version }: Incident,
  { attachments: hashes = [] }: Command,
  { key: uploader }: Actor,
): Promise<readonly Attached[]> {
  const attached = await claimUploads(tx, { argument: 'attachments', hashes, uploader });
  await attachToStep(tx, id, version + 1, attached);
  return attached;
}

function requireVisible(held: Held | undefined, { id }: Command, actor: Actor): Held {
  if (held !== undefined && isVisible(actor, governed(held.incident))) return held;
  throw new HubError('NOT_FOUND', `there is no incident ${id}`, { details: { argument: 'id' } });
}

/** Whether the same command has been done already. */
function isDone(
  { incident: { state }, done }: Held,
  { id, action, requestId, fingerprint }: Command,
): boolean {
  if (requestId === null || done === null) return false;
  if (done.fingerprint === fingerprint) return true;
  throw new HubError(
    'CONFLICT',
    `requestId ${requestId} was used with another command before, for step ${done.sequence}; allowed: that command, or another requestId`,
    { details: { argument: 'requestId', incident: id, state, action, allowed: 'another requestId' } },
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
    `incident ${id} has the version ${version}, not ${expectedVersion}, and is ${labelled(state)}; allowed now: ${listed(allowed)}`,
    { details: { state, action, allowed, version }, retryable: true },
  );
}

/** @returns whose authority it is */
function requireAllowed(action: Action, actor: Actor, subject: GovernedIncident, id: string): Authority {
  const { state } = subject;
  if (!isIncidentState(state))
    throw new HubError('INTERNAL_SERVER_ERROR', `incident ${id} has the state ${state}`);
  const allowed = availableActions(actor, subject).join(',');
  const details = { state, action, allowed };
  const where = `incident ${id} is ${labelled(state)}`;
  if (!hasAction(action, actor)) {
    const whose = `${action} is for ${rolesWith(action).join(', ')} and not for ${rolesOf(actor)}`;
    throw forbidden(actor, `${where}: ${whose}; allowed: ${listed(allowed)}`, details);
  }
  const reason = whyNot(action, state, subject);
  if (reason !== undefined) {
    const message = `incident ${id} ${reason}: ${action} is not allowed; allowed: ${listed(allowed)}`;
    throw new HubError('CONFLICT', message, { details });
  }
  const authority = authorityFor(action, actor, subject);
  if (authority !== undefined) return authority;
  const place = subject.department === null ? '' : `, with ${subject.department}`;
  const reach = `it is not within the reach of ${rolesOf(actor)} for ${action}`;
  throw forbidden(actor, `${where}${place}: ${reach}; allowed: ${listed(allowed)}`, details);
}

/** @throws HubError BAD_USER_INPUT for a department that the directory does not have */
async function requireDepartment(
  { department }: Command,
  departments: Departments | undefined,
): Promise<void> {
  if (department === null || (await departments?.has(department)) === true) return;
  const like = (await departments?.like(department)) ?? [];
  const known =
    like.length === 0
      ? '{ departments { code name } } lists those that there are'
      : `like it are ${like.map(({ code, name }) => `${code} (${name})`).join(', ')}`;
  const problem = `the directory has no department ${department.slice(0, DEPARTMENT_SHOWN_MAX)}; ${known}`;
  throw badInput('department', problem, { like: like.map(({ code }) => code).join(',') });
}

/**
 * An incident of a centre that there is not would be nobody's to take up.
 * @throws HubError BAD_USER_INPUT for a centre that the directory does not have
 */
export async function requireCentre(centre: string | null, centres: Known | undefined): Promise<void> {
  if (centre === null || centres === undefined || (await centres.has(centre))) return;
  const known = '{ division(code: "320508") { centre { code name } } } tells that of a division';
  throw badInput('centre', `the directory has no centre of this code: ${known}`);
}

function forbidden(actor: Actor, message: string, details: Readonly<Record<string, string>>): HubError {
  return new HubError(actor.kind === 'anonymous' ? 'UNAUTHENTICATED' : 'FORBIDDEN', message, { details });
}

function rolesOf({ kind, roles, division, department }: Actor): string {
  if (kind === 'anonymous') return 'the anonymous';
  const places = [division, department].filter((place) => place !== undefined).join(', ');
  return `${roles.join(', ') || 'nobody in particular'}${places === '' ? '' : ` (${places})`}`;
}

function labelled(state: string): string {
  return isIncidentState(state) ? `${state} (${STATE_LABELS[state]})` : state;
}

function listed(allowed: string): string {
  return allowed.replaceAll(',', ', ') || 'nothing';
}

/** Who is known by credentials is called so, whatever they say; the anonymous of a demo say who they are. */
function nameOf(actor: Actor, role: string, { by }: Command): string {
  const name = shownName(actor, role);
  if (name !== undefined) return name;
  if (by !== null) return by;
  throw badInput('by', 'nobody is known by credentials: give a token, or say who acts, as in by: "值班员"');
}
