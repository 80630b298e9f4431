// The one LISTEN connection of a log: wakes readers when a commit brought events to their topic, and has what was told with it.
import { delay } from '@weft/core/deadline';
import type { Logger } from '@weft/core/logger';
import pg from 'pg';
import { parseAnnouncement, type Told } from './announcement.ts';
import { NOTIFY_CHANNEL } from './appender.ts';

const RECONNECT_DELAY_MS_MIN = 100;
const RECONNECT_DELAY_MS_MAX = 5_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** A connection that died without a word is found by asking: until then readers live on polling. */
const HEARTBEAT_MS = 15_000;
const HEARTBEAT_TIMEOUT_MS = 5_000;
/** Announcements of a topic that are kept until its readers come for them; whoever is further behind reads. */
const KEPT_MAX = 32;

export interface Listener {
  /** Counts the announcements of a topic; take it before reading, give it to `wait` after. */
  announced(topic: string): number;
  /** Resolves when the topic was announced since `seen` was taken, after `timeoutMs`, or when the signal aborts. Never rejects. */
  wait(topic: string, seen: number, timeoutMs: number, signal: AbortSignal): Promise<void>;
  /** The events that were told since `seen` was taken; undefined where not every announcement since brought its event, or none came. */
  toldSince(topic: string, seen: number): readonly Told[] | undefined;
  close(): Promise<void>;
}

/**
 * Connects in the background and reconnects for ever: what is missed meanwhile, readers find by polling.
 * @param onTopic called with the topic of every announcement
 */
export function startListener(
  databaseUrl: string,
  logger: Logger,
  onTopic: (topic: string) => void = () => undefined,
): Listener {
  const wakes = createWakes(onTopic);
  const closing = new AbortController();
  const running = keepListening(databaseUrl, logger, wakes, closing.signal);
  return {
    announced: wakes.announced,
    wait: wakes.wait,
    toldSince: wakes.toldSince,
    async close() {
      closing.abort();
      wakes.announceAll();
      await running;
    },
  };
}

interface Wakes extends Omit<Listener, 'close'> {
  announce(topic: string, told?: Told): void;
  announceAll(): void;
}

/** Of a topic that somebody reads. */
interface Announced {
  count: number;
  /** The latest; undefined for one that told nothing but its topic. */
  readonly kept: (Told | undefined)[];
  readonly waiters: Set<() => void>;
}

function createWakes(onTopic: (topic: string) => void): Wakes {
  const topics = new Map<string, Announced>();
  const ofTopic = (topic: string) => {
    let announced = topics.get(topic);
    if (announced === undefined) {
      announced = { count: 0, kept: [], waiters: new Set() };
      topics.set(topic, announced);
    }
    return announced;
  };
  const announce = (topic: string, told?: Told) => {
    onTopic(topic);
    const announced = topics.get(topic);
    if (announced === undefined) return;
    announced.count += 1;
    announced.kept.push(told);
    if (announced.kept.length > KEPT_MAX) announced.kept.shift();
    for (const wake of announced.waiters) wake();
  };
  const wait = (topic: string, seen: number, timeoutMs: number, signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      const announced = ofTopic(topic);
      if (announced.count !== seen || signal.aborted) return resolve();
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        announced.waiters.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, timeoutMs);
      signal.addEventListener('abort', wake, { once: true });
      announced.waiters.add(wake);
    });
  return {
    announced: (topic) => ofTopic(topic).count,
    announce,
    wait,
    toldSince(topic, seen) {
      const { count, kept } = ofTopic(topic);
      if (count === seen || count - seen > kept.length) return undefined;
      const since = kept.slice(seen - count);
      return since.every((told) => told !== undefined) ? since : undefined;
    },
    announceAll: () => {
      for (const topic of topics.keys()) announce(topic);
    },
  };
}

async function keepListening(
  databaseUrl: string,
  logger: Logger,
  wakes: Wakes,
  signal: AbortSignal,
): Promise<void> {
  let delayMs = RECONNECT_DELAY_MS_MIN;
  while (!signal.aborted) {
    try {
      await listenUntilLost(databaseUrl, wakes, signal, () => {
        delayMs = RECONNECT_DELAY_MS_MIN;
      });
    } catch (thrown) {
      if (signal.aborted) return;
      logger.warn({ err: thrown, delayMs }, 'the event log is not being listened to; readers poll');
      // An abort ends the delay with a rejection, and the loop with it.
      await delay(delayMs, signal).catch(() => undefined);
      delayMs = Math.min(delayMs * 2, RECONNECT_DELAY_MS_MAX);
    }
  }
}

/** Rejects when the connection is lost; resolves when the signal aborts. */
async function listenUntilLost(
  databaseUrl: string,
  wakes: Wakes,
  signal: AbortSignal,
  onListening: () => void,
): Promise<void> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: HEARTBEAT_TIMEOUT_MS,
    application_name: 'weft events listener',
    keepAlive: true,
  });
  const lost = Promise.withResolvers<void>();
  // It can reject before anybody awaits it.
  lost.promise.catch(() => undefined);
  client.on('error', lost.reject);
  client.on('end', () => lost.reject(new pg.DatabaseError('the connection ended', 0, 'error')));
  client.on('notification', ({ payload }) => {
    if (payload === undefined) return;
    const { topic, told } = parseAnnouncement(payload);
    wakes.announce(topic, told);
  });
  const stop = () => lost.resolve();
  signal.addEventListener('abort', stop, { once: true });
  const heartbeat = setInterval(() => client.query('SELECT 1').catch(lost.reject), HEARTBEAT_MS);
  try {
    await client.connect();
    await client.query(`LISTEN ${NOTIFY_CHANNEL}`);
    onListening();
    // Whatever was announced while nobody listened is found by reading once.
    wakes.announceAll();
    await lost.promise;
  } finally {
    clearInterval(heartbeat);
    signal.removeEventListener('abort', stop);
    // A connection that is lost already has nothing to say good-bye to.
    await client.end().catch(() => undefined);
  }
}
