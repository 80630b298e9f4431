// Hears from the event log that the registry has published a graph.
import type { Logger } from '@weft/core/logger';
import type { EventLog } from '@weft/events/event-log';

/** Of the events `dev.weft.supergraph.published`. */
const TOPIC = 'supergraph';

/**
 * Calls back at each publication of the variant, from now on. The event says only that there is one: what it is, the registry
 * is asked. Where the log is away, the poll finds it.
 * @returns ends it, and resolves when nothing is read any more
 */
export function listenForPublications(
  log: EventLog,
  variant: string,
  logger: Logger,
  onPublished: () => void,
): () => Promise<void> {
  const stop = new AbortController();
  const listen = async () => {
    try {
      for await (const batch of log.read(TOPIC, { signal: stop.signal }))
        if (batch.some((entry) => entry.kind === 'gap' || isOf(variant, entry.event.data))) onPublished();
    } catch (thrown) {
      logger.warn({ err: thrown }, 'publications of the graph are not heard: the registry is asked in turn');
    }
  };
  const listening = listen();
  return () => {
    stop.abort();
    return listening;
  };
}

function isOf(variant: string, data: unknown): boolean {
  return typeof data === 'object' && data !== null && 'variant' in data && data.variant === variant;
}
