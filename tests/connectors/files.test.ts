import { readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import iconv from 'iconv-lite';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import { waitFor } from '../support/wait.ts';
import { type FolderHost, startFolderHost } from './folder-host.ts';
import { type FolderWriter, openFolderWriter } from './suite/files/folder-writer.ts';

/** An environment system's hourly air quality, as docs/connectors.md has it, with the pauses of a test. */
function airSdl(ingest = '', doneWhen = 'stableFor: "60ms"'): string {
  return `
extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  @link(url: "https://specs.weft.dev/hub/v0.1", import: ["@source", "@connect", "@ingest"])
  @source(name: "epb", encoding: "gb18030", files: { url: "{$env.EPB}", doneWhen: { ${doneWhen} }, limits: { rowBytes: 2000 } })
type AirQualityHour @key(fields: "station hour")
  @ingest(source: "epb", path: "/out/aq_{date}.csv", every: "30ms", format: CSV, key: "station hour", ${ingest}
    select: "station: 站点编号 hour: 时间 pm25: 'PM2.5'->number aqi: AQI->int")
  @connect(source: "epb", store: true) { station: ID! hour: String! pm25: Float aqi: Int }
type Query { airQuality(station: ID!, hourFrom: String, hourTo: String): [AirQualityHour!]! @connect(source: "epb", store: true) }
`;
}

const HEAD = '站点编号,时间,PM2.5,AQI\r\n';
const gb = (text: string) => iconv.encode(text, 'gb18030');

interface Hour {
  readonly station: string;
  readonly hour: string;
  readonly pm25: number | null;
  readonly aqi: number | null;
}

const skipReason = await whyNoPostgres();

describe.skipIf(skipReason !== undefined)('files of a folder', () => {
  let host: FolderHost;
  let writer: FolderWriter;

  beforeAll(async () => {
    host = await startFolderHost('epb', airSdl(), (home) => ({ EPB: `file://${join(home, 'epb-files')}` }));
  });
  afterEach(() => host.stopHost());
  afterAll(() => host?.close());

  /** An empty folder, an empty store, and a host with this SDL. */
  async function start(sdl: string): Promise<void> {
    await host.stopHost();
    await host.rows('TRUNCATE connectors.record, connectors.quarantine, connectors.file, events.event');
    rmSync(join(host.home, 'epb-files'), { recursive: true, force: true });
    writer = openFolderWriter(join(host.home, 'epb-files'));
    openFolderWriter(join(writer.folder, 'out'));
    host.write(sdl);
    await host.startHost();
  }

  async function hours(station: string): Promise<readonly Hour[]> {
    const { data, errors } = await host.query(
      'query($s: ID!) { airQuality(station: $s) { station hour pm25 aqi } }',
      {
        s: station,
      },
    );
    expect(errors).toBeUndefined();
    return (data as unknown as { airQuality: Hour[] }).airQuality;
  }

  const untilState = (path: string, state: string) =>
    waitFor(`${path} to be ${state}`, async () => {
      const [row] = await host.rows<{ state: string }>(
        'SELECT state FROM connectors.file WHERE path = $1 ORDER BY id DESC LIMIT 1',
        [path],
      );
      return row?.state === state;
    });

  const events = () =>
    host.rows<{ id: string; data: Hour }>(
      `SELECT envelope->>'subject' AS id, envelope->'data' AS data FROM events.event WHERE topic = 'AirQualityHour' ORDER BY tx, seq`,
    );
  const quarantined = () =>
    host.rows<{ reason: string; place: string; body: string }>(
      `SELECT reason, place, convert_from(body, 'UTF8') AS body FROM connectors.quarantine ORDER BY place`,
    );

  it('are taken in once, in their charset, and read back by key and by range', async () => {
    await start(airSdl());
    const rows = 'S1,2026-11-22 08:00,35.1,50\r\nS1,2026-11-22 09:00,,\r\n"龘站",2026-11-22 08:00,7,12\r\n';
    writer.write('out/aq_20261122.csv', gb(HEAD + rows));
    writer.write('out/readme.csv', gb('not one of them'));
    await untilState('out/aq_20261122.csv', 'DONE');
    expect(await hours('S1')).toEqual([
      { station: 'S1', hour: '2026-11-22 08:00', pm25: 35.1, aqi: 50 },
      { station: 'S1', hour: '2026-11-22 09:00', pm25: null, aqi: null },
    ]);
    expect(await hours('龘站')).toHaveLength(1);
    // A file that was taken is looked at again and again, and is the same one under a new time.
    writer.touch('out/aq_20261122.csv', Date.now() - 3_600_000);
    await waitFor('the file to be known by its new time', async () => {
      const [row] = await host.rows<{ n: number }>(
        `SELECT count(*)::int AS n FROM connectors.file WHERE modified_at < now() - interval '30 min'`,
      );
      return row?.n === 1;
    });
    expect(await events()).toHaveLength(3);
    expect(await host.rows('SELECT 1 FROM connectors.file')).toHaveLength(1);
  });

  it('are never moved, deleted, or written to', async () => {
    await start(airSdl());
    const content = gb(`${HEAD}S1,a,1,1\r\n`);
    writer.write('out/aq_20261122.csv', content);
    const before = statSync(join(writer.folder, 'out/aq_20261122.csv'));
    await untilState('out/aq_20261122.csv', 'DONE');
    const after = statSync(join(writer.folder, 'out/aq_20261122.csv'));
    expect([after.mtimeMs, after.ctimeMs, after.ino]).toEqual([before.mtimeMs, before.ctimeMs, before.ino]);
    expect(readFileSync(join(writer.folder, 'out/aq_20261122.csv'))).toEqual(content);
    expect(readdirSync(writer.folder, { recursive: true }).sort()).toEqual(['out', 'out/aq_20261122.csv']);
  });

  it('are not taken while they are written', async () => {
    await start(airSdl('', 'stableFor: "300ms"'));
    const rows = Array.from(
      { length: 40 },
      (_, index) => `S1,${String(index).padStart(2, '0')},1,1\r\n`,
    ).join('');
    await writer.writeSlowly('out/aq_20261122.csv', gb(HEAD + rows), 10, 60);
    await untilState('out/aq_20261122.csv', 'DONE');
    // One content was ever taken: the whole one.
    expect(await host.rows('SELECT rows_done FROM connectors.file')).toEqual([{ rows_done: 40 }]);
    expect(await quarantined()).toEqual([]);
  });

  it('are not taken before their marker lies beside them, where markers are the custom', async () => {
    await start(airSdl('', 'markerSuffix: ".ok"'));
    writer.write('out/aq_20261122.csv', gb(`${HEAD}S1,a,1,1\r\n`));
    writer.write('out/aq_20261123.csv', gb(`${HEAD}S1,b,1,1\r\n`));
    writer.mark('out/aq_20261123.csv', '.ok');
    await untilState('out/aq_20261123.csv', 'DONE');
    expect((await hours('S1')).map(({ hour }) => hour)).toEqual(['b']);
    writer.mark('out/aq_20261122.csv', '.ok');
    await host.stopHost();
    await host.startHost(); // Looks again at once, and not a minute later.
    await untilState('out/aq_20261122.csv', 'DONE');
  });

  it('that change are taken again, and what differs is told', async () => {
    await start(airSdl());
    writer.write('out/aq_20261122.csv', gb(`${HEAD}S1,08,1,1\r\nS1,09,2,2\r\n`));
    await untilState('out/aq_20261122.csv', 'DONE');
    const corrected = gb(`${HEAD}S1,08,1,1\r\nS1,09,3,2\r\nS1,10,4,4\r\n`);
    writer.write('out/aq_20261122.csv', corrected);
    const three = () => hours('S1').then((found) => found.length === 3);
    await waitFor('the third hour', three);
    expect((await events()).map(({ data }) => [data.hour, data.pm25])).toEqual([
      ['08', 1],
      ['09', 2],
      ['09', 3],
      ['10', 4],
    ]);
    // The first content once more is news again: the book knows the latest of each path.
    writer.write('out/aq_20261122.csv', gb(`${HEAD}S1,08,1,1\r\nS1,09,2,2\r\n`));
    await waitFor('the first value again', async () => (await hours('S1'))[1]?.pm25 === 2);
  });

  it('leave a bad row in quarantine with file, line and reason, and the others are taken', async () => {
    await start(airSdl());
    const text = Buffer.concat([
      gb(`${HEAD}S1,08,1,1\r\nS1\r\n,09,1,1\r\nS1,1`),
      Buffer.from([0xff, 0xff]),
      gb(`,1,1\r\nS1,"1\r\n1",5,5\r\nS1,12,\u0000,1\r\n`),
    ]);
    writer.write('out/aq_20261122.csv', text);
    await untilState('out/aq_20261122.csv', 'DONE');
    expect((await hours('S1')).map(({ hour }) => hour)).toEqual(['08', '12', '1\r\n1']);
    expect(await quarantined()).toEqual([
      { place: 'out/aq_20261122.csv:3', reason: 'line 3: expected 4 cells, got 1', body: '["S1"]' },
      {
        place: 'out/aq_20261122.csv:4',
        reason: 'line 4: expected a key in station and hour',
        body: JSON.stringify({ 站点编号: null, 时间: '09', 'PM2.5': '1', AQI: '1' }),
      },
      expect.objectContaining({ place: 'out/aq_20261122.csv:5', reason: 'line 5: expected text in gb18030' }),
    ]);
    expect(await host.rows('SELECT rows_done, rows_bad FROM connectors.file')).toEqual([
      { rows_done: 6, rows_bad: 3 },
    ]);
  });

  it('are rejected whole for one bad row where onBad says so, and taken when they were mended', async () => {
    await start(airSdl('onBad: REJECT_FILE'));
    writer.write('out/aq_20261122.csv', gb(`${HEAD}S1,08,1,1\r\nS1\r\n`));
    await untilState('out/aq_20261122.csv', 'REJECTED');
    expect(await hours('S1')).toEqual([]);
    expect(await quarantined()).toMatchObject([
      { place: 'out/aq_20261122.csv', reason: 'line 3: expected 4 cells, got 1' },
    ]);
    writer.write('out/aq_20261122.csv', gb(`${HEAD}S1,08,1,1\r\nS1,09,1,1\r\n`));
    await untilState('out/aq_20261122.csv', 'DONE');
    expect(await hours('S1')).toHaveLength(2);
  });

  it('are given up where they break, with the line, and what was whole before stays', async () => {
    await start(airSdl());
    writer.write('out/aq_20261122.csv', gb(`${HEAD}S1,08,1,1\r\nS1,"09,${'x'.repeat(5_000)}`));
    await untilState('out/aq_20261122.csv', 'REJECTED');
    expect(await hours('S1')).toHaveLength(1);
    expect((await quarantined())[0]?.reason).toMatch(/^line 3: expected a row of at most 2000 bytes/);
  });

  it('go on where a restart stopped them, without a row lost or doubled', async () => {
    await start(airSdl());
    const count = 4_000;
    const rows = Array.from(
      { length: count },
      (_, index) => `S${index % 7},${String(index).padStart(5, '0')},1,1\r\n`,
    );
    writer.place('out/aq_20261122.csv', gb(HEAD + rows.join('')));
    const rowsDone = async () =>
      (await host.rows<{ rows_done: number }>('SELECT rows_done FROM connectors.file'))[0]?.rows_done ?? 0;
    await waitFor('the first rows', async () => (await rowsDone()) > 0);
    await host.stopHost();
    const before = await rowsDone();
    expect(before).toBeLessThan(count);
    expect(await events()).toHaveLength(before);
    await host.startHost();
    await untilState('out/aq_20261122.csv', 'DONE');
    const told = await events();
    expect(told).toHaveLength(count);
    expect(new Set(told.map(({ id }) => id)).size).toBe(count);
  });

  it('that lead out of the folder are refused, and so is what is no file', async () => {
    await start(airSdl());
    const secret = join(host.home, 'secret.csv');
    writeFileSync(secret, gb(`${HEAD}SECRET,08,1,1\r\n`));
    symlinkSync(secret, join(writer.folder, 'out/aq_20261120.csv'));
    symlinkSync(join(host.home, 'nowhere'), join(writer.folder, 'out/aq_20261121.csv'));
    openFolderWriter(join(writer.folder, 'out/aq_20261119.csv'));
    writer.write('out/aq_20261122.csv', gb(`${HEAD}S1,08,1,1\r\n`));
    symlinkSync('aq_20261122.csv', join(writer.folder, 'out/aq_20261123.csv'));
    await untilState('out/aq_20261123.csv', 'DONE');
    expect(
      (await host.rows('SELECT path FROM connectors.file ORDER BY path')).map(({ path }) => path),
    ).toEqual(['out/aq_20261122.csv', 'out/aq_20261123.csv']);
    expect(await hours('SECRET')).toEqual([]);
  });

  it('of mode REPLACE_ALL drop what they do not have, unless a row cannot be read', async () => {
    await start(airSdl('mode: REPLACE_ALL'));
    writer.write('out/aq_20261122.csv', gb(`${HEAD}S1,08,1,1\r\nS1,09,1,1\r\n`));
    await untilState('out/aq_20261122.csv', 'DONE');
    writer.write('out/aq_20261123.csv', gb(`${HEAD}S1,09,1,1\r\nS1\r\n`));
    await untilState('out/aq_20261123.csv', 'DONE');
    expect(await hours('S1')).toHaveLength(2);
    writer.write('out/aq_20261124.csv', gb(`${HEAD}S1,09,1,1\r\n`));
    await untilState('out/aq_20261124.csv', 'DONE');
    expect((await hours('S1')).map(({ hour }) => hour)).toEqual(['09']);
  });

  it('of mode APPEND leave what is known as it is', async () => {
    await start(airSdl('mode: APPEND'));
    writer.write('out/aq_20261122.csv', gb(`${HEAD}S1,08,1,1\r\n`));
    await untilState('out/aq_20261122.csv', 'DONE');
    writer.write('out/aq_20261123.csv', gb(`${HEAD}S1,08,99,1\r\nS1,09,1,1\r\n`));
    await untilState('out/aq_20261123.csv', 'DONE');
    expect((await hours('S1')).map(({ pm25 }) => pm25)).toEqual([1, 1]);
    expect(await events()).toHaveLength(2);
  });
});
