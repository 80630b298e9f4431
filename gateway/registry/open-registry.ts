// What a gateway has to do with its registry, as the settings want it: the graph from there, or from files where none is set.
import { type AddressGuard, createAddressGuard } from '@weft/core/address-guard';
import type { Logger } from '@weft/core/logger';
import type { EventLog } from '@weft/events/event-log';
import type { GatewayConfig } from '../config.ts';
import { loadSupergraph } from '../load-supergraph.ts';
import { createFileSource, type GraphSource } from '../reload/graph-source.ts';
import { RELOAD_LIMITS, type ReloadLimits } from '../reload/limits.ts';
import { createDriftWatch, type DriftLimits } from './drift.ts';
import { REGISTRY_LIMITS, type RegistryLimits } from './limits.ts';
import { listenForPublications } from './publications.ts';
import { createRegistryClient } from './registry-client.ts';
import { createRegistrySource } from './registry-source.ts';
import type { RegistrySettings } from './settings.ts';
import type { UsageLimits } from './usage-limits.ts';
import { createUsageRecorder, type UsageRecorder } from './usage-recorder.ts';

export interface RegistryOptions {
  readonly config: GatewayConfig;
  readonly logger: Logger;
  readonly reloadLimits?: Partial<ReloadLimits> | undefined;
  readonly registryLimits?: Partial<RegistryLimits> | undefined;
  readonly usageLimits?: Partial<UsageLimits> | undefined;
  readonly driftLimits?: Partial<DriftLimits> | undefined;
}

/** What is there once the first graph serves. */
export interface RegistryParts {
  /** Undefined: publications are found by asking in turn. */
  readonly log: EventLog | undefined;
}

export interface Registry {
  /** Asks nobody yet. */
  readonly source: GraphSource;
  /** For the addresses of its graphs; undefined where no registry is set. */
  readonly addressGuard: AddressGuard | undefined;
  /** Told of operations and calls; undefined where no registry is set. */
  readonly usage: UsageRecorder | undefined;
  /** Systems whose live SDL differs from what is registered, and in what. */
  readonly drift: ReadonlyMap<string, readonly string[]>;
  /** Called once. */
  begin(parts: RegistryParts): void;
  /** Before the log is closed. */
  stopListening(): Promise<void>;
  /** When nothing runs any more: what was used is told a last time, in bounded time. */
  close(): Promise<void>;
}

export function openRegistry(options: RegistryOptions): Registry {
  const { config, logger } = options;
  const limits = { ...RELOAD_LIMITS, ...options.reloadLimits };
  if (config.registry !== undefined) return openWith(config.registry, options, limits);
  const nothing = async () => undefined;
  const source = createFileSource({ config, logger, limits });
  return {
    source,
    addressGuard: undefined,
    usage: undefined,
    drift: new Map(),
    begin: nothing,
    stopListening: nothing,
    close: nothing,
  };
}

function openWith(
  settings: RegistrySettings,
  options: RegistryOptions,
  reloadLimits: ReloadLimits,
): Registry {
  const { config, logger } = options;
  const limits = { ...REGISTRY_LIMITS, ...options.registryLimits };
  const hasFiles = config.supergraphFile !== undefined || config.manifestFile !== undefined;
  // At the start alone: from then on the registry says what the graph is.
  const onFiles = async () => undefined;
  const files = {
    place: 'the files of the settings',
    load: () => loadSupergraph({ config, logger, limits: reloadLimits, onFiles }),
  };
  const client = createRegistryClient({ url: settings.url, subgraphKeys: config.subgraphKeys, limits });
  const source = createRegistrySource({
    settings,
    client,
    logger,
    limits,
    files: hasFiles ? files : undefined,
  });
  const usage = createUsageRecorder({ client, logger, limits: options.usageLimits });
  const addressGuard = createAddressGuard({
    allowedHosts: settings.allowedHosts,
    setting: 'WEFT_REGISTRY_ALLOWED_HOSTS',
  });
  const drift = createDriftWatch({
    graph: () => source.graph,
    client,
    subgraphKeys: config.subgraphKeys,
    addressGuard,
    logger,
    limits: options.driftLimits,
  });
  let stop: (() => Promise<void>) | undefined;
  return {
    source,
    addressGuard,
    usage,
    drift: drift.differing,
    begin({ log }) {
      usage.begin();
      drift.begin();
      if (log !== undefined) stop = listenForPublications(log, settings.variant, logger, () => source.poke());
    },
    async stopListening() {
      await Promise.all([stop?.(), drift.close()]);
    },
    async close() {
      await usage.close();
      await client.close();
    },
  };
}
