// Drops what need not be kept: acknowledged delivery ids, old quarantine, records that are kept for a time only.
import type { Logger } from '@weft/core/logger';
import type { SystemPlan } from '../plan.ts';
import type { Store } from './store.ts';

const EVERY_MS = 3_600_000;
/** A sender that pushes the same delivery again after this long is told twice; the record's version still guards it. */
const DELIVERY_DAYS = 7;
const QUARANTINE_DAYS = 90;
/** Of files that are no longer in their folder; one that comes back after that is new. */
const FILE_DAYS = 30;
const RECORDS_AT_ONCE = 2_000;
/** Of one type in one round. */
const RECORD_PARTS_MAX = 500;
const LATE_DAYS = 90;
const COMMAND_DAYS = 90;

/** Runs every hour until closed. */
export function startHousekeeping(
  store: Store,
  systems: readonly SystemPlan[],
  logger: Logger,
): { close(): Promise<void> } {
  let running = Promise.resolve();
  const timer = setInterval(() => {
    running = trim(store, systems).catch((thrown: unknown) =>
      logger.warn({ err: thrown }, 'housekeeping will be tried again'),
    );
  }, EVERY_MS);
  timer.unref();
  return {
    close() {
      clearInterval(timer);
      return running;
    },
  };
}

/** One round. */
export async function trim(store: Store, systems: readonly SystemPlan[] = []): Promise<void> {
  await store.transaction(async (transaction) => {
    await transaction.query(
      'DELETE FROM connectors.delivery WHERE received_at < now() - make_interval(days => $1)',
      [DELIVERY_DAYS],
    );
    await transaction.query(
      'DELETE FROM connectors.quarantine WHERE received_at < now() - make_interval(days => $1)',
      [QUARANTINE_DAYS],
    );
    await transaction.query('DELETE FROM connectors.file WHERE seen_at < now() - make_interval(days => $1)', [
      FILE_DAYS,
    ]);
    await transaction.query(
      'DELETE FROM connectors.late_change WHERE received_at < now() - make_interval(days => $1)',
      [LATE_DAYS],
    );
    // A client number that comes again after this long is another write.
    await transaction.query(
      `DELETE FROM connectors.command WHERE state IN ('APPLIED', 'REJECTED', 'DEAD', 'SUPERSEDED') AND updated_at < now() - make_interval(days => $1)`,
      [COMMAND_DAYS],
    );
  });
  for (const { system, type, keepMs } of retentions(systems)) await trimRecords(store, system, type, keepMs);
}

/** A type of several `@ingest` is kept for the longest time, and for ever when one of them says nothing. */
export function retentions(
  systems: readonly SystemPlan[],
): readonly { readonly system: string; readonly type: string; readonly keepMs: number }[] {
  return systems.flatMap(({ name, ingests }) =>
    [...Map.groupBy(ingests, ({ type }) => type)].flatMap(([type, group]) => {
      const keepMs = Math.max(...group.map((ingest) => ingest.keepMs ?? Number.POSITIVE_INFINITY));
      return Number.isFinite(keepMs) ? [{ system: name, type, keepMs }] : [];
    }),
  );
}

const DROP = `
DELETE FROM connectors.record WHERE (system, type, key) IN (
  SELECT system, type, key FROM connectors.record
  WHERE system = $1 AND type = $2 AND updated_at < now() - $3 * interval '1 millisecond' LIMIT ${RECORDS_AT_ONCE}
) AND updated_at < now() - $3 * interval '1 millisecond' RETURNING 1 AS dropped`;

/** A part at a time: no statement works for long, and what is left waits for the next round. */
async function trimRecords(store: Store, system: string, type: string, keepMs: number): Promise<void> {
  for (let part = 0; part < RECORD_PARTS_MAX; part += 1) {
    const dropped = await store.transaction((transaction) => transaction.query(DROP, [system, type, keepMs]));
    if (dropped.length < RECORDS_AT_ONCE) return;
  }
}
