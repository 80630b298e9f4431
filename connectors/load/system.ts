// One wrapped system at run time: its plan, its opened sources, each behind its guard.
import { invariant } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { Secrets } from '@weft/core/secrets';
import type { MappingScope } from '@weft/schema/mapping/compile';
import { createGuard, type Guard } from '../guard/guard.ts';
import type { Store } from '../ingest/store.ts';
import { type CalledSource, type OpenedSource, openSource } from '../open-source.ts';
import type { SourcePlan, SystemPlan } from '../plan.ts';

/** A source that is called. */
export interface GuardedSource {
  readonly plan: CalledSource;
  readonly opened: OpenedSource;
  readonly guard: Guard;
}

export interface RunningSystem {
  readonly plan: SystemPlan;
  /** The called sources by name; webhooks are not among them. */
  readonly sources: ReadonlyMap<string, GuardedSource>;
  /** Where what was taken in is kept. Undefined in a system that keeps nothing: its plan reads nothing from there. */
  readonly store: Store | undefined;
  /** What mappings see as `$env`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
  close(): Promise<void>;
}

export interface OpenSystemOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly secrets: Secrets;
  readonly logger: Logger;
  /** Needed by what reads the store (`@connect(store: true)`). */
  readonly store?: Store | undefined;
}

/**
 * Opens every source of a system without connecting to any: one that is away does not stop the others.
 * @throws OperatorError for missing settings, secrets or contracts
 */
export async function openSystem(plan: SystemPlan, options: OpenSystemOptions): Promise<RunningSystem> {
  const sources = new Map<string, GuardedSource>();
  const close = async () => {
    await Promise.all([...sources.values()].map(({ opened }) => opened.client.close()));
  };
  try {
    for (const source of plan.sources.values()) {
      if (!isCalled(source)) continue;
      const scope: MappingScope = { env: options.env, timezone: source.timezone };
      const opened = await openSource(plan.name, source, scope, options.secrets);
      sources.set(source.name, {
        plan: source,
        opened,
        guard: createGuard(plan.name, source.name, source.guard),
      });
    }
  } catch (thrown) {
    await close();
    throw thrown;
  }
  const { store } = options;
  return {
    plan,
    sources,
    store,
    env: options.env,
    logger: options.logger.child({ system: plan.name }),
    close,
  };
}

function isCalled(source: SourcePlan): source is CalledSource {
  return source.protocol !== 'webhook' && source.protocol !== 'files';
}

/** The compiler has checked that every source a plan names is there and of the right kind. */
export function sourceOf(system: RunningSystem, name: string): GuardedSource {
  const source = system.sources.get(name);
  invariant(source !== undefined, `source ${name} of ${system.plan.name} is not opened`);
  return source;
}
