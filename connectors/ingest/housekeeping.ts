// Drops what need not be kept: acknowledged delivery ids and old quarantine.
import type { Logger } from '@weft/core/logger';
import type { Store } from './store.ts';

const EVERY_MS = 3_600_000;
/** A sender that pushes the same delivery again after this long is told twice; the record's version still guards it. */
const DELIVERY_DAYS = 7;
const QUARANTINE_DAYS = 90;
const COMMAND_DAYS = 90;

/** Runs every hour until closed. */
export function startHousekeeping(store: Store, logger: Logger): { close(): Promise<void> } {
  let running = Promise.resolve();
  const timer = setInterval(() => {
    running = trim(store).catch((thrown: unknown) =>
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
export async function trim(store: Store): Promise<void> {
  await store.transaction(async (transaction) => {
    await transaction.query(
      'DELETE FROM connectors.delivery WHERE received_at < now() - make_interval(days => $1)',
      [DELIVERY_DAYS],
    );
    await transaction.query(
      'DELETE FROM connectors.quarantine WHERE received_at < now() - make_interval(days => $1)',
      [QUARANTINE_DAYS],
    );
    // A client number that comes again after this long is another write.
    await transaction.query(
      `DELETE FROM connectors.command WHERE state IN ('APPLIED', 'REJECTED', 'DEAD') AND updated_at < now() - make_interval(days => $1)`,
      [COMMAND_DAYS],
    );
  });
}
