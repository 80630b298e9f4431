// Registers a system: its name, the department that answers for it, and on what its data are shared.
import { HubError } from '@weft/core/errors';
import { fromPrisma, postgresAppender } from '@weft/events/postgres/appender';
import { EVENTS_SUBGRAPH } from '@weft/schema/event-streams';
import { TRANSACTION_LIMITS } from '../store.ts';
import { HUB, HUB_OWNER, type KnownActor, requireMay } from './actor.ts';
import { recordDone } from './audit.ts';
import type { Prisma, Registration } from './generated/client.ts';
import { lockRegistry } from './head.ts';
import type { RegistryParts } from './parts.ts';
import { findRequest, recordRequest, requestKeyOf } from './requests.ts';
import { remoteSystemEvent, SYSTEM_TOPIC } from './system-event.ts';
import { bad, contentHash, requireText } from './version.ts';

export interface RegisterInput {
  readonly name: string;
  readonly title?: string | null;
  readonly owner?: string | null;
  readonly contact?: string | null;
  readonly dataSharingBasis?: string | null;
  readonly requiresApproval?: boolean | null;
}

/** A registration that is decoded and allowed, and not stored. */
export type NewRegistration = Pick<
  Registration,
  'name' | 'title' | 'owner' | 'contact' | 'dataSharingBasis' | 'needsApproval'
>;

/** Of the whole hub. */
const SYSTEMS_MAX = 1_000;
const NAME = /^[a-z][a-z0-9_-]{0,62}$/;
const OWNER = /^[a-z0-9][a-z0-9-]{0,63}$/;
const TEXT_LENGTH_MAX = 1_000;

/** @throws HubError FORBIDDEN; CONFLICT; BAD_USER_INPUT naming the argument */
export async function registerSystem(
  { prisma }: RegistryParts,
  actor: KnownActor,
  input: RegisterInput,
  requestId: string | null,
): Promise<void> {
  const registration = decodeRegistration(input, actor);
  const request = requestKeyOf(actor, requestId, contentHash(['registerSystem', registration]));
  const asked = { action: 'registerSystem', systems: [registration.name] };
  await prisma.$transaction(async (tx) => {
    await lockRegistry(tx);
    if ((await findRequest(tx, request)) !== undefined) return;
    const known = await tx.registration.findUnique({ where: { name: registration.name } });
    if (known === null || known.removedAt !== null) await storeRegistration(tx, registration, actor, known);
    else await updateRegistration(tx, registration, actor, known);
    await recordDone(tx, actor, asked);
    await recordRequest(tx, request, { system: registration.name });
  }, TRANSACTION_LIMITS);
}

/** @throws HubError FORBIDDEN for a department that the actor may not register for; BAD_USER_INPUT naming the argument */
export function decodeRegistration(input: RegisterInput, actor: KnownActor): NewRegistration {
  const { name } = input;
  if (!NAME.test(name) || name === EVENTS_SUBGRAPH)
    throw bad('name', 'expected lower-case letters, digits, - and _, at most 63, beginning with a letter');
  const owner = input.owner ?? actor.department;
  if (owner === undefined || !OWNER.test(owner)) throw bad('owner', 'expected the code of a department');
  if (owner === HUB_OWNER && !actor.isAdmin)
    throw new HubError('FORBIDDEN', `${name}: ${HUB_OWNER} is the owner of the hub's own systems`);
  requireMay(actor, 'registry:publish', name, owner);
  const { title, contact, dataSharingBasis, requiresApproval } = input;
  for (const [argument, value] of Object.entries({ title, contact, dataSharingBasis }))
    requireText(argument, value, TEXT_LENGTH_MAX);
  return {
    name,
    title: title?.trim() || name,
    owner,
    contact: contact?.trim() ?? '',
    dataSharingBasis: dataSharingBasis?.trim() ?? '',
    needsApproval: requiresApproval ?? false,
  };
}

/**
 * In a transaction that holds the lock of the registry.
 * @param removed the registration of this name that was removed; its history goes on
 * @throws HubError FORBIDDEN when it was another department's; LIMIT_EXCEEDED
 */
export async function storeRegistration(
  tx: Prisma.TransactionClient,
  registration: NewRegistration,
  actor: KnownActor,
  removed: Registration | null,
): Promise<void> {
  const { name, title } = registration;
  if (removed !== null) requireMay(actor, 'registry:publish', name, removed.owner);
  if (removed !== null && removed.quarantine !== null && !actor.isAdmin)
    throw new HubError('FORBIDDEN', `${name} is in quarantine since before it left`);
  const served = await tx.system.findUnique({ where: { name }, select: { kind: true } });
  if (served !== null && served.kind !== 'REMOTE' && !actor.isAdmin)
    throw new HubError('FORBIDDEN', `${name} is a system of the hub's own`);
  const count = await tx.registration.count();
  if (count >= SYSTEMS_MAX)
    throw new HubError('LIMIT_EXCEEDED', `at most ${SYSTEMS_MAX} systems are registered`, {
      details: { limit: 'SYSTEMS_MAX', max: SYSTEMS_MAX },
    });
  const data = { ...registration, registeredAt: new Date(), registeredBy: actor.name, removedAt: null };
  await tx.registration.upsert({ where: { name }, create: data, update: data });
  // What the hub serves is told of by who serves it, whosever it is.
  if (registration.owner === HUB_OWNER || actor.key === HUB.key) return;
  await tx.$executeRaw`
    INSERT INTO registry.system (name, title, kind, state, told_at)
    VALUES (${name}, ${title}, 'REMOTE', 'UNKNOWN', ${data.registeredAt}) ON CONFLICT (name) DO NOTHING`;
  const event = remoteSystemEvent({ name, title, state: 'UNKNOWN', reason: 'registered', lastSeen: null });
  await postgresAppender.append(fromPrisma(tx), SYSTEM_TOPIC, [event]);
}

/** What only somebody above the department may: give it to another one, or do without the second person. */
async function updateRegistration(
  tx: Prisma.TransactionClient,
  registration: NewRegistration,
  actor: KnownActor,
  known: Registration,
): Promise<void> {
  const { name, owner, needsApproval } = registration;
  requireMay(actor, 'registry:publish', name, known.owner);
  if (owner !== known.owner && !actor.isAdmin)
    throw new HubError('FORBIDDEN', `${name}: it is another's to give it to the department ${owner}`);
  if (known.needsApproval && !needsApproval && !actor.isAdmin)
    throw new HubError('FORBIDDEN', `${name}: it is another's to do without the second person`);
  await tx.registration.update({ where: { name }, data: registration });
}

/** The registrations of these systems that hold, by name. @throws HubError NOT_FOUND naming one that there is not */
export async function requireRegistrations(
  tx: Prisma.TransactionClient,
  names: readonly string[],
): Promise<ReadonlyMap<string, Registration>> {
  const rows = await tx.registration.findMany({ where: { name: { in: [...names] }, removedAt: null } });
  const byName = new Map(rows.map((row) => [row.name, row]));
  const missing = names.find((name) => !byName.has(name));
  if (missing !== undefined)
    throw new HubError('NOT_FOUND', `no system ${JSON.stringify(missing.slice(0, 100))} is registered`, {
      details: { argument: 'system' },
    });
  return byName;
}

/** As `requireRegistrations`, of one. */
export async function requireRegistration(tx: Prisma.TransactionClient, name: string): Promise<Registration> {
  const found = (await requireRegistrations(tx, [name])).get(name);
  if (found === undefined) throw new HubError('NOT_FOUND', `no system ${name} is registered`);
  return found;
}
