import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { compileSystem } from '@weft/connectors/compile/compile';
import { type ContractAddress, discover } from '@weft/connectors/discover/discover';
import { readDrift } from '@weft/connectors/drift/drift-store';
import { type Drift, measureSystem } from '@weft/connectors/drift/measure';
import { watchDrift } from '@weft/connectors/drift/watch-drift';
import { openStore } from '@weft/connectors/ingest/store';
import { openSystem, type RunningSystem } from '@weft/connectors/load/system';
import {
  buildOwnSchema,
  createOwnContext,
  type OwnSubgraphParts,
} from '@weft/connectors/subgraph/own-subgraph';
import { createLogger } from '@weft/core/logger';
import { openSecrets } from '@weft/core/secrets';
import { postgresAppender } from '@weft/events/postgres/appender';
import { graphql } from 'graphql';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import { createCommandDatabase } from './commands/rig.ts';
import { json, type Stub, type StubAnswer, startStub, xml } from './contract-stubs.ts';

const CONTRACTS = join(import.meta.dirname, 'contracts');
const logger = createLogger('test', 'silent');
const secrets = openSecrets(undefined, new Proxy({}, { get: () => 'token-1' }));
const withoutPostgres = await whyNoPostgres();

let home: string;
let count = 0;
const opened: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'weft-drift-test-'));
});

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

afterAll(() => rm(home, { recursive: true, force: true }));

async function stub(answer: (line: string) => StubAnswer | undefined): Promise<Stub> {
  const started = await startStub(answer);
  opened.push(started);
  return started;
}

/** A contract drafted and opened, with its address in every setting. */
async function open(
  contract: ContractAddress,
  address: string,
  edit: (sdl: string) => string = (sdl) => sdl,
): Promise<RunningSystem> {
  count += 1;
  const { folder, environment } = await discover({ contract, out: join(home, `system-${count}`) });
  const file = join(folder, `${basename(folder)}.graphql`);
  await writeFile(file, edit(await readFile(file, 'utf8')));
  const env = Object.fromEntries(environment.map(({ name }) => [name, address]));
  const system = await openSystem(compileSystem(folder).plan, { env, secrets, logger });
  opened.push(system);
  return system;
}

async function measureOne(system: RunningSystem): Promise<Drift> {
  const [drift] = await measureSystem(system, secrets);
  if (drift === undefined) throw new TypeError('nothing was measured');
  return drift;
}

describe('a WSDL', () => {
  const contract: ContractAddress = { kind: 'wsdl', file: join(CONTRACTS, 'BLZService.wsdl') };
  const text = readFileSync(contract.file, 'utf8');

  it('is unchanged when the live one says the same in other words and another order', async () => {
    const other = text
      .replaceAll('wsdl:', 'w:')
      .replaceAll('xmlns:wsdl=', 'xmlns:w=')
      .replace('<w:types>', '<w:documentation>new</w:documentation><w:types>');
    const { url, requests } = await stub(() => xml(other.replace(/^<\?xml[^>]*\?>/, '')));
    const drift = await measureOne(await open(contract, `${url}/bank`));
    expect(drift).toMatchObject({ verdict: 'UNCHANGED', changes: [], changeCount: 0, reason: undefined });
    expect(drift.liveHash).toBe(drift.contractHash);
    expect(requests.map(({ line }) => line)).toEqual(['GET /bank?wsdl']);
  });

  it('is changed when an operation or a type is, and says how', async () => {
    const now = text
      .replace('name="plz" type="xsd:string"', 'name="plz" type="xsd:int"')
      .replace('name="ort"', 'name="stadt"');
    const { url } = await stub(() => ({ type: 'text/xml', body: now }));
    expect(await measureOne(await open(contract, url))).toMatchObject({
      verdict: 'CHANGED',
      changes: ['~ detailsType.plz: String -> Int', '- detailsType.ort', '+ detailsType.stadt'],
    });
  });

  it('follows what the live one imports from its own host, and no other', async () => {
    const [, schema = ''] = /(<xsd:schema[\s\S]*<\/xsd:schema>)/.exec(text) ?? [];
    const main = text.replace(
      schema,
      '<xsd:schema><xsd:import namespace="http://thomas-bayer.com/blz/" schemaLocation="?xsd=1"/></xsd:schema>',
    );
    const withPrefixes = schema.replace(
      '<xsd:schema',
      '<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:tns="http://thomas-bayer.com/blz/"',
    );
    const { url, requests } = await stub((line) => ({
      type: 'text/xml',
      body: line.includes('xsd=1') ? withPrefixes : main,
    }));
    expect((await measureOne(await open(contract, `${url}/bank`))).verdict).toBe('UNCHANGED');
    expect(requests.map(({ line }) => line)).toEqual(['GET /bank?wsdl', 'GET /bank?xsd=1']);
  });

  it.each([
    ['no document', () => undefined, /answers with status 404$/],
    [
      'another document',
      (): StubAnswer => ({ type: 'text/html', body: '<html/>' }),
      /it is an element 'html', not WSDL 1.1/,
    ],
    [
      'an error',
      (): StubAnswer => ({ status: 500, type: 'text/plain', body: 'secret trace' }),
      /answers with status 500/,
    ],
  ])('is unknown, with the reason, when the system answers with %s', async (_, answer, reason) => {
    const { url } = await stub(answer);
    const drift = await measureOne(await open(contract, url));
    expect(drift).toMatchObject({ verdict: 'UNKNOWN', reason: expect.stringMatching(reason) });
    expect(JSON.stringify(drift)).not.toMatch(/secret trace|weft-drift-\w/);
  });

  it('is unknown when nobody answers', async () => {
    expect(await measureOne(await open(contract, 'http://127.0.0.1:9'))).toMatchObject({
      verdict: 'UNKNOWN',
      reason: expect.stringMatching(/^UPSTREAM_UNAVAILABLE: /),
    });
  });
});

describe('an OpenAPI document', () => {
  const contract: ContractAddress = { kind: 'openapi', file: join(CONTRACTS, 'petstore-3.1.json') };
  const document = JSON.parse(readFileSync(contract.file, 'utf8'));
  const withUrl = (sdl: string) => sdl.replace(/(openapi: "[^"]*")/, '$1\n      openapiUrl: "/openapi.json"');

  it('is compared with the one that the system answers where the description says', async () => {
    const changed = structuredClone(document);
    changed.components.schemas.Pet.properties.name.type = 'integer';
    delete changed.paths['/pet/findByTags'];
    const { url, requests } = await stub(() => json(changed));
    const drift = await measureOne(await open(contract, `${url}/v2`, withUrl));
    expect(drift.verdict).toBe('CHANGED');
    expect(drift.changes).toEqual(
      expect.arrayContaining(['~ Pet.name: String -> Int', '- operation findPetsByTags']),
    );
    expect(requests.map(({ line }) => line)).toEqual(['GET /v2/openapi.json']);
  });

  it('is unknown when it is not said where the live one is', async () => {
    const { url, requests } = await stub(() => undefined);
    expect(await measureOne(await open(contract, url))).toMatchObject({
      verdict: 'UNKNOWN',
      reason: expect.stringMatching(/set rest\.openapiUrl in its @source$/),
    });
    expect(requests).toEqual([]);
  });
});

describe('the tables of a database', () => {
  it('are compared in what the SDL uses of them', async () => {
    const file = join(home, 'drift.db');
    const run = (sql: string) => {
      const database = new DatabaseSync(file);
      database.exec(sql);
      database.close();
    };
    run('CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT)');
    const system = await open({ kind: 'sql', url: `sqlite://${file}`, tables: [] }, `sqlite://${file}`);
    expect((await measureOne(system)).verdict).toBe('UNCHANGED');
    run('ALTER TABLE t ADD COLUMN c TEXT; CREATE TABLE other (x INTEGER)');
    expect((await measureOne(system)).verdict).toBe('UNCHANGED');
    run('ALTER TABLE t DROP COLUMN a; ALTER TABLE t RENAME COLUMN b TO bb');
    expect(await measureOne(system)).toMatchObject({
      verdict: 'CHANGED',
      changes: ['- column t.a', '- column t.b'],
    });
  });
});

describe.skipIf(withoutPostgres !== undefined)('what was found', () => {
  it('is stored, and told as an event whenever it is another than before', async () => {
    const database = await createCommandDatabase();
    opened.push({ close: () => database.drop() });
    const store = openStore(database.url, logger);
    opened.push(store);
    const text = readFileSync(join(CONTRACTS, 'BLZService.wsdl'), 'utf8');
    let now: string | undefined = text;
    const { url } = await stub(() => (now === undefined ? undefined : { type: 'text/xml', body: now }));
    const system = await open({ kind: 'wsdl', file: join(CONTRACTS, 'BLZService.wsdl') }, url);
    const name = system.plan.name;
    const watch = watchDrift([system], {
      store,
      appender: postgresAppender,
      secrets,
      logger,
      everyMs: 20,
      firstAfterMs: 0,
    });
    opened.push(watch);
    const until = async (verdict: string) => {
      await expect
        .poll(async () => (await readDrift(store, [name])).get(name)?.[0]?.verdict, { timeout: 8_000 })
        .toBe(verdict);
    };
    await until('UNCHANGED');
    now = text.replace('"ort"', '"stadt"');
    await until('CHANGED');
    now = undefined;
    await until('UNKNOWN');
    now = text;
    await until('UNCHANGED');
    await watch.close();
    const answer = await graphql({
      schema: buildOwnSchema(),
      source: `query ($of: [_Any!]!) { _entities(representations: $of) { ... on System { contracts { source hash drift { verdict changes checkedAt } } } } }`,
      variableValues: { of: [{ __typename: 'System', name }] },
      contextValue: createOwnContext({ store } as OwnSubgraphParts, '', 'drift-test'),
    });
    expect(answer).toMatchObject({
      data: {
        _entities: [
          {
            contracts: [
              {
                source: name,
                hash: expect.stringMatching(/^[0-9a-f]{32}$/),
                drift: { verdict: 'UNCHANGED', changes: [] },
              },
            ],
          },
        ],
      },
    });
    const events = await database.rows<{ change: unknown }>(
      `SELECT envelope->'data'->'change' AS change FROM events.event WHERE topic = 'ContractDrift' ORDER BY tx, seq`,
    );
    expect(events.map(({ change }) => change)).toMatchObject([
      { from: 'UNCHANGED', to: 'CHANGED', changes: ['- detailsType.ort', '+ detailsType.stadt'] },
      { from: 'CHANGED', to: 'UNKNOWN', reason: expect.stringMatching(/status 404/) },
      { from: 'UNKNOWN', to: 'UNCHANGED' },
    ]);
  });
});
