// Makes the graph another one: compared, composed, stored and told in one step, or not at all.
import { HubError } from '@weft/core/errors';
import type { CloudEvent } from '@weft/events/envelope';
import { fromPrisma, postgresAppender } from '@weft/events/postgres/appender';
import { canonicalText } from '@weft/evidence/hash';
import { type Problem, printProblem } from '@weft/schema/problem';
import type { CheckReport } from '@weft/schema/registry-checks';
import { TRANSACTION_LIMITS } from '../store.ts';
import type { KnownActor } from './actor.ts';
import { type Asked, recordDone } from './audit.ts';
import { CHECK_WINDOW, checkGraph } from './check-graph.ts';
import type { Prisma } from './generated/client.ts';
import { type Head, latestNumber, lockRegistry, type MemberVersion, readHead } from './head.ts';
import type { RegistryParts } from './parts.ts';
import { findRequest, type RequestKey, recordRequest } from './requests.ts';
import { subscriptionsOf, textHash } from './version.ts';

/** The topic of every publication of every variant. */
export const SUPERGRAPH_TOPIC = 'supergraph';

export type PublicationKind = 'SEED' | 'PUBLISH' | 'ROLLBACK' | 'QUARANTINE' | 'RELEASE' | 'REMOVE';

type Members = ReadonlyMap<string, MemberVersion>;

export interface GraphChange {
  readonly kind: PublicationKind;
  readonly actor: KnownActor;
  readonly asked: Asked;
  readonly request?: RequestKey | undefined;
  readonly expectedPublication?: number | null | undefined;
  /** The members as they would be; throws what refuses them. May be asked again, for a later head. */
  members(head: Head): Members | Promise<Members>;
  /** Refuses a graph that composes: a takeover, what breaks. Default: nothing does. */
  judge?(report: CheckReport): Promise<void>;
  /** What is stored besides, in the transaction and under the lock. */
  write?(tx: Prisma.TransactionClient): Promise<void>;
  /** Composes although the members are the same, and publishes what is another graph then. Default false. */
  readonly isRemade?: boolean | undefined;
  /** What was not committed when this aborts is undone. */
  readonly signal?: AbortSignal | undefined;
}

export interface Changed {
  /** The publication that holds now. */
  readonly publication: number;
  readonly changed: boolean;
  readonly hints: readonly Problem[];
}

/** Who comes second to a change composes again on what the first one left, so often at the most. */
const RACES_MAX = 5;

/**
 * Composes outside of the transaction, which is short; under the lock it holds only if the head is still the one that was composed on.
 * @throws HubError CONFLICT for another head than was expected; COMPOSITION_FAILED; what `members`, `judge` and `write` throw
 */
export async function changeGraph(parts: RegistryParts, change: GraphChange): Promise<Changed> {
  for (let race = 0; race < RACES_MAX; race += 1) {
    const done = await findDone(parts, change);
    if (done !== undefined) return done;
    const head = await readHead(parts.prisma);
    requireExpected(head, change.expectedPublication);
    const members = await change.members(head);
    const isKept = change.isRemade !== true && isSame(head.members, members);
    const report = isKept ? undefined : await compose(parts, change, head, members);
    if (report !== undefined) await change.judge?.(report);
    const graphs = report === undefined ? undefined : graphsOf(report, members);
    const publication = await store(parts, change, head, members, graphs);
    if (publication !== undefined)
      return { publication, changed: publication !== head.number, hints: report?.hints ?? [] };
  }
  throw new HubError('CONFLICT', `the graph changed ${RACES_MAX} times while this was composed: try again`, {
    retryable: true,
  });
}

async function findDone({ prisma }: RegistryParts, { request }: GraphChange): Promise<Changed | undefined> {
  if (request === undefined) return undefined;
  const done = await findRequest(prisma, request);
  return done === undefined ? undefined : { publication: done.publication ?? 0, changed: false, hints: [] };
}

/** @throws HubError CONFLICT */
export function requireExpected({ number }: Head, expected: number | null | undefined): void {
  if (expected === null || expected === undefined || expected === number) return;
  throw new HubError('CONFLICT', `the graph has the publication ${number}, not ${expected}`, {
    details: { publication: number },
  });
}

function isSame(one: Members, other: Members): boolean {
  return one.size === other.size && [...one].every(([name, { id }]) => other.get(name)?.id === id);
}

async function compose(
  parts: RegistryParts,
  { judge }: GraphChange,
  head: Head,
  members: Members,
): Promise<CheckReport> {
  if (members.size === 0) throw new HubError('CONFLICT', 'the last system of the graph stays in it');
  const window = judge === undefined ? undefined : CHECK_WINDOW;
  return requireComposed(await checkGraph(parts, head, members, window));
}

const PROBLEMS_TOLD_MAX = 3;

function requireComposed(report: CheckReport): CheckReport {
  if (report.errors.length === 0) return report;
  const told = report.errors.slice(0, PROBLEMS_TOLD_MAX).map(printProblem).join('; ');
  const more = report.errors.length - PROBLEMS_TOLD_MAX;
  throw new HubError('COMPOSITION_FAILED', more > 0 ? `${told}; and ${more} more` : told, {
    details: { problems: report.errors.length },
  });
}

interface NewGraph {
  readonly variant: string;
  readonly hash: string;
  readonly text: string;
}

function graphsOf({ supergraphs }: CheckReport, members: Members): readonly NewGraph[] {
  return Object.entries(supergraphs).map(([variant, supergraphSdl]) => {
    const text = payloadText(supergraphSdl, members);
    return { variant, text, hash: textHash(text) };
  });
}

/** Undefined when another change came first. @param graphs undefined: the graph stays what it is */
async function store(
  { prisma }: RegistryParts,
  change: GraphChange,
  head: Head,
  members: Members,
  graphs: readonly NewGraph[] | undefined,
): Promise<number | undefined> {
  return await prisma.$transaction(async (tx) => {
    await lockRegistry(tx);
    if ((await findRequest(tx, change.request)) !== undefined) return undefined;
    if ((await latestNumber(tx)) !== head.number) return undefined;
    await change.write?.(tx);
    const isKept = graphs === undefined || (change.isRemade === true && (await hasGraphs(tx, head, graphs)));
    const number = isKept ? head.number : head.number + 1;
    if (!isKept) await publish(tx, change, number, members, graphs);
    await recordDone(tx, change.actor, change.asked, number);
    await recordRequest(tx, change.request, { publication: number });
    change.signal?.throwIfAborted();
    return number;
  }, TRANSACTION_LIMITS);
}

async function hasGraphs(
  tx: Prisma.TransactionClient,
  { number: publication }: Head,
  graphs: readonly NewGraph[],
): Promise<boolean> {
  const stored = await readHashes(tx, publication);
  return stored.size === graphs.length && graphs.every(({ variant, hash }) => stored.get(variant) === hash);
}

/** By variant. */
async function readHashes(
  tx: Prisma.TransactionClient,
  publication: number,
): Promise<ReadonlyMap<string, string>> {
  const rows = await tx.graph.findMany({ where: { publication } });
  return new Map(rows.map(({ variant, hash }) => [variant, hash]));
}

async function publish(
  tx: Prisma.TransactionClient,
  change: GraphChange,
  number: number,
  members: Members,
  graphs: readonly NewGraph[],
): Promise<void> {
  const payloads = graphs.map(({ hash, text }) => ({ hash, text }));
  await tx.payload.createMany({ data: payloads, skipDuplicates: true });
  await storePublication(tx, change, {
    number,
    contentOf: number,
    members: [...members.values()].map(({ system, id }) => ({ system, version: id })),
    graphs: graphs.map(({ variant, hash }) => ({ variant, hash })),
  });
}

export interface NewPublication {
  readonly number: number;
  readonly contentOf: number;
  readonly members: readonly { readonly system: string; readonly version: string }[];
  readonly graphs: readonly { readonly variant: string; readonly hash: string }[];
}

/**
 * In a transaction that holds the lock of the registry: the publication, its members, its graphs, and the event of each variant that
 * is another than in the publication before.
 */
export async function storePublication(
  tx: Prisma.TransactionClient,
  { kind, actor, asked }: Pick<GraphChange, 'kind' | 'actor' | 'asked'>,
  { number, contentOf, members, graphs }: NewPublication,
): Promise<void> {
  const at = new Date();
  const by = { byKey: actor.key, by: actor.name, reason: asked.reason ?? null };
  await tx.publication.create({ data: { number, kind, at, contentOf, ...by } });
  await tx.member.createMany({ data: members.map((member) => ({ ...member, publication: number })) });
  await tx.graph.createMany({ data: graphs.map((graph) => ({ ...graph, publication: number })) });
  const before = await readHashes(tx, number - 1);
  const events = graphs
    .filter(({ variant, hash }) => before.get(variant) !== hash)
    .map(({ variant, hash }) => publishedEvent(variant, number, hash, at));
  if (events.length > 0) await postgresAppender.append(fromPrisma(tx), SUPERGRAPH_TOPIC, events);
}

/** What gateways are given: equal graphs have equal texts. */
function payloadText(supergraphSdl: string, members: Members): string {
  const subgraphs = [...members.values()]
    .sort((a, b) => (a.system < b.system ? -1 : 1))
    .map((member) => {
      const subscriptions = subscriptionsOf(member);
      return { name: member.system, url: member.url, ...(subscriptions && { subscriptions }) };
    });
  return canonicalText({ supergraphSdl, subgraphs });
}

function publishedEvent(variant: string, publication: number, hash: string, at: Date): CloudEvent {
  return {
    specversion: '1.0',
    id: `${variant}:${publication}`,
    source: '/subgraphs/registry',
    type: 'dev.weft.supergraph.published',
    subject: `Supergraph:${variant}`,
    time: at.toISOString(),
    datacontenttype: 'application/json',
    partitionkey: variant,
    sequence: String(publication),
    data: { variant, publication, hash },
  };
}
