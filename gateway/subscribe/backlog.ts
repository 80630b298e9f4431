// What a topic's reader has passed, read again for those who are behind; a batch serves all who are as far behind.
import type { EventLog, LogEvent, LogGap, Position } from '@weft/events/event-log';
import type { FanOutLimits } from './limits.ts';
import type { TopicReader } from './topic-reader.ts';

export interface BacklogBatch {
  readonly entries: readonly (LogEvent | LogGap)[];
  /** Everything up to here is in the entries. */
  readonly end: Position;
}

interface Read {
  readonly after: Position;
  readonly batch: Promise<BacklogBatch>;
  /** Undefined while it is being read. */
  done: BacklogBatch | undefined;
}

export class Backlog {
  readonly #log: EventLog;
  readonly #topic: string;
  readonly #reader: TopicReader;
  readonly #limits: Pick<FanOutLimits, 'catchUpEventsMax' | 'catchUpBatchesMax'>;
  readonly #signal: AbortSignal;
  readonly #reads: Read[] = [];

  constructor(
    log: EventLog,
    topic: string,
    reader: TopicReader,
    limits: Pick<FanOutLimits, 'catchUpEventsMax' | 'catchUpBatchesMax'>,
    signal: AbortSignal,
  ) {
    this.#log = log;
    this.#topic = topic;
    this.#reader = reader;
    this.#limits = limits;
    this.#signal = signal;
  }

  /** Some of what comes after a position that the reader has passed; never nothing, unless nothing is there. */
  after(position: Position): BacklogBatch | Promise<BacklogBatch> {
    const reader = this.#reader;
    if (this.#log.compare(position, reader.oldest()) >= 0)
      return { entries: reader.since(position), end: reader.position() };
    // Those who come back after an outage are at one place: nothing has to be compared for them.
    const same = this.#reads.find(({ after, done }) => after === position && done?.end !== position);
    if (same !== undefined) return same.done ?? same.batch;
    const known = this.#reads.find((read) => this.#serves(read, position));
    if (known === undefined) return this.#read(position).batch;
    return known.done === undefined ? known.batch : this.#tail(known.done, position);
  }

  #serves({ after, done }: Read, position: Position): boolean {
    if (done === undefined) return false;
    const { compare } = this.#log;
    return compare(after, position) <= 0 && compare(position, done.end) < 0;
  }

  #tail(batch: BacklogBatch, position: Position): BacklogBatch {
    const entries = batch.entries.flatMap((entry): readonly (LogEvent | LogGap)[] => {
      const end = entry.kind === 'event' ? entry.position : entry.to;
      if (this.#log.compare(end, position) <= 0) return [];
      return entry.kind === 'gap' ? [{ ...entry, from: position }] : [entry];
    });
    return { entries, end: batch.end };
  }

  #read(after: Position): Read {
    const read: Read = { after, batch: this.#readBatch(after), done: undefined };
    this.#reads.push(read);
    if (this.#reads.length > this.#limits.catchUpBatchesMax) this.#reads.shift();
    read.batch.then(
      (batch) => {
        read.done = batch;
      },
      () => this.#reads.splice(this.#reads.indexOf(read), 1),
    );
    return read;
  }

  async #readBatch(after: Position): Promise<BacklogBatch> {
    const upTo = this.#reader.position();
    const batchEventsMax = this.#limits.catchUpEventsMax;
    const batches = this.#log.read(this.#topic, { after, upTo, signal: this.#signal, batchEventsMax });
    for await (const entries of batches) {
      const last = entries.at(-1);
      return { entries, end: last === undefined ? upTo : last.kind === 'event' ? last.position : last.to };
    }
    return { entries: [], end: upTo };
  }
}
