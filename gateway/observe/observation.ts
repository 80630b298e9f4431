// Puts together what observes a gateway, as the settings want it: the log's lines always, metrics and spans where they are on.
import type { Logger } from '@weft/core/logger';
import type { Metrics } from './metrics.ts';
import { createObserver, type Observer, type OperationSink } from './observer.ts';
import { createSampler } from './sampling.ts';
import type { ObserveSettings } from './settings.ts';
import type { SpanSink } from './spans.ts';

export interface Observation {
  readonly observer: Observer;
  /** Undefined where they are off. */
  readonly metrics: Metrics | undefined;
  /** Sends what waits, and observes no more. */
  close(): Promise<void>;
}

/**
 * Loads what is switched on, and nothing else.
 * @param others whoever else is told of operations
 */
export async function openObservation(
  { metrics: place, inspect, traces }: ObserveSettings,
  logger: Logger,
  others: readonly OperationSink[] = [],
): Promise<Observation> {
  const [metrics, spans] = await Promise.all([
    place === 'off' ? undefined : import('./metrics.ts').then(({ openMetrics }) => openMetrics()),
    traces && import('./spans.ts').then(({ openSpanSink }): SpanSink => openSpanSink(traces, logger)),
  ]);
  const observer = createObserver({
    logger,
    inspect,
    sinks: [metrics, spans, ...others].filter((sink) => sink !== undefined),
    sample: traces && createSampler(traces),
    onSubscription: metrics && ((change) => metrics.subscriptionsChanged(change)),
  });
  return {
    observer,
    metrics,
    close: async () => spans?.close(),
  };
}
