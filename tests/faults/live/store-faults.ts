// The faults of rows 12, 14 and 16 of the fault matrix, each with the servers that it is done to.
import pg from 'pg';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { waitFor } from '../../support/wait.ts';
import { startEngine, startRelay } from './engines.ts';
import { runStoreFault, type StoresReport } from './stores.ts';

export const STORE_FAULTS = ['redis-stopped', 'outbox-locked', 'outbox-slow', 'relay-stopped'] as const;
export type StoreFaultName = (typeof STORE_FAULTS)[number];

export interface StoreFaultOptions {
  readonly clients: number;
  readonly perSecond: number;
  readonly faultMs: number;
}

const SLOW_MS = 10_000;
const LEASE_MS_MAX = 30_000;

/** Undefined where this machine lacks a server. */
export async function runNamedFault(
  name: StoreFaultName,
  options: StoreFaultOptions,
): Promise<StoresReport | undefined> {
  switch (name) {
    case 'redis-stopped':
      return runRedisStopped(options);
    case 'outbox-locked':
      return runOutboxLocked(options);
    case 'outbox-slow':
      return runOutboxSlow(options);
    case 'relay-stopped':
      return runRelayStopped(options);
    default:
      return name satisfies never;
  }
}

/** Row 12: nothing is closed, nothing answers. */
async function runRedisStopped(options: StoreFaultOptions): Promise<StoresReport | undefined> {
  const engine = await startEngine('redis');
  if (engine === undefined) return undefined;
  const { databaseUrl, env } = engine;
  const fault = {
    name: 'Redis is stopped',
    begin: async () => engine.signalEngine('SIGSTOP'),
    end: async () => engine.signalEngine('SIGCONT'),
  };
  try {
    return await runStoreFault({ ...options, databaseUrl, env, fault });
  } finally {
    engine.signalEngine('SIGCONT');
    await engine.close();
  }
}

/** Row 14, the lock: statements on the table of events wait until their time-out ends them. */
async function runOutboxLocked(options: StoreFaultOptions): Promise<StoresReport | undefined> {
  const engine = await startEngine('postgres');
  if (engine === undefined) return undefined;
  const { databaseUrl, env } = engine;
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const fault = {
    name: 'the outbox is locked',
    async begin() {
      await client.query('BEGIN');
      await client.query('LOCK TABLE events.event IN ACCESS EXCLUSIVE MODE');
    },
    async end() {
      await client.query('ROLLBACK');
    },
  };
  try {
    return await runStoreFault({ ...options, databaseUrl, env, fault, isWriterStopped: true });
  } finally {
    await client.end();
    await engine.close();
  }
}

/** Row 14, the slow server: every answer comes ten seconds late, and later than any time-out. */
async function runOutboxSlow(options: StoreFaultOptions): Promise<StoresReport | undefined> {
  const engine = await startEngine('postgres');
  if (engine === undefined) return undefined;
  const { databaseUrl } = engine;
  const proxy = await startFaultProxy(Number(new URL(databaseUrl).port));
  const through = new URL(databaseUrl);
  through.port = String(proxy.port);
  const env = { ...engine.env, DATABASE_URL: through.href };
  const fault = {
    name: 'PostgreSQL answers late',
    begin: () => proxy.setMode({ kind: 'delay', delayMs: SLOW_MS }),
    end: () => proxy.setMode({ kind: 'pass' }),
  };
  try {
    return await runStoreFault({ ...options, databaseUrl, env, fault });
  } finally {
    await proxy.close();
    await engine.close();
  }
}

/** Row 16: the leader is stopped for longer than its lease, another one leads, and the first goes on as if nothing had been. */
async function runRelayStopped(options: StoreFaultOptions): Promise<StoresReport | undefined> {
  const engine = await startEngine('redis');
  if (engine === undefined) return undefined;
  const { databaseUrl, env } = engine;
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 });
  const fence = async () => {
    const { rows } = await pool.query<{ fence: string }>('SELECT fence::text FROM events.relay_lease');
    return rows[0]?.fence;
  };
  await waitFor('a leader', async () => (await fence()) !== undefined, LEASE_MS_MAX);
  const before = await fence();
  const second = startRelay(env);
  const fault = {
    name: 'the leading relay is stopped',
    async begin() {
      engine.signalRelay('SIGSTOP');
      await waitFor('the other to lead', async () => (await fence()) !== before, LEASE_MS_MAX);
    },
    end: async () => engine.signalRelay('SIGCONT'),
  };
  try {
    return await runStoreFault({ ...options, databaseUrl, env, fault });
  } finally {
    engine.signalRelay('SIGCONT');
    await second.stop();
    await pool.end();
    await engine.close();
  }
}
