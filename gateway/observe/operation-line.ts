// The line that the log has for every operation: never variables, never tokens, never the document's text.
import { INFO_LEVEL, type Logger, openLineWriter } from '@weft/core/logger';
import type { OperationWatch, Outcome } from './operation-watch.ts';

export type WriteOperationLine = (
  watch: OperationWatch,
  /** `started` is the first line of a subscription. */
  outcome: Outcome | 'started',
  /** Undefined while it is not over. */
  durationMs: number | undefined,
) => void;

export function openOperationLines(logger: Logger): WriteOperationLine {
  const write = openLineWriter(logger, INFO_LEVEL, 'operation');
  return (watch, outcome, durationMs) => {
    if (logger.isLevelEnabled('info')) write(fieldsOf(watch, outcome, durationMs));
  };
}

/** Names, codes and hex digits need no escape; what a client says of itself does. */
function fieldsOf(
  watch: OperationWatch,
  outcome: Outcome | 'started',
  durationMs: number | undefined,
): string {
  const { client, kind } = watch;
  let fields = `,"traceId":"${watch.traceId}","transport":"${watch.transport}"`;
  if (kind !== undefined) fields += `,"kind":"${kind}"`;
  if (watch.operationName !== undefined) fields += `,"operationName":"${watch.operationName}"`;
  if (watch.documentHash !== undefined) fields += `,"documentHash":"${watch.documentHash}"`;
  if (client.name !== undefined) fields += `,"clientName":${JSON.stringify(client.name)}`;
  if (client.version !== undefined) fields += `,"clientVersion":${JSON.stringify(client.version)}`;
  fields += `,"outcome":"${outcome}"`;
  if (watch.code !== undefined) fields += `,"code":"${watch.code}"`;
  if (durationMs !== undefined) fields += `,"durationMs":${Math.round(durationMs * 10) / 10}`;
  fields += `,"errors":${watch.errors},"fetches":${watch.fetches}`;
  if (kind === 'subscription') fields += `,"results":${watch.results}`;
  // An estimate may be too large for a number, which JSON has no word for.
  if (watch.cost !== undefined) fields += `,"cost":${JSON.stringify(watch.cost)}`;
  return fields;
}
