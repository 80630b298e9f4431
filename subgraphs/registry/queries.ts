// Resolvers of what the registry is asked, and of the types that it answers with.
import { HubError } from '@weft/core/errors';
import { CURRENT_VARIANT } from '@weft/schema/registry-checks';
import { type PageLimit, requirePageSize } from '../page-size.ts';
import type { Actor } from './actor.ts';
import { requireKnown } from './actor.ts';
import { asRead } from './as-read.ts';
import { checkVersions, USAGE_DAYS_MAX, type WindowInput } from './checks.ts';
import type { Lease, Publication, System } from './generated/client.ts';
import { listVersions, type MemberKey, type RegistryLoaders, type VersionRow } from './loaders.ts';
import type { RegistryParts } from './parts.ts';
import { readUsesOf } from './read-usage.ts';
import { readSignedSupergraph, type SupergraphSigner } from './supergraph.ts';
import { bad, requireText, type VersionInput } from './version.ts';

/** Of the lists of systems. */
const LIST_LIMIT: PageLimit = { name: 'LIST_ITEMS_MAX', itemsMax: 500, itemsUsual: 100 };
const VERSIONS_LIMIT: PageLimit = { name: 'VERSIONS_PAGE_MAX', itemsMax: 100, itemsUsual: 20 };
const PUBLICATIONS_LIMIT: PageLimit = { name: 'PUBLICATIONS_PAGE_MAX', itemsMax: 100, itemsUsual: 20 };
const AUDIT_LIMIT: PageLimit = { name: 'AUDIT_PAGE_MAX', itemsMax: 500, itemsUsual: 100 };
const USES_LIMIT: PageLimit = { name: 'USES_PAGE_MAX', itemsMax: 500, itemsUsual: 50 };
const COORDINATE_LENGTH_MAX = 300;
const DAYS_USUAL = 30;

/** What the resolvers of one request share. */
export interface RegistryContext {
  readonly loaders: RegistryLoaders;
  readonly actor: Actor;
  readonly deadline: { readonly signal: AbortSignal };
}

interface NameArguments {
  readonly name: string;
}

interface FirstArguments {
  readonly first: number | null;
}

export function createQueryResolvers(parts: RegistryParts, signer: SupergraphSigner | undefined) {
  const { prisma } = parts;
  return {
    systems: (_: unknown, { first }: FirstArguments) => listSystems(parts, first),
    system: (_: unknown, { name }: NameArguments, { loaders }: RegistryContext) => loaders.systems.load(name),
    publications: (_: unknown, { first, before }: FirstArguments & { readonly before?: number | null }) =>
      prisma.publication.findMany({
        where: before === null || before === undefined ? {} : { number: { lt: before } },
        orderBy: { number: 'desc' },
        take: requirePageSize(first, PUBLICATIONS_LIMIT),
      }),
    publication: (_: unknown, { number }: { readonly number: number }) =>
      prisma.publication.findUnique({ where: { number } }),
    registryAudit: (_: unknown, { first, system }: FirstArguments & { readonly system?: string | null }) =>
      prisma.audit.findMany({
        where: system === null || system === undefined ? {} : { systems: { has: system } },
        orderBy: { id: 'desc' },
        take: requirePageSize(first, AUDIT_LIMIT),
      }),
    checkVersions: (
      _: unknown,
      {
        changes,
        window,
      }: { readonly changes: readonly VersionInput[]; readonly window?: WindowInput | null },
      { actor }: RegistryContext,
    ) => checkVersions(parts, requireKnown(actor), changes, window),
    usage: (
      _: unknown,
      {
        coordinate,
        days,
        first,
      }: FirstArguments & { readonly coordinate: string; readonly days: number | null },
    ) => {
      requireText('coordinate', coordinate, COORDINATE_LENGTH_MAX);
      const back = days ?? DAYS_USUAL;
      if (back < 1 || back > USAGE_DAYS_MAX) throw bad('days', `expected 1 to ${USAGE_DAYS_MAX}`);
      return readUsesOf(prisma, coordinate, back, requirePageSize(first, USES_LIMIT));
    },
    supergraph: (
      _: unknown,
      { variant, have }: { readonly variant: string; readonly have?: string | null },
    ) => readSignedSupergraph(prisma, signer, variant, have),
  };
}

/** Those that left their place are no longer listed. */
async function listSystems({ prisma }: RegistryParts, first: number | null): Promise<readonly System[]> {
  const left = await prisma.registration.findMany({
    where: { removedAt: { not: null } },
    select: { name: true },
  });
  const rows = await prisma.system.findMany({
    where: { NOT: { kind: 'REMOTE', name: { in: left.map(({ name }) => name) } } },
    orderBy: { name: 'asc' },
    take: requirePageSize(first, LIST_LIMIT),
  });
  const now = new Date();
  const leases = await prisma.lease.findMany({
    where: { system: { in: rows.map(({ name }) => name) }, expiresAt: { gt: now } },
    orderBy: { expiresAt: 'asc' },
  });
  const until = new Map(leases.map(({ system, expiresAt }) => [system, expiresAt]));
  return rows.map((row) => asRead(row, now, until.get(row.name)));
}

type Named = { readonly name: string };

export const SYSTEM_RESOLVERS = {
  __resolveReference: ({ name }: NameArguments, { loaders }: RegistryContext) => loaders.systems.load(name),
  owner: async (system: Named, _: unknown, context: RegistryContext) =>
    (await registrationOf(system, context))?.owner ?? null,
  contact: async (system: Named, _: unknown, context: RegistryContext) =>
    (await registrationOf(system, context))?.contact ?? null,
  dataSharingBasis: async (system: Named, _: unknown, context: RegistryContext) =>
    (await registrationOf(system, context))?.dataSharingBasis ?? null,
  requiresApproval: async (system: Named, _: unknown, context: RegistryContext) =>
    (await registrationOf(system, context))?.needsApproval ?? null,
  registeredAt: async (system: Named, _: unknown, context: RegistryContext) =>
    (await registrationOf(system, context))?.registeredAt ?? null,
  version: async ({ name }: Named, _: unknown, { loaders }: RegistryContext) => {
    const key = await loaders.published.load(name);
    return key === null ? null : await loaders.versions.load(key);
  },
  lease: ({ name }: Named, _: unknown, { loaders }: RegistryContext) => loaders.leases.load(name),
  quarantine: async (system: Named, _: unknown, context: RegistryContext) => {
    const registration = await registrationOf(system, context);
    if (registration === null || registration.quarantine === null) return null;
    const { quarantine: mode, quarantineReason: reason, quarantinedAt: since } = registration;
    return { mode, reason, since };
  },
  latency: async ({ name }: Named, _: unknown, { loaders }: RegistryContext) => {
    const use = await loaders.uses.load(name);
    return use === null ? null : { p50Ms: use.p50_ms, p99Ms: use.p99_ms };
  },
  errorRate: async ({ name }: Named, _: unknown, { loaders }: RegistryContext) => {
    const use = await loaders.uses.load(name);
    return use === null || use.calls === 0n ? null : Number(use.failures) / Number(use.calls);
  },
  drift: ({ name }: Named, _: unknown, { loaders }: RegistryContext) => loaders.drifts.load(name),
};

function registrationOf({ name }: Named, { loaders }: RegistryContext) {
  return loaders.registrations.load(name);
}

/** Of the types that need the store besides the loaders. */
export function createTypeResolvers({ prisma }: RegistryParts) {
  return {
    System: {
      ...SYSTEM_RESOLVERS,
      versions: ({ name }: Named, { first }: FirstArguments) =>
        listVersions(prisma, name, requirePageSize(first, VERSIONS_LIMIT)),
    },
    SystemVersion: {
      system: ({ system }: VersionRow, _: unknown, { loaders }: RegistryContext) =>
        loaders.systems.load(system),
      sdl: async ({ system, id }: VersionRow) =>
        (await prisma.version.findUnique({ where: { system_id: { system, id } }, select: { sdl: true } }))
          ?.sdl,
      approvals: ({ system, id }: VersionRow) =>
        prisma.approval.findMany({
          where: { system, version: id },
          orderBy: { at: 'asc' },
          take: LIST_LIMIT.itemsMax,
        }),
    },
    Lease: {
      state: ({ expiresAt }: Lease) => (expiresAt.getTime() > Date.now() ? 'ACTIVE' : 'EXPIRED'),
    },
    Publication: {
      rolledBackTo: ({ number, contentOf }: Publication) => (contentOf === number ? null : contentOf),
      hash: async ({ number: publication }: Publication) =>
        (
          await prisma.graph.findUnique({
            where: { publication_variant: { publication, variant: CURRENT_VARIANT } },
          })
        )?.hash ?? null,
      members: async ({ number }: Publication, _: unknown, { loaders }: RegistryContext) =>
        await loaders.versions.loadMany(await loaders.members.load(number)),
      difference: readDifference,
    },
  };
}

async function readDifference({ number }: Publication, _: unknown, { loaders }: RegistryContext) {
  const [before, after] = await Promise.all([loaders.members.load(number - 1), loaders.members.load(number)]);
  const idsBefore = new Map(before.map((key) => [key.system, key]));
  const idsAfter = new Map(after.map((key) => [key.system, key]));
  const systems = [...new Set([...idsBefore.keys(), ...idsAfter.keys()])].sort();
  const versionOf = async (key: MemberKey | undefined) =>
    key === undefined ? null : await loaders.versions.load(key);
  return await Promise.all(
    systems
      .filter((system) => idsBefore.get(system)?.id !== idsAfter.get(system)?.id)
      .map(async (system) => ({
        system,
        before: await versionOf(idsBefore.get(system)),
        after: await versionOf(idsAfter.get(system)),
      })),
  );
}

/** What a mutation has just changed, as a query would have it. @throws HubError NOT_FOUND */
export async function readPublication({ prisma }: RegistryParts, number: number): Promise<Publication> {
  const publication = await prisma.publication.findUnique({ where: { number } });
  if (publication === null) throw new HubError('NOT_FOUND', `there is no publication ${number}`);
  return publication;
}
