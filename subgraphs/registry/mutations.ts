// Resolvers of what changes the registry: each is allowed or refused, and stands in the history either way.
import { type KnownActor, requireKnown } from './actor.ts';
import { approveVersion } from './approvals.ts';
import { type Asked, audited } from './audit.ts';
import type { Changed } from './change.ts';
import { approveBreakingChange, PROBLEMS_MAX, tellProblem } from './checks.ts';
import { heartbeat } from './heartbeat.ts';
import type { RegistryParts } from './parts.ts';
import { type PublishInput, publishVersions, pushVersion, systemsOf, type VersionKey } from './publish.ts';
import { type QuarantineMode, quarantineSystem, releaseSystem, removeSystem } from './quarantine.ts';
import { type RegistryContext, readPublication } from './queries.ts';
import { type DriftReport, recordDrift } from './record-drift.ts';
import { recordUsage, type UsageReport } from './record-usage.ts';
import { type RegisterInput, registerSystem } from './register.ts';
import { rollBack } from './rollback.ts';
import type { VersionInput } from './version.ts';

interface Named {
  readonly name: string;
  readonly reason: string;
}

const HEARTBEAT_SECONDS = 60;

export function createMutationResolvers(parts: RegistryParts) {
  const mutating: Mutating = {
    parts,
    told: (context, asked, run) =>
      audited(parts, context.actor, asked, () => run(requireKnown(context.actor))),
  };
  return {
    ...createJoiningResolvers(mutating),
    ...createDecidingResolvers(mutating),
    ...createLeavingResolvers(mutating),
    ...createLivingResolvers(mutating),
  };
}

interface Mutating {
  readonly parts: RegistryParts;
  /** Runs for who is known, and tells the history what was refused. */
  readonly told: Told;
}

type Told = <Result>(
  context: RegistryContext,
  asked: Asked,
  run: (actor: KnownActor) => Promise<Result>,
) => Promise<Result>;

function systemOf(name: string, { loaders }: RegistryContext) {
  loaders.registrations.clear(name);
  loaders.published.clear(name);
  return loaders.systems.clear(name).load(name);
}

function versionOf(key: VersionKey, { loaders }: RegistryContext) {
  return loaders.versions.clear(key).load(key);
}

/** Of those that bring something. */
function createJoiningResolvers({ parts, told }: Mutating) {
  return {
    registerSystem: async (
      _: unknown,
      { input, requestId }: { readonly input: RegisterInput; readonly requestId?: string | null },
      context: RegistryContext,
    ) => {
      await told(context, { action: 'registerSystem', systems: [input.name] }, (actor) =>
        registerSystem(parts, actor, input, requestId ?? null),
      );
      return await systemOf(input.name, context);
    },
    pushVersion: async (
      _: unknown,
      { input, requestId }: { readonly input: VersionInput; readonly requestId?: string | null },
      context: RegistryContext,
    ) => {
      const key = await told(context, { action: 'pushVersion', systems: [input.system] }, (actor) =>
        pushVersion(parts, actor, input, requestId ?? null),
      );
      return await versionOf(key, context);
    },
    publishVersions: async (
      _: unknown,
      { input }: { readonly input: PublishInput },
      context: RegistryContext,
    ) => {
      const asked = { action: 'publishVersions', systems: systemsOf(input), reason: input.reason };
      const changed = await told(context, asked, (actor) =>
        publishVersions(parts, actor, input, context.deadline.signal),
      );
      const versions = await Promise.all(changed.versions.map((key) => versionOf(key, context)));
      return { ...(await resultOf(parts, changed, asked.systems)), versions };
    },
  };
}

/** Of those that somebody else decides, or decides again. */
function createDecidingResolvers({ parts, told }: Mutating) {
  return {
    approveVersion: async (
      _: unknown,
      {
        system,
        version,
        remark,
      }: { readonly system: string; readonly version: string; readonly remark?: string | null },
      context: RegistryContext,
    ) => {
      const key = { system, id: version };
      await told(context, { action: 'approveVersion', systems: [system], reason: remark }, (actor) =>
        approveVersion(parts, actor, key, remark ?? null),
      );
      return await versionOf(key, context);
    },
    approveBreakingChange: async (
      _: unknown,
      { check, remark }: { readonly check: string; readonly remark: string },
      context: RegistryContext,
    ) =>
      await told(context, { action: 'approveBreakingChange', systems: [], reason: remark }, (actor) =>
        approveBreakingChange(parts, actor, check, remark),
      ),
    rollback: async (
      _: unknown,
      { to, reason }: { readonly to?: number | null; readonly reason: string },
      context: RegistryContext,
    ) => {
      const changed = await told(context, { action: 'rollback', systems: [], reason }, (actor) =>
        rollBack(parts, actor, to, reason),
      );
      return await resultOf(parts, changed);
    },
  };
}

/** Of those that take a system out, or let it in again. */
function createLeavingResolvers({ parts, told }: Mutating) {
  return {
    quarantineSystem: async (
      _: unknown,
      { name, mode, reason }: Named & { readonly mode: QuarantineMode },
      context: RegistryContext,
    ) => {
      const { signal } = context.deadline;
      await told(context, { action: 'quarantineSystem', systems: [name], reason }, (actor) =>
        quarantineSystem(parts, actor, { name, mode, reason, signal }),
      );
      return await systemOf(name, context);
    },
    releaseSystem: async (_: unknown, { name, reason }: Named, context: RegistryContext) => {
      const { signal } = context.deadline;
      await told(context, { action: 'releaseSystem', systems: [name], reason }, (actor) =>
        releaseSystem(parts, actor, { name, reason, signal }),
      );
      return await systemOf(name, context);
    },
    removeSystem: async (
      _: unknown,
      { name, reason, expectedPublication }: Named & { readonly expectedPublication?: number | null },
      context: RegistryContext,
    ) => {
      const { signal } = context.deadline;
      const changed = await told(context, { action: 'removeSystem', systems: [name], reason }, (actor) =>
        removeSystem(parts, actor, { name, reason, signal, expectedPublication }),
      );
      return await resultOf(parts, changed);
    },
  };
}

/** Of those that come all the time. */
function createLivingResolvers({ parts, told }: Mutating) {
  return {
    heartbeat: async (
      _: unknown,
      {
        name,
        instance,
        seconds,
      }: { readonly name: string; readonly instance: string; readonly seconds: number | null },
      context: RegistryContext,
    ) =>
      await told(context, { action: 'heartbeat', systems: [name] }, (actor) =>
        heartbeat(parts, actor, { name, instance, seconds: seconds ?? HEARTBEAT_SECONDS }),
      ),
    recordUsage: (_: unknown, { report }: { readonly report: UsageReport }) =>
      recordUsage(parts.prisma, report),
    recordDrift: (_: unknown, report: DriftReport) => recordDrift(parts.prisma, report),
  };
}

async function resultOf(
  parts: RegistryParts,
  { publication, changed, hints }: Changed,
  asked: readonly string[] = [],
) {
  const proposed = new Set(asked);
  return {
    publication: publication === 0 ? null : await readPublication(parts, publication),
    changed,
    versions: [],
    hints: hints.slice(0, PROBLEMS_MAX).map((hint) => tellProblem(hint, proposed)),
  };
}
