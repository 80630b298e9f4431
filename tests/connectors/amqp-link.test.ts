// Laws of a connection to an AMQP broker that is closed while there is something left to send.
import { randomBytes } from 'node:crypto';
import { openChannel } from '@weft/connectors/amqp/connection';
import { Connection, type Publisher } from 'rabbitmq-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RABBITMQ_URL, whyNoRabbitmq } from '../support/brokers.ts';

const whyNot = await whyNoRabbitmq();
const QUEUE = `weft-test-${randomBytes(6).toString('hex')}`;

describe.skipIf(whyNot !== undefined)('a connection to an AMQP broker', () => {
  let owner: Connection;
  let publisher: Publisher;
  beforeAll(async () => {
    owner = new Connection(RABBITMQ_URL);
    publisher = owner.createPublisher({ confirm: true });
    await owner.queueDeclare({ queue: QUEUE });
  });
  afterAll(async () => {
    await owner.queueDelete({ queue: QUEUE });
    await publisher.close();
    await owner.close();
  });

  it('sends what was acknowledged before it is closed', async () => {
    const url = new URL(RABBITMQ_URL);
    const { username, password } = url;
    for (let round = 0; round < 10; round += 1) {
      await publisher.send({ routingKey: QUEUE }, { round });
      const link = await openChannel({ url, username, password, tls: {} }, 'weft takes and leaves');
      await new Promise<void>((resolve) => {
        void link.channel.consume(QUEUE, (message) => {
          if (message === null) return;
          link.channel.ack(message);
          void link.close().then(resolve);
        });
      });
      await link.ended;
      expect(await owner.queueDeclare({ queue: QUEUE, passive: true })).toMatchObject({
        messageCount: 0,
        consumerCount: 0,
      });
    }
  });
});
