// Publishes an earlier state of the graph again: nothing is composed, so it takes no longer than to write it down.
import { HubError } from '@weft/core/errors';
import { TRANSACTION_LIMITS } from '../store.ts';
import { type KnownActor, requireMay } from './actor.ts';
import { recordDone } from './audit.ts';
import { type Changed, storePublication } from './change.ts';
import type { Prisma } from './generated/client.ts';
import { lockRegistry } from './head.ts';
import type { RegistryParts } from './parts.ts';
import { REASON_LENGTH_MAX } from './publish.ts';
import { bad, requireText } from './version.ts';

const CONTENT = {
  members: { select: { system: true, version: true } },
  graphs: { select: { variant: true, hash: true } },
} as const satisfies Prisma.PublicationInclude;

type Content = Prisma.PublicationGetPayload<{ include: typeof CONTENT }>;

/**
 * @param to undefined: what was there before the present content
 * @throws HubError NOT_FOUND; FORBIDDEN unless every system that changes is the actor's; CONFLICT when one is in quarantine
 */
export async function rollBack(
  { prisma }: RegistryParts,
  actor: KnownActor,
  to: number | null | undefined,
  reason: string,
): Promise<Changed> {
  requireText('reason', reason, REASON_LENGTH_MAX);
  if (reason.trim() === '') throw bad('reason', 'expected why');
  return await prisma.$transaction(async (tx) => {
    await lockRegistry(tx);
    const head = await tx.publication.findFirst({ orderBy: { number: 'desc' }, include: CONTENT });
    if (head === null) throw notFound('nothing has been published');
    const target = await findTarget(tx, head, to);
    const systems = changedSystems(head, target);
    await requireAll(tx, actor, systems, target);
    const asked = { action: 'rollback', systems, reason };
    if (target.contentOf === head.contentOf) {
      await recordDone(tx, actor, asked, head.number);
      return { publication: head.number, changed: false, hints: [] };
    }
    const number = head.number + 1;
    // A system that was removed comes back with what it had.
    await tx.registration.updateMany({ where: { name: { in: [...systems] } }, data: { removedAt: null } });
    await storePublication(
      tx,
      { kind: 'ROLLBACK', actor, asked },
      { number, contentOf: target.contentOf, members: target.members, graphs: target.graphs },
    );
    await recordDone(tx, actor, asked, number);
    return { publication: number, changed: true, hints: [] };
  }, TRANSACTION_LIMITS);
}

/** The content before the present one: what a rollback has led to is gone back from, not to. */
async function findTarget(
  tx: Prisma.TransactionClient,
  head: Content,
  to: number | null | undefined,
): Promise<Content> {
  const target =
    to === null || to === undefined
      ? await tx.publication.findFirst({
          where: { number: { lt: head.contentOf } },
          orderBy: { number: 'desc' },
          include: CONTENT,
        })
      : await tx.publication.findUnique({ where: { number: to }, include: CONTENT });
  if (target === null)
    throw notFound(
      to === null || to === undefined ? 'nothing was published before' : `there is no publication ${to}`,
    );
  if (target.graphs.length === 0)
    throw notFound(`the graph of publication ${target.number} is no longer kept`);
  return target;
}

function notFound(message: string): HubError {
  return new HubError('NOT_FOUND', message, { details: { argument: 'to' } });
}

function changedSystems(head: Content, target: Content): readonly string[] {
  const before = new Map(head.members.map(({ system, version }) => [system, version]));
  const after = new Map(target.members.map(({ system, version }) => [system, version]));
  const all = new Set([...before.keys(), ...after.keys()]);
  return [...all].filter((system) => before.get(system) !== after.get(system)).sort();
}

async function requireAll(
  tx: Prisma.TransactionClient,
  actor: KnownActor,
  systems: readonly string[],
  target: Content,
): Promise<void> {
  const rows = await tx.registration.findMany({ where: { name: { in: [...systems] } } });
  for (const { name, owner } of rows) requireMay(actor, 'registry:publish', name, owner);
  const members = new Set(target.members.map(({ system }) => system));
  // FREEZE keeps its version, REMOVE keeps it out.
  const caught = rows.find(
    ({ name, quarantine }) => quarantine === 'FREEZE' || (quarantine !== null && members.has(name)),
  );
  if (caught === undefined) return;
  throw new HubError('CONFLICT', `${caught.name} is in quarantine, and would change: release it first`, {
    details: { quarantine: caught.quarantine },
  });
}
