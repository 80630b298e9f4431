import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileSystem } from '@weft/connectors/compile/compile';
import {
  discardQuarantined,
  listQuarantined,
  showQuarantined,
} from '@weft/connectors/ingest/quarantine-book';
import { replayAll, replayQuarantined } from '@weft/connectors/ingest/replay';
import { openStore, type Store } from '@weft/connectors/ingest/store';
import { createLogger } from '@weft/core/logger';
import { postgresAppender } from '@weft/events/postgres/appender';
import iconv from 'iconv-lite';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import { waitFor } from '../support/wait.ts';
import { type FolderHost, startFolderHost } from './folder-host.ts';
import { openFolderWriter } from './suite/files/folder-writer.ts';

/** @param version the field that carries the lamp's version: the mistake that is mended */
const sdl = (version: string, order = `order: "version", `) => `
extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  @link(url: "https://specs.weft.dev/hub/v0.1", import: ["@source", "@connect", "@ingest"])
  @source(name: "hook", encoding: "gb18030", webhook: { path: "/in/city", verify: "hook", dedupeHeader: "x-event-id" })
  @source(name: "files", files: { url: "{$env.FILES}", doneWhen: { stableFor: "30ms" } })
type Query { lamps: [Lamp!] @connect(store: true) }
type Lamp @key(fields: "id") @connect(store: true)
  @ingest(source: "hook", key: "id", ${order}select: "$.lamp { id: no version: ${version} }")
  @ingest(source: "files", path: "lamps_{date}.csv", every: "30ms", format: CSV, key: "id", order: "version", onBad: QUARANTINE, select: "id: no version: ${version}") {
  id: ID!
  version: Int
}
`;

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const skipReason = await whyNoPostgres();
const logger = createLogger('quarantine', 'silent');

describe.skipIf(skipReason !== undefined)('quarantine', () => {
  let host: FolderHost;
  let store: Store;
  let folder: string;

  beforeAll(async () => {
    host = await startFolderHost('city', sdl('seq'), (home) => {
      folder = openFolderWriter(join(home, 'drop')).folder;
      return { FILES: `file://${folder}` };
    });
    store = openStore(host.databaseUrl, logger);
  });
  beforeEach(async () => {
    host.write(sdl('seq'));
    await host.rows(
      'TRUNCATE connectors.record, connectors.quarantine, connectors.file, connectors.delivery, connectors.late_change, events.event',
    );
  });
  afterAll(async () => {
    await store?.close();
    await host?.close();
  });

  const present = () => ({
    store,
    appender: postgresAppender,
    systems: [compileSystem(join(host.home, 'city')).plan],
    env: {},
  });
  const push = async (lamp: object, outcome: string) =>
    expect(await (await host.push('/city', { lamp })).json()).toEqual({ outcome });
  const lamps = async () => (await host.query('{ lamps { id version } }')).data;
  const only = async () => {
    const { items } = await listQuarantined(store, {}, 10);
    expect(items).toHaveLength(1);
    return items[0]?.id ?? '';
  };

  it('is left by what is understood once the description is mended, and by nothing else', async () => {
    await push({ no: 'L1', ver: 3 }, 'QUARANTINED');
    await push({ no: 'L2' }, 'QUARANTINED');
    const before = await replayAll(present(), { system: 'city' });
    expect(before.replayed.map(({ outcome }) => outcome)).toEqual(['FAILED', 'FAILED']);
    host.write(sdl('ver'));
    const { replayed, hasMore } = await replayAll(present(), { system: 'city', source: 'hook' });
    expect(replayed.map(({ outcome, reason }) => [outcome, reason])).toEqual([
      ['REPLAYED', null],
      ['FAILED', 'expected a version in version'],
    ]);
    expect(hasMore).toBe(false);
    expect(await lamps()).toEqual({ lamps: [{ id: 'L1', version: 3 }] });
    const { items } = await listQuarantined(store, { system: 'city' }, 10);
    expect(items).toMatchObject([{ source: 'hook', attempts: 2, reason: 'expected a version in version' }]);
    const events = await host.rows(`SELECT 1 FROM events.event WHERE topic = 'Lamp'`);
    expect(events).toHaveLength(1);
  });

  it('never lets a replay overwrite what is newer by now; the late version is kept beside it', async () => {
    await push({ no: 'L1', ver: 1 }, 'QUARANTINED');
    const id = await only();
    await push({ no: 'L1', seq: 5 }, 'APPLIED');
    host.write(sdl('ver'));
    expect(await replayQuarantined(present(), id)).toEqual({ id, outcome: 'REPLAYED', reason: null });
    expect(await lamps()).toEqual({ lamps: [{ id: 'L1', version: 5 }] });
    expect(await host.rows('SELECT key, data FROM connectors.late_change')).toMatchObject([
      { key: 'L1', data: { id: 'L1', version: 1 } },
    ]);
    await expect(replayQuarantined(present(), id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(replayQuarantined(present(), 'x')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('tells what it does not know any more, rather than losing the item', async () => {
    await push({ no: 'L1', ver: 1 }, 'QUARANTINED');
    const id = await only();
    const [plan] = present().systems;
    if (plan === undefined) throw new TypeError('expected the plan of the city');
    const without = { ...present(), systems: [{ ...plan, ingests: [] }] };
    expect(await replayQuarantined(without, id)).toMatchObject({ outcome: 'FAILED', reason: /any more/ });
    expect(await replayQuarantined({ ...present(), systems: [] }, id)).toMatchObject({
      reason: `there is no system 'city' any more`,
    });
  });

  it('shows a body in its charset, bounded, and in hexadecimal when it is in none', async () => {
    const put = (name: string, body: Buffer) =>
      host.rows(
        `INSERT INTO connectors.quarantine (system, source, dedupe_id, reason, body) VALUES ('city', 'hook', $1, 'r', $2) RETURNING id`,
        [name, body],
      );
    const [gb] = await put('gb', iconv.encode('{"路灯":"坏"}', 'gb18030'));
    const [noise] = await put('noise', Buffer.from([0xff, 0xff, 0x00]));
    const [long] = await put('long', Buffer.alloc(50_000, 'a'));
    const { systems } = present();
    expect(await showQuarantined(store, systems, String(gb?.id))).toMatchObject({
      body: '{"路灯":"坏"}',
      charset: 'gb18030',
    });
    expect(await showQuarantined(store, systems, String(noise?.id))).toMatchObject({
      body: 'ffff00',
      charset: 'hex',
    });
    const cut = await showQuarantined(store, systems, String(long?.id));
    expect([cut.body.length, cut.isCut, cut.bytes]).toEqual([20_000, true, 50_000]);
  });

  it('is listed page by page, by system, type and time, without what was discarded', async () => {
    for (let index = 0; index < 5; index += 1) await push({ no: `P${index}` }, 'QUARANTINED');
    const first = await listQuarantined(store, { system: 'city', type: 'Lamp' }, 3);
    expect(first).toMatchObject({ hasNextPage: true });
    const second = await listQuarantined(store, {}, 3, first.endCursor ?? '');
    expect(new Set([...first.items, ...second.items].map(({ id }) => id)).size).toBe(5);
    expect(second.hasNextPage).toBe(false);
    expect((await listQuarantined(store, { type: 'Other' }, 3)).items).toEqual([]);
    expect((await listQuarantined(store, { since: new Date(Date.now() + 60_000) }, 3)).items).toEqual([]);
    const id = first.items[0]?.id ?? '';
    await expect(discardQuarantined(store, id, { by: 'duty', why: ' ' })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
    });
    await discardQuarantined(store, id, { by: 'duty', why: 'a test of theirs' });
    expect((await listQuarantined(store, {}, 10)).items).toHaveLength(4);
    expect((await listQuarantined(store, { discarded: true }, 10)).items).toMatchObject([
      { id, discardedBy: 'duty', discardReason: 'a test of theirs' },
    ]);
    await expect(replayQuarantined(present(), id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(listQuarantined(store, {}, 201)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    await expect(listQuarantined(store, {}, 1, 'x')).rejects.toMatchObject({ code: 'INVALID_CURSOR' });
  });

  it('is in the graph of operators: a page, a replay by the plan of the host, a discard that says who', async () => {
    await push({ no: 'G1' }, 'QUARANTINED');
    const own = async (text: string, variables: object = {}) => {
      const { data, errors } = await host.query(text, variables, 'connectors');
      expect(errors).toBeUndefined();
      return data;
    };
    const id = await only();
    expect(
      await own(
        '{ quarantine(system: "city", type: "Lamp") { edges { node { id system { name } source reason attempts } } pageInfo { hasNextPage } } }',
      ),
    ).toEqual({
      quarantine: {
        edges: [
          {
            node: {
              id,
              system: { name: 'city' },
              source: 'hook',
              reason: 'expected a version in version',
              attempts: 0,
            },
          },
        ],
        pageInfo: { hasNextPage: false },
      },
    });
    expect(await own('mutation($id: ID!) { replayQuarantined(id: $id) { outcome reason } }', { id })).toEqual(
      {
        replayQuarantined: { outcome: 'FAILED', reason: 'expected a version in version' },
      },
    );
    expect(
      await own(
        'mutation($id: ID!) { discardQuarantined(id: $id, why: "a test") { attempts discardedBy discardReason } }',
        { id },
      ),
    ).toEqual({ discardQuarantined: { attempts: 1, discardedBy: 'anonymous', discardReason: 'a test' } });
    expect(await own('{ quarantine { edges { cursor } } }')).toEqual({ quarantine: { edges: [] } });
  });

  it('is printed, exported, replayed and discarded by a command', async () => {
    await push({ no: '=1+1' }, 'QUARANTINED');
    await push({ no: 'C1', ver: 2 }, 'QUARANTINED');
    host.write(sdl('ver'));
    const run = async (...args: string[]) => {
      const child = spawn(process.execPath, [MAIN, 'ingest', 'quarantine', ...args], {
        env: { ...process.env, DATABASE_URL: host.databaseUrl },
      });
      let out = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (out += part));
      const [code] = await once(child, 'exit');
      return { code, out };
    };
    const { items } = await listQuarantined(store, {}, 10);
    const [first = '', second = ''] = items.map(({ id }) => id);
    const listed = await run('list', '--system', 'city', '--csv');
    expect(listed.out.split('\r\n')).toHaveLength(4);
    const show = await run('show', first);
    expect(show.out).toContain('"no":"=1+1"');
    // The checkout knows no such system: what is not known any more stays, and says so.
    const replayed = await run('replay', second);
    expect(replayed).toMatchObject({
      code: 1,
      out: expect.stringContaining("there is no system 'city' any more"),
    });
    expect((await run('discard', first, '--why', '测试', '--by', 'duty')).out).toBe(
      `${first} discarded by duty\n`,
    );
  }, 60_000);

  it('holds rows of files, which keep their place in the order of versions, and whole files, which are taken again', async () => {
    const writer = openFolderWriter(folder);
    writer.write('lamps_20261122.csv', 'no,seq,ver\nF1,1,1\nF2,,2\nF3\n');
    const untilDone = (state: string) =>
      waitFor(`the file to be ${state}`, async () => {
        const [row] = await host.rows('SELECT state FROM connectors.file ORDER BY id DESC LIMIT 1');
        return row?.state === state;
      });
    await untilDone('DONE');
    host.write(sdl('ver'));
    const { replayed } = await replayAll(present(), { system: 'city', source: 'files' });
    expect(replayed.map(({ outcome }) => outcome).toSorted()).toEqual(['FAILED', 'REPLAYED']);
    expect(await lamps()).toEqual({
      lamps: [
        { id: 'F1', version: 1 },
        { id: 'F2', version: 2 },
      ],
    });
    await host.rows('TRUNCATE connectors.quarantine');
    writer.write('lamps_20261122.csv', 'no,seq,ver\nF9,9,9\nF8,"8,8\n');
    await untilDone('REJECTED');
    const id = await only();
    expect(await replayQuarantined(present(), id)).toEqual({ id, outcome: 'TAKEN_AGAIN', reason: null });
    await untilDone('REJECTED');
    expect(
      await waitFor(
        'the file to be told again',
        async () => (await listQuarantined(store, {}, 10)).items[0]?.id,
      ),
    ).not.toBe(id);
  });
});
