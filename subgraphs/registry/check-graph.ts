// Asks the checks of a graph as it would be, with the graph of now and what clients have used of it.
import { HubError, OperatorError } from '@weft/core/errors';
import {
  type CheckReport,
  CURRENT_VARIANT,
  type ProposedMember,
  type UsedOperation,
} from '@weft/schema/registry-checks';
import type { PrismaClient } from './generated/client.ts';
import type { Head, MemberVersion } from './head.ts';
import type { RegistryParts } from './parts.ts';
import { readUsedOperations } from './read-usage.ts';

/** Which uses count against a change. */
export interface CheckWindow {
  readonly days: number;
  readonly countMin: number;
  readonly excludedClients: readonly string[];
}

export const CHECK_WINDOW: CheckWindow = Object.freeze({ days: 30, countMin: 1, excludedClients: [] });

/**
 * @param window undefined: nobody is asked who is broken, since it is not what decides
 * @throws HubError COMPOSITION_FAILED when the checks take too long or too much; what is wrong with the graph is in the report
 */
export async function checkGraph(
  { checks, prisma, variants }: Pick<RegistryParts, 'checks' | 'prisma' | 'variants'>,
  head: Head,
  members: ReadonlyMap<string, MemberVersion>,
  window: CheckWindow | undefined,
): Promise<CheckReport> {
  const proposed: readonly ProposedMember[] = [...members.values()].map((member) => {
    const { system: name, url, sdl, owner, id } = member;
    const before = head.members.get(name);
    const isChanged = before?.id !== id;
    return { name, url, sdl, owner, isChanged, previousSdl: before?.sdl, sources: sourcesOf(member) };
  });
  const [served, supergraphSdl, used] = await Promise.all([
    readServedVariants(prisma, head.number),
    readSupergraphSdl(prisma, head.number),
    window === undefined ? [] : readUsedOperations(prisma, window),
  ]);
  const wanted = Object.entries(variants).map(([name, filter]) => ({
    name,
    filter,
    isServed: served.has(name),
  }));
  return await ask(checks, { members: proposed, supergraphSdl, variants: wanted }, used);
}

/** The GraphQL files of a wrapped system's folder; undefined without one: then its SDL is what was written. */
function sourcesOf({ folder }: MemberVersion): ProposedMember['sources'] {
  const files = Object.entries(folder ?? {}).filter(([path]) => path.endsWith('.graphql'));
  return files.length === 0 ? undefined : files.map(([file, text]) => ({ file, text }));
}

async function ask(
  checks: RegistryParts['checks'],
  proposal: Parameters<RegistryParts['checks']['check']>[0],
  used: readonly UsedOperation[],
): Promise<CheckReport> {
  try {
    return await checks.check(proposal, used);
  } catch (thrown) {
    if (!(thrown instanceof OperatorError)) throw thrown;
    throw new HubError('COMPOSITION_FAILED', thrown.message, { cause: thrown, details: { problems: 1 } });
  }
}

async function readServedVariants(prisma: PrismaClient, publication: number): Promise<ReadonlySet<string>> {
  const graphs = await prisma.graph.findMany({ where: { publication }, select: { variant: true } });
  return new Set(graphs.map(({ variant }) => variant));
}

/** The whole graph of a publication; undefined before the first one. */
async function readSupergraphSdl(prisma: PrismaClient, publication: number): Promise<string | undefined> {
  const graph = await prisma.graph.findUnique({
    where: { publication_variant: { publication, variant: CURRENT_VARIANT } },
    select: { payload: { select: { text: true } } },
  });
  if (graph === null) return undefined;
  const { supergraphSdl } = JSON.parse(graph.payload.text) as { readonly supergraphSdl: string };
  return supergraphSdl;
}
