import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { checkFolder } from './check.ts';
import { compileSystem } from './compile.ts';

const folder = mkdtempSync(join(tmpdir(), 'weft-files-'));
afterAll(() => rmSync(folder, { recursive: true }));

const KEY = `SHA256:${'a'.repeat(43)}`;
const GOOD = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  @source(name: "epb", encoding: "gb18030", files: {
    url: "sftp://10.0.0.9/out", hostKey: "${KEY}", auth: { basic: "epb-login" }, doneWhen: { markerSuffix: ".ok" }
  })
  @source(name: "hook", webhook: { path: "/in/x", verify: "x-hook", dedupeHeader: "X-Id" })
type Query { hours(station: ID): [AirHour!] @connect(store: true) }
type AirHour @key(fields: "station hour") @connect(store: true)
  @ingest(source: "epb", path: "/out/aq_{date}.csv", cron: "0 30 1 * * *", format: CSV, columns: "站点, 时间", key: "station hour", select: "station: 站点 hour: 时间")
  @ingest(source: "hook", key: "station hour", order: "version", select: "station hour version")
{ station: ID! hour: String! }
`;

function issuesOf(sdl: string): readonly string[] {
  writeFileSync(join(folder, 'a.graphql'), sdl);
  return checkFolder(folder).issues.map(({ code, line }) => `${code}:${line}`);
}

describe('files', () => {
  test('compile to a source and an ingest, with what is not said by default', () => {
    expect(issuesOf(GOOD)).toEqual([]);
    const { plan } = compileSystem(folder);
    expect(plan.sources.get('epb')).toMatchObject({
      protocol: 'files',
      loginSecret: 'epb-login',
      privateKeySecret: undefined,
      doneWhen: { stableForMs: undefined, markerSuffix: '.ok' },
      limits: {
        fileBytesMax: 200_000_000,
        rowBytesMax: 1_000_000,
        columnsMax: 1_000,
        rowsMax: 5_000_000,
        filesMax: 1_000,
      },
    });
    expect(plan.ingests[0]).toMatchObject({
      keyFields: ['station', 'hour'],
      orderField: undefined,
      from: {
        kind: 'files',
        path: '/out/aq_{date}.csv',
        schedule: { cron: '0 30 1 * * *' },
        format: 'CSV',
        delimiter: ',',
        columns: ['站点', '时间'],
        mode: 'UPSERT',
        onBad: 'QUARANTINE',
      },
    });
    expect(issuesOf(GOOD.replace(', doneWhen: { markerSuffix: ".ok" }', ''))).toEqual([]);
    expect(compileSystem(folder).plan.sources.get('epb')).toMatchObject({
      doneWhen: { stableForMs: 60_000 },
    });
  });

  test.each([
    ['MISSING_ARGUMENT:3', ` hostKey: "${KEY}",`, ''],
    ['BAD_VALUE:4', KEY, 'SHA256:abc'],
    ['BAD_VALUE:4', 'sftp://', 'ftp://'],
    ['BAD_VALUE:4', 'auth: { basic: "epb-login" }', 'auth: { bearer: "epb-login" }'],
    ['SECRET_IN_CLEAR:4', 'auth: {', 'privateKey: "-----BEGIN", auth: {'],
    ['BAD_VALUE:4', '".ok"', '"/ok"'],
    ['BAD_VALUE:4', 'doneWhen:', 'limits: { rowBytes: 5 }, doneWhen:'],
    ['MISSING_ARGUMENT:9', ' path: "/out/aq_{date}.csv",', ''],
    ['BAD_VALUE:9', '/out/aq_', '/../aq_'],
    ['BAD_VALUE:9', '{date}', '{day}'],
    ['BAD_VALUE:9', '/out/', '/out_{date}/'],
    ['BAD_VALUE:9', 'format: CSV, ', ''],
    ['MISSING_ARGUMENT:9', 'format: CSV, columns: "站点, 时间"', 'format: XML'],
    ['BAD_VALUE:9', 'format: CSV,', 'format: XML, record: "row",'],
    ['BAD_VALUE:9', 'format: CSV,', 'format: CSV, record: "row",'],
    ['BAD_VALUE:9', 'format: CSV,', 'format: CSV, delimiter: "||",'],
    ['BAD_VALUE:9', '0 30 1 * * *', '30 1 * * *'],
    ['BAD_VALUE:9', '0 30 1 * * *', '0 30 1 30 2 *'],
    ['BAD_VALUE:9', 'cron:', 'every: "5m", cron:'],
    ['BAD_VALUE:9', 'format: CSV,', 'format: CSV, mode: APPEND, order: "hour",'],
    [
      'PROTOCOL_MISMATCH:9',
      'format: CSV,',
      'format: CSV, poll: { table: "t", columns: "a, b", cursor: "a, b" },',
    ],
    ['PROTOCOL_MISMATCH:10', 'source: "hook", key', 'source: "hook", path: "/a.csv", mode: APPEND, key'],
    ['PROTOCOL_MISMATCH:10', 'source: "hook", key', 'source: "hook", format: CSV, key'],
    ['MISSING_ARGUMENT:10', ' order: "version",', ''],
    [
      'PROTOCOL_MISMATCH:7',
      '@connect(store: true) }',
      '@connect(source: "epb", http: { GET: "/x" }, select: "station hour") }',
    ],
  ])('%s is told of %s as %s', (issue, from, to) => {
    expect(GOOD).toContain(from);
    expect(issuesOf(GOOD.replace(from, to))).toContain(issue);
  });
});
