// Wires the connector host: systems opened, served, fed by webhooks, messages and polls, and watched.
import type { Logger } from '@weft/core/logger';
import type { Started } from '@weft/core/process';
import type { Secrets } from '@weft/core/secrets';
import type { SubgraphKey } from '@weft/core/signatures/keys';
import type { EventAppender } from '@weft/events/event-log';
import { openPostgresLog } from '@weft/events/postgres/log';
import { type Commands, openCommands } from './commands/commands.ts';
import { systemsByDepartment } from './departments.ts';
import { startDispatcher } from './dispatch/dispatcher.ts';
import { startNotifier } from './dispatch/notifier.ts';
import { watchDrift } from './drift/watch-drift.ts';
import { forgetApplied, forgettingAppender } from './freshness/forget.ts';
import { watchHealth } from './health.ts';
import { createApplier } from './ingest/apply.ts';
import { startFileIngest } from './ingest/files.ts';
import { startHousekeeping } from './ingest/housekeeping.ts';
import { startMessages } from './ingest/messages.ts';
import { startPoll } from './ingest/poll.ts';
import { openStore, type Store } from './ingest/store.ts';
import { receiveWebhooks } from './ingest/webhook.ts';
import { openSystem, type RunningSystem } from './load/system.ts';
import type { SystemPlan } from './plan.ts';
import { openProtection } from './protection.ts';
import { requireSecretsOf } from './required-secrets.ts';
import { serveSystems } from './serve/server.ts';
import { announceConnectors } from './subgraph/presence.ts';

export interface HostOptions {
  readonly systems: readonly SystemPlan[];
  readonly databaseUrl: string;
  readonly appender: EventAppender;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly secrets: Secrets;
  readonly host: string;
  readonly servePort: number;
  readonly ingestPort: number;
  /** Of the gateways that may ask; undefined: whoever reaches the port may. */
  readonly subgraphKeys?: readonly SubgraphKey[] | undefined;
  /** By which replicas share budgets and fresh answers; default: nothing is shared. */
  readonly guardRedisUrl?: string | undefined;
  /** Connector hosts at the most; default 2. */
  readonly guardReplicas?: number | undefined;
  /** Milliseconds between two looks at the systems' contracts; undefined: each night. */
  readonly driftEveryMs?: number | undefined;
  readonly logger: Logger;
}

/** Two hosts are the least for one that may fail. */
const GUARD_REPLICAS = 2;

/**
 * Starts everything. Neither a source nor a database that is away keeps it from starting: reads fail by source with
 * coded errors, and webhooks are answered with 503 until the database is back.
 * @returns each subgraph's URL by its name, that of `connectors` too, and `ingest`
 * @throws OperatorError for missing settings, secrets, contracts, a port that is taken, or two systems of one department
 */
export async function startHost(options: HostOptions): Promise<Started> {
  requireSecretsOf(options.systems, options.secrets);
  const { logger, guardRedisUrl: redisUrl, guardReplicas: replicasMax = GUARD_REPLICAS } = options;
  // Closed in reverse: what takes work in stops before what does the work.
  const opened: { close(): Promise<void> }[] = [];
  const keep = <T extends { close(): Promise<void> }>(part: T): T => {
    opened.push(part);
    return part;
  };
  const close = async () => {
    for (const part of opened.toReversed()) await part.close();
  };
  try {
    const systems: RunningSystem[] = [];
    const protection = keep(openProtection({ redisUrl, replicasMax, logger }));
    const store = keep(openStore(options.databaseUrl, logger));
    for (const plan of options.systems)
      systems.push(keep(await openSystem(plan, { ...options, store, protection })));
    const appender = forgettingAppender(options.appender, systems, protection.answers);
    keep(startHousekeeping(store, options.systems, logger));
    // A pool of its own: writes and what comes in do not wait for one another.
    const commandStore = keep(openStore(options.databaseUrl, logger));
    const health = keep(watchHealth(systems, { store, appender, logger }));
    for (const system of systems) {
      for (const ingest of system.plan.ingests) {
        const onBlind = (reason: string | undefined) => health.blind(system.plan.name, ingest.type, reason);
        const shared = { store, appender, logger, onBlind };
        if (ingest.from.kind === 'poll') keep(startPoll(system, ingest, shared));
        const onSeen = () => health.seen(system.plan.name);
        if (ingest.from.kind === 'files')
          keep(startFileIngest(system, ingest, { ...shared, secrets: options.secrets, onSeen }));
      }
    }
    const { secrets, driftEveryMs: everyMs } = options;
    keep(watchDrift(systems, { store, appender, secrets, everyMs, logger }));
    const applier = keep(createApplier(store, appender, logger));
    for (const system of systems) {
      const { name } = system.plan;
      const onSeen = () => health.seen(name);
      const onBlind = (type: string, reason: string | undefined) => health.blind(name, type, reason);
      keep(startMessages(system, { applier, logger, secrets: options.secrets, onSeen, onBlind }));
    }
    const { host, servePort: port, subgraphKeys } = options;
    const commands = keep(openCommands(systems, { store: commandStore, appender, logger }));
    const replay = { appender, systems: options.systems, env: options.env };
    commands.onApplied((command) => forgetApplied(systems, command, logger));
    keep(dispatchTo(options, commands, commandStore, appender));
    keep(announceConnectors({ store, appender, logger }));
    const own = { systems, store: commandStore, commands, replay };
    const served = keep(await serveSystems(systems, { host, port, subgraphKeys, own, logger }));
    const receiver = keep(
      await receiveWebhooks(options.systems, applier, {
        host: options.host,
        port: options.ingestPort,
        logger,
        secrets: options.secrets,
        env: options.env,
        onSeen: health.seen,
      }),
    );
    return { urls: { ...served.urls, ingest: receiver.url }, close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

/** Reads the log only where some system is a department's, or tells reporters. @throws OperatorError when two are of one */
function dispatchTo(
  { systems, databaseUrl, logger }: HostOptions,
  commands: Commands,
  store: Store,
  appender: EventAppender,
): { close(): Promise<void> } {
  const isAsked = systems.some(({ notices = [] }) => notices.length > 0);
  if (systemsByDepartment(systems).size === 0 && !isAsked) return { close: async () => undefined };
  const log = openPostgresLog({ databaseUrl, logger });
  const options = { log, store, appender, onMade: commands.nudge, logger };
  const readers = [startDispatcher(systems, options), startNotifier(systems, options)];
  return {
    async close() {
      await Promise.all(readers.map((reader) => reader.close()));
      await log.close();
    },
  };
}
