// The log live in NATS JetStream: one stream a topic, the outbox's position in a header, guarded by the sequence.
import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import { away, type Connection, keepConnection } from '../connection.ts';
import type { Position } from '../event-log.ts';
import type { AppendAt, AppendOutcome, LiveEngine, LiveEntry, LivePage } from '../live-engine.ts';
import { comparePositions } from '../postgres/position.ts';
import { type NatsClient, natsOpener } from './connect.ts';
import { createNews, type News } from './news.ts';
import {
  ALL_NEWS,
  entryAt,
  findStream,
  firstSeqBeyond,
  newsSubject,
  POSITION_HEADER,
  PREVIOUS_HEADER,
  replaceStream,
  streamName,
  subjectOf,
  type TopicStream,
} from './topic-stream.ts';

export interface JetStreamEngineOptions {
  /** `nats://[user:password@]host[:port][?replicas=N]`, or `tls://…`; a user without a password is a token. */
  readonly url: string;
  /** Of the outbox: keeps logs apart that share a server. Rejects while it is not known. */
  readonly logId: () => Promise<string>;
  readonly logger: Logger;
}

/** Messages of one page: each is a request of its own, all under way at once. */
const PAGE_ENTRIES_MAX = 200;
/** Places of readers in a topic that are remembered, so that going on needs no search. */
const PLACES_MAX = 64;

/** One connection; it comes back by itself. */
export function openJetStreamEngine({ url, logId, logger }: JetStreamEngineOptions): LiveEngine {
  const news = createNews();
  const address = new URL(url);
  const opener = natsOpener(address, ALL_NEWS, news.tell);
  const engine: Engine = {
    logId,
    replicas: Number(address.searchParams.get('replicas') ?? 1),
    connection: keepConnection(opener, logger),
    tails: new Map(),
    places: new Map(),
    news,
  };
  const { connection } = engine;
  return {
    name: 'NATS JetStream',
    readPage: (topic, after, max) =>
      guarded(() => readPage(engine, topic, after, Math.min(max, PAGE_ENTRIES_MAX))),
    // A reader has read before it waits: the name of the log is known.
    wait: async (topic, after, timeoutMs, signal) =>
      news.wait(newsSubject(await logId(), topic), after, timeoutMs, signal),
    readState: (topic) =>
      guarded(async () => {
        const tail = await readTail(engine, topic);
        return tail === undefined ? undefined : { generation: tail.generation, last: tail.last };
      }),
    begin: (topic, at) => guarded(() => begin(engine, topic, at)),
    append: (topic, at, entries) => guarded(() => append(engine, topic, at, entries)),
    trim: (topic, upTo) => guarded(() => trim(engine, topic, upTo)),
    isConnected: () => connection.isConnected(),
    check: () => connection.ready(),
    async close() {
      news.close();
      await connection.close();
    },
  };
}

interface Tail {
  readonly generation: string;
  readonly last: Position;
  readonly seq: number;
}

interface Engine {
  readonly logId: () => Promise<string>;
  readonly replicas: number;
  readonly connection: Connection<NatsClient>;
  /** The end of each topic's stream as this process left it. */
  readonly tails: Map<string, Tail>;
  /** `stream, created, position` to the sequence behind it. */
  readonly places: Map<string, number>;
  readonly news: News;
}

async function guarded<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (thrown) {
    throw thrown instanceof HubError ? thrown : away('NATS', thrown);
  }
}

async function readPage(engine: Engine, topic: string, after: Position, max: number): Promise<LivePage> {
  const { connection } = engine;
  const stream = await streamOf(engine, topic);
  const last = stream && (await lastPosition(engine, stream));
  if (stream === undefined || last === undefined) return { entries: [], last: undefined };
  if (comparePositions(last, after) <= 0) return { entries: [], last };
  const from =
    engine.places.get(placeKey(stream, after)) ??
    (await connection.run((client) => firstSeqBeyond(client, stream, after)));
  const upTo = Math.min(from + max - 1, stream.lastSeq);
  const seqs = Array.from({ length: Math.max(0, upTo - from + 1) }, (_, index) => from + index);
  const entries = await connection.run((client) =>
    Promise.all(seqs.map((seq) => entryAt(client, stream.name, seq))),
  );
  // What was trimmed meanwhile is missed by who reads: the next entry names another predecessor.
  const found = entries.filter((entry) => entry !== undefined);
  const end = entries.at(-1);
  if (end !== undefined) remember(engine, stream, end.position, upTo + 1);
  return { entries: found, last };
}

async function streamOf(engine: Engine, topic: string): Promise<TopicStream | undefined> {
  const name = streamName(await engine.logId(), topic);
  return engine.connection.run((client) => findStream(client, name));
}

const placeKey = ({ name, created }: TopicStream, after: Position) => `${name} ${created} ${after}`;

function remember(engine: Engine, stream: TopicStream, position: Position, seq: number): void {
  const { places } = engine;
  places.set(placeKey(stream, position), seq);
  for (const oldest of places.keys()) {
    if (places.size <= PLACES_MAX) return;
    places.delete(oldest);
  }
}

/** The position of the last message; undefined when the stream has lost even its first marker. */
async function lastPosition(engine: Engine, stream: TopicStream): Promise<Position | undefined> {
  if (stream.messages === 0) return undefined;
  const entry = await engine.connection.run((client) => entryAt(client, stream.name, stream.lastSeq));
  return entry?.position;
}

async function begin(engine: Engine, topic: string, at: AppendAt): Promise<AppendOutcome> {
  const { connection, replicas } = engine;
  const logId = await engine.logId();
  const subject = subjectOf(logId, topic, at.generation);
  engine.tails.delete(topic);
  const stream = await connection.run((client) =>
    replaceStream(client, streamName(logId, topic), subject, replicas),
  );
  const tail = { generation: at.generation, last: at.last, seq: stream.lastSeq };
  return publish(engine, topic, tail, [markerAt(at.last)]);
}

/** An entry that says where the stream stands, and that nothing is between it and itself. */
const markerAt = (position: Position): LiveEntry => ({ position, previous: position, envelope: undefined });

async function append(
  engine: Engine,
  topic: string,
  at: AppendAt,
  entries: readonly LiveEntry[],
): Promise<AppendOutcome> {
  let tail = engine.tails.get(topic);
  if (tail?.generation !== at.generation || tail.last !== at.last) tail = await readTail(engine, topic);
  if (tail?.generation !== at.generation || tail.last !== at.last) return { kind: 'conflict' };
  return publish(engine, topic, tail, entries);
}

async function readTail(engine: Engine, topic: string): Promise<Tail | undefined> {
  const stream = await streamOf(engine, topic);
  const last = stream && (await lastPosition(engine, stream));
  return stream && last !== undefined
    ? { generation: stream.generation, last, seq: stream.lastSeq }
    : undefined;
}

/**
 * Publishes all at once. Each names the sequence that must stand before it: when one is not taken, those behind it are
 * not either, and a relay that was overtaken is refused.
 */
async function publish(
  engine: Engine,
  topic: string,
  tail: Tail,
  entries: readonly LiveEntry[],
): Promise<AppendOutcome> {
  const { connection } = engine;
  const logId = await engine.logId();
  const subject = subjectOf(logId, topic, tail.generation);
  const last = entries.at(-1)?.position ?? tail.last;
  engine.tails.delete(topic);
  const results = await connection.run(async ({ jetstream }) => {
    const send = async ({ position, previous, envelope }: LiveEntry, index: number) => {
      const named = headers();
      named.set(POSITION_HEADER, position);
      named.set(PREVIOUS_HEADER, previous);
      const ack = await jetstream.publish(subject, envelope ?? '', {
        headers: named,
        expect: { streamName: streamName(logId, topic), lastSequence: tail.seq + index },
        ...(envelope === undefined ? {} : { msgID: position }),
      });
      return ack.seq === tail.seq + index + 1;
    };
    return Promise.allSettled(entries.map(send));
  });
  const outcome = outcomeOf(results);
  if (outcome.kind !== 'appended') return outcome;
  engine.tails.set(topic, { generation: tail.generation, last, seq: tail.seq + entries.length });
  await connection.run(async ({ connection: nats }) => nats.publish(newsSubject(logId, topic), last));
  return outcome;
}

/** https://github.com/nats-io/nats-server/blob/main/server/errors.json: JSStreamMessageExceedsMaximumErr */
const MESSAGE_EXCEEDS_MAXIMUM = 10_054;

function outcomeOf(results: readonly PromiseSettledResult<boolean>[]): AppendOutcome {
  const at = results.findIndex((result) => result.status === 'rejected' || !result.value);
  const first = results[at];
  if (first === undefined) return { kind: 'appended' };
  if (first.status === 'fulfilled') return { kind: 'conflict' };
  const thrown = first.reason as Error;
  const code = thrown instanceof JetStreamApiError ? thrown.code : undefined;
  // The client's own word for a payload beyond the server's max_payload is an InvalidArgumentError.
  if (code === MESSAGE_EXCEEDS_MAXIMUM || thrown.name === 'InvalidArgumentError')
    return at === 0 ? { kind: 'refused', reason: thrown.message } : { kind: 'conflict' };
  // Nobody has this subject any more: another generation has begun, or the stream is gone.
  const isGone = thrown.name === 'NoRespondersError' || /no responders|no stream/i.test(thrown.message);
  if (isGone || code === JetStreamApiCodes.StreamWrongLastSequence) return { kind: 'conflict' };
  throw away('NATS', thrown);
}

async function trim(engine: Engine, topic: string, upTo: Position): Promise<void> {
  const { connection } = engine;
  const stream = await streamOf(engine, topic);
  const last = stream && (await lastPosition(engine, stream));
  if (stream === undefined || last === undefined) return;
  const purge = (seq: number) =>
    connection.run((client) => client.manager.streams.purge(stream.name, { seq }));
  if (comparePositions(upTo, last) < 0) {
    await purge(await connection.run((client) => firstSeqBeyond(client, stream, upTo)));
    return;
  }
  if (stream.messages === 1 && (await isMarker(engine, stream))) return;
  // A stream without a message would not know its place.
  const tail = { generation: stream.generation, last, seq: stream.lastSeq };
  const outcome = await publish(engine, topic, tail, [markerAt(last)]);
  if (outcome.kind === 'appended') await purge(stream.lastSeq + 1);
}

async function isMarker(engine: Engine, stream: TopicStream): Promise<boolean> {
  const entry = await engine.connection.run((client) => entryAt(client, stream.name, stream.lastSeq));
  return entry?.envelope === undefined;
}
