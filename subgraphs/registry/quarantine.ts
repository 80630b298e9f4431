// Takes a system out, for good or for a time, and keeps it from changing the graph meanwhile; others go on.
import { HubError } from '@weft/core/errors';
import { fromPrisma, postgresAppender } from '@weft/events/postgres/appender';
import { type KnownActor, requireMay } from './actor.ts';
import { type Changed, changeGraph, type GraphChange } from './change.ts';
import type { Prisma, Registration } from './generated/client.ts';
import { findVersion, type Head, type MemberVersion } from './head.ts';
import type { RegistryParts } from './parts.ts';
import { REASON_LENGTH_MAX } from './publish.ts';
import { requireRegistration } from './register.ts';
import { remoteSystemEvent, SYSTEM_TOPIC } from './system-event.ts';
import { bad, requireText } from './version.ts';

export type QuarantineMode = 'REMOVE' | 'FREEZE';

interface Wanted {
  readonly name: string;
  readonly reason: string;
  readonly signal: AbortSignal;
}

/** @throws HubError NOT_FOUND, FORBIDDEN; COMPOSITION_FAILED when others need what REMOVE would take out: FREEZE then keeps it as it is */
export async function quarantineSystem(
  parts: RegistryParts,
  actor: KnownActor,
  { name, mode, reason, signal }: Wanted & { readonly mode: QuarantineMode },
): Promise<Changed> {
  await requireSystem(parts, actor, name, reason);
  const quarantined = {
    quarantine: mode,
    quarantineReason: reason,
    quarantinedAt: new Date(),
    quarantinedByAdmin: actor.isAdmin,
  };
  return await changeGraph(parts, {
    kind: 'QUARANTINE',
    actor,
    asked: { action: 'quarantineSystem', systems: [name], reason },
    members: ({ members }) => (mode === 'REMOVE' ? without(members, name) : members),
    write: (tx) => update(tx, name, quarantined),
    signal,
  });
}

/** @throws HubError NOT_FOUND, FORBIDDEN, CONFLICT when it is in none; COMPOSITION_FAILED when what comes back does not fit any more */
export async function releaseSystem(
  parts: RegistryParts,
  actor: KnownActor,
  { name, reason, signal }: Wanted,
): Promise<Changed> {
  const { quarantine, quarantinedByAdmin } = await requireSystem(parts, actor, name, reason);
  if (quarantine === null) throw new HubError('CONFLICT', `${name} is in no quarantine`);
  if (quarantinedByAdmin && !actor.isAdmin)
    throw new HubError('FORBIDDEN', `${name}: who put it into quarantine lets it out`);
  const back = quarantine === 'REMOVE' ? await lastVersion(parts, name) : null;
  const released = {
    quarantine: null,
    quarantineReason: null,
    quarantinedAt: null,
    quarantinedByAdmin: false,
  };
  return await changeGraph(parts, {
    kind: 'RELEASE',
    actor,
    asked: { action: 'releaseSystem', systems: [name], reason },
    members: ({ members }) =>
      back === null || members.has(name) ? members : new Map([...members, [name, back] as const]),
    write: (tx) => update(tx, name, released),
    signal,
  });
}

/** @throws HubError NOT_FOUND, FORBIDDEN, CONFLICT; COMPOSITION_FAILED when others need what it has */
export async function removeSystem(
  parts: RegistryParts,
  actor: KnownActor,
  { name, reason, signal, expectedPublication }: Wanted & Pick<GraphChange, 'expectedPublication'>,
): Promise<Changed> {
  const registration = await requireSystem(parts, actor, name, reason);
  return await changeGraph(parts, {
    kind: 'REMOVE',
    actor,
    asked: { action: 'removeSystem', systems: [name], reason },
    expectedPublication,
    members: ({ members }) => without(members, name),
    write: (tx) => leave(tx, registration),
    signal,
  });
}

async function requireSystem(
  { prisma }: RegistryParts,
  actor: KnownActor,
  name: string,
  reason: string,
): Promise<Registration> {
  requireText('reason', reason, REASON_LENGTH_MAX);
  if (reason.trim() === '') throw bad('reason', 'expected why');
  const registration = await requireRegistration(prisma, name);
  requireMay(actor, 'registry:publish', name, registration.owner);
  return registration;
}

function without(members: Head['members'], name: string): Head['members'] {
  return new Map([...members].filter(([system]) => system !== name));
}

async function update(
  tx: Prisma.TransactionClient,
  name: string,
  data: Pick<Registration, 'quarantine' | 'quarantineReason' | 'quarantinedAt' | 'quarantinedByAdmin'>,
): Promise<void> {
  await tx.registration.update({ where: { name }, data });
}

async function leave(tx: Prisma.TransactionClient, { name, title }: Registration): Promise<void> {
  // A quarantine stays with the name: who leaves does not come back without it.
  await tx.registration.update({ where: { name }, data: { removedAt: new Date() } });
  await tx.lease.deleteMany({ where: { system: name } });
  const system = await tx.system.findUnique({ where: { name } });
  if (system?.kind !== 'REMOTE') return;
  const event = remoteSystemEvent({ name, title, state: 'DOWN', reason: 'removed', lastSeen: null });
  await postgresAppender.append(fromPrisma(tx), SYSTEM_TOPIC, [event]);
}

/** What the graph had of it last. */
async function lastVersion({ prisma }: RegistryParts, system: string): Promise<MemberVersion | null> {
  const member = await prisma.member.findFirst({ where: { system }, orderBy: { publication: 'desc' } });
  return member === null ? null : await findVersion(prisma, system, member.version);
}
