// The line that the log has for every operation: never variables, never tokens, never the document's text.
import type { Logger } from '@weft/core/logger';
import type { OperationWatch, Outcome } from './operation-watch.ts';

/**
 * @param outcome `started` is the first line of a subscription
 * @param durationMs undefined while it is not over
 */
export function writeOperationLine(
  logger: Logger,
  watch: OperationWatch,
  outcome: Outcome | 'started',
  durationMs: number | undefined,
): void {
  if (!logger.isLevelEnabled('info')) return;
  const { client, kind } = watch;
  // A key whose value is undefined is not written.
  logger.info(
    {
      traceId: watch.traceId,
      transport: watch.transport,
      kind,
      operationName: watch.operationName,
      documentHash: watch.documentHash,
      clientName: client.name,
      clientVersion: client.version,
      outcome,
      code: watch.code,
      durationMs: durationMs === undefined ? undefined : Math.round(durationMs * 10) / 10,
      errors: watch.errors,
      fetches: watch.fetches,
      results: kind === 'subscription' ? watch.results : undefined,
      cost: watch.cost,
    },
    'operation',
  );
}
