// NATS JetStream under the event log is killed, loses its streams, or takes no event so large: rows 9, 10 and 21 of the fault matrix.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterEach, describe, expect, it } from 'vitest';
import { type EventServer, startNats, whyNoProgram } from '../support/event-servers.ts';
import { waitFor } from '../support/wait.ts';
import { type EventLogRig, idsUpTo, isWhole, startEventLogRig, TOPIC } from './event-log-rig.ts';

const TEST_MS_MAX = 180_000;
const LIVE_AGAIN_MS_MAX = 5_000;
const REBUILD_MS_MAX = 30_000;
const REBUILT_EVENTS = isWhole ? 100_000 : 5_000;
const HEAD_OF_LINE_MS_MAX = 1_000;
const WEFT = join(import.meta.dirname, '../../cli/main.ts');

describe.skipIf(whyNoProgram('nats-server'))(
  'the event log on NATS JetStream',
  { timeout: TEST_MS_MAX },
  () => {
    let server: EventServer | undefined;
    let rig: EventLogRig | undefined;
    const folder = mkdtempSync(join(tmpdir(), 'weft-faults-nats-'));
    afterEach(async () => {
      await rig?.close();
      await server?.stop();
      rig = undefined;
    });

    it('loses and doubles nothing when it is killed and started again, takes events meanwhile, and is live in less than 5 s', async () => {
      server = await startNats();
      rig = await startEventLogRig(server.url);
      const follower = rig.follow();
      await rig.append(200, { batch: 20 });
      await follower.until(200);
      await server.signal('SIGKILL');
      await rig.append(50, { batch: 10 });
      await follower.until(250);
      await server.restart();
      await rig.append(1);
      const appendedAt = performance.now();
      await follower.until(251);
      expect(performance.now() - appendedAt).toBeLessThan(LIVE_AGAIN_MS_MAX);
      await rig.expectWholeEngine();
      expect(follower.ids).toEqual(idsUpTo(251));
    });

    it(`builds ${REBUILT_EVENTS} events anew in less than 30 s when its stream is gone, and readers neither skip nor double`, async () => {
      server = await startNats();
      rig = await startEventLogRig(server.url);
      await rig.append(REBUILT_EVENTS, { batch: 1_000 });
      await rig.expectWholeEngine(REBUILD_MS_MAX * 2);
      const follower = rig.follow();
      await follower.until(REBUILT_EVENTS, REBUILD_MS_MAX * 2);
      const head = await rig.log.head(TOPIC);
      const connection = await connect({ servers: server.url });
      const manager = await jetstreamManager(connection);
      for await (const stream of manager.streams.list()) await manager.streams.delete(stream.config.name);
      await connection.close();
      const deletedAt = performance.now();
      await waitFor(
        'the stream to be whole',
        async () => (await rig?.engine.readState(TOPIC))?.last === head,
        REBUILD_MS_MAX,
      );
      console.info(
        `NATS: ${REBUILT_EVENTS} events built anew in ${(performance.now() - deletedAt).toFixed(0)} ms`,
      );
      await rig.append(10);
      await follower.until(REBUILT_EVENTS + 10);
      expect(follower.ids).toEqual(idsUpTo(REBUILT_EVENTS + 10));
      await rig.expectWholeEngine(REBUILD_MS_MAX * 2);
    });

    it('makes a dead letter of an event that is too large, holds others up less than 1 s, and takes it when a person says so', async () => {
      const file = join(folder, 'nats.conf');
      writeFileSync(file, 'max_payload: 65536\n');
      server = await startNats('-c', file);
      rig = await startEventLogRig(server.url);
      const { pool, databaseUrl } = rig;
      const follower = rig.follow();
      await rig.append(10);
      await rig.expectWholeEngine();
      const before = performance.now();
      await rig.append(1, { characters: 100_000 });
      await rig.append(1);
      const head = await rig.log.head(TOPIC);
      await waitFor(
        'the events behind it to pass',
        async () => (await rig?.engine.readState(TOPIC))?.last === head,
      );
      expect(performance.now() - before).toBeLessThan(HEAD_OF_LINE_MS_MAX);
      // Its place and order are kept: readers have it from the outbox.
      await follower.until(12);
      expect(follower.ids).toEqual(idsUpTo(12));
      const weft = async (...args: string[]) => {
        const env = { PATH: process.env.PATH ?? '', DATABASE_URL: databaseUrl };
        return (await promisify(execFile)(process.execPath, [WEFT, 'events', ...args], { env })).stdout;
      };
      await expect
        .poll(() => weft('dead-letters'), { timeout: 10_000 })
        .toMatch(/^1\tfaults\t.*\/systems\/test 10\t5 tries\t.*payload/);
      await expect(weft('redrive', '7')).rejects.toThrow('there is no dead letter 7');
      writeFileSync(file, 'max_payload: 1048576\n');
      await server.signal('SIGKILL');
      await server.restart();
      expect(await weft('redrive', '1')).toBe('1 to be tried anew by the relay\n');
      await rig.expectWholeEngine();
      expect(await weft('dead-letters')).toBe('no dead letters\n');
      expect((await pool.query('SELECT count(*)::int AS n FROM events.event')).rows[0]?.n).toBe(12);
      const late = rig.follow();
      await late.until(12);
      expect(late.ids).toEqual(idsUpTo(12));
      rmSync(folder, { recursive: true, force: true });
    });
  },
);
