// An old system behind RabbitMQ: it answers questions from a queue and tells its changes by another. The queues are its own.
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Connection, type Consumer, type Publisher } from 'rabbitmq-client';
import { RABBITMQ_URL, whyNoRabbitmq } from '../../../support/brokers.ts';
import type { Column, SuiteSystem } from '../column.ts';
import { createMessageBook, type MessageBook, rowOf } from '../message-book.ts';
import { type AmqpGate, startAmqpGate } from './gate.ts';

export const amqpColumn: Column = {
  protocol: 'AMQP 0-9-1',
  cannotOccur: {
    discover: 'A broker has no contract: what goes through a queue is agreed elsewhere.',
  },
  whyNot: whyNoRabbitmq,
  start: startOldSystem,
};

async function startOldSystem(): Promise<SuiteSystem> {
  const name = `weft-suite-${randomBytes(6).toString('hex')}`;
  const [askQueue, upQueue] = [`${name}-ask`, `${name}-up`];
  const url = new URL(RABBITMQ_URL);
  const gate = await startAmqpGate(url.hostname, Number(url.port || 5672));
  const book = createMessageBook();
  const broker = new Connection(RABBITMQ_URL);
  broker.on('error', () => undefined);
  const answers = broker.createPublisher({ confirm: true });
  await broker.queueDeclare({ queue: askQueue, exclusive: false });
  await broker.queueDeclare({ queue: upQueue, durable: true });
  const consumer = answerQuestions(broker, answers, { askQueue, book, gate });
  return {
    folder: fileURLToPath(new URL('../systems/amqp-records', import.meta.url)),
    env: {
      SUITE_AMQP: `amqp://127.0.0.1:${gate.port}`,
      SUITE_ASK_QUEUE: askQueue,
      SUITE_UP_QUEUE: upQueue,
      SECRET_BOOK_LOGIN: `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`,
    },
    put: async (records) => book.put(records),
    push: (record) =>
      answers.send(
        { routingKey: upQueue, messageId: `${record.id}:${record.version}`, durable: true },
        rowOf(record, book.fault),
      ),
    applied: async (requestId) => book.applied(requestId),
    reads: async () => book.reads(),
    concurrentReadsMax: async () => book.concurrentMax(),
    async fault(fault) {
      gate.refusesLogin = fault === 'auth expired';
      if (gate.refusesLogin) gate.cut();
      book.fault = fault;
    },
    restart: async () => gate.cut(),
    async close() {
      await consumer.close();
      for (const queue of [askQueue, upQueue]) await broker.queueDelete({ queue });
      await answers.close();
      await broker.close();
      await gate.close();
    },
  };
}

interface Desk {
  readonly askQueue: string;
  readonly book: MessageBook;
  readonly gate: AmqpGate;
}

function answerQuestions(broker: Connection, answers: Publisher, { askQueue, book, gate }: Desk): Consumer {
  const consumer = broker.createConsumer(
    { queue: askQueue, queueOptions: { passive: true } },
    async (question) => {
      const { replyTo, correlationId, body } = question;
      if (replyTo === undefined) return;
      const reply = (answer: Buffer) =>
        void answers
          .send({ routingKey: replyTo, correlationId: correlationId ?? '' }, answer)
          .catch(() => undefined);
      await book.ask(body as Buffer, reply, gate.cut);
    },
  );
  consumer.on('error', () => undefined);
  return consumer;
}
