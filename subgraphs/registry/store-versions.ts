// Stores versions, each once, and never changes them.
import { HubError } from '@weft/core/errors';
import type { KnownActor } from './actor.ts';
import type { Prisma } from './generated/client.ts';
import type { NewVersion } from './version.ts';

/** Of one system: enough for years of changes, and an end to a loop that pushes for ever. */
const VERSIONS_MAX = 5_000;

/** In a transaction that holds the lock of the registry. @throws HubError LIMIT_EXCEEDED */
export async function storeVersions(
  tx: Prisma.TransactionClient,
  versions: readonly NewVersion[],
  actor: KnownActor,
): Promise<void> {
  for (const { folder, ...version } of versions) {
    const { system, id } = version;
    const known = await tx.version.findUnique({
      where: { system_id: { system, id } },
      select: { number: true },
    });
    if (known !== null) continue;
    const { _max } = await tx.version.aggregate({ where: { system }, _max: { number: true } });
    const number = (_max.number ?? 0) + 1;
    if (number > VERSIONS_MAX)
      throw new HubError('LIMIT_EXCEEDED', `${system}: at most ${VERSIONS_MAX} versions are kept`, {
        details: { limit: 'VERSIONS_MAX', max: VERSIONS_MAX },
      });
    const pushed = { number, pushedAt: new Date(), pushedByKey: actor.key, pushedBy: actor.name };
    await tx.version.create({ data: { ...version, ...pushed, ...(folder === null ? {} : { folder }) } });
  }
}
