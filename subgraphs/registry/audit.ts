// The history: what was asked of the registry, by whom, why, and what became of it.
import type { Logger } from '@weft/core/logger';
import { fromStoreError } from '../store.ts';
import type { Actor, KnownActor } from './actor.ts';
import type { Prisma, PrismaClient } from './generated/client.ts';

const DETAIL_LENGTH_MAX = 2_000;

/** What somebody asks for. */
export interface Asked {
  /** The mutation. */
  readonly action: string;
  readonly systems: readonly string[];
  readonly reason?: string | null | undefined;
}

/** In the transaction of what was done. */
export async function recordDone(
  tx: Prisma.TransactionClient,
  actor: KnownActor,
  asked: Asked,
  publication: number | null = null,
): Promise<void> {
  await tx.audit.create({ data: { ...rowOf(actor, asked), outcome: 'OK', publication } });
}

/**
 * Runs what is asked; what it refuses is told to the history, and thrown as it was. Refusals of who is not known are in the log
 * alone: anybody could fill a table with them.
 */
export async function audited<Result>(
  { prisma, logger }: { readonly prisma: PrismaClient; readonly logger: Logger },
  actor: Actor,
  asked: Asked,
  run: () => Promise<Result>,
): Promise<Result> {
  try {
    return await run();
  } catch (thrown) {
    const { code, message } = fromStoreError(thrown);
    logger.info(
      { action: asked.action, systems: asked.systems, by: actor.name, code },
      'the registry refused',
    );
    const { key } = actor;
    if (key !== undefined && code !== 'STORE_UNAVAILABLE') {
      const detail = message.slice(0, DETAIL_LENGTH_MAX);
      const data = { ...rowOf({ ...actor, key }, asked), outcome: code, detail };
      await prisma.audit.create({ data }).catch((err: unknown) => {
        logger.error({ err, action: asked.action }, 'a refusal could not be written into the history');
      });
    }
    throw thrown;
  }
}

function rowOf({ key, name, department }: KnownActor, { action, systems, reason = null }: Asked) {
  return {
    at: new Date(),
    byKey: key,
    by: name,
    department: department ?? null,
    action,
    systems: systems.map((each) => each.slice(0, 100).replaceAll('\0', '')),
    reason: reason?.slice(0, DETAIL_LENGTH_MAX).replaceAll('\0', '') ?? null,
  };
}
