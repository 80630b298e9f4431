// Moves one topic's events from the outbox to the live engine, in order, and fills the engine anew when it has lost some.
import { randomUUID } from 'node:crypto';
import { delay } from '@weft/core/deadline';
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import { createOutageLog } from '@weft/core/outage-log';
import type { EventLog, LogEvent, LogGap, Position } from '../event-log.ts';
import {
  APPEND_CHARACTERS_MAX,
  APPEND_ENTRIES_MAX,
  REFUSED_RETRY_DELAYS_MS,
  REFUSED_TRIES_MAX,
  RELAY_RETRY_MS_MAX,
  RELAY_RETRY_MS_MIN,
} from '../limits.ts';
import type { AppendOutcome, LiveEngine, LiveEntry } from '../live-engine.ts';
import type { StorePool } from '../postgres/pool.ts';
import { comparePositions } from '../postgres/position.ts';
import { readTrimmed } from '../postgres/trim.ts';
import { isInOutbox, readAcknowledged, writeAcknowledged } from './acknowledged.ts';
import { forgetDeadLetters, listTopicsToRedrive, writeDeadLetter } from './dead-letters.ts';
import type { Fence } from './lease.ts';

export interface RelayParts {
  readonly engine: LiveEngine;
  readonly outbox: EventLog;
  readonly pool: StorePool;
  readonly fence: Fence;
  readonly logger: Logger;
}

export interface TopicRelay {
  /** Sees whether the engine still has what it has acknowledged; when not, it is filled anew. Rejects when it does not answer. */
  check(): Promise<void>;
  /** Looks anew at where the topic stands, in the engine and in PostgreSQL. */
  restart(): void;
  /** Resolves when the signal has aborted and nothing is under way. */
  readonly ended: Promise<void>;
}

/** Where the topic stands in the engine, as this relay left it. */
interface Place {
  generation: string;
  last: Position;
}

/** Runs until the signal aborts. A failure of engine or outbox is waited for; events stay in the outbox meanwhile. */
export function relayTopic(parts: RelayParts, topic: string, signal: AbortSignal): TopicRelay {
  let round = new AbortController();
  let place: Place | undefined;
  const run = async () => {
    let delayMs = RELAY_RETRY_MS_MIN;
    const outage = createOutageLog(parts.logger);
    while (!signal.aborted) {
      round = new AbortController();
      place = undefined;
      try {
        place = await standAt(parts, topic);
        delayMs = RELAY_RETRY_MS_MIN;
        outage.over();
        await move(parts, topic, place, AbortSignal.any([signal, round.signal]));
        // It stands elsewhere: whoever has moved it must not be raced.
        await delay(RELAY_RETRY_MS_MIN, signal).catch(() => undefined);
      } catch (thrown) {
        if (signal.aborted) return;
        outage.failed(
          { err: thrown, topic, delayMs },
          'the relay of a topic waits: its events stay in the outbox',
        );
        // An abort ends the pause with a rejection, and the loop with it.
        await delay(delayMs, signal).catch(() => undefined);
        delayMs = Math.min(delayMs * 2, RELAY_RETRY_MS_MAX);
      }
    }
  };
  return {
    async check() {
      const before = place;
      const lastBefore = before?.last;
      const state = await parts.engine.readState(topic);
      if (before === undefined || lastBefore === undefined || place !== before) return;
      const isWhole =
        state?.generation === before.generation && comparePositions(state.last, lastBefore) >= 0;
      if (!isWhole) round.abort();
    },
    restart: () => round.abort(),
    ended: run(),
  };
}

/** Where to go on: where the engine stands if it has all that it acknowledged, else at the beginning of a new filling. */
async function standAt(parts: RelayParts, topic: string): Promise<Place> {
  const { engine, pool, fence, logger } = parts;
  const acknowledged = await readAcknowledged(pool, topic, engine.name);
  const state = await engine.readState(topic);
  const isKnown = state !== undefined && state.generation === acknowledged?.generation;
  const isWanted = (await listTopicsToRedrive(pool)).includes(topic);
  if (isKnown && !isWanted && (await isInOutbox(pool, topic, state.last))) {
    const behind = comparePositions(state.last, acknowledged.position);
    if (behind < 0)
      logger.warn(
        { topic, has: state.last, acknowledged: acknowledged.position },
        'the live engine has lost events: they are appended again',
      );
    if (behind !== 0) await acknowledge(parts, topic, { ...state });
    return { ...state };
  }
  if (acknowledged !== undefined)
    logger.warn({ topic, has: state, acknowledged }, 'the live engine is filled anew from the outbox');
  const place = { generation: randomUUID(), last: await readTrimmed(pool, topic) };
  // The lease is asked for by writing: what follows throws away what the engine has.
  await acknowledge(parts, topic, place);
  const outcome = await engine.begin(topic, { ...place, fence });
  if (outcome.kind !== 'appended') throw overtaken(topic);
  await forgetDeadLetters(pool, topic);
  return place;
}

async function acknowledge({ pool, engine, fence }: RelayParts, topic: string, place: Place): Promise<void> {
  const { generation, last: position } = place;
  if (!(await writeAcknowledged(pool, topic, engine.name, { generation, position }, fence)))
    throw overtaken(topic);
}

const overtaken = (topic: string) =>
  new HubError('CONFLICT', `Another relay has taken over the topic ${topic}.`);

/** Ends when the signal aborts, or when the engine turns out to stand elsewhere. */
async function move(parts: RelayParts, topic: string, place: Place, signal: AbortSignal): Promise<void> {
  let previous = place.last;
  const batches = parts.outbox.read(topic, { after: place.last, signal, batchEventsMax: APPEND_ENTRIES_MAX });
  for await (const batch of batches) {
    const entries = batch.map((entry) => {
      const live = toLiveEntry(entry, previous);
      previous = live.entry.position;
      return live;
    });
    for (const piece of inPieces(entries)) {
      if (signal.aborted || !(await appendPiece(parts, topic, place, piece, signal))) return;
      await acknowledge(parts, topic, place);
    }
  }
}

interface Outgoing {
  readonly entry: LiveEntry;
  /** Undefined for a gap: the engine then gets a marker, whose place readers look up in the outbox. */
  readonly event: LogEvent | undefined;
}

function toLiveEntry(entry: LogEvent | LogGap, previous: Position): Outgoing {
  if (entry.kind === 'gap')
    return { entry: { position: entry.to, previous: entry.to, envelope: undefined }, event: undefined };
  const { position, event } = entry;
  return { entry: { position, previous, envelope: JSON.stringify(event) }, event: entry };
}

function* inPieces(all: readonly Outgoing[]): Generator<readonly Outgoing[]> {
  let piece: Outgoing[] = [];
  let characters = 0;
  for (const outgoing of all) {
    const length = outgoing.entry.envelope?.length ?? 0;
    if (piece.length > 0 && characters + length > APPEND_CHARACTERS_MAX) {
      yield piece;
      piece = [];
      characters = 0;
    }
    piece.push(outgoing);
    characters += length;
  }
  if (piece.length > 0) yield piece;
}

/** False when the engine stands elsewhere. Moves `place`. */
async function appendPiece(
  parts: RelayParts,
  topic: string,
  place: Place,
  piece: readonly Outgoing[],
  signal: AbortSignal,
): Promise<boolean> {
  const outcome = await append(
    parts,
    topic,
    place,
    piece.map(({ entry }) => entry),
  );
  if (outcome.kind !== 'refused') return outcome.kind === 'appended';
  // Which of them it is shows one by one; the others must not wait for it.
  for (const outgoing of piece) {
    const alone = piece.length === 1 ? outcome : await append(parts, topic, place, [outgoing.entry]);
    if (alone.kind === 'conflict') return false;
    if (alone.kind === 'refused' && !(await tryAgain(parts, topic, place, outgoing, alone.reason, signal)))
      return false;
  }
  return true;
}

async function append(
  { engine, fence }: RelayParts,
  topic: string,
  place: Place,
  entries: readonly LiveEntry[],
): Promise<AppendOutcome> {
  const outcome = await engine.append(topic, { ...place, fence }, entries);
  if (outcome.kind === 'appended') place.last = entries.at(-1)?.position ?? place.last;
  return outcome;
}

/** Tries an event that was refused a few times more, then leaves a marker in its place and a dead letter. */
async function tryAgain(
  parts: RelayParts,
  topic: string,
  place: Place,
  { entry, event }: Outgoing,
  firstReason: string,
  signal: AbortSignal,
): Promise<boolean> {
  let reason = firstReason;
  for (const delayMs of REFUSED_RETRY_DELAYS_MS.slice(0, REFUSED_TRIES_MAX - 1)) {
    await delay(delayMs, signal);
    const outcome = await append(parts, topic, place, [entry]);
    if (outcome.kind !== 'refused') return outcome.kind === 'appended';
    reason = outcome.reason;
  }
  if (event !== undefined) await bury(parts, topic, event, reason);
  const marked = await append(parts, topic, place, [{ ...entry, envelope: undefined }]);
  if (marked.kind === 'appended') return true;
  // It is not the event that is wrong.
  await forgetDeadLetters(parts.pool, topic, entry.position);
  if (marked.kind === 'conflict') return false;
  throw new HubError(
    'STORE_UNAVAILABLE',
    `${parts.engine.name} takes nothing for the topic ${topic}: ${marked.reason}`,
  );
}

async function bury(
  { pool, engine, logger }: RelayParts,
  topic: string,
  { event, position }: LogEvent,
  reason: string,
) {
  const { source, id: eventId } = event;
  logger.error(
    { topic, position, source, eventId, reason },
    "the live engine takes no such event: it is a dead letter, and read from the outbox ('weft events dead-letters')",
  );
  await writeDeadLetter(pool, {
    topic,
    position,
    source,
    eventId,
    engine: engine.name,
    reason,
    tries: REFUSED_TRIES_MAX,
  });
}
