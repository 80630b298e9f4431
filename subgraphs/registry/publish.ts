// Points the graph at versions of one or several systems, which it stores first where they are new: one publication, or none.
import { HubError } from '@weft/core/errors';
import { type ProblemLocation, printProblem } from '@weft/schema/problem';
import type { CheckReport, Takeover } from '@weft/schema/registry-checks';
import { TRANSACTION_LIMITS } from '../store.ts';
import { type KnownActor, requireMay } from './actor.ts';
import { findBreakApproval, isApproved } from './approvals.ts';
import { recordDone } from './audit.ts';
import { type Changed, changeGraph } from './change.ts';
import type { Registration } from './generated/client.ts';
import { findVersion, type Head, lockRegistry, type MemberVersion } from './head.ts';
import { requireForeignHosts } from './own-hosts.ts';
import type { RegistryParts } from './parts.ts';
import {
  decodeRegistration,
  type NewRegistration,
  type RegisterInput,
  requireRegistration,
  storeRegistration,
} from './register.ts';
import { findRequest, recordRequest, requestKeyOf } from './requests.ts';
import { storeVersions } from './store-versions.ts';
import {
  bad,
  contentHash,
  decodeVersion,
  type NewVersion,
  requireText,
  type VersionInput,
} from './version.ts';

export interface StoredVersionInput {
  readonly system: string;
  readonly version: string;
  readonly expectedVersion?: string | null;
}

export interface PublishInput {
  readonly register?: readonly RegisterInput[] | null;
  readonly versions?: readonly VersionInput[] | null;
  readonly stored?: readonly StoredVersionInput[] | null;
  readonly reason?: string | null;
  readonly expectedPublication?: number | null;
  readonly requestId?: string | null;
}

/** Of one change set. */
const SYSTEMS_MAX = 50;
export const REASON_LENGTH_MAX = 1_000;

/** One system of a change set. */
export interface Proposed {
  readonly member: MemberVersion;
  /** Undefined when it is stored already. */
  readonly version: NewVersion | undefined;
  /** Undefined when the system is registered already. */
  readonly registration: NewRegistration | undefined;
  readonly needsApproval: boolean;
  readonly quarantine: string | null;
  readonly expectedVersion: string | null;
}

export interface VersionKey {
  readonly system: string;
  readonly id: string;
}

/** The names that a change set concerns, whether or not it can be decoded. */
export function systemsOf({ versions, stored }: PublishInput): readonly string[] {
  return [...(versions ?? []), ...(stored ?? [])].slice(0, SYSTEMS_MAX).map(({ system }) => system);
}

/** @throws HubError with the code that docs/registry.md has for what refuses it */
export async function publishVersions(
  parts: RegistryParts,
  actor: KnownActor,
  input: PublishInput,
  signal: AbortSignal,
): Promise<Changed & { readonly versions: readonly VersionKey[] }> {
  requireText('reason', input.reason, REASON_LENGTH_MAX);
  const proposed = await decodeChanges(parts, actor, input);
  const versions = proposed.map(({ member: { system, id } }) => ({ system, id }));
  const command = { versions, expected: input.expectedPublication ?? null };
  const changed = await changeGraph(parts, {
    kind: 'PUBLISH',
    actor,
    asked: { action: 'publishVersions', systems: systemsOf(input), reason: input.reason },
    request: requestKeyOf(actor, input.requestId, contentHash(['publishVersions', command])),
    expectedPublication: input.expectedPublication,
    members: (head) => {
      for (const each of proposed) requireExpectedVersion(head, each);
      return withProposed(head, proposed);
    },
    judge: async (report) => judge(parts, actor, proposed, report),
    write: async (tx) => {
      for (const { registration } of proposed) {
        if (registration === undefined) continue;
        const known = await tx.registration.findUnique({ where: { name: registration.name } });
        if (known === null || known.removedAt !== null)
          await storeRegistration(tx, registration, actor, known);
        else requireMay(actor, 'registry:publish', known.name, known.owner);
      }
      await storeVersions(tx, newVersionsOf(proposed), actor);
    },
    signal,
  });
  return { ...changed, versions };
}

/** Stores a version without pointing at it. @throws HubError as `publishVersions`, but for what the graph would refuse */
export async function pushVersion(
  parts: RegistryParts,
  actor: KnownActor,
  input: VersionInput,
  requestId: string | null,
): Promise<VersionKey> {
  const { system } = input;
  const { owner } = await requireRegistration(parts.prisma, system);
  requireMay(actor, 'registry:publish', system, owner);
  const version = await decodeVersion(input, parts.guard);
  await requireForeignHosts(parts.prisma, actor, [version]);
  const { id } = version;
  const request = requestKeyOf(actor, requestId, contentHash(['pushVersion', system, id]));
  await store(parts, actor, [version], { action: 'pushVersion', systems: [system] }, request);
  return { system, id };
}

async function store(
  { prisma }: RegistryParts,
  actor: KnownActor,
  versions: readonly NewVersion[],
  asked: Parameters<typeof recordDone>[2],
  request: ReturnType<typeof requestKeyOf>,
): Promise<void> {
  await prisma.$transaction(async (tx) => {
    await lockRegistry(tx);
    if ((await findRequest(tx, request)) !== undefined) return;
    await storeVersions(tx, versions, actor);
    await recordDone(tx, actor, asked);
    await recordRequest(tx, request, {
      system: versions[0]?.system ?? null,
      version: versions[0]?.id ?? null,
    });
  }, TRANSACTION_LIMITS);
}

/** The change set, allowed to the actor, its SDL measured and its addresses checked. */
export async function decodeChanges(
  parts: RegistryParts,
  actor: KnownActor,
  input: Pick<PublishInput, 'register' | 'versions' | 'stored'>,
): Promise<readonly Proposed[]> {
  const { versions, stored, register } = input;
  const names = [...(versions ?? []), ...(stored ?? [])].map(({ system }) => system);
  if (names.length === 0 || names.length > SYSTEMS_MAX)
    throw bad('versions', `expected 1 to ${SYSTEMS_MAX} systems`);
  if (new Set(names).size < names.length) throw bad('versions', 'expected each system once');
  const known = await parts.prisma.registration.findMany({ where: { name: { in: names }, removedAt: null } });
  const registrations = new Map(known.map((row) => [row.name, row]));
  const wanted = new Map((register ?? []).map((each) => [each.name, each]));
  const placeOf = (system: string) => requirePlace(system, registrations, wanted, actor);
  // All that may be refused for who asks, before anything is resolved or read.
  const places = new Map(names.map((name) => [name, placeOf(name)]));
  const proposed: Proposed[] = [];
  for (const each of versions ?? [])
    proposed.push(await proposedNew(parts, each, places.get(each.system) ?? placeOf(each.system)));
  for (const each of stored ?? [])
    proposed.push(await proposedStored(parts, each, places.get(each.system) ?? placeOf(each.system)));
  await requireForeignHosts(parts.prisma, actor, newVersionsOf(proposed));
  return proposed;
}

type Place = Pick<Proposed, 'registration' | 'needsApproval' | 'quarantine'> & { readonly owner: string };

function requirePlace(
  system: string,
  registrations: ReadonlyMap<string, Registration>,
  wanted: ReadonlyMap<string, RegisterInput>,
  actor: KnownActor,
): Place {
  const known = registrations.get(system);
  if (known !== undefined) {
    const { owner, needsApproval, quarantine } = known;
    requireMay(actor, 'registry:publish', system, owner);
    return { registration: undefined, owner, needsApproval, quarantine };
  }
  const input = wanted.get(system);
  if (input === undefined)
    throw new HubError('NOT_FOUND', `no system ${JSON.stringify(system.slice(0, 100))} is registered`, {
      details: { argument: 'system' },
    });
  const registration = decodeRegistration(input, actor);
  const { owner, needsApproval } = registration;
  return { registration, owner, needsApproval, quarantine: null };
}

async function proposedNew(
  { guard }: RegistryParts,
  input: VersionInput,
  { owner, ...place }: Place,
): Promise<Proposed> {
  requireFree(input.system, place);
  const version = await decodeVersion(input, guard);
  const { commit: _commit, ...content } = version;
  const member = { ...content, owner, number: 0 };
  return { ...place, member, version, expectedVersion: input.expectedVersion ?? null };
}

async function proposedStored(
  { prisma }: RegistryParts,
  { system, version, expectedVersion }: StoredVersionInput,
  { owner: _owner, ...place }: Place,
): Promise<Proposed> {
  requireFree(system, place);
  const member = await findVersion(prisma, system, version);
  if (member === null)
    throw new HubError('NOT_FOUND', `${system} has no version ${version.slice(0, 100)}`, {
      details: { argument: 'version' },
    });
  return { ...place, member, version: undefined, expectedVersion: expectedVersion ?? null };
}

function requireFree(system: string, { quarantine }: Pick<Place, 'quarantine'>): void {
  if (quarantine === null) return;
  const message = `${system} is in quarantine (${quarantine}): it changes the graph when it is released by releaseSystem`;
  throw new HubError('FORBIDDEN', message, {
    details: { quarantine },
  });
}

/** @throws HubError CONFLICT when the graph has another version of the system than was expected */
function requireExpectedVersion(head: Head, { member: { system }, expectedVersion }: Proposed): void {
  if (expectedVersion === null) return;
  const present = head.members.get(system);
  const isExpected =
    present === undefined
      ? expectedVersion === '0'
      : [present.id, String(present.number)].includes(expectedVersion);
  if (isExpected) return;
  const is = present === undefined ? 'is not in the graph' : `has the version ${present.number}`;
  throw new HubError('CONFLICT', `${system} ${is}: another one was expected`, {
    details: { version: present?.id ?? null, number: present?.number ?? 0 },
  });
}

/** The members of the graph as a change set would have them. */
export function withProposed(head: Head, proposed: readonly Proposed[]): ReadonlyMap<string, MemberVersion> {
  return new Map([...head.members, ...proposed.map(({ member }) => [member.system, member] as const)]);
}

function newVersionsOf(proposed: readonly Proposed[]): readonly NewVersion[] {
  return proposed.flatMap(({ version }) => version ?? []);
}

/** A change that somebody else has to approve is stored, so that they can, and refused until they have. */
async function judge(
  parts: RegistryParts,
  actor: KnownActor,
  proposed: readonly Proposed[],
  report: CheckReport,
): Promise<void> {
  const refusal = await findRefusal(parts, actor, proposed, report);
  if (refusal === undefined) return;
  // A system that is not registered yet has nowhere to keep a version.
  const kept = proposed.filter(({ registration }) => registration === undefined);
  const systems = kept.map(({ member: { system } }) => system);
  await store(parts, actor, newVersionsOf(kept), { action: 'pushVersion', systems }, undefined);
  throw refusal;
}

/** What stands against publishing a graph that composes; undefined when nothing does. */
export async function findRefusal(
  parts: RegistryParts,
  actor: KnownActor,
  proposed: readonly Proposed[],
  report: CheckReport,
): Promise<HubError | undefined> {
  return (
    (await whyNotOwner(parts, actor, proposed, report.takeovers)) ??
    whyVariantLost(report) ??
    (await whyNotApproved(parts, proposed)) ??
    (await whyCheckFails(parts, proposed, report))
  );
}

/** A gateway that serves a variant goes on by what it has, and would get nothing new. */
function whyVariantLost({ lostVariants }: CheckReport): HubError | undefined {
  const [first] = lostVariants;
  if (first === undefined) return undefined;
  return new HubError('COMPOSITION_FAILED', printProblem(first), {
    details: { problems: lostVariants.length },
  });
}

/** A field goes to another department when the one that has it says so, or somebody above both. */
async function whyNotOwner(
  { prisma }: RegistryParts,
  actor: KnownActor,
  proposed: readonly Proposed[],
  takeovers: readonly Takeover[],
): Promise<HubError | undefined> {
  if (actor.isAdmin) return undefined;
  for (const { system, coordinate, from, location } of takeovers) {
    const id = proposed.find(({ member }) => member.system === system)?.member.id ?? '';
    const { owner } = await requireRegistration(prisma, from);
    if (await isApproved(prisma, system, id, [owner])) continue;
    const message = `${coordinate} belongs to ${from}: the department ${owner} approves that ${system} takes it over`;
    return new HubError('NOT_OWNER', message, {
      details: { coordinate, system, from, owner, version: id, ...placeOf(location) },
    });
  }
  return undefined;
}

function placeOf(location: ProblemLocation | undefined) {
  return location === undefined ? {} : { file: location.file, line: location.line };
}

async function whyNotApproved(
  { prisma }: RegistryParts,
  proposed: readonly Proposed[],
): Promise<HubError | undefined> {
  for (const { needsApproval, member } of proposed) {
    const { system, id, owner } = member;
    if (!needsApproval || (await isApproved(prisma, system, id, [owner]))) continue;
    const message = `${system}: a second person of ${owner} approves this version before it is published`;
    return new HubError('APPROVAL_REQUIRED', message, { details: { version: id, owner } });
  }
  return undefined;
}

/** What lets it pass is an approval of these very versions. */
async function whyCheckFails(
  { prisma }: RegistryParts,
  proposed: readonly Proposed[],
  { broken, unprotected }: CheckReport,
): Promise<HubError | undefined> {
  if (broken.length + unprotected.length === 0) return undefined;
  const members = proposed.map(({ member }) => member);
  if ((await findBreakApproval(prisma, members)) !== undefined) return undefined;
  return whyUnprotected(unprotected) ?? whyBroken(broken);
}

/** Personal information that anybody could read. */
function whyUnprotected(unprotected: CheckReport['unprotected']): HubError | undefined {
  const [first] = unprotected;
  if (first === undefined) return undefined;
  const told = printProblem(first);
  const more = unprotected.length - 1;
  return new HubError('CHECK_FAILED', more > 0 ? `${told}; and ${more} more` : told, {
    details: { problems: unprotected.length, coordinate: first.coordinate ?? null },
  });
}

function whyBroken(broken: CheckReport['broken']): HubError | undefined {
  const [first] = broken;
  if (first === undefined) return undefined;
  const { operation, coordinate, message } = first;
  const { name, hash, clientName, clientVersion, lastSeen } = operation;
  const client = [clientName || 'an unnamed client', clientVersion].filter((part) => part !== '').join(' ');
  const told = `${coordinate}: ${message}; ${name || hash.slice(0, 12)} of ${client} used it last at ${lastSeen}`;
  const more = broken.length - 1;
  const used = { operation: name || hash, client: clientName, clientVersion, lastSeen };
  return new HubError('CHECK_FAILED', more > 0 ? `${told}; and ${more} more` : told, {
    details: { operations: broken.length, coordinate, ...used },
  });
}
