// Takes the messages of a queue in: acknowledged one by one when durable, rejected when set aside, so that its owner's dead letters have them.
import type { Channel, ConsumeMessage } from 'amqplib';
import { type MessageTask, type Message as TakenMessage, takeMessage } from '../ingest/message.ts';
import type { MessagesOptions } from '../ingest/messages.ts';
import type { RunningSystem } from '../load/system.ts';
import { codeOf } from '../message/failure.ts';
import { keepLinked } from '../message/keep-link.ts';
import type { Link } from '../message/lazy-link.ts';
import { brokerLogin } from '../message/login.ts';
import type { AmqpSource, IngestPlan } from '../plan.ts';
import { type AmqpLink, isRefusedLogin, openChannel } from './connection.ts';

/** Messages that are being taken at once: as many as the applier puts into one transaction. */
const PREFETCH = 64;
const TRIES_MAX = 5;
const NOT_FOUND = 404;

export interface Queue {
  readonly queue: string;
  readonly ingests: readonly IngestPlan[];
}

/**
 * Takes messages in until closed. The queue is neither declared nor changed.
 * @throws OperatorError when the address or a secret is missing
 */
export function takeQueue(
  system: RunningSystem,
  source: AmqpSource,
  { queue, ingests }: Queue,
  options: MessagesOptions,
): { close(): Promise<void> } {
  const { name } = system.plan;
  const login = brokerLogin(name, source, { env: system.env, timezone: source.timezone }, options.secrets);
  const tell = (reason: string | undefined) => {
    for (const { type } of ingests) options.onBlind(type, reason);
  };
  const open = async (signal: AbortSignal) => {
    const link = await openChannel(login, `weft ${name}.${source.name} takes ${queue}`);
    const task: MessageTask = {
      system: name,
      source,
      env: system.env,
      applier: options.applier,
      logger: options.logger,
      triesMax: TRIES_MAX,
      signal: AbortSignal.any([signal, endOf(link)]),
      onSeen: options.onSeen,
    };
    return consume(link, queue, ingests, task);
  };
  return keepLinked(open, {
    up: () => tell(undefined),
    down(thrown, failures, waitMs) {
      const reason = reasonOf(thrown);
      tell(`messages of queue ${queue} do not come (${reason})`);
      const facts = { err: thrown, system: name, source: source.name, queue, reason, waitMs };
      if (failures === 1)
        options.logger.warn(facts, 'the connection to a broker is down and will be made again');
    },
  });
}

async function consume(
  link: AmqpLink<Channel>,
  queue: string,
  ingests: readonly IngestPlan[],
  task: MessageTask,
): Promise<Link> {
  const { channel } = link;
  const taking = new Set<Promise<void>>();
  const readers = ingests.map((ingest) => ({ ingest, topic: undefined }));
  const take = (message: ConsumeMessage | null) => {
    // Null: the broker has cancelled us, as when the queue was deleted.
    if (message === null) return void link.close();
    const one = takeMessage(task, readMessage(message, queue), readers)
      .then((taken) => (taken === 'TAKEN' ? channel.ack(message) : channel.reject(message, false)))
      // The connection has ended: the broker gives the message again, and it is known then.
      .catch((thrown: unknown) => task.logger.debug({ err: thrown }, 'a message was not acknowledged'))
      .finally(() => taking.delete(one));
    taking.add(one);
  };
  const close = async () => {
    await Promise.allSettled(taking);
    await link.close();
  };
  try {
    await channel.prefetch(PREFETCH);
    await channel.consume(queue, take, { noAck: false });
  } catch (thrown) {
    await link.close();
    throw thrown;
  }
  return { ended: link.ended, close };
}

function readMessage({ content, fields, properties }: ConsumeMessage, queue: string): TakenMessage {
  const { messageId, correlationId, type, timestamp, contentType, headers } =
    properties as unknown as Readonly<Record<string, unknown>>;
  return {
    body: content,
    contentType: typeof contentType === 'string' ? contentType : undefined,
    address: queue,
    facts: {
      exchange: fields.exchange,
      routingKey: fields.routingKey,
      messageId: messageId ?? null,
      correlationId: correlationId ?? null,
      type: type ?? null,
      timestamp: timestamp ?? null,
      contentType: contentType ?? null,
      headers: headers ?? {},
    },
  };
}

/** Aborts when the link has ended. */
function endOf(link: Link): AbortSignal {
  const controller = new AbortController();
  void link.ended.then((why) => controller.abort(why));
  return controller.signal;
}

function reasonOf(thrown: unknown): string {
  if (isRefusedLogin(thrown)) return 'CREDENTIALS_REFUSED';
  return (thrown as { code?: unknown }).code === NOT_FOUND ? 'QUEUE_MISSING' : codeOf(thrown);
}
