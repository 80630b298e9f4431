// The event log as a live engine carries it: what the engine has not, or has lost, is read from the outbox.
import { delay } from '@weft/core/deadline';
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { CloudEvent } from './envelope.ts';
import type { EventLog, LogEvent, LogGap, Position, ReadOptions } from './event-log.ts';
import { ENGINE_RETRY_MS, FALLBACK_POLL_MS, LIVE_POLL_MS, OUTBOX_POLL_MS } from './limits.ts';
import type { LiveEngine, LiveEntry, LivePage } from './live-engine.ts';
import { type Batch, readBatch } from './postgres/batch.ts';
import { orUnavailable, readHead } from './postgres/outbox.ts';
import type { StorePool } from './postgres/pool.ts';
import { comparePositions, POSITION_MAX, parsePosition } from './postgres/position.ts';
import { readTrimmed, trimTopic } from './postgres/trim.ts';
import { readAcknowledged } from './relay/acknowledged.ts';

export interface RelayedLogOptions {
  readonly engine: LiveEngine;
  /** Of the outbox. */
  readonly pool: StorePool;
  readonly logger: Logger;
}

const BATCH_EVENTS = 500;
const BATCH_EVENTS_MAX = 5_000;

/**
 * The log of an engine and of the outbox behind it. Owns both: `close()` ends them. A reader hands on what the engine
 * has as long as each entry names the one before it; everything else it reads from the outbox, whose positions are the same.
 */
export function openRelayedLog({ engine, pool, logger }: RelayedLogOptions): EventLog {
  const closing = new AbortController();
  const source: Source = { engine, pool, logger, awayUntilMs: 0 };
  return {
    async head(topic) {
      try {
        return await orUnavailable(() => readHead(pool, topic));
      } catch (thrown) {
        // While nothing can be committed, the last that the engine has is before everything that will be.
        const state = await engine.readState(topic).catch(() => undefined);
        if (state === undefined) throw thrown;
        return state.last;
      }
    },
    read: (topic, options) =>
      readTopic(source, topic, { ...options, signal: AbortSignal.any([options.signal, closing.signal]) }),
    async trim(topic, olderThanMs) {
      return orUnavailable(async () => {
        const upTo = await readAcknowledged(pool, topic, engine.name);
        if (upTo === undefined) return 0;
        const trimmed = await trimTopic(pool, topic, { olderThanMs, upTo: upTo.position });
        await engine.trim(topic, await readTrimmed(pool, topic));
        return trimmed;
      });
    },
    compare: comparePositions,
    async close() {
      if (closing.signal.aborted) return;
      closing.abort();
      await engine.close();
      await pool.end();
    },
  };
}

interface Source {
  readonly engine: LiveEngine;
  readonly pool: StorePool;
  readonly logger: Logger;
  /** An engine that did not answer is left alone until then, by performance.now(). */
  awayUntilMs: number;
}

interface Reader {
  readonly source: Source;
  readonly topic: string;
  readonly options: ReadOptions;
  readonly eventsMax: number;
  after: Position;
  outboxSeenMs: number;
}

type Entries = readonly (LogEvent | LogGap)[];

async function* readTopic(
  source: Source,
  topic: string,
  options: ReadOptions,
): AsyncGenerator<Entries, void, undefined> {
  const after = options.after ?? (await headWhenAnswered(source, topic, options.signal));
  if (after === undefined) return;
  parsePosition(after);
  const eventsMax = Math.min(options.batchEventsMax ?? BATCH_EVENTS, BATCH_EVENTS_MAX);
  const reader: Reader = { source, topic, options, eventsMax, after, outboxSeenMs: performance.now() };
  const { signal, upTo } = options;
  while (!signal.aborted && (upTo === undefined || comparePositions(reader.after, upTo) < 0)) {
    const step = nextStep(reader, await readLive(reader));
    if (step.kind === 'live') {
      yield step.events;
      continue;
    }
    if (step.kind === 'wait') {
      await source.engine.wait(topic, reader.after, LIVE_POLL_MS, signal);
      continue;
    }
    const batch = await readOutbox(reader, step);
    if (batch !== undefined && batch.entries.length > 0) yield batch.entries;
    if (batch !== undefined && (batch.full || !step.isLast)) continue;
    if (batch !== undefined && upTo !== undefined) return;
    // An abort ends the pause with a rejection, and the loop with it.
    if (batch === undefined || step.pauses) await delay(FALLBACK_POLL_MS, signal).catch(() => undefined);
  }
}

type Step =
  /** The engine's events follow what was read, one upon the other. */
  | { readonly kind: 'live'; readonly events: readonly LogEvent[] }
  /** There is nothing new. */
  | { readonly kind: 'wait' }
  | OutboxStep;

/** Something is missing in the engine: up to a position that it tells of, or it is not known what (`isLast`). */
interface OutboxStep {
  readonly kind: 'outbox';
  readonly upTo: Position;
  readonly isLast: boolean;
  readonly pauses: boolean;
}

/** What to do about a page of the engine; undefined: it is away. */
function nextStep(reader: Reader, page: LivePage | undefined): Step {
  const { after, options } = reader;
  const everything = options.upTo ?? POSITION_MAX;
  if (page?.last === undefined || comparePositions(page.last, after) < 0)
    return { kind: 'outbox', upTo: everything, isLast: true, pauses: true };
  const ahead = page.entries.filter(
    ({ position }) => comparePositions(position, after) > 0 && comparePositions(position, everything) <= 0,
  );
  const events = takeUnbroken(ahead, after);
  if (events.length > 0) {
    reader.after = events.at(-1)?.position ?? after;
    return { kind: 'live', events };
  }
  const [first] = ahead;
  if (first !== undefined) {
    const upTo = first.envelope === undefined ? first.position : first.previous;
    return { kind: 'outbox', upTo, isLast: false, pauses: false };
  }
  if (options.upTo !== undefined) return { kind: 'outbox', upTo: options.upTo, isLast: true, pauses: false };
  // It says that there is more, and has not got it.
  if (page.entries.length === 0 && comparePositions(page.last, after) > 0)
    return { kind: 'outbox', upTo: page.last, isLast: false, pauses: false };
  if (performance.now() - reader.outboxSeenMs > OUTBOX_POLL_MS)
    return { kind: 'outbox', upTo: everything, isLast: true, pauses: false };
  return { kind: 'wait' };
}

/** The events that follow `after` without one missing between. */
function takeUnbroken(entries: readonly LiveEntry[], after: Position): readonly LogEvent[] {
  const events: LogEvent[] = [];
  let position = after;
  for (const entry of entries) {
    if (entry.envelope === undefined || comparePositions(entry.previous, position) > 0) break;
    position = entry.position;
    const event = JSON.parse(entry.envelope) as CloudEvent;
    events.push({ kind: 'event', position, event, chars: entry.envelope.length });
  }
  return events;
}

async function readLive({ source, topic, after, eventsMax }: Reader): Promise<LivePage | undefined> {
  if (performance.now() < source.awayUntilMs || !source.engine.isConnected()) return undefined;
  try {
    return await source.engine.readPage(topic, after, eventsMax);
  } catch (thrown) {
    source.logger.debug({ err: thrown, topic }, 'the live engine does not answer; reading the outbox');
    source.awayUntilMs = performance.now() + ENGINE_RETRY_MS;
    return undefined;
  }
}

/** Reads the outbox and moves the reader, to the end of what was asked for when that was all; undefined when it does not answer. */
async function readOutbox(reader: Reader, step: OutboxStep): Promise<Batch | undefined> {
  const { source, topic, after, eventsMax } = reader;
  reader.outboxSeenMs = performance.now();
  let batch: Batch;
  try {
    batch = await readBatch(source.pool, topic, after, step.upTo, eventsMax);
  } catch (thrown) {
    if (thrown instanceof HubError) throw thrown;
    source.logger.warn(
      { err: thrown, topic },
      'the outbox does not answer; reading again from the same position',
    );
    return undefined;
  }
  const last = batch.entries.at(-1);
  const reached = last?.kind === 'gap' ? last.to : (last?.position ?? after);
  // Up to a position that the engine has told, the outbox has settled: what is not there is not to come.
  const isAll = !batch.full && !step.isLast;
  reader.after = isAll && comparePositions(step.upTo, reached) > 0 ? step.upTo : reached;
  return batch;
}

/** The head of the topic, asked for until the outbox answers; undefined when the signal aborts first. */
async function headWhenAnswered(
  { pool, logger }: Source,
  topic: string,
  signal: AbortSignal,
): Promise<Position | undefined> {
  while (!signal.aborted) {
    try {
      return await readHead(pool, topic);
    } catch (thrown) {
      if (signal.aborted) return undefined;
      logger.warn({ err: thrown, topic }, 'the outbox does not answer; asking again where the topic stands');
      // An abort ends the pause with a rejection, and the loop with it.
      await delay(FALLBACK_POLL_MS, signal).catch(() => undefined);
    }
  }
  return undefined;
}
