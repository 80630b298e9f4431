// Wires the connector host: systems opened, served, fed by webhooks and polls, and watched.
import type { Logger } from '@weft/core/logger';
import type { Started } from '@weft/core/process';
import type { Secrets } from '@weft/core/secrets';
import type { SubgraphKey } from '@weft/core/signatures/keys';
import type { EventAppender } from '@weft/events/event-log';
import { openCommands } from './commands/commands.ts';
import { watchHealth } from './health.ts';
import { createApplier } from './ingest/apply.ts';
import { startFileIngest } from './ingest/files.ts';
import { startHousekeeping } from './ingest/housekeeping.ts';
import { startPoll } from './ingest/poll.ts';
import { openStore } from './ingest/store.ts';
import { receiveWebhooks } from './ingest/webhook.ts';
import { openSystem, type RunningSystem } from './load/system.ts';
import type { SystemPlan } from './plan.ts';
import { serveSystems } from './serve/server.ts';

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
  readonly logger: Logger;
}

/**
 * Starts everything. Neither a source nor a database that is away keeps it from starting: reads fail by source with
 * coded errors, and webhooks are answered with 503 until the database is back.
 * @returns each subgraph's URL by its name, that of `connectors` too, and `ingest`
 * @throws OperatorError for missing settings, secrets, contracts, or a port that is taken
 */
export async function startHost(options: HostOptions): Promise<Started> {
  const { logger, appender } = options;
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
    const store = keep(openStore(options.databaseUrl, logger));
    // A pool of its own: writes and what comes in do not wait for one another.
    const commandStore = keep(openStore(options.databaseUrl, logger));
    for (const plan of options.systems) systems.push(keep(await openSystem(plan, { ...options, store })));
    keep(startHousekeeping(store, options.systems, logger));
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
    const applier = keep(createApplier(store, appender, logger));
    const { host, servePort: port, subgraphKeys } = options;
    const commands = keep(openCommands(systems, { store: commandStore, appender, logger }));
    const replay = { appender, systems: options.systems, env: options.env };
    const own = { store: commandStore, commands, replay };
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
