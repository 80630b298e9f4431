// The laws of the event log on Redis Streams and on NATS JetStream.
import { afterAll, beforeAll, describe } from 'vitest';
import { type EventServer, startNats, startRedis, whyNoProgram } from '../support/event-servers.ts';
import { eventLogSuite } from './event-log-suite.ts';
import { startRelayedUnderTest } from './log-under-test.ts';
import { severalTopicsSuite } from './several-topics-suite.ts';

describe.skipIf(whyNoProgram('redis-server'))('Redis', () => {
  let server: EventServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server?.stop());
  eventLogSuite('Redis Streams', () => startRelayedUnderTest(server.url));
  severalTopicsSuite('Redis Streams', () => startRelayedUnderTest(server.url));
});

describe.skipIf(whyNoProgram('nats-server'))('NATS', () => {
  let server: EventServer;
  beforeAll(async () => {
    server = await startNats();
  });
  afterAll(() => server?.stop());
  eventLogSuite('NATS JetStream', () => startRelayedUnderTest(server.url));
  severalTopicsSuite('NATS JetStream', () => startRelayedUnderTest(server.url));
});
