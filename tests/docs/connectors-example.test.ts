import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileSystem } from '@weft/connectors/compile/compile';
import { startHost } from '@weft/connectors/host';
import { environmentNames, findSystemFolders, SUBGRAPHS_FOLDER } from '@weft/connectors/system-folders';
import { createLogger } from '@weft/core/logger';
import type { Started } from '@weft/core/process';
import { openSecrets } from '@weft/core/secrets';
import { postgresAppender } from '@weft/events/postgres/appender';
import { compose } from '@weft/schema/compose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../support/hub.ts';
import { ask, createMigratedDatabase } from '../support/owned-subgraphs.ts';

const PAGE = readFileSync(join(ROOT, 'docs', 'connectors.md'), 'utf8');
const SECTION = PAGE.slice(PAGE.indexOf('## From folder to running'), PAGE.indexOf('## A whole system'));
const SDL = /```graphql\n([\s\S]*?)```/.exec(SECTION)?.[1] ?? '';

const ROWS = [
  { no: 'B1', title: '姑苏面馆', area: '320508017003', opened: '2026-11-20 09:30:00', state: '1' },
  { no: 'B2', title: '平江书店', area: '320508017003', opened: '2026-11-21 10:00:00', state: '8' },
  { no: 'B3', title: '胥江药房', area: '320508020033', opened: '2026-11-21 10:00:00', state: '2' },
];

/** The old system as the page describes it; refuses who does not bring the key. */
function answerMarket(url: URL, key: unknown): object {
  if (key !== 'the key') return { code: '1001' };
  const numbers = url.searchParams.get('no')?.split(',');
  const area = url.searchParams.get('area');
  const rows = ROWS.filter((row) => (numbers === undefined ? row.area === area : numbers.includes(row.no)));
  return { code: '0000', rows };
}

describe('the example of docs/connectors.md, from folder to running', () => {
  const home = mkdtempSync(join(tmpdir(), 'weft-market-'));
  const folder = join(home, 'market');
  const asked: string[] = [];
  let market: Server;
  let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
  let host: Started;

  beforeAll(async () => {
    mkdirSync(folder);
    mkdirSync(join(home, 'secrets'));
    writeFileSync(join(folder, 'market.graphql'), SDL);
    writeFileSync(join(home, 'secrets', 'market-key'), 'the key\n');
    market = createServer((request, response) => {
      asked.push(request.url ?? '');
      const url = new URL(request.url ?? '', 'http://market');
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answerMarket(url, request.headers['x-app-key'])));
    });
    await new Promise<void>((resolve) => market.listen(0, '127.0.0.1', resolve));
    database = await createMigratedDatabase();
    host = await startHost({
      systems: [compileSystem(folder).plan],
      databaseUrl: database.url,
      appender: postgresAppender,
      env: { MARKET_URL: `http://127.0.0.1:${(market.address() as AddressInfo).port}` },
      secrets: openSecrets(join(home, 'secrets'), {}),
      host: '127.0.0.1',
      servePort: 0,
      ingestPort: 0,
      logger: createLogger('market', 'silent'),
    });
  });
  afterAll(async () => {
    await host?.close();
    await database?.drop();
    market?.closeAllConnections();
    await new Promise((resolve) => market.close(resolve));
    rmSync(home, { recursive: true, force: true });
  });

  it('compiles without a warning, and takes its address from the one name that the page gives', () => {
    expect(compileSystem(folder).warnings).toEqual([]);
    expect(environmentNames(folder)).toEqual(['MARKET_URL']);
  });

  it('composes with every subgraph that is committed', () => {
    const owned = readdirSync(SUBGRAPHS_FOLDER).filter((name) =>
      existsSync(join(SUBGRAPHS_FOLDER, name, 'schema.graphql')),
    );
    const stored = owned.map((name) => ({
      name,
      url: `http://localhost/${name}`,
      sdl: readFileSync(join(SUBGRAPHS_FOLDER, name, 'schema.graphql'), 'utf8'),
    }));
    expect(owned).toContain('directory');
    const compiled = [...findSystemFolders(SUBGRAPHS_FOLDER), folder].map((path) => {
      const { plan } = compileSystem(path);
      return { name: plan.name, url: `http://localhost/${plan.name}`, sdl: plan.storedSdl };
    });
    const composed = compose([...stored, ...compiled]);
    expect(composed.errors).toBeUndefined();
    expect(composed.supergraphSdl).toContain('businesses(division: ID!): [Business!]');
  });

  it('answers the list with one call for it and one for all of its entities', async () => {
    const query =
      '{ businesses(division: "320508017003") { id name openedAt state rawState division { code } } }';
    const { data, errors } = await ask(host.urls.market, query);
    expect(errors).toBeUndefined();
    const division = { code: '320508017003' };
    expect(data?.businesses).toEqual([
      {
        id: 'B1',
        name: '姑苏面馆',
        openedAt: '2026-11-20T09:30:00+08:00',
        state: 'OPEN',
        rawState: '1',
        division,
      },
      {
        id: 'B2',
        name: '平江书店',
        openedAt: '2026-11-21T10:00:00+08:00',
        state: null,
        rawState: '8',
        division,
      },
    ]);
    expect(asked.map(decodeURIComponent)).toEqual(['/businesses?area=320508017003', '/businesses?no=B1,B2']);
  });

  it('answers the gateway that asks for entities by key', async () => {
    const query =
      'query ($of: [_Any!]!) { _entities(representations: $of) { ... on Business { name division { code } } } }';
    const of = ['B3', 'B9'].map((id) => ({ __typename: 'Business', id }));
    const { data } = await ask(host.urls.market, query, { of });
    expect(data?._entities).toEqual([{ name: '胥江药房', division: { code: '320508020033' } }, null]);
  });
});
