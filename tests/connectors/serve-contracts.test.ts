import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type DevelopServer, serveForDevelopment } from '@weft/connectors/develop/server';
import { type ContractAddress, discover } from '@weft/connectors/discover/discover';
import { createLogger } from '@weft/core/logger';
import { openSecrets } from '@weft/core/secrets';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pets, repositories, type Stub, startStub, syncNotify, weather } from './contract-stubs.ts';

const CONTRACTS = join(import.meta.dirname, 'contracts');

let home: string;
const opened: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'weft-serve-'));
});

afterAll(async () => {
  for (const one of opened) await one.close();
  await rm(home, { recursive: true, force: true });
});

interface Served {
  readonly server: DevelopServer;
  readonly stub: Stub;
  readonly sdlFile: string;
  readonly generations: string[];
}

/** A contract drafted, served, and behind it a stub of its system. */
async function serve(
  name: string,
  answer: Parameters<typeof startStub>[0],
  options: {
    readonly reads?: readonly string[];
    readonly path?: string;
    readonly showsValues?: boolean;
    readonly out?: string;
  } = {},
): Promise<Served> {
  const stub = await startStub(answer);
  opened.push(stub);
  const contract: ContractAddress = {
    kind: name.endsWith('.wsdl') ? 'wsdl' : 'openapi',
    file: join(CONTRACTS, name),
  };
  const out = join(home, options.out ?? name.replace(/\W.*$/, '').toLowerCase());
  const found = await discover({ contract, out, reads: options.reads ?? [] });
  const env = Object.fromEntries(
    found.environment.map((one) => [one.name, `${stub.url}${options.path ?? ''}`]),
  );
  const generations: string[] = [];
  const server = await serveForDevelopment({
    folder: found.folder,
    host: '127.0.0.1',
    port: 0,
    env,
    secrets: openSecrets(
      undefined,
      Object.fromEntries(
        found.secrets.map((secret) => [`SECRET_${secret.toUpperCase().replaceAll('-', '_')}`, 'token-1']),
      ),
    ),
    showsValues: options.showsValues === true,
    vendorFiles: new Map(),
    onGeneration: ({ served, problem, issues }) =>
      generations.push(served === undefined ? `bad ${problem ?? issues[0]?.code}` : 'ok'),
    logger: createLogger('test', 'silent'),
  });
  opened.unshift(server);
  return { server, stub, sdlFile: join(found.folder, `${basename(found.folder)}.graphql`), generations };
}

async function ask(
  { server }: Served,
  query: string,
): Promise<{
  data?: Record<string, unknown>;
  errors?: { message: string; extensions: Record<string, unknown> }[];
}> {
  const answer = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return (await answer.json()) as ReturnType<typeof ask> extends Promise<infer Answer> ? Answer : never;
}

/** Events of the page's stream until `enough` says so. */
async function events(
  served: Served,
  enough: (seen: readonly { event: string; data: Record<string, unknown> }[]) => boolean,
) {
  const seen: { event: string; data: Record<string, unknown> }[] = [];
  const answer = await fetch(`${served.server.url}/events`, { signal: AbortSignal.timeout(10_000) });
  let text = '';
  for await (const chunk of answer.body ?? []) {
    text += Buffer.from(chunk).toString('utf8');
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(text.slice(0, end)) ?? [];
      text = text.slice(end + 2);
      if (event !== undefined && data !== undefined) seen.push({ event, data: JSON.parse(data) });
    }
    if (enough(seen)) break;
  }
  return seen;
}

describe('a public contract, drafted and served', () => {
  it('of WSDL answers lists of one and of many, and times in the zone of the source', async () => {
    const served = await serve('weather.wsdl', weather);
    const { data, errors } = await ask(
      served,
      '{ weatherInformation { weatherId description } cityForecastByZip(zip: "1 < 2") { city success forecastResult { date weatherId temperatures { morningLow } } } }',
    );
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      weatherInformation: [{ weatherId: 1, description: 'Thunder & Storms' }],
      cityForecastByZip: {
        city: 'Suzhou',
        success: true,
        forecastResult: [1, 2].map((day) => ({
          date: `2026-11-2${day}T00:00:00+08:00`,
          weatherId: day,
          temperatures: { morningLow: String(day) },
        })),
      },
    });
    expect(served.stub.requests.some(({ body }) => body.includes('1 &lt; 2'))).toBe(true);
  });

  it('of WSDL in three namespaces, RPC and encoded, gives plain values', async () => {
    const served = await serve('EVacSyncService_SPClient.wsdl', syncNotify, {
      reads: ['eOrderRelationUpdateNotify'],
      out: 'sync',
    });
    const { data, errors } = await ask(
      served,
      '{ eOrderRelationUpdateNotify(recordSequenceId: "s-1", userIdType: 2) { recordSequenceId } }',
    );
    expect(errors).toBeUndefined();
    expect(data).toEqual({ eOrderRelationUpdateNotify: { recordSequenceId: 's-1' } });
    const [{ body } = { body: '' }] = served.stub.requests;
    expect(body).toContain('xmlns:impl="http://spclient.evac.ericsson.com"');
    expect(body).toMatch(
      /<impl:eOrderRelationUpdateNotify><eOrderRelationUpdateNotifyRequest><RecordSequenceID>s-1</,
    );
  });

  it('of OpenAPI 3 answers lists of objects in objects, and entities by their key', async () => {
    const served = await serve('link-example.yaml', repositories);
    const { data, errors } = await ask(
      served,
      '{ user(username: "li") { uuid } repositoriesByOwner(username: "li") { slug owner { uuid } } pullRequestsByRepository(username: "li", slug: "weft", state: OPEN) { id title repository { slug owner { username } } } }',
    );
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      user: { uuid: 'u-1' },
      repositoriesByOwner: [{ slug: 'weft', owner: { uuid: 'u-1' } }],
      pullRequestsByRepository: [1, 2].map((id) => ({
        id,
        title: `change ${id}`,
        repository: { slug: 'weft', owner: { username: 'li' } },
      })),
    });
  });

  it('of Swagger 2 answers by key with the secret, enums by name, and unknown values with null', async () => {
    const served = await serve('petstore-2.0.yaml', pets, { path: '/v2' });
    const { data } = await ask(
      served,
      '{ pet(id: 7) { name status tags { name } } petsByStatus(status: "sold") { id status } }',
    );
    expect(data).toEqual({
      pet: { name: 'pet 7', status: 'SOLD', tags: [{ name: 't' }] },
      petsByStatus: [
        { id: '1', status: 'SOLD' },
        { id: '2', status: null },
      ],
    });
    expect(served.stub.requests.map(({ authorization }) => authorization)).toEqual([
      'Bearer token-1',
      'Bearer token-1',
    ]);
  });
});

describe("the developer's server", () => {
  it('tells every upstream call, with its keys counted and no value, and failures by their code', async () => {
    const served = await serve('petstore-2.0.yaml', pets, { path: '/v2', out: 'hidden' });
    await ask(served, '{ a: pet(id: 701) { name } b: pet(id: 404) { name } }');
    const seen = await events(served, (all) => all.filter(({ event }) => event === 'call').length >= 2);
    const calls = seen.filter(({ event }) => event === 'call').map(({ data }) => data);
    expect(calls).toContainEqual(
      expect.objectContaining({
        source: 'hidden',
        keys: 'id × 1',
        status: 200,
        bytes: expect.any(Number),
        ms: expect.any(Number),
      }),
    );
    expect(calls).toContainEqual(expect.objectContaining({ status: 404, code: 'UPSTREAM_INVALID' }));
    // Times have such digits now and then.
    expect(JSON.stringify(seen).replaceAll(/"(?:at|ms)":[^,]*/g, '')).not.toContain('701');
  });

  it('shows values when that was asked for', async () => {
    const served = await serve('petstore-2.0.yaml', pets, { path: '/v2', out: 'shown', showsValues: true });
    await ask(served, '{ pet(id: 701) { name } }');
    const seen = await events(served, (all) => all.some(({ event }) => event === 'call'));
    expect(seen.at(-1)?.data.values).toBe('{"id":["701"]}');
  });

  it('takes a change in; a bad one is told and leaves the last good one', async () => {
    const served = await serve('petstore-2.0.yaml', pets, { path: '/v2', out: 'changing' });
    const good = await readFile(served.sdlFile, 'utf8');
    await writeFile(
      served.sdlFile,
      good.replace('petsByTags', 'petsByTag').replace('how: FAN_OUT', 'how: NEVER'),
    );
    const bad = await events(served, (all) => all.some(({ data }) => data.isServed === false));
    expect(bad.at(-1)?.data).toMatchObject({
      isServed: false,
      issues: [expect.objectContaining({ code: 'BAD_VALUE', line: expect.any(Number) })],
    });
    expect((await ask(served, '{ petsByTags(tags: "a") { id } }')).errors?.[0]?.extensions.code).toBe(
      'UPSTREAM_INVALID',
    );
    await writeFile(served.sdlFile, good.replace('petsByTags', 'petsByTag'));
    await events(served, (all) =>
      all.some(({ data }) => data.isServed === true && (data.number as number) > 2),
    );
    expect((await ask(served, '{ __type(name: "Query") { fields { name } } }')).data).toMatchObject({
      __type: { fields: expect.arrayContaining([{ name: 'petsByTag' }]) },
    });
    expect(served.generations).toEqual(['ok', 'bad BAD_VALUE', 'ok']);
  });

  it('says that a setting is missing, and answers with it', async () => {
    const folder = join(home, 'unset');
    await discover({ contract: { kind: 'openapi', file: join(CONTRACTS, 'uspto.yaml') }, out: folder });
    const told: (string | undefined)[] = [];
    const server = await serveForDevelopment({
      folder,
      host: '127.0.0.1',
      port: 0,
      env: {},
      secrets: openSecrets(undefined, {}),
      showsValues: false,
      vendorFiles: new Map(),
      onGeneration: ({ problem }) => told.push(problem),
      logger: createLogger('test', 'silent'),
    });
    opened.unshift(server);
    expect(told).toEqual([expect.stringContaining('$env.UNSET_URL')]);
    const answer = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"query":"{ a }"}',
    });
    expect([answer.status, JSON.stringify(await answer.json())]).toEqual([
      503,
      expect.stringContaining('UNSET_URL'),
    ]);
  });

  it('serves its own page without anything from elsewhere, and to this machine only', async () => {
    const served = await serve('weather.wsdl', weather, { out: 'page' });
    const page = await fetch(`${served.server.url}/`);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await page.text()).not.toMatch(/https?:\/\//);
    expect((await fetch(`${served.server.url}/page.js`)).status).toBe(200);
    const { port } = new URL(served.server.url);
    const raw = await new Promise<string>((resolve) => {
      const socket = connect(Number(port), '127.0.0.1', () =>
        socket.write('GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n'),
      );
      socket.once('data', (chunk) => resolve(chunk.toString()));
    });
    expect(raw).toMatch(/^HTTP\/1.1 403/);
  });
});
