// Tells the registry what is used, in batches: bounded, each counted once, kept while the registry is away, and never waited for.
import { randomUUID } from 'node:crypto';
import type { OperatorError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import { createOutageLog } from '@weft/core/outage-log';
import type { EngineMeter } from '../observe/meter.ts';
import type { OperationSink } from '../observe/observer.ts';
import type { OperationWatch } from '../observe/operation-watch.ts';
import type { UsedOperation } from '../observe/used-operation.ts';
import { createOperationUses, type OperationUse } from './operation-use.ts';
import { type RegistryClient, RegistryRefusal } from './registry-client.ts';
import { createSystemUses, type SystemUse } from './system-use.ts';
import { USAGE_LIMITS, type UsageLimits } from './usage-limits.ts';

export interface UsageRecorder extends OperationSink {
  readonly meter: EngineMeter;
  /** Reports in turn from now on. */
  begin(): void;
  /** Reports a last time, in bounded time, and no more. */
  close(): Promise<void>;
}

export interface RecorderOptions {
  readonly client: Pick<RegistryClient, 'ask'>;
  readonly logger: Logger;
  readonly limits?: Partial<UsageLimits> | undefined;
}

/** Until it is taken, with the same number. */
interface Report {
  readonly sequence: number;
  readonly from: string;
  readonly to: string;
  readonly operations: readonly OperationUse[];
  readonly systems: readonly SystemUse[];
  readonly dropped: number;
}

const MUTATION = 'mutation GatewayUsage($report: UsageReportInput!) { recordUsage(report: $report) }';

export function createUsageRecorder({ client, logger, limits: given }: RecorderOptions): UsageRecorder {
  const limits: UsageLimits = { ...USAGE_LIMITS, ...given };
  const [operations, systems, live] = [createOperationUses(limits), createSystemUses(limits), createLive()];
  const sender = createSender(client, logger, limits);
  let since = new Date();
  let liveSeenAtMs = performance.now();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();

  async function report(timeoutMs: number): Promise<void> {
    if (performance.now() - liveSeenAtMs >= limits.liveSeenMs) {
      liveSeenAtMs = performance.now();
      for (const one of live.all()) operations.count(one, 0, 0);
    }
    if (sender.isIdle) {
      const [from, to] = [since, new Date()];
      since = to;
      const taken = await operations.take();
      sender.add(from, to, { ...taken, systems: systems.take() });
    }
    await sender.send(timeoutMs);
  }
  const turn = (timeoutMs: number) => {
    running = running
      .then(() => report(timeoutMs))
      .catch((err: unknown) => {
        logger.error({ err }, 'use could not be reported');
      });
    return running;
  };
  return {
    meter: {
      fetched: (system, outcome, durationMs) => systems.fetched(system, outcome, durationMs),
      shared: () => undefined,
      lookedUp: () => undefined,
      prepared: () => undefined,
    },
    operationBegan(watch) {
      live.add(watch);
      operations.count(watch, 1, 0);
    },
    operationEnded(watch) {
      if (watch.isBegun) live.remove(watch);
      operations.count(watch, watch.isBegun ? 0 : 1, watch.errors > 0 ? 1 : 0);
    },
    begin() {
      timer = setInterval(() => void turn(limits.requestTimeoutMs), limits.reportMs).unref();
    },
    async close() {
      clearInterval(timer);
      await turn(limits.closeTimeoutMs);
    },
  };
}

interface Taken {
  readonly operations: readonly OperationUse[];
  readonly systems: readonly SystemUse[];
  readonly dropped: number;
}

interface Sender {
  /** Whether all that was added has been taken. */
  readonly isIdle: boolean;
  add(from: Date, to: Date, taken: Taken): void;
  /** What waits, one report after the other, until one is not taken. */
  send(timeoutMs: number): Promise<void>;
}

function createSender(client: RecorderOptions['client'], logger: Logger, limits: UsageLimits): Sender {
  const gateway = `gateway-${randomUUID()}`;
  const outage = createOutageLog(logger);
  /** Hashes whose document the registry was sent. */
  const known = new Set<string>();
  let waiting: Report[] = [];
  let [sequence, refusals, lost] = [0, 0, 0];

  async function sendOne({ operations, ...report }: Report, timeoutMs: number): Promise<void> {
    const told = withoutKnown(operations, known);
    const variables = { report: { ...report, gateway, operations: told } };
    const answer = await client.ask(MUTATION, variables, AbortSignal.timeout(timeoutMs));
    const wasAllKnown = (answer as { readonly recordUsage?: unknown } | null)?.recordUsage !== false;
    if (known.size + operations.length > limits.knownHashesMax) known.clear();
    for (const { hash } of operations) known.add(hash);
    if (wasAllKnown) return;
    // Which of them it does not know, it does not say: one that it knew is counted twice, rather than another not at all.
    const again = told.flatMap(({ document }, at) => (document === null ? (operations[at] ?? []) : []));
    for (const { hash } of again) known.delete(hash);
    if (again.length > 0) waiting.push(next({ ...report, operations: again, systems: [], dropped: 0 }));
  }

  function next(report: Omit<Report, 'sequence'>): Report {
    sequence += 1;
    return { ...report, sequence };
  }

  function giveUp(report: Report): void {
    lost += report.operations.reduce((sum, { count }) => sum + count, report.dropped);
    refusals = 0;
    waiting.shift();
  }

  return {
    get isIdle() {
      return waiting.length === 0;
    },
    add(from, to, { operations, systems, dropped }) {
      const [first = [], ...others] = parted(operations, limits);
      if (first.length + systems.length + dropped + lost === 0) return;
      const period = { from: from.toISOString(), to: to.toISOString() };
      waiting = [
        next({ ...period, operations: first, systems, dropped: dropped + lost }),
        ...others.map((part) => next({ ...period, operations: part, systems: [], dropped: 0 })),
      ];
      lost = 0;
    },
    async send(timeoutMs) {
      for (let report = waiting[0]; report !== undefined; report = waiting[0]) {
        try {
          await sendOne(report, timeoutMs);
          waiting.shift();
          refusals = 0;
          outage.over();
        } catch (thrown) {
          const { message } = thrown as OperatorError;
          outage.failed({ reason: message }, 'the registry does not take what is used: it is told later');
          if (thrown instanceof RegistryRefusal) refusals += 1;
          if (refusals >= limits.refusalsMax) giveUp(report);
          return;
        }
      }
    },
  };
}

/** A document that was sent is not sent again. */
function withoutKnown(operations: readonly OperationUse[], known: ReadonlySet<string>) {
  return operations.map((each) => ({ ...each, document: known.has(each.hash) ? null : each.document }));
}

/** So that no report is larger than the registry takes. */
function parted(
  operations: readonly OperationUse[],
  { reportOperationsMax, reportCharsMax }: UsageLimits,
): readonly (readonly OperationUse[])[] {
  const parts: OperationUse[][] = [];
  let chars = Number.POSITIVE_INFINITY;
  for (const operation of operations) {
    const own = operation.coordinates.reduce((sum, { length }) => sum + length, operation.document.length);
    if (chars + own > reportCharsMax || (parts.at(-1)?.length ?? 0) >= reportOperationsMax) {
      parts.push([]);
      chars = 0;
    }
    parts.at(-1)?.push(operation);
    chars += own;
  }
  return parts;
}

type Live = Pick<OperationWatch, 'client'> & { readonly used: UsedOperation };

/** Subscriptions that run, those of one client and operation as one. */
function createLive() {
  const counts = new Map<UsedOperation, Map<string, { readonly live: Live; count: number }>>();
  const keyOf = ({ client }: Pick<OperationWatch, 'client'>) => `${client.name}\n${client.version}`;
  return {
    add({ used, client }: OperationWatch): void {
      if (used === undefined) return;
      const clients = counts.getOrInsertComputed(used, () => new Map());
      clients.getOrInsertComputed(keyOf({ client }), () => ({ live: { used, client }, count: 0 })).count += 1;
    },
    remove({ used, client }: OperationWatch): void {
      const clients = used && counts.get(used);
      const own = clients?.get(keyOf({ client }));
      if (used === undefined || clients === undefined || own === undefined) return;
      own.count -= 1;
      if (own.count === 0) clients.delete(keyOf({ client }));
      if (clients.size === 0) counts.delete(used);
    },
    all: (): readonly Live[] =>
      [...counts.values()].flatMap((clients) => [...clients.values()].map(({ live }) => live)),
  };
}
