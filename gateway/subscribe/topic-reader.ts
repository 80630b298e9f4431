// One reader of a topic, shared by all who subscribe to it: started by the first, ended after the last.
import { HubError } from '@weft/core/errors';
import type { EventLog, LogEvent, LogGap, Position } from '@weft/events/event-log';
import { Backlog } from './backlog.ts';
import type { FanOutLimits } from './limits.ts';
import { RecentEvents } from './recent-events.ts';

export interface TopicListener {
  /** Called in order of position, synchronously; must not throw. */
  onEntry(entry: LogEvent | LogGap): void;
  /** The reader has ended, with an error or because the log was closed; it is called once, and nothing comes after. */
  onEnd(error: HubError | undefined): void;
}

export interface TopicReader {
  /** Everything up to here was handed to the listeners. */
  position(): Position;
  /** Everything after this, up to `position`, is at hand. */
  oldest(): Position;
  /** What is at hand after a position that is not before `oldest`. */
  since(position: Position): readonly LogEvent[];
  /** Hands every following entry to the listener until the returned function is called; one that has ended says so at once. */
  listen(listener: TopicListener): () => void;
}

/** A hold on the shared reader; it lives while there is one. */
export interface TopicLease {
  readonly reader: TopicReader;
  /** What the reader has passed. */
  readonly backlog: Backlog;
  /** As the reader's, until the release. */
  listen(listener: TopicListener): void;
  release(): void;
}

export interface TopicReaders {
  /** @throws HubError STORE_UNAVAILABLE when the reader must be started and the log does not answer */
  acquire(topic: string): Promise<TopicLease>;
  /** Topics that are being read. */
  topics(): readonly string[];
}

interface SharedReader {
  readonly started: Promise<Pick<TopicLease, 'reader' | 'backlog'>>;
  readonly stop: AbortController;
  leases: number;
}

type Limits = Pick<
  FanOutLimits,
  'recentEventsMax' | 'recentEventsCharsMax' | 'catchUpEventsMax' | 'catchUpBatchesMax'
>;

export function createTopicReaders(log: EventLog, limits: Limits): TopicReaders {
  const shared = new Map<string, SharedReader>();
  const start = (topic: string): SharedReader => {
    const stop = new AbortController();
    const forget = () => {
      if (shared.get(topic) === entry) shared.delete(topic);
    };
    const { signal } = stop;
    const started = startReader(log, topic, limits, signal, forget).then((reader) => ({
      reader,
      backlog: new Backlog(log, topic, reader, limits, signal),
    }));
    const entry = { started, stop, leases: 0 };
    shared.set(topic, entry);
    return entry;
  };
  const release = (topic: string, entry: SharedReader) => {
    entry.leases--;
    if (entry.leases > 0) return;
    entry.stop.abort();
    if (shared.get(topic) === entry) shared.delete(topic);
  };
  return {
    async acquire(topic) {
      const entry = shared.get(topic) ?? start(topic);
      // Counted before waiting, so that a release in between does not stop what others wait for.
      entry.leases++;
      let released = false;
      let unlisten: (() => void) | undefined;
      const releaseOnce = () => {
        if (!released) release(topic, entry);
        released = true;
        unlisten?.();
      };
      try {
        const { reader, backlog } = await entry.started;
        const listen = (listener: TopicListener) => {
          unlisten = reader.listen(listener);
        };
        return { reader, backlog, listen, release: releaseOnce };
      } catch (thrown) {
        releaseOnce();
        throw HubError.from(thrown);
      }
    },
    topics: () => [...shared.keys()],
  };
}

async function startReader(
  log: EventLog,
  topic: string,
  limits: Limits,
  signal: AbortSignal,
  onEnd: () => void,
): Promise<TopicReader> {
  const listeners = new Set<TopicListener>();
  // Half a queue, so that a subscriber that keeps up has emptied it before the next batch is there.
  const batchEventsMax = Math.max(1, Math.floor(limits.recentEventsMax / 2));
  let position = await log.head(topic, signal);
  const recent = new RecentEvents(log.compare, limits, position);
  let ended: { readonly error: HubError | undefined } | undefined;
  const take = (entry: LogEvent | LogGap) => {
    if (entry.kind === 'gap') {
      recent.startAnew(entry.to);
      position = entry.to;
    } else {
      recent.add(entry);
      position = entry.position;
    }
    for (const listener of listeners) listener.onEntry(entry);
  };
  const run = async () => {
    let error: HubError | undefined;
    try {
      for await (const batch of log.read(topic, { after: position, signal, batchEventsMax })) {
        for (const entry of batch) take(entry);
        recent.dropSurplus();
      }
    } catch (thrown) {
      error = HubError.from(thrown);
    }
    ended = { error };
    onEnd();
    for (const listener of listeners) listener.onEnd(error);
  };
  void run();
  return {
    position: () => position,
    oldest: () => recent.oldest,
    since: (after) => recent.since(after),
    listen(listener) {
      // A subscriber that was catching up comes too late to be told with the others.
      if (ended !== undefined) {
        listener.onEnd(ended.error);
        return () => undefined;
      }
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
