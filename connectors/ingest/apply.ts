// Applies webhook deliveries: those that arrive together share one transaction, and each gets its own outcome.
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { StoreTransaction } from '@weft/core/sql-store';
import type { EventAppender } from '@weft/events/event-log';
import { type Change, changeProblem } from './change.ts';
import { type Quarantined, quarantine } from './quarantine.ts';
import { applyChanges, lockRecords } from './records.ts';
import { isDataError, type Store } from './store.ts';

/** One authentic delivery, understood or not. */
export interface Delivery {
  readonly system: string;
  readonly source: string;
  readonly dedupeId: string;
  readonly body: Buffer;
  /** Of a message: its queue or topic, which is part of what it says. */
  readonly place?: string | undefined;
  readonly content:
    | { readonly kind: 'changes'; readonly changes: readonly Change[] }
    | { readonly kind: 'bad'; readonly type: string | undefined; readonly reason: string };
}

/** What became of a delivery, once it is durable. */
export type DeliveryOutcome = 'APPLIED' | 'DUPLICATE' | 'QUARANTINED';

export interface Applier {
  /**
   * Resolves when the delivery is committed.
   * @throws HubError STORE_UNAVAILABLE when it is not, and LIMIT_EXCEEDED (retryable) when too many are waiting
   */
  deliver(delivery: Delivery): Promise<DeliveryOutcome>;
  /** Applies what waits, then takes nothing more. */
  close(): Promise<void>;
}

const BATCH_DELIVERIES_MAX = 64;
const BATCH_WAIT_MS = 5;
const WAITING_MAX = 2_048;

interface Waiting {
  readonly delivery: Delivery;
  readonly resolve: (outcome: DeliveryOutcome) => void;
  readonly reject: (reason: HubError) => void;
}

/** One batch at a time, in the order of arrival: what one system sends first is applied first. */
export function createApplier(store: Store, appender: EventAppender, logger: Logger): Applier {
  const waiting: Waiting[] = [];
  let running: Promise<void> | undefined;
  let closed = false;

  const run = async () => {
    // A lone delivery waits a moment for company.
    if (waiting.length < BATCH_DELIVERIES_MAX)
      await new Promise((resolve) => setTimeout(resolve, BATCH_WAIT_MS));
    while (waiting.length > 0) {
      await settleBatch(store, appender, logger, waiting.splice(0, BATCH_DELIVERIES_MAX));
    }
    running = undefined;
  };

  return {
    deliver(delivery) {
      if (closed || waiting.length >= WAITING_MAX) {
        return Promise.reject(
          new HubError('LIMIT_EXCEEDED', `at most ${WAITING_MAX} deliveries may wait`, {
            retryable: true,
            details: { limit: 'WAITING_MAX' },
          }),
        );
      }
      const { promise, resolve, reject } = Promise.withResolvers<DeliveryOutcome>();
      waiting.push({ delivery, resolve, reject });
      running ??= run();
      return promise;
    },
    async close() {
      closed = true;
      await running;
    },
  };
}

async function settleBatch(
  store: Store,
  appender: EventAppender,
  logger: Logger,
  batch: readonly Waiting[],
): Promise<void> {
  try {
    const deliveries = batch.map(({ delivery }) => delivery);
    const outcomes = await store.transaction((transaction) => applyBatch(transaction, appender, deliveries));
    for (const [index, { resolve }] of batch.entries()) resolve(outcomes[index] as DeliveryOutcome);
  } catch (thrown) {
    if (!isDataError(thrown)) {
      logger.warn(
        { err: thrown, deliveries: batch.length },
        'deliveries could not be stored and will be pushed again',
      );
      for (const { reject } of batch) reject(HubError.from(thrown));
      return;
    }
    // One of them cannot be stored as it is: each goes alone, so that the others are not lost with it.
    for (const each of batch) await settleAlone(store, appender, logger, each);
  }
}

async function settleAlone(
  store: Store,
  appender: EventAppender,
  logger: Logger,
  one: Waiting,
): Promise<void> {
  const attempt = (delivery: Delivery) =>
    store.transaction((transaction) => applyBatch(transaction, appender, [delivery]));
  try {
    const [outcome] = await attempt(one.delivery).catch((thrown: unknown) => {
      if (!isDataError(thrown)) throw thrown;
      logger.warn({ err: thrown, system: one.delivery.system }, 'a delivery cannot be stored: quarantined');
      const { code } = thrown as { code?: unknown };
      return attempt({
        ...one.delivery,
        content: { kind: 'bad', type: undefined, reason: `cannot be stored: ${code}` },
      });
    });
    one.resolve(outcome as DeliveryOutcome);
  } catch (thrown) {
    one.reject(HubError.from(thrown));
  }
}

const REMEMBER = `
INSERT INTO connectors.delivery (system, source, dedupe_id)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS d(system, source, dedupe_id) ORDER BY 1, 2, 3
ON CONFLICT DO NOTHING RETURNING system, source, dedupe_id`;

interface DeliveryId extends Record<string, unknown> {
  readonly system: string;
  readonly source: string;
  readonly dedupe_id: string;
}

async function applyBatch(
  transaction: StoreTransaction,
  appender: EventAppender,
  deliveries: readonly Delivery[],
): Promise<readonly DeliveryOutcome[]> {
  await lockRecords(transaction, deliveries.flatMap(changesOf));
  const remembered = await transaction.query<DeliveryId>(REMEMBER, [
    deliveries.map(({ system }) => system),
    deliveries.map(({ source }) => source),
    deliveries.map(({ dedupeId }) => dedupeId),
  ]);
  const fresh = new Set(remembered.map((row) => `${row.system}\u0000${row.source}\u0000${row.dedupe_id}`));
  // Twice in one batch counts as twice, too.
  const isNew = deliveries.map(({ system, source, dedupeId }) =>
    fresh.delete(`${system}\u0000${source}\u0000${dedupeId}`),
  );
  const news = deliveries.filter((_, index) => isNew[index]);
  const { unreported } = await applyChanges(transaction, appender, news.flatMap(changesOf));
  const problems = new Map(news.map((delivery) => [delivery, problemOf(delivery, unreported)]));
  await quarantine(
    transaction,
    [...problems.values()].filter((problem) => problem !== undefined),
  );
  return deliveries.map((delivery, index): DeliveryOutcome => {
    if (!isNew[index]) return 'DUPLICATE';
    return problems.get(delivery) === undefined ? 'APPLIED' : 'QUARANTINED';
  });
}

function changesOf({ content }: Delivery): readonly Change[] {
  return content.kind === 'changes' ? content.changes : [];
}

/** What of a delivery goes to quarantine: all of it, or the report of a change that stands. */
function problemOf(delivery: Delivery, unreported: readonly Change[]): Quarantined | undefined {
  const { system, source, dedupeId, body, place, content } = delivery;
  const known = { system, source, dedupeId, body, place };
  if (content.kind === 'bad') return { ...known, type: content.type, reason: content.reason };
  const change = content.changes.find((each) => unreported.includes(each));
  if (change === undefined) return undefined;
  return { ...known, type: change.type, reason: changeProblem(change) };
}
