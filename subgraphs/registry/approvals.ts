// What a second person has said of a version, or of a proposal that breaks something.
import { HubError } from '@weft/core/errors';
import { TRANSACTION_LIMITS } from '../store.ts';
import { type KnownActor, mayFor } from './actor.ts';
import { recordDone } from './audit.ts';
import type { PrismaClient } from './generated/client.ts';
import { lockRegistry } from './head.ts';
import type { RegistryParts } from './parts.ts';
import { contentHash, requireText } from './version.ts';

const REMARK_LENGTH_MAX = 1_000;

interface Named {
  readonly system: string;
  readonly id: string;
}

/**
 * By somebody else than who pushed the version: of its department, of one that a system in the graph belongs to, or an admin. Whose
 * approval counts for what is decided when it is published.
 * @throws HubError NOT_FOUND; FORBIDDEN
 */
export async function approveVersion(
  { prisma }: RegistryParts,
  actor: KnownActor,
  { system, id }: Named,
  remark: string | null,
): Promise<void> {
  requireText('remark', remark, REMARK_LENGTH_MAX);
  const version = await prisma.version.findUnique({
    where: { system_id: { system, id } },
    select: { pushedByKey: true, registration: { select: { owner: true } } },
  });
  if (version === null)
    throw new HubError('NOT_FOUND', `${system} has no version ${id}`, { details: { argument: 'version' } });
  requireApprover(actor, system, version.registration.owner);
  if (version.pushedByKey === actor.key)
    throw new HubError('FORBIDDEN', `${system}: another one than who pushed this version approves it`);
  const { key: byKey, name: by, department = null, isAdmin } = actor;
  const said = { by, department, isAdmin, remark, at: new Date() };
  await prisma.$transaction(async (tx) => {
    await lockRegistry(tx);
    await tx.approval.upsert({
      where: { system_version_byKey: { system, version: id, byKey } },
      create: { system, version: id, byKey, ...said },
      update: {},
    });
    await recordDone(tx, actor, { action: 'approveVersion', systems: [system], reason: remark });
  }, TRANSACTION_LIMITS);
}

/** A department that a field is taken over from approves too: its scope is enough, and its department is written down. */
function requireApprover(actor: KnownActor, system: string, owner: string): void {
  const { department } = actor;
  if (mayFor(actor, 'registry:approve', department ?? owner)) return;
  throw new HubError('FORBIDDEN', `${system}: the scope registry:approve is missing`, {
    details: { owner, scope: 'registry:approve' },
  });
}

/** Whether somebody who could has approved a version: not who pushed it. @param departments whose approval counts */
export async function isApproved(
  prisma: PrismaClient,
  system: string,
  version: string,
  departments: readonly string[],
): Promise<boolean> {
  const found = await prisma.version.findUnique({
    where: { system_id: { system, id: version } },
    select: { pushedByKey: true, approvals: true },
  });
  return (found?.approvals ?? []).some(
    ({ byKey, department, isAdmin }) =>
      byKey !== found?.pushedByKey && (isAdmin || (department !== null && departments.includes(department))),
  );
}

/** Equal for the same versions of the same systems: an approval sticks to what was pushed, not to who asks when. */
export function checkIdOf(versions: readonly Named[]): string {
  return contentHash(Object.fromEntries(versions.map(({ system, id }) => [system, id])));
}

/** Who has let these very versions pass although operations break; undefined when nobody has. */
export async function findBreakApproval(
  prisma: PrismaClient,
  versions: readonly Named[],
): Promise<string | undefined> {
  const check = await prisma.check.findUnique({ where: { id: checkIdOf(versions) } });
  return check?.approvedBy ?? undefined;
}
