// Human resources on RabbitMQ: requests come on a queue of its own and are answered to their reply_to; changes go to another.
import { Connection } from 'rabbitmq-client';
import type { AnswerRequest, Broker } from './broker.ts';

const CONCURRENT_MAX = 8;
/** An unused queue goes after a day: who tries the system out leaves nothing behind. */
const QUEUE_OPTIONS = { durable: true, arguments: { 'x-expires': 86_400_000 } };
const ACQUIRE_MS_MAX = 5_000;

export interface AmqpOptions {
  /** With user and password in it. */
  readonly url: string;
  /** Of its queues, `<prefix>-requests` and `<prefix>-changes`. */
  readonly prefix: string;
  readonly answer: AnswerRequest;
}

/** A broker that is away is waited for; it is no reason not to start. */
export function openAmqp({ url, prefix, answer }: AmqpOptions): Broker {
  const [requests, changes] = [`${prefix}-requests`, `${prefix}-changes`];
  const connection = new Connection({ url, acquireTimeout: ACQUIRE_MS_MAX, retryHigh: ACQUIRE_MS_MAX });
  connection.on('error', () => undefined);
  const publisher = connection.createPublisher({ confirm: true, maxAttempts: 1 });
  const declare = () => connection.queueDeclare({ queue: changes, ...QUEUE_OPTIONS });
  // The reader waits for the queue: it is there as soon as the broker is.
  connection.on('connection', () => void declare().catch(() => undefined));
  const consumer = connection.createConsumer(
    {
      queue: requests,
      queueOptions: QUEUE_OPTIONS,
      qos: { prefetchCount: CONCURRENT_MAX },
      concurrency: CONCURRENT_MAX,
      requeue: false,
    },
    async ({ body, replyTo, correlationId }) => {
      const reply = await answer(Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body)));
      if (reply === undefined || replyTo === undefined) return;
      // Who asked may have gone: then nobody misses the answer.
      await publisher
        .send({ routingKey: replyTo, correlationId: correlationId ?? '' }, reply)
        .catch(() => undefined);
    },
  );
  consumer.on('error', () => undefined);
  return {
    async tell(messageId, message) {
      try {
        await declare();
        const envelope = { routingKey: changes, messageId, durable: true, contentType: 'application/json' };
        await publisher.send(envelope, message);
        return true;
      } catch {
        // The broker is away: told again later.
        return false;
      }
    },
    async close() {
      await consumer.close();
      await publisher.close();
      await connection.close();
    },
  };
}
