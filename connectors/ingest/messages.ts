// Starts what takes messages in: for each queue of an AMQP source, for all topics of an MQTT source.
import { invariant, OperatorError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { Secrets } from '@weft/core/secrets';
import { takeQueue } from '../amqp/ingest.ts';
import type { RunningSystem } from '../load/system.ts';
import { takeTopics } from '../mqtt/ingest.ts';
import type { IngestPlan, SourcePlan } from '../plan.ts';
import type { Applier } from './apply.ts';

/** `queue-name` is a short string: AMQP 0-9-1, 4.2.5.3. */
const QUEUE_BYTES_MAX = 255;

export interface MessagesOptions {
  readonly applier: Applier;
  readonly logger: Logger;
  readonly secrets: Secrets;
  /** Told of every message: the system lives. */
  onSeen(): void;
  /** Why the changes of a type do not come; undefined when they do. */
  onBlind(type: string, reason: string | undefined): void;
}

/**
 * Takes messages in until closed; a broker that is away is looked for again and again.
 * @throws OperatorError when an address or a secret is missing
 */
export function startMessages(system: RunningSystem, options: MessagesOptions): { close(): Promise<void> } {
  const started = [...system.plan.sources.values()].flatMap((source) => startSource(system, source, options));
  return {
    async close() {
      await Promise.all(started.map((one) => one.close()));
    },
  };
}

function startSource(
  system: RunningSystem,
  source: SourcePlan,
  options: MessagesOptions,
): readonly { close(): Promise<void> }[] {
  const ingests = system.plan.ingests.filter((ingest) => ingest.source === source.name);
  if (ingests.length === 0) return [];
  if (source.protocol === 'mqtt') return [takeTopics(system, source, ingests, options)];
  if (source.protocol !== 'amqp') return [];
  const byQueue = Map.groupBy(ingests, (ingest) => queueOf(system, ingest));
  return [...byQueue].map(([queue, group]) => takeQueue(system, source, { queue, ingests: group }, options));
}

function queueOf(system: RunningSystem, { from, source, type }: IngestPlan): string {
  invariant(from.kind === 'queue', `the changes of ${type} come from a queue`);
  const queue = from.queue.evaluate({ env: system.env });
  if (typeof queue === 'string' && queue !== '' && Buffer.byteLength(queue) <= QUEUE_BYTES_MAX) return queue;
  throw new OperatorError(
    `system ${system.plan.name}: the queue of source ${source} (${from.queue.text}) is not set, or longer than ${QUEUE_BYTES_MAX} bytes`,
    { exitCode: 2 },
  );
}
