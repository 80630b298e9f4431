// One topic's stream in JetStream: its names, what it holds, and where in it a position is.
import {
  JetStreamApiCodes,
  JetStreamApiError,
  RetentionPolicy,
  StorageType,
  type StreamInfo,
} from '@nats-io/jetstream';
import type { Position } from '../event-log.ts';
import type { LiveEntry } from '../live-engine.ts';
import { comparePositions } from '../postgres/position.ts';
import type { NatsClient } from './connect.ts';

export const POSITION_HEADER = 'Weft-Position';
export const PREVIOUS_HEADER = 'Weft-Previous';

/** A stream as it was at one moment. It is never empty: a marker without an event says where it begins. */
export interface TopicStream {
  readonly name: string;
  readonly generation: string;
  /** Tells a stream from one of the same name that was there before. */
  readonly created: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly messages: number;
}

/** Letters that both stream names and subjects may have; a topic may have any. */
const encode = (text: string) => Buffer.from(text).toString('base64url');

export const streamName = (logId: string, topic: string) => `weft-${logId}-${encode(topic)}`;
/** The generation in the subject fences: who knows an older one publishes to nobody. */
export const subjectOf = (logId: string, topic: string, generation: string) =>
  `weft.events.${logId}.${encode(topic)}.${generation}`;
export const newsSubject = (logId: string, topic: string) => `weft.news.${logId}.${encode(topic)}`;
export const ALL_NEWS = 'weft.news.*.*';

/** Undefined when there is none. */
export async function findStream({ manager }: NatsClient, name: string): Promise<TopicStream | undefined> {
  try {
    return describe(await manager.streams.info(name));
  } catch (thrown) {
    if (isStreamMissing(thrown)) return undefined;
    throw thrown;
  }
}

function describe({ config, created, state }: StreamInfo): TopicStream {
  const [subject = ''] = config.subjects ?? [];
  return {
    name: config.name,
    generation: subject.slice(subject.lastIndexOf('.') + 1),
    created: String(created),
    firstSeq: state.first_seq,
    lastSeq: state.last_seq,
    messages: state.messages,
  };
}

/** An empty stream in the place of the one that is there. */
export async function replaceStream(
  { manager }: NatsClient,
  name: string,
  subject: string,
  replicas: number,
): Promise<TopicStream> {
  try {
    await manager.streams.delete(name);
  } catch (thrown) {
    if (!isStreamMissing(thrown)) throw thrown;
  }
  const info = await manager.streams.add({
    name,
    subjects: [subject],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    num_replicas: replicas,
    allow_direct: true,
  });
  return describe(info);
}

export function isStreamMissing(thrown: unknown): boolean {
  return thrown instanceof JetStreamApiError && thrown.code === JetStreamApiCodes.StreamNotFound;
}

/** The entry at a sequence; undefined when it is not there any more. */
export async function entryAt(client: NatsClient, name: string, seq: number): Promise<LiveEntry | undefined> {
  const message = await client.manager.direct.getMessage(name, { seq });
  if (message === null) return undefined;
  const text = message.string();
  return {
    position: message.header.get(POSITION_HEADER),
    previous: message.header.get(PREVIOUS_HEADER),
    envelope: text === '' ? undefined : text,
  };
}

/** The first sequence whose position lies beyond `after`, by halving: positions ascend with sequences. */
export async function firstSeqBeyond(
  client: NatsClient,
  stream: TopicStream,
  after: Position,
): Promise<number> {
  let low = stream.firstSeq;
  let high = stream.lastSeq + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const entry = await entryAt(client, stream.name, middle);
    // One that is gone was trimmed: it lies before.
    if (entry === undefined || comparePositions(entry.position, after) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
