// Redis under the event log fails, forgets, fills up or stops: rows 9, 10, 11 and 12 of the fault matrix.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { askRedis, type EventServer, startRedis, whyNoProgram } from '../support/event-servers.ts';
import { waitFor } from '../support/wait.ts';
import { type EventLogRig, idsUpTo, isWhole, startEventLogRig, TOPIC } from './event-log-rig.ts';

const TEST_MS_MAX = 180_000;
const LIVE_AGAIN_MS_MAX = 5_000;
/** The time-out of a command is 1.5 s. */
const COMMAND_MS_MAX = 2_000;
const REBUILD_MS_MAX = 30_000;
const REBUILT_EVENTS = isWhole ? 100_000 : 10_000;
const STOPPED_MS = isWhole ? 60_000 : 4_000;

describe.skipIf(whyNoProgram('redis-server'))('the event log on Redis', { timeout: TEST_MS_MAX }, () => {
  const servers: EventServer[] = [];
  let rig: EventLogRig | undefined;
  const redis = async (...options: string[]) => {
    const server = await startRedis(...options);
    servers.push(server);
    return server;
  };
  afterEach(async () => {
    await rig?.close();
    rig = undefined;
    for (const server of servers.splice(0)) {
      await server.signal('SIGCONT');
      await server.stop();
    }
  });

  it('loses and doubles nothing when Redis is killed and started again, takes events meanwhile, and is live in less than 5 s', async () => {
    const server = await redis();
    rig = await startEventLogRig(server.url);
    const follower = rig.follow();
    await rig.append(200, { batch: 20 });
    await follower.until(200);
    await server.signal('SIGKILL');
    // The outbox takes them, and hands them to readers too.
    await rig.append(50);
    await follower.until(250);
    await server.restart();
    await rig.append(1);
    const appendedAt = performance.now();
    await follower.until(251);
    expect(performance.now() - appendedAt).toBeLessThan(LIVE_AGAIN_MS_MAX);
    await rig.append(49, { batch: 7 });
    await follower.until(300);
    expect(follower.ids).toEqual(idsUpTo(300));
    await rig.expectWholeEngine();
  });

  it(`builds ${REBUILT_EVENTS} events anew in less than 30 s after FLUSHALL, and readers neither skip nor double`, async () => {
    const server = await redis();
    rig = await startEventLogRig(server.url);
    const { engine } = rig;
    await rig.append(REBUILT_EVENTS, { batch: 1_000 });
    const follower = rig.follow();
    await follower.until(REBUILT_EVENTS, REBUILD_MS_MAX);
    await rig.expectWholeEngine(REBUILD_MS_MAX);
    const before = await engine.readState(TOPIC);
    const fromStart = rig.follow();
    await askRedis(server.url, 'FLUSHALL');
    const flushedAt = performance.now();
    await rig.append(100);
    await waitFor(
      'another generation with everything',
      async () => {
        const state = await engine.readState(TOPIC);
        const acknowledged = state !== undefined && state.generation !== before?.generation;
        return acknowledged && state.last === (await rig?.log.head(TOPIC));
      },
      REBUILD_MS_MAX,
    );
    const rebuiltMs = performance.now() - flushedAt;
    expect(rebuiltMs).toBeLessThan(REBUILD_MS_MAX);
    console.info(`Redis: ${REBUILT_EVENTS} events built anew after FLUSHALL in ${rebuiltMs.toFixed(0)} ms`);
    await rig.append(10);
    for (const reader of [follower, fromStart]) {
      await reader.until(REBUILT_EVENTS + 110);
      expect(reader.ids).toEqual(idsUpTo(REBUILT_EVENTS + 110));
    }
    await rig.expectWholeEngine();
  });

  it('appends again what a replica that was promoted lags behind, and readers neither skip nor double', async () => {
    const master = await redis();
    const replica = await redis('--replicaof', '127.0.0.1', String(master.port));
    await waitFor('the replica to follow', async () =>
      String(await askRedis(replica.url, 'INFO', 'replication')).includes('master_link_status:up'),
    );
    rig = await startEventLogRig(master.url);
    const follower = rig.follow();
    await rig.append(100, { batch: 10 });
    await rig.expectWholeEngine();
    await waitFor(
      'the replica to have them',
      async () => Number(await askRedis(replica.url, 'DBSIZE')) === 2,
    );
    // It lags: what comes now never reaches it.
    await replica.signal('SIGSTOP');
    await rig.append(100, { batch: 10 });
    await follower.until(200);
    await rig.expectWholeEngine();
    await master.signal('SIGKILL');
    await replica.signal('SIGCONT');
    await askRedis(replica.url, 'REPLICAOF', 'NO', 'ONE');
    // The address stays, another server answers.
    await askRedis(replica.url, 'CONFIG', 'SET', 'port', String(master.port));
    await rig.append(50, { batch: 10 });
    const appendedAt = performance.now();
    await follower.until(250);
    expect(performance.now() - appendedAt).toBeLessThan(LIVE_AGAIN_MS_MAX);
    await rig.expectWholeEngine();
    expect(follower.ids).toEqual(idsUpTo(250));
    const late = rig.follow();
    await late.until(250);
    expect(late.ids).toEqual(idsUpTo(250));
  });

  it('refuses to start on a Redis that drops data by itself, in one line that says what to set', async () => {
    const server = await redis('--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru');
    await expect(startEventLogRig(server.url)).rejects.toThrow(
      'EVENT_LOG: Redis has maxmemory-policy allkeys-lru and would drop events by itself: set it to noeviction',
    );
    await askRedis(server.url, 'ACL', 'SETUSER', 'default', '-config');
    await expect(startEventLogRig(server.url)).rejects.toThrow('maxmemory-policy allkeys-lru');
  });

  it('waits while Redis has no memory left, keeps every event for its readers, and catches up when there is some', async () => {
    const server = await redis('--maxmemory', '10mb');
    rig = await startEventLogRig(server.url);
    const follower = rig.follow();
    await rig.append(4_000, { batch: 100, characters: 4_000 });
    await waitFor('Redis to be full', async () => {
      const statistics = String(await askRedis(server.url, 'INFO', 'errorstats'));
      return Number(/errorstat_OOM:count=(\d+)/.exec(statistics)?.[1] ?? 0) > 1;
    });
    const stuck = await rig.engine.readState(TOPIC);
    expect(rig.log.compare(stuck?.last ?? '0.0', await rig.log.head(TOPIC))).toBeLessThan(0);
    // Nothing that is not acknowledged may go, whatever the retention.
    await rig.log.trim(TOPIC, 3_600_000);
    await follower.until(4_000);
    expect(follower.ids).toEqual(idsUpTo(4_000));
    await askRedis(server.url, 'CONFIG', 'SET', 'maxmemory', '200mb');
    await rig.expectWholeEngine();
  });

  it(`serves its readers from the outbox while Redis is stopped for ${STOPPED_MS / 1000} s, and keeps no queue for it`, async () => {
    const server = await redis();
    rig = await startEventLogRig(server.url);
    const follower = rig.follow();
    await rig.append(20);
    await follower.until(20);
    await server.signal('SIGSTOP');
    const { engine } = rig;
    const askedAt = performance.now();
    await expect(engine.readState(TOPIC)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(performance.now() - askedAt).toBeLessThan(COMMAND_MS_MAX);
    const until = performance.now() + STOPPED_MS;
    while (performance.now() < until) {
      const before = rig.appended();
      await rig.append(5);
      const appendedAt = performance.now();
      await follower.until(before + 5);
      // A command under way times out once, then the outbox is asked at once.
      expect(performance.now() - appendedAt).toBeLessThan(LIVE_AGAIN_MS_MAX);
      await sleep(200);
    }
    await server.signal('SIGCONT');
    await rig.append(20);
    await follower.until(rig.appended());
    expect(follower.ids).toEqual(idsUpTo(rig.appended()));
    await rig.expectWholeEngine();
  });
});
