// The program with the subgraphs and the source of events: emits into the outbox, or to whoever subscribes to the subgraph itself.
import type { AddressInfo } from 'node:net';
import { runProcess } from '@weft/core/process';
import { createSqlStore } from '@weft/core/sql-store';
import { createStatementNames } from '@weft/core/statement-names';
import { postgresAppender } from '@weft/events/postgres/appender';
import pg from 'pg';
import { createEndpoints } from '../workload/endpoints.ts';
import { createReadyServer } from '../workload/ready-http.ts';
import { answerQuestions } from './control.ts';
import { liveEvent, toCloudEvent } from './events.ts';
import { createOwnSubscription } from './own-subscription.ts';
import { type Emission, emitSteadily } from './pace.ts';
import { liveSdlOf, TOPIC } from './schemas.ts';

/** `emit`: into the outbox of this database, or where there is none to the subgraph's own subscribers. */
export interface EmitQuestion extends Emission {
  readonly databaseUrl?: string;
}

await runProcess('bench live subgraphs', async () => {
  const endpoints = createEndpoints((name, version) => liveSdlOf(name, version, 'own-subscription'));
  const own = createOwnSubscription();
  const server = createReadyServer(endpoints.answer, own.takeUpgrade);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  answerQuestions({
    emit: async ({ databaseUrl, ...emission }: EmitQuestion) => {
      if (databaseUrl !== undefined) await emitToOutbox(databaseUrl, emission);
      else await emitSteadily(emission, (seq, lateMs) => own.emit(liveEvent(seq, emission.groups, lateMs)));
    },
    subscriptions: () => own.subscriptions(),
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { urls: { subgraphs: origin }, close: async () => void server.close() };
});

/** Each event in a transaction of its own, as a department's change is, and as the owned subgraphs write theirs: in one round trip. */
async function emitToOutbox(connectionString: string, emission: Emission): Promise<void> {
  const pool = new pg.Pool({ connectionString, max: 1, pipeline: true });
  const store = createSqlStore(pool, createStatementNames());
  try {
    await emitSteadily(emission, async (seq, lateMs) => {
      const event = toCloudEvent(liveEvent(seq, emission.groups, lateMs));
      await store.transaction(({ later }) => postgresAppender.append(later, TOPIC, [event]));
    });
  } finally {
    await pool.end();
  }
}
