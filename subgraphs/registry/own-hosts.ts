// Keeps others from the addresses of the hub's own systems: these trust the gateway to ask what the hub's SDL lets it ask.
import { HubError } from '@weft/core/errors';
import { HUB, HUB_OWNER, type KnownActor } from './actor.ts';
import type { PrismaClient } from './generated/client.ts';
import type { NewVersion } from './version.ts';

/**
 * A department that could describe the hub's own subgraph anew, on its own host and port, would have its fields without their
 * protection. Where the hub has put a department's own system, that system stays.
 * @throws HubError INVALID_URL
 */
export async function requireForeignHosts(
  prisma: PrismaClient,
  { isAdmin }: KnownActor,
  versions: readonly Pick<NewVersion, 'system' | 'url' | 'subscriptionsUrl'>[],
): Promise<void> {
  if (isAdmin || versions.length === 0) return;
  const own = await prisma.version.findMany({
    where: { OR: [{ registration: { owner: HUB_OWNER } }, { pushedByKey: HUB.key }] },
    distinct: ['url'],
    select: { url: true },
  });
  const hosts = new Set(own.map(({ url }) => hostOf(url)));
  const seeded = await prisma.version.findMany({
    where: { system: { in: versions.map(({ system }) => system) }, pushedByKey: HUB.key },
    select: { system: true, url: true },
  });
  const places = new Set(seeded.map(({ system, url }) => `${system} ${url}`));
  const asked = versions
    .flatMap(({ system, url, subscriptionsUrl }) => [
      { system, url },
      ...(subscriptionsUrl === null ? [] : [{ system, url: subscriptionsUrl }]),
    ])
    .filter(({ system, url }) => !places.has(`${system} ${url}`));
  if (!asked.some(({ url }) => hosts.has(hostOf(url)))) return;
  throw new HubError('INVALID_URL', "the host and port are those of the hub's own systems", {
    retryable: false,
  });
}

/** A WebSocket's port is that of the HTTP it begins as. */
function hostOf(url: string): string {
  return new URL(url.replace(/^ws/, 'http')).host;
}
