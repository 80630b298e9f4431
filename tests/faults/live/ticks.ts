// Numbered events: the subgraph whose things they are about, and a writer that survives its database.
import { delay } from '@weft/core/deadline';
import type { CloudEvent } from '@weft/events/envelope';
import { fromPgClient, postgresAppender } from '@weft/events/postgres/appender';
import pg from 'pg';
import { type SubgraphServer, startSubgraph } from '../../gateway/subgraph-server.ts';

const FEDERATION = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])\n';
const QUERY = 'type Query { thing(id: ID!): Thing }\n';
/** The topic of the numbered events. */
export const TOPIC = 'tick';
const LIVE = `${FEDERATION}extend schema @link(url: "https://specs.weft.dev/events/v0.1", import: ["@eventStream"])
${QUERY}
type Subscription {
  tick(after: Cursor): Tick! @eventStream(topic: "${TOPIC}", message: "{ n thing { id } }")
}
type Tick implements Resumable { cursor: Cursor! gap: Gap n: Int thing: Thing }
`;
const THING = 'type Thing @key(fields: "id") { id: ID! title: String }';

/** What every client asks for: an entity fetch an event. */
export const TICKS = `subscription Ticks($after: Cursor) {
  tick(after: $after) { cursor gap { from to reason } n thing { id title } }
}`;

/** The SDL with a field more or less, so that each reload is of a graph that differs. */
export const ticksSdl = (version: number): string =>
  `${LIVE}${THING.replace('title: String', `title: String version${version}: Int`)}`;

export function startThings(): Promise<SubgraphServer> {
  const __resolveReference = ({ id }: { id: string }) => ({ id, title: `thing ${id}` });
  return startSubgraph(
    'things',
    `${LIVE}${THING}`,
    {
      Query: { thing: (_: unknown, { id }: { id: string }) => __resolveReference({ id }) },
      Thing: { __resolveReference },
    },
    `${FEDERATION}${QUERY}${THING}`,
  );
}

/** Things that the events are about: each has its own order. */
const THINGS = 50;

function tick(n: number): CloudEvent {
  const thing = `${n % THINGS}`;
  return {
    specversion: '1.0',
    id: `tick-${n}`,
    source: '/systems/ticks',
    type: 'dev.weft.tick',
    subject: `Thing:${thing}`,
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    data: { n, thing: { id: thing } },
    sequence: String(n),
    partitionkey: thing,
  };
}

export interface Writer {
  /** Appends `first` to `last`, both included, so many a second; each is committed when it resolves. */
  write(first: number, last: number, perSecond: number): Promise<void>;
  /** Transactions that had to be tried again. */
  readonly retries: number;
  close(): Promise<void>;
}

const WRITE_EVERY_MS = 50;
const RETRY_MS = 100;
const TRY_MS_MAX = 120_000;

/** Tried until it is committed: the log takes an event once, however often it is told. */
export function openWriter(databaseUrl: string): Writer {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: 1,
    connectionTimeoutMillis: 2_000,
    query_timeout: 5_000,
  });
  // The pool makes a new one when it is asked.
  pool.on('error', () => undefined);
  // A connection that is cut under a transaction is told here too; the rejection is what counts.
  pool.on('connect', (client) => client.on('error', () => undefined));
  let retries = 0;
  const append = async (events: readonly CloudEvent[]) => {
    const until = performance.now() + TRY_MS_MAX;
    for (;;) {
      try {
        return await appendOnce(pool, events);
      } catch (thrown) {
        if (performance.now() > until) throw thrown;
        retries += 1;
        await delay(RETRY_MS);
      }
    }
  };
  return {
    async write(first, last, perSecond) {
      const startedAt = performance.now();
      let next = first;
      while (next <= last) {
        const due = first + Math.floor(((performance.now() - startedAt) / 1_000) * perSecond);
        const upTo = Math.min(last, due);
        if (upTo >= next)
          await append(Array.from({ length: upTo - next + 1 }, (_, index) => tick(next + index)));
        next = Math.max(next, upTo + 1);
        if (next <= last) await delay(WRITE_EVERY_MS);
      }
    },
    get retries() {
      return retries;
    },
    close: () => pool.end(),
  };
}

async function appendOnce(pool: pg.Pool, events: readonly CloudEvent[]): Promise<void> {
  const client = await pool.connect();
  let failed: Error | undefined;
  try {
    await client.query('BEGIN');
    await postgresAppender.append(fromPgClient(client), TOPIC, events);
    await client.query('COMMIT');
  } catch (thrown) {
    failed = thrown as Error;
    throw thrown;
  } finally {
    client.release(failed);
  }
}
