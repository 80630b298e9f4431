// Several topics of a log read as one: merged in the order of their positions, with a place that is a vector.
import { HubError, invariant } from '@weft/core/errors';
import type { EventLog, LogEvent, LogGap, Position, ReadOptions } from './event-log.ts';

/** Between the names of topics that are read as one. */
export const TOPIC_SEPARATOR = ',';
/** Topics that are read as one, at the most. */
export const TOPICS_MAX = 8;

/**
 * The log, with names of several topics (`a,b`) wherever a topic is named. The events of all of them come in the order of
 * their positions, which is that of the log: on every reader the same. A place is a position for each topic (`writeVector`).
 * One topic is read as it is.
 * @param log whose positions compare across topics, and which has all up to a position when it has yielded an event there
 */
export function withSeveralTopics(log: EventLog): EventLog {
  return {
    head: (topic, signal) => (isOne(topic) ? log.head(topic, signal) : headOf(log, namesOf(topic), signal)),
    read: (topic, options) =>
      isOne(topic) ? log.read(topic, options) : readSeveral(log, namesOf(topic), options),
    async trim(topic, olderThanMs) {
      let trimmed = 0;
      for (const name of namesOf(topic)) trimmed += await log.trim(name, olderThanMs);
      return trimmed;
    },
    compare: (left, right) => compareVectors(log, left, right),
    close: () => log.close(),
  };
}

/** @throws HubError BAD_USER_INPUT when there are none, too many, or one has the separator in it */
export function joinTopics(topics: readonly string[]): string {
  const names = [...new Set(topics)].sort();
  const isWrong = names.some((name) => name === '' || name.includes(TOPIC_SEPARATOR));
  if (isWrong || names.length === 0 || names.length > TOPICS_MAX)
    throw new HubError(
      'BAD_USER_INPUT',
      `expected 1 to ${TOPICS_MAX} topics without '${TOPIC_SEPARATOR}' in their names, got ${JSON.stringify(topics)}`,
    );
  return names.join(TOPIC_SEPARATOR);
}

const isOne = (topic: string) => !topic.includes(TOPIC_SEPARATOR);
const namesOf = (topic: string) => topic.split(TOPIC_SEPARATOR);

/** A position for each topic, in the order of their names. */
type Vector = readonly Position[];

const PART_SEPARATOR = '_';
const INDEX_SEPARATOR = '-';

/**
 * The least of the positions, then each one that is ahead of it with the number of its topic: `812.33_2-900.1`. Only a gap
 * puts one ahead: as a rule they are all the same, and written as one.
 */
function writeVector(log: EventLog, vector: Vector): Position {
  const least = leastOf(log, vector);
  const ahead = vector.flatMap((position, index) =>
    log.compare(position, least) > 0 ? [`${PART_SEPARATOR}${index}${INDEX_SEPARATOR}${position}`] : [],
  );
  return least + ahead.join('');
}

/** @throws HubError INVALID_CURSOR for a place that is not one of so many topics */
function readVector(place: Position, topics: number): Vector {
  const [least = '', ...ahead] = place.split(PART_SEPARATOR);
  const vector: Position[] = Array.from({ length: topics }, () => least);
  for (const part of ahead) {
    const [index = '', position] = part.split(INDEX_SEPARATOR);
    if (position === undefined || vector[Number(index)] === undefined)
      throw new HubError('INVALID_CURSOR', `expected a place in ${topics} topics, got ${place.slice(0, 50)}`);
    vector[Number(index)] = position;
  }
  return vector;
}

function leastOf(log: EventLog, vector: Vector): Position {
  return vector.reduce((least, position) => (log.compare(position, least) < 0 ? position : least));
}

/** What has come is all up to the least; beyond that only gaps were told, the later the more of them. */
function compareVectors(log: EventLog, left: Position, right: Position): number {
  const [leftLeast = '', ...leftAhead] = left.split(PART_SEPARATOR);
  const [rightLeast = '', ...rightAhead] = right.split(PART_SEPARATOR);
  const byLeast = log.compare(leftLeast, rightLeast);
  if (byLeast !== 0 || leftAhead.length !== rightAhead.length)
    return byLeast || leftAhead.length - rightAhead.length;
  return leftAhead.reduce(
    (sofar, part, index) => sofar || compareParts(log, part, rightAhead[index] ?? ''),
    0,
  );
}

function compareParts(log: EventLog, left: string, right: string): number {
  const [leftPosition = '', rightPosition = ''] = [left, right].map((part) => part.split(INDEX_SEPARATOR)[1]);
  return log.compare(leftPosition, rightPosition);
}

/** Whatever commits later lies beyond the greatest of the heads: positions are those of the whole log. */
async function headOf(log: EventLog, topics: readonly string[], signal?: AbortSignal): Promise<Position> {
  const heads = await Promise.all(topics.map((topic) => log.head(topic, signal)));
  return heads.reduce((greatest, head) => (log.compare(head, greatest) > 0 ? head : greatest));
}

const BATCH_EVENTS = 500;

type Entry = LogEvent | LogGap;
type Entries = readonly Entry[];

interface Merge {
  readonly log: EventLog;
  readonly topics: readonly string[];
  readonly signal: AbortSignal;
  readonly batchEventsMax: number;
  vector: Vector;
}

async function* readSeveral(
  log: EventLog,
  topics: readonly string[],
  { after, signal, upTo, batchEventsMax = BATCH_EVENTS }: ReadOptions,
): AsyncGenerator<Entries, void, undefined> {
  const begin = after ?? (await headOf(log, topics, signal));
  const merge: Merge = { log, topics, signal, batchEventsMax, vector: readVector(begin, topics.length) };
  if (upTo !== undefined) {
    yield* readUpTo(merge, readVector(upTo, topics.length));
    return;
  }
  const news = startNews(merge);
  try {
    for (;;) {
      const found = await news.next();
      if (found === undefined || signal.aborted) return;
      // All topics up to there: the one that told of it has them at hand.
      yield* readUpTo(
        merge,
        topics.map(() => found.upTo),
        found,
      );
    }
  } finally {
    await news.stop();
  }
}

/** Entries of one topic, and the position up to which the log has them. */
interface Found {
  readonly topic: number;
  readonly entries: Entries;
  readonly upTo: Position;
}

/** A reader a topic, each a batch ahead at the most. */
function startNews({ log, topics, signal, batchEventsMax, vector }: Merge) {
  const stop = new AbortController();
  const own = AbortSignal.any([signal, stop.signal]);
  const readers = topics.map((topic, index) =>
    log.read(topic, { ...afterOf(vector[index]), signal: own, batchEventsMax })[Symbol.asyncIterator](),
  );
  const ask = async (topic: number): Promise<Found | undefined> => {
    const next = await readers[topic]?.next();
    const last = next?.done === true ? undefined : next?.value.at(-1);
    if (next === undefined || next.done === true || last === undefined) return undefined;
    return { topic, entries: next.value, upTo: endOf(last) };
  };
  const asked = readers.map((_, topic) => ask(topic));
  // Whoever is waited for last is told; the others must not be found unhandled.
  for (const one of asked) one.catch(() => undefined);
  return {
    /** Undefined when one of the readers has ended: the log is closed. */
    async next(): Promise<Found | undefined> {
      const found = await Promise.race(asked);
      if (found === undefined) return undefined;
      const again = ask(found.topic);
      again.catch(() => undefined);
      asked[found.topic] = again;
      return found;
    },
    async stop() {
      stop.abort();
      await Promise.allSettled(asked);
    },
  };
}

function afterOf(position: Position | undefined) {
  invariant(position !== undefined, 'a vector has a position for each topic');
  return { after: position };
}

function endOf(entry: Entry): Position {
  return entry.kind === 'event' ? entry.position : entry.to;
}

/** What stands between the merge's vector and `target`, in order; moves the vector. */
async function* readUpTo(
  merge: Merge,
  target: Vector,
  found?: Found,
): AsyncGenerator<Entries, void, undefined> {
  const cursors = merge.topics.map((topic, index) => openCursor(merge, topic, index, target, found));
  let batch: Entry[] = [];
  for (;;) {
    for (const cursor of cursors) await cursor.fill();
    if (merge.signal.aborted) return;
    const first = firstOf(merge.log, cursors);
    if (first === undefined) break;
    const entry = first.take();
    batch.push(entry.kind === 'event' ? pass(merge, entry) : skip(merge, first.index, entry));
    if (batch.length < merge.batchEventsMax) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

interface TopicCursor {
  readonly index: number;
  /** Has the next entry at hand, unless there is none. */
  fill(): Promise<void>;
  peek(): Entry | undefined;
  take(): Entry;
}

function openCursor(
  { log, signal, batchEventsMax, vector }: Merge,
  topic: string,
  index: number,
  target: Vector,
  found: Found | undefined,
): TopicCursor {
  const after = vector[index] ?? '';
  const upTo = target[index] ?? '';
  const isKnown = found?.topic === index;
  let entries: Entries = isKnown ? found.entries.filter((entry) => log.compare(endOf(entry), after) > 0) : [];
  let at = 0;
  const rest =
    isKnown || log.compare(after, upTo) >= 0
      ? undefined
      : log.read(topic, { after, upTo, signal, batchEventsMax })[Symbol.asyncIterator]();
  let isOver = rest === undefined;
  return {
    index,
    async fill() {
      while (at >= entries.length && !isOver) {
        const next = await rest?.next();
        isOver = next === undefined || next.done === true;
        entries = next?.done === false ? next.value : [];
        at = 0;
      }
    },
    peek: () => entries[at],
    take() {
      const entry = entries[at];
      invariant(entry !== undefined, 'an entry is taken where there is one');
      at += 1;
      return entry;
    },
  };
}

/** A gap stands before every event: where it begins was passed. */
function firstOf(log: EventLog, cursors: readonly TopicCursor[]): TopicCursor | undefined {
  let first: TopicCursor | undefined;
  for (const cursor of cursors) {
    const entry = cursor.peek();
    if (entry === undefined) continue;
    if (entry.kind === 'gap') return cursor;
    const best = first?.peek();
    if (best?.kind !== 'event' || log.compare(entry.position, best.position) < 0) first = cursor;
  }
  return first;
}

/** Everything up to the event has come, of every topic. */
function pass(merge: Merge, event: LogEvent): LogEvent {
  const { log } = merge;
  const { position } = event;
  merge.vector = merge.vector.map((own) => (log.compare(own, position) > 0 ? own : position));
  return { ...event, position: writeVector(log, merge.vector) };
}

/** Of one topic alone: the others have what it lacks. */
function skip(merge: Merge, index: number, gap: LogGap): LogGap {
  const { log } = merge;
  const from = writeVector(log, merge.vector);
  merge.vector = merge.vector.map((own, topic) =>
    topic === index && log.compare(gap.to, own) > 0 ? gap.to : own,
  );
  return { ...gap, from, to: writeVector(log, merge.vector) };
}
