// Two relays, partitions, clocks that are wrong, a PostgreSQL that falls or is locked: rows 13 to 17 and 22 of the fault matrix.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startPostgres } from '@weft/core/embedded-postgres';
import { migrateAll } from '@weft/core/migrate';
import pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { askRedis, type EventServer, startNats, startRedis, whyNoProgram } from '../support/event-servers.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { waitFor } from '../support/wait.ts';
import { type EventLogRig, idsUpTo, isWhole, type RigOptions, startEventLogRig } from './event-log-rig.ts';
import { type RelayProcess, startRelayProcess } from './relay-process.ts';

const TEST_MS_MAX = 180_000;
const HEALED_MS_MAX = 5_000;
const PAUSED_MS = isWhole ? 30_000 : 8_000;
const LOCKED_MS = isWhole ? 15_000 : 3_000;
const FIVE_MINUTES_MS = 300_000;
const MIGRATIONS = join(import.meta.dirname, '../../events/prisma/migrations');

const opened: { stop(): Promise<unknown> }[] = [];
let rig: EventLogRig | undefined;
const keep = <Part extends { stop(): Promise<unknown> }>(part: Part): Part => {
  opened.push(part);
  return part;
};
const startRig = async (url: string, options: RigOptions = {}) => {
  rig = await startEventLogRig(url, options);
  return rig;
};
afterEach(async () => {
  await rig?.close();
  rig = undefined;
  for (const part of opened.splice(0).toReversed()) await part.stop();
});

const ENGINES = [
  { name: 'Redis', missing: whyNoProgram('redis-server'), start: startRedis },
  { name: 'NATS JetStream', missing: whyNoProgram('nats-server'), start: startNats },
] as const;

describe.each(ENGINES)('relays of the event log on $name', { timeout: TEST_MS_MAX }, (engine) => {
  it.skipIf(engine.missing)(
    `are one: a leader that is stopped for ${PAUSED_MS / 1000} s and goes on doubles and reorders nothing, whatever the clocks say`,
    async () => {
      const server = keep(await engine.start());
      const { append, follow, databaseUrl, expectWholeEngine, pool } = await startRig(server.url, {
        withoutRelay: true,
      });
      const leader = async () =>
        (await pool.query('SELECT fence::text FROM events.relay_lease')).rows[0]?.fence;
      const first = keep(await startRelayProcess(databaseUrl, server.url, FIVE_MINUTES_MS));
      await waitFor('a leader', async () => (await leader()) === '1');
      keep(await startRelayProcess(databaseUrl, server.url, -FIVE_MINUTES_MS));
      const follower = follow();
      await append(200, { batch: 20 });
      await expectWholeEngine();
      let isOver = false;
      const writing = (async () => {
        while (!isOver) await append(10);
      })();
      first.signal('SIGSTOP');
      await waitFor('the other to lead', async () => (await leader()) === '2', 30_000);
      await sleep(PAUSED_MS);
      first.signal('SIGCONT');
      await sleep(2_000);
      isOver = true;
      await writing;
      const count = rig?.appended() ?? 0;
      await expectWholeEngine();
      await follower.until(count);
      expect(follower.ids).toEqual(idsUpTo(count));
      expect(await leader()).toBe('2');
    },
  );

  it.skipIf(engine.missing)('go on where they were when killed at any moment', async () => {
    const server = keep(await engine.start());
    const { append, follow, databaseUrl, expectWholeEngine } = await startRig(server.url, {
      withoutRelay: true,
    });
    const follower = follow();
    for (let round = 0; round < 3; round++) {
      const relay: RelayProcess = keep(await startRelayProcess(databaseUrl, server.url));
      await append(400, { batch: 7 });
      await relay.stop();
    }
    keep(await startRelayProcess(databaseUrl, server.url));
    await expectWholeEngine();
    await follower.until(1_200);
    expect(follower.ids).toEqual(idsUpTo(1_200));
  });

  it.skipIf(engine.missing)(
    'and readers, cut off from the engine either way, lose nothing and are live in less than 5 s',
    async () => {
      const server = keep(await engine.start());
      const proxy = await startFaultProxy(server.port);
      keep({ stop: () => proxy.close() });
      const through = server.url.replace(String(server.port), String(proxy.port));
      const { append, appended, follow, expectWholeEngine } = await startRig(server.url, {
        relayUrl: through,
        readerUrl: through,
      });
      const follower = follow();
      await append(50, { batch: 5 });
      await follower.until(50);
      for (const kind of ['halfopen', 'blackhole', 'refuse'] as const) {
        await proxy.setMode({ kind });
        await append(20, { batch: 5 });
        await follower.until(appended());
        await proxy.setMode({ kind: 'pass' });
        const healedAt = performance.now();
        await append(20, { batch: 5 });
        await follower.until(appended());
        await expectWholeEngine();
        expect(performance.now() - healedAt).toBeLessThan(HEALED_MS_MAX);
      }
      expect(follower.ids).toEqual(idsUpTo(appended()));
    },
  );

  it.skipIf(engine.missing)(
    'lose nothing when PostgreSQL is killed, and its readers have what the engine has meanwhile',
    async () => {
      const server = keep(await engine.start());
      const directory = mkdtempSync(join(tmpdir(), 'weft-faults-postgres-'));
      let postgres = await startPostgres({ directory });
      keep({
        stop: async () => {
          await postgres.stop();
          rmSync(directory, { recursive: true, force: true });
        },
      });
      await migrateAll(postgres.url, [{ schema: 'events', directory: MIGRATIONS }]);
      const { append, follow, expectWholeEngine } = await startRig(server.url, { databaseUrl: postgres.url });
      const follower = follow();
      await append(100, { batch: 10 });
      await follower.until(100);
      await expectWholeEngine();
      process.kill(postgres.pid, 'SIGKILL');
      await waitFor('PostgreSQL to be gone', () => !postgres.isRunning());
      await expect(append(1)).rejects.toThrow();
      // From the engine alone: the outbox is away.
      const late = follow();
      await late.until(100);
      postgres = await startPostgres({ directory, port: Number(new URL(postgres.url).port) });
      await append(100, { batch: 10 });
      const appendedAt = performance.now();
      await follower.until(200);
      expect(performance.now() - appendedAt).toBeLessThan(HEALED_MS_MAX);
      await late.until(200);
      await expectWholeEngine();
      for (const reader of [follower, late]) expect(reader.ids).toEqual(idsUpTo(200));
    },
  );
});

describe('the event log', { timeout: TEST_MS_MAX }, () => {
  it.skipIf(whyNoProgram('redis-server'))(
    `gives up on an outbox that is locked for ${LOCKED_MS / 1000} s, and goes on when it is free`,
    async () => {
      const server = keep(await startRedis());
      const { append, follow, databaseUrl, expectWholeEngine, log } = await startRig(server.url);
      const follower = follow();
      await append(20);
      await follower.until(20);
      await expectWholeEngine();
      const client = new pg.Client({ connectionString: databaseUrl });
      await client.connect();
      await client.query('BEGIN');
      await client.query('LOCK TABLE events.event IN ACCESS EXCLUSIVE MODE');
      const late = follow();
      // What the engine has is read all the same.
      await late.until(20);
      const asking = log.head('faults').catch((thrown: unknown) => thrown);
      await sleep(LOCKED_MS);
      await client.query('ROLLBACK');
      await client.end();
      // Its statement ends after 10 s; the last position of the engine is before everything that follows.
      expect(typeof (await asking)).toBe('string');
      await append(20);
      await follower.until(40);
      await late.until(40);
      for (const reader of [follower, late]) expect(reader.ids).toEqual(idsUpTo(40));
      await expectWholeEngine();
    },
  );

  const whyNoDisk = whyNoTmpfs();
  it.skipIf(whyNoProgram('redis-server') ?? whyNoDisk)(
    'goes on by itself when the disk of Redis was full and has room again, and loses nothing',
    async () => {
      const disk = mkdtempSync(join(tmpdir(), 'weft-faults-disk-'));
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'weft', disk]);
      keep({
        stop: async () => {
          execFileSync('umount', ['-l', disk]);
          rmSync(disk, { recursive: true });
        },
      });
      const server: EventServer = keep(await startRedis('--dir', disk, '--auto-aof-rewrite-percentage', '0'));
      const { append, appended, follow, expectWholeEngine } = await startRig(server.url);
      const follower = follow();
      await append(2_000, { batch: 100, characters: 4_000 });
      await waitFor('Redis to refuse', async () =>
        String(await askRedis(server.url, 'INFO', 'persistence')).includes('aof_last_write_status:err'),
      );
      await follower.until(appended());
      execFileSync('mount', ['-o', 'remount,size=64m', disk]);
      await append(10);
      await follower.until(appended());
      expect(follower.ids).toEqual(idsUpTo(appended()));
      await expectWholeEngine();
      await server.signal('SIGKILL');
      await server.restart();
      await expectWholeEngine();
    },
  );
});

/** A disk of its own can be filled without harm: root may mount one. */
function whyNoTmpfs(): string | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'weft-faults-tmpfs-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'weft', directory], { stdio: 'ignore' });
    execFileSync('umount', [directory]);
    return undefined;
  } catch {
    const reason = 'no tmpfs can be mounted here: the test of a full disk needs root';
    console.warn(`SKIPPED: ${reason}`);
    return reason;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
