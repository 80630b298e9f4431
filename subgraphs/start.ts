// Opens the owned subgraphs, serves them, and closes everything in reverse.
import { OperatorError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { Started } from '@weft/core/process';
import type { SubgraphKey } from '@weft/core/signatures/keys';
import { openEventLog } from '@weft/events/open';
import { openCheckpoints } from '@weft/evidence/open';
import type { EvidenceConfig } from './config.ts';
import { openDirectory } from './directory/directory.ts';
import type { AnonymousMay } from './incidents/actor.ts';
import type { AttachmentSettings } from './incidents/attachments/limits.ts';
import { openIncidents } from './incidents/incidents.ts';
import { readDeadlinePolicy } from './incidents/time/deadline-policy.ts';
import { openRegistry, type RegistryOptions } from './registry/registry.ts';
import { serveSubgraphs } from './serve.ts';
import { isStoreAway } from './store.ts';

export interface SubgraphsOptions {
  /** A database whose schemas are migrated. */
  readonly databaseUrl: string;
  /** What carries the log live; default `postgres`. */
  readonly eventLog?: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Of the gateways that may ask; undefined: whoever reaches the port may. */
  readonly subgraphKeys?: readonly SubgraphKey[] | undefined;
  /** How evidence is hashed and signed; default SHA-256, and no checkpoints. */
  readonly evidence?: EvidenceConfig;
  /** What those may do to incidents who give no credentials; default `nothing`. */
  readonly anonymousMay?: AnonymousMay | undefined;
  /** The file of the deadlines of incidents; undefined: those of docs/incidents.md. */
  readonly deadlinesFile?: string | undefined;
  /** How systems join the graph; default: none is let in that is not public, and gateways are given nothing. */
  readonly registry?: RegistryOptions | undefined;
  /** The file of what joins the directory; undefined: what comes with the program. */
  readonly directoryFile?: string | undefined;
  /** Where attachments of incidents are kept, and how many; undefined: none are taken. */
  readonly attachments?: AttachmentSettings | undefined;
  readonly logger: Logger;
}

/**
 * Starts directory, incidents and registry; `urls` has one URL each.
 * @throws OperatorError when the store or the port cannot be had; what was opened is closed
 */
export async function startSubgraphs(options: SubgraphsOptions): Promise<Started> {
  const { databaseUrl, eventLog = 'postgres', logger } = options;
  const deadlines = readDeadlinePolicy(options.deadlinesFile);
  const closers: (() => Promise<void>)[] = [];
  const opened = <Part extends { close(): Promise<void> }>(part: Part): Part => {
    closers.push(() => part.close());
    return part;
  };
  const close = async () => {
    for (const closePart of closers.splice(0).toReversed()) await closePart();
  };
  try {
    const log = opened(await openEventLog({ eventLog, databaseUrl, logger }));
    openEvidence(options, opened);
    const directory = opened(await openDirectory(databaseUrl, logger, options.directoryFile));
    const incidents = opened(
      openIncidents(databaseUrl, log, logger, {
        departments: directory.departments,
        divisions: directory.divisions,
        centres: directory.centres,
        anonymousMay: options.anonymousMay,
        deadlines,
        hash: options.evidence?.algorithm,
        attachments: options.attachments,
      }),
    );
    const registry = opened(await openRegistry(databaseUrl, log, logger, options.registry));
    const subgraphs = [directory, incidents, registry];
    const served = opened(await serveSubgraphs(subgraphs, options));
    opened(await registry.announce(subgraphs));
    return { urls: served.urls, close };
  } catch (thrown) {
    await close();
    throw explainStartFailure(thrown, options);
  }
}

function openEvidence(
  { databaseUrl, evidence, logger }: SubgraphsOptions,
  opened: (part: { close(): Promise<void> }) => unknown,
): void {
  if (evidence === undefined) return;
  if (evidence.signer === undefined) {
    logger.warn('WEFT_EVIDENCE_KEY_FILE is not set: no checkpoints of the evidence are made');
    return;
  }
  const { signer, algorithm, intervalMs } = evidence;
  opened(openCheckpoints({ databaseUrl, signer, algorithm, intervalMs, logger }));
}

function explainStartFailure(thrown: unknown, { host, port }: SubgraphsOptions): unknown {
  if (isStoreAway(thrown)) {
    return new OperatorError('DATABASE_URL: the database does not answer; start it, or correct the setting', {
      cause: thrown,
    });
  }
  const { code } = thrown as { code?: unknown };
  if (code === 'EADDRINUSE' || code === 'EACCES' || code === 'EADDRNOTAVAIL') {
    return new OperatorError(
      `WEFT_SUBGRAPHS_PORT ${port} on ${host} cannot be used (${code}); set another one`,
      { cause: thrown },
    );
  }
  return thrown;
}
