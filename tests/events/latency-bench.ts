// Measures the time from an event's commit to its reader: node tests/events/latency-bench.ts [EVENTS] [EVENT_LOG]
import { createLogger } from '@weft/core/logger';
import type { CloudEvent, Json } from '@weft/events/envelope';
import { openEventLog } from '@weft/events/open';
import { fromPgClient, postgresAppender } from '@weft/events/postgres/appender';
import pg from 'pg';
import { createTestDatabase, startTestRelay } from './log-under-test.ts';

const events = Number(process.argv[2] ?? 1_000);
const warmUp = 100;

const database = await createTestDatabase();
const logger = createLogger('bench', 'silent');
const eventLog = process.argv[3] ?? 'postgres';
const relay =
  eventLog === 'postgres' ? undefined : await startTestRelay({ databaseUrl: database.url, eventLog, logger });
const log = await openEventLog({ eventLog, databaseUrl: database.url, logger });
const client = new pg.Client({ connectionString: database.url });
await client.connect();
const stop = new AbortController();
const arrivals = new Map<string, PromiseWithResolvers<void>>();
const head = await log.head('bench');
const reading = (async () => {
  for await (const batch of log.read('bench', { after: head, signal: stop.signal })) {
    for (const entry of batch) if (entry.kind === 'event') arrivals.get(entry.event.id)?.resolve();
  }
})();

const samplesMs: number[] = [];
for (let n = 0; n < events + warmUp; n++) {
  const arrival = Promise.withResolvers<void>();
  arrivals.set(`${n}`, arrival);
  await client.query('BEGIN');
  await postgresAppender.append(fromPgClient(client), 'bench', [eventOf(n)]);
  await client.query('COMMIT');
  const committed = performance.now();
  await arrival.promise;
  arrivals.delete(`${n}`);
  if (n >= warmUp) samplesMs.push(performance.now() - committed);
}
stop.abort();
await reading;
await client.end();
await log.close();
await relay?.close();
await database.drop();

samplesMs.sort((a, b) => a - b);
const at = (share: number) =>
  (samplesMs[Math.floor((samplesMs.length - 1) * share)] ?? Number.NaN).toFixed(2);
console.log(`commit to reader over ${events} events: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`);

function eventOf(n: number): CloudEvent {
  const data: { [key: string]: Json } = {
    incident: { id: `${n}` },
    change: { kind: 'REPORTED' },
    division: '320508001',
  };
  return {
    specversion: '1.0',
    id: `${n}`,
    source: '/bench',
    type: 'dev.weft.bench',
    subject: `Bench:${n}`,
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    data,
  };
}
