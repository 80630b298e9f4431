// Takes one message of a broker in: understood or not, it may be acknowledged only when this resolves.
import { createHash } from 'node:crypto';
import { delay } from '@weft/core/deadline';
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { MappingScope } from '@weft/schema/mapping/compile';
import type { AmqpSource, IngestPlan, MqttSource } from '../plan.ts';
import { charsetOf, decodeText } from '../text-codec.ts';
import type { Applier, Delivery } from './apply.ts';
import { type Change, decodeChange } from './change.ts';

/** A message as it came. */
export interface Message {
  readonly body: Buffer;
  readonly contentType: string | undefined;
  /** The queue or the topic. */
  readonly address: string;
  /** `$message` */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** An ingest that takes the message in, with the named levels of its topic. */
export interface Reader {
  readonly ingest: IngestPlan;
  readonly topic: Readonly<Record<string, string>> | undefined;
}

/** What the messages of one source have in common. */
export interface MessageTask {
  readonly system: string;
  readonly source: MqttSource | AmqpSource;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly applier: Applier;
  readonly logger: Logger;
  /** How often a message is tried before it is set aside. */
  readonly triesMax: number;
  /** Aborts when the connection is given up: what is not taken by then will be sent again. */
  readonly signal: AbortSignal;
  /** Told of every message: the system lives. */
  onSeen(): void;
}

/** `SET_ASIDE`: it is in quarantine and no try will help. */
export type Taken = 'TAKEN' | 'SET_ASIDE';

const BODY_BYTES_MAX = 1_000_000;
const DEDUPE_LENGTH_MAX = 200;
/** Before the second, third, … try of a message: 0.75 s for five tries. */
const TRY_AGAIN_MS = 50;
/** While the store is away. */
const STORE_WAIT_MS_MAX = 2_000;

/**
 * Resolves when the message, or why it is not understood, is durable. A message that fails is tried `triesMax` times with
 * growing waits; a store that is away is no failure of the message, and is waited for.
 * @throws the signal's reason: the message must not be acknowledged
 */
export async function takeMessage(
  task: MessageTask,
  message: Message,
  readers: readonly Reader[],
): Promise<Taken> {
  task.onSeen();
  for (let tries = 1; ; tries += 1) {
    const delivery = readOrSetAside(task, message, readers);
    if (delivery.content.kind === 'bad' && tries < task.triesMax) {
      await waitBefore(tries, task.signal);
      continue;
    }
    const told = delivery.content.kind === 'bad' ? setAside(delivery, tries) : delivery;
    const failure = await deliver(task, told);
    if (failure === undefined) return told.content.kind === 'bad' ? 'SET_ASIDE' : 'TAKEN';
    task.logger.error({ err: failure.cause ?? failure, tries }, 'a message could not be applied');
    if (tries >= task.triesMax) {
      const reason = `cannot be applied: ${failure.code}`;
      const content = { kind: 'bad', type: undefined, reason } as const;
      if ((await deliver(task, setAside({ ...delivery, content }, tries))) === undefined) return 'SET_ASIDE';
    }
    await waitBefore(tries, task.signal);
  }
}

/** Undefined when it is committed; else why this delivery cannot be, whatever the state of the store. */
async function deliver(task: MessageTask, delivery: Delivery): Promise<HubError | undefined> {
  for (let waits = 1; ; waits += 1) {
    try {
      const outcome = await task.applier.deliver(delivery);
      task.logger.debug({ source: delivery.source, outcome }, 'a message was taken');
      return undefined;
    } catch (thrown) {
      const error = HubError.from(thrown);
      if (!error.retryable) return error;
      const waitMs = Math.min(TRY_AGAIN_MS * 2 ** Math.min(waits, 16), STORE_WAIT_MS_MAX);
      await delay(waitMs, task.signal);
    }
  }
}

function waitBefore(tries: number, signal: AbortSignal): Promise<void> {
  return delay(TRY_AGAIN_MS * 2 ** Math.min(tries - 1, 16), signal);
}

function setAside(delivery: Delivery, tries: number): Delivery {
  const { content } = delivery;
  if (content.kind !== 'bad' || tries === 1) return delivery;
  return { ...delivery, content: { ...content, reason: `${content.reason} (tried ${tries} times)` } };
}

/** A mapping ends with a limit of its own at the worst: such a message is not understood. */
function readOrSetAside(task: MessageTask, message: Message, readers: readonly Reader[]): Delivery {
  try {
    return readMessage(task, message, readers);
  } catch (thrown) {
    const reason = `cannot be mapped: ${HubError.from(thrown).code}`;
    task.logger.warn({ err: thrown, source: task.source.name }, 'a message cannot be mapped');
    return {
      system: task.system,
      source: task.source.name,
      dedupeId: hashOf(message.address, message.body),
      body: message.body,
      place: message.address,
      content: { kind: 'bad', type: undefined, reason },
    };
  }
}

/**
 * The message as a delivery; pure.
 * @throws HubError LIMIT_EXCEEDED when a mapping makes too much text
 */
export function readMessage(
  task: Pick<MessageTask, 'system' | 'source' | 'env'>,
  message: Message,
  readers: readonly Reader[],
): Delivery {
  const { source, system } = task;
  const body = message.body.subarray(0, BODY_BYTES_MAX);
  const known = { system, source: source.name, body, place: message.address };
  const bad = (reason: string, type?: string): Delivery['content'] => ({ kind: 'bad', type, reason });
  const bytesId = hashOf(message.address, message.body);
  if (message.body.length > BODY_BYTES_MAX) {
    const reason = `expected at most ${BODY_BYTES_MAX} bytes, got ${message.body.length}`;
    return { ...known, dedupeId: bytesId, content: bad(reason) };
  }
  const payload = parsePayload(message, source.encoding);
  if (payload.kind === 'bad') return { ...known, dedupeId: bytesId, content: bad(payload.reason) };
  const scopeOf = ({ topic }: Reader): MappingScope => ({
    env: task.env,
    timezone: source.timezone,
    message: message.facts,
    ...(topic === undefined ? {} : { topic }),
  });
  const dedupeId = givenId(message, payload.value, readers, scopeOf) ?? bytesId;
  const receivedAt = new Date();
  const changes: Change[] = [];
  for (const reader of readers) {
    const decoded = decodeChange(system, reader.ingest, payload.value, scopeOf(reader), receivedAt);
    if (decoded.kind === 'bad')
      return { ...known, dedupeId, content: bad(decoded.reason, reader.ingest.type) };
    if (decoded.kind === 'change') changes.push(decoded.change);
  }
  if (changes.length > 0) return { ...known, dedupeId, content: { kind: 'changes', changes } };
  const types = readers.map(({ ingest }) => ingest.type).join(' or ');
  return { ...known, dedupeId, content: bad(`expected a record of ${types} with its key`) };
}

type Payload =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'bad'; readonly reason: string };

function parsePayload({ body, contentType }: Message, encoding: string): Payload {
  const charset = charsetOf(contentType, encoding);
  const text = decodeText(body, charset);
  if (text === undefined) return { kind: 'bad', reason: `expected text in ${charset}` };
  try {
    return { kind: 'value', value: JSON.parse(text) };
  } catch {
    // What it says instead is kept in quarantine; the parser's own words add nothing.
    return { kind: 'bad', reason: 'expected JSON' };
  }
}

/** What the SDL's `dedupe` yields, within the address: other devices may count alike. */
function givenId(
  { address }: Message,
  payload: unknown,
  readers: readonly Reader[],
  scopeOf: (reader: Reader) => MappingScope,
): string | undefined {
  for (const reader of readers) {
    const value = reader.ingest.dedupe?.evaluate({ ...scopeOf(reader), $: payload });
    if (typeof value !== 'string' && typeof value !== 'number') continue;
    const id = `${address}:${value}`;
    return id.length <= DEDUPE_LENGTH_MAX && !id.includes('\0') ? id : hashOf(address, String(value));
  }
  return undefined;
}

function hashOf(address: string, bytes: string | Buffer): string {
  return `sha256:${createHash('sha256').update(address).update('\0').update(bytes).digest('hex')}`;
}
