// Registers what the checkout stores, under the hub's own name, when the hub starts; nothing when nothing changed.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { HubError, OperatorError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import { readJson } from '@weft/core/read-json';
import { z } from 'zod';
import { HUB, HUB_OWNER } from './actor.ts';
import { audited } from './audit.ts';
import { changeGraph } from './change.ts';
import type { Prisma } from './generated/client.ts';
import type { Head, MemberVersion } from './head.ts';
import type { RegistryParts } from './parts.ts';
import { storeRegistration } from './register.ts';
import { storeVersions } from './store-versions.ts';
import { decodeVersion, type NewVersion } from './version.ts';

const OWNER_LENGTH_MAX = 100;

/** As `weft up` writes it, and as a gateway reads it: the list of members, SDL in files beside it, and the department that owns each. */
const MANIFEST = z.object({
  subgraphs: z
    .array(
      z.object({
        name: z.string(),
        url: z.string(),
        sdlFile: z.string(),
        owner: z.string().min(1).max(OWNER_LENGTH_MAX).default(HUB_OWNER),
      }),
    )
    .min(1),
});

const SEED_NEVER = new AbortController().signal;

/**
 * A system that was seeded and is no longer in the checkout leaves. What others published stays; when it does not fit together, the
 * graph stays as it is, and the log says so.
 * @throws OperatorError when the file cannot be read, HubError INVALID_URL when its addresses are not allowed
 */
export async function seedRegistry(parts: RegistryParts, manifestFile: string): Promise<void> {
  const { prisma, logger } = parts;
  const stored = await decodeAll(parts, manifestFile);
  const before = new Map((await prisma.seed.findMany()).map(({ system, version }) => [system, version]));
  const changed = stored.filter(({ system, id }) => before.get(system) !== id);
  const names = new Set(stored.map(({ system }) => system));
  const gone = [...before.keys()].filter((system) => !names.has(system));
  if (changed.length === 0 && gone.length === 0) return;
  const systems = [...changed.map(({ system }) => system), ...gone];
  const reason = before.size === 0 ? 'the checkout' : 'the checkout changed';
  const asked = { action: 'seed', systems, reason };
  try {
    const { publication } = await audited(parts, HUB, asked, () =>
      changeGraph(parts, {
        kind: 'SEED',
        actor: HUB,
        asked,
        members: async (head) => seededMembers(head, changed, gone, await quarantined(parts)),
        write: (tx) => writeSeed(tx, changed, gone),
        signal: SEED_NEVER,
      }),
    );
    logger.info({ publication, systems }, 'the registry has what the checkout stores');
  } catch (thrown) {
    tellFailure(thrown, systems, logger);
  }
}

interface Seeded extends NewVersion {
  readonly owner: string;
}

/** What the operator wrote is the operator's mistake. */
async function decodeAll({ guard }: RegistryParts, manifestFile: string): Promise<readonly Seeded[]> {
  const decoded: Seeded[] = [];
  for (const input of readManifest(manifestFile)) {
    try {
      decoded.push({ ...(await decodeVersion(input, guard)), owner: input.owner });
    } catch (cause) {
      if (!(cause instanceof HubError)) throw cause;
      throw new OperatorError(`WEFT_REGISTRY_SEED_FILE: ${input.system}: ${cause.message}`, {
        exitCode: 2,
        cause,
      });
    }
  }
  return decoded;
}

function tellFailure(thrown: unknown, systems: readonly string[], logger: Logger): void {
  if (!(thrown instanceof HubError) || thrown.code !== 'COMPOSITION_FAILED') throw thrown;
  logger.error(
    { err: thrown, systems },
    'what the checkout stores does not fit what others have published: the graph stays as it is',
  );
}

function readManifest(file: string) {
  const { subgraphs } = readJson('WEFT_REGISTRY_SEED_FILE', file, MANIFEST);
  return subgraphs.map(({ name, url, sdlFile, owner }) => ({
    owner,
    system: name,
    url,
    sdl: readFileSync(resolve(dirname(file), sdlFile), 'utf8'),
  }));
}

async function quarantined({ prisma }: RegistryParts): Promise<ReadonlySet<string>> {
  const rows = await prisma.registration.findMany({
    where: { quarantine: { not: null } },
    select: { name: true },
  });
  return new Set(rows.map(({ name }) => name));
}

function seededMembers(
  head: Head,
  changed: readonly Seeded[],
  gone: readonly string[],
  held: ReadonlySet<string>,
): Head['members'] {
  const members = new Map<string, MemberVersion>(head.members);
  for (const system of gone) members.delete(system);
  for (const { folder: _folder, commit: _commit, ...version } of changed) {
    if (held.has(version.system)) continue;
    members.set(version.system, { ...version, number: 0 });
  }
  return members;
}

async function writeSeed(
  tx: Prisma.TransactionClient,
  changed: readonly Seeded[],
  gone: readonly string[],
): Promise<void> {
  for (const { system, id, owner } of changed) {
    const known = await tx.registration.findUnique({ where: { name: system } });
    if (known === null || known.removedAt !== null)
      await storeRegistration(tx, registrationOf(system, owner), HUB, known);
    await tx.seed.upsert({
      where: { system },
      create: { system, version: id },
      update: { version: id },
    });
  }
  await storeVersions(
    tx,
    changed.map(({ owner: _owner, ...version }) => version),
    HUB,
  );
  await tx.seed.deleteMany({ where: { system: { in: [...gone] } } });
  await tx.registration.updateMany({ where: { name: { in: [...gone] } }, data: { removedAt: new Date() } });
}

function registrationOf(name: string, owner: string) {
  const told = { name, title: name, owner, contact: '', dataSharingBasis: '' };
  return { ...told, needsApproval: false };
}
