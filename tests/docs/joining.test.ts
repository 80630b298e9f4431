// docs/joining.md as it stands: its programs are written down and started, its commands typed, its documents sent, at a running hub.
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@weft/core/process-table';
import { createRequestSigner } from '@weft/core/signatures/sign';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHome, type GraphQLAnswer, type Hub, ROOT, removeHome, startHub } from '../support/hub.ts';
import { waitFor } from '../support/wait.ts';
import { readPage } from './page.ts';

const page = readPage('docs/joining.md');
const HAS_PYTHON = spawnSync('python3', ['--version']).status === 0;
if (!HAS_PYTHON) console.warn('SKIPPED: the program in Python is not run: there is no python3');
const PROGRAM_MS_MAX = 60_000;
const VISIBLE_MS_MAX = 60_000;
/** Gateways report what is used every 10 s. */
const USED_MS_MAX = 60_000;

interface Ran {
  readonly code: number;
  readonly output: string;
}

describe('docs/joining.md', () => {
  const home = createHome();
  const beside = mkdtempSync(join(tmpdir(), 'weft-joining-'));
  const typed = new Set<string>();
  const sent = new Set<string>();
  let hub: Hub;
  let token = '';
  let ports: { readonly air: number; readonly serve: number };
  let program: ChildProcess | undefined;

  /** As it stands on the page, at the addresses and in the folders of this hub. */
  function here(text: string): string {
    return text
      .replaceAll('$(cd .. && pwd)', beside)
      .replaceAll('../air', join(beside, 'air'))
      .replaceAll('../noise-site', join(beside, 'noise-site'))
      .replaceAll('./.weft/', `${home}/`)
      .replaceAll('127.0.0.1:4801', `127.0.0.1:${ports.air}`)
      .replaceAll('4801', String(ports.air))
      .replaceAll('127.0.0.1:4600', `127.0.0.1:${ports.serve}`)
      .replaceAll('http://127.0.0.1:4000', new URL(hub?.urls.graphql ?? 'http://none').origin)
      .replaceAll('npm run -s weft --', `${process.execPath} cli/main.ts`)
      .replace(/^node /, `${process.execPath} `);
  }

  const environment = () => ({ ...process.env, WEFT_HOME: home, TOKEN: token });

  /** Types a command of the page. @param more what is typed behind it */
  function type(begin: string, more = ''): Promise<Ran> {
    const command = page.command(begin);
    typed.add(command);
    return new Promise((resolve) => {
      const options = { cwd: ROOT, env: environment(), timeout: PROGRAM_MS_MAX };
      execFile('bash', ['-c', here(command) + more], options, (error, stdout, stderr) =>
        resolve({ code: Number(error?.code ?? 0), output: stdout + stderr }),
      );
    });
  }

  /** Starts what runs on, in the place of what ran before, and waits for what it prints. */
  async function start(begin: string, name: string, until: string, more = ''): Promise<string> {
    await end();
    const command = page.command(begin);
    typed.add(command);
    const line = here(command).replace(name, `exec ${name === 'node' ? process.execPath : name}`) + more;
    const child = spawn('bash', ['-c', line], {
      cwd: ROOT,
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    program = child;
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => (output += String(chunk)));
    await waitFor(
      `${line} to be ready`,
      () => {
        if (child.exitCode !== null) throw new Error(output);
        // A line may come in two pieces.
        return output.includes(until) && output.endsWith('\n');
      },
      PROGRAM_MS_MAX,
    );
    return output;
  }

  async function end(): Promise<void> {
    if (program === undefined || program.exitCode !== null || program.signalCode !== null) return;
    const ended = new Promise((resolve) => program?.once('exit', resolve));
    program.kill('SIGKILL');
    await ended;
  }

  async function ask<Data>(query: string, variables = {}): Promise<GraphQLAnswer<Data>> {
    const response = await fetch(hub.urls.graphql ?? '', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query, variables }),
    });
    return (await response.json()) as GraphQLAnswer<Data>;
  }

  function send<Data>(name: string, variables = {}): Promise<GraphQLAnswer<Data>> {
    sent.add(name);
    return ask(here(page.document(name)), variables);
  }

  /** Waits until the graph answers without an error. */
  function untilAnswered(name: string): Promise<unknown> {
    const attempt = async () => {
      const { data, errors } = await send(name);
      if (errors !== undefined) throw new Error(JSON.stringify(errors));
      return data ?? undefined;
    };
    return waitFor(`an answer to ${name}`, attempt, VISIBLE_MS_MAX);
  }

  const readKey = () => JSON.parse(readFileSync(join(beside, 'air', 'air-key.json'), 'utf8'));

  /** Sends one request, signed as a gateway does, twice. @param change what somebody made of it on its way */
  async function sendSigned(change: { body?: string; headers?: Record<string, string>; ageS?: number }) {
    const authority = `127.0.0.1:${ports.air}`;
    const contentType = 'application/json';
    const place = { method: 'POST', authority, target: '/graphql', contentType };
    const now = () => Date.now() - (change.ageS ?? 0) * 1_000;
    const body = '{"query":"{ _service { sdl } }"}';
    const pairs = createRequestSigner({ key: readKey(), ...place, now }).sign(body, 'e30=');
    const signed = Object.fromEntries(
      pairs.flatMap((name, at) => (at % 2 === 0 ? [[name, pairs[at + 1] ?? '']] : [])),
    );
    const statuses: number[] = [];
    for (const _ of ['once', 'again']) {
      const headers = { 'content-type': contentType, ...signed, ...change.headers };
      const init = { method: 'POST', headers, body: change.body ?? body };
      const response = await fetch(`http://${authority}/graphql`, init);
      statuses.push(response.status);
      await response.text();
    }
    return statuses;
  }

  async function expectToVerify(): Promise<void> {
    const plain = { method: 'POST', headers: { 'content-type': 'application/json' } };
    const unsigned = await fetch(`http://127.0.0.1:${ports.air}/graphql`, {
      ...plain,
      body: '{"query":"{ __typename }"}',
    });
    expect(unsigned.status).toBe(401);
    await unsigned.text();
    expect(await sendSigned({})).toEqual([200, 401]);
    expect(await sendSigned({ body: '{"query":"{ airStations { id } }"}' })).toEqual([401, 401]);
    expect(await sendSigned({ headers: { 'weft-principal': 'e31=' } })).toEqual([401, 401]);
    expect(await sendSigned({ headers: { signature: 'weft=:AAAA:' } })).toEqual([401, 401]);
    expect(await sendSigned({ ageS: 120 })).toEqual([401, 401]);
    expect(await sendSigned({ ageS: -120 })).toEqual([401, 401]);
  }

  /** What both programs are asked beside the page's own document. */
  const DOCUMENTS = [
    `query ($some: Boolean!, $first: Int = 1) {
      first: airStations(first: $first) { ...Told pm25 pm25 }
      all: airStations { id @skip(if: $some) ... @include(if: $some) { name division { code name airStations { __typename id } } } }
      none: airStations(first: null) { id }
      division(code: "320506") { airStations { ...Told } }
      nowhere: division(code: "320507") { airStations { id } }
    } fragment Told on AirStation { __typename station: id }`,
    '{ airStations(first: 0) { id } more: airStations(first: 1000) { id division { fullName level } } }',
  ];
  const answers = () => Promise.all(DOCUMENTS.map((query) => ask(query, { some: true })));

  beforeAll(async () => {
    ports = { air: await freePort(), serve: await freePort() };
    mkdirSync(join(beside, 'air'));
    for (const path of page.files) writeFileSync(here(path), here(page.file(path)));
    symlinkSync(join(ROOT, 'subgraphs', 'node_modules'), join(beside, 'air', 'node_modules'));
    const begin = page.command('WEFT_REGISTRY_ALLOWED_HOSTS=');
    typed.add(begin);
    const allowed = /^WEFT_REGISTRY_ALLOWED_HOSTS=(\S+) npm start$/.exec(begin)?.[1] ?? '';
    const env = { WEFT_REGISTRY_ALLOWED_HOSTS: here(allowed) };
    await (await startHub({ home, env })).stop();
    expect(await type('node ../air/give-key.mjs')).toEqual({ code: 0, output: '' });
    hub = await startHub({ home, env });
    const command = page.command('TOKEN=$(');
    typed.add(command);
    token = (await type('TOKEN=$(', ' && echo "$TOKEN"')).output.trim();
  }, 300_000);
  afterAll(async () => {
    await end();
    await hub?.stop();
    removeHome(home);
    rmSync(beside, { recursive: true, force: true });
  }, 60_000);

  it('names the packages that its program runs on here', () => {
    const command = page.command('npm install --prefix ../air');
    typed.add(command);
    const installed = (name: string) =>
      JSON.parse(readFileSync(join(beside, 'air', 'node_modules', name, 'package.json'), 'utf8')).version;
    const names = ['@apollo/subgraph', 'graphql'];
    expect(command.split(' ').slice(4)).toEqual(names.map((name) => `${name}@${installed(name)}`));
  });

  it('has a system in Node that answers its gateway alone', async () => {
    const told = await start('cd ../air && AIR_KEY_FILE=air-key.json node', 'node', '/graphql');
    expect(told).toBe(`air: http://127.0.0.1:${ports.air}/graphql, for the gateway alone\n`);
    await expectToVerify();
  }, 120_000);

  it('has it checked, published, seen and told to live', async () => {
    const checked = await type('npm run -s weft -- check air --url');
    expect(checked).toMatchObject({ code: 0, output: expect.stringContaining('air: PASS') });
    const published = await type(
      'npm run -s weft -- publish air --url http://127.0.0.1:4801/graphql --sdl ../air/air.graphql',
    );
    expect(published.output).toMatch(/^publication 2 has air in version 1 \(sha256:[0-9a-f]{64}\)$/m);
    expect(await untilAnswered('Air')).toEqual({
      airStations: [
        { name: '南门', pm25: 31, division: { fullName: '江苏省苏州市姑苏区' } },
        { name: '上方山', pm25: 18.5, division: { fullName: '江苏省苏州市吴中区' } },
      ],
      division: { fullName: '江苏省苏州市姑苏区', airStations: [{ name: '南门' }] },
    });
    expect((await type('npm run -s weft -- systems')).output).toMatch(
      /^air +UNKNOWN +空气质量监测 {2}version 1, environment/m,
    );
    expect(JSON.parse((await type('curl -s http://127.0.0.1:4000/registry/heartbeat')).output)).toMatchObject(
      {
        state: 'ACTIVE',
        instance: 'air-1',
      },
    );
    expect((await type('npm run -s weft -- systems')).output).toMatch(/^air +UP .*lease ACTIVE/m);
  }, 300_000);

  it.runIf(HAS_PYTHON)(
    'has the same system in Python, which answers alike and its gateway alone',
    async () => {
      const before = await answers();
      expect(before.map(({ errors }) => errors)).toEqual([undefined, undefined]);
      const told = await start('cd ../air && AIR_KEY_FILE=air-key.json python3', 'python3', '/graphql');
      expect(told).toBe(`air: http://127.0.0.1:${ports.air}/graphql, for the gateway alone\n`);
      await expectToVerify();
      // While nobody was there the gateway may have left it alone.
      await untilAnswered('Air');
      expect(await answers()).toEqual(before);
    },
    120_000,
  );

  it('has a version pushed by the build, and published by a person', async () => {
    const sdl = `${readFileSync(join(beside, 'air', 'air.graphql'), 'utf8')}\nextend type AirStation { height: Float }`;
    const pushed = await send<{ pushVersion: { id: string; number: number } }>('Push', { sdl });
    expect(pushed).toMatchObject({ data: { pushVersion: { number: 2 } } });
    const version = pushed.data?.pushVersion.id;
    expect(await send('Publish', { version })).toMatchObject({
      data: { publishVersions: { changed: true, publication: { number: 3 } } },
    });
  }, 60_000);

  it('is rolled back by one command', async () => {
    const { code, output } = await type('npm run -s weft -- rollback');
    expect({ code, output }).toEqual({
      code: 0,
      output: 'publication 4 is publication 2 again\n  air: version 2 -> version 1\n',
    });
  }, 60_000);

  it('is refused as the page says: an SDL that is wrong, and a field of another department', async () => {
    expect((await type("sed 's/pm25")).code).toBe(0);
    const misspelt = await type('npm run -s weft -- check air --sdl ../air/misspelt.graphql');
    expect(misspelt).toMatchObject({ code: 1, output: expect.stringContaining('Unknown type') });
    expect(misspelt.output).toContain('air: FAIL (COMPOSITION_FAILED)');
    expect((await type("sed -e 's/")).code).toBe(0);
    const taken = await type(
      'npm run -s weft -- publish air --url http://127.0.0.1:4801/graphql --sdl ../air/taken.graphql',
    );
    expect(taken).toMatchObject({
      code: 1,
      output: expect.stringContaining('NOT_OWNER: Division.name belongs to directory'),
    });
  }, 120_000);

  it('is refused an address that is not allowed, in the words of the page', async () => {
    const command = page.command(
      'npm run -s weft -- publish air --url http://127.0.0.1:4801/graphql --sdl ../air/air.graphql',
    );
    const elsewhere = here(command).replace(`:${ports.air}/`, ':9/');
    const refused = await new Promise<string>((resolve) =>
      execFile('bash', ['-c', elsewhere], { cwd: ROOT, env: environment() }, (_error, stdout, stderr) =>
        resolve(stdout + stderr),
      ),
    );
    const words = /`(INVALID_URL: [^`]+)`/.exec(readFileSync(join(ROOT, 'docs/joining.md'), 'utf8'))?.[1];
    expect(refused).toBe(`weft: ${words}\n`);
  }, 60_000);

  it('names the operation and the client that a version would break', async () => {
    const shown = JSON.parse((await type('curl -s http://127.0.0.1:4000/graphql')).output);
    expect(shown.errors).toBeUndefined();
    expect((await type('grep -v')).code).toBe(0);
    const usage = `{ usage(coordinate: "AirStation.pm25") { clientName clientVersion } }`;
    await waitFor(
      'the use to be reported',
      async () => JSON.stringify(await ask(usage)).includes('city-screen'),
      USED_MS_MAX,
    );
    const checked = await type('npm run -s weft -- check air --sdl ../air/without.graphql');
    expect(checked.output).toMatch(/^breaks Screen of city-screen 1\.4\.0, last run 20\S+Z?: /m);
    expect(checked).toMatchObject({ code: 1, output: expect.stringContaining('air: FAIL (CHECK_FAILED)') });
  }, 180_000);

  it('is held, let go, and leaves', async () => {
    expect(await send('Hold')).toEqual({
      data: { quarantineSystem: { quarantine: { mode: 'FREEZE', reason: '读数核查中' } } },
    });
    expect(await send('LetGo')).toEqual({ data: { releaseSystem: { quarantine: null } } });
    expect(await send('Leave')).toMatchObject({ data: { removeSystem: { changed: true } } });
    await waitFor(
      'the fields to be gone',
      async () => (await ask('{ airStations { id } }')).data === undefined,
      VISIBLE_MS_MAX,
    );
  }, 120_000);

  it('drafts, edits, serves and publishes a system that is wrapped', async () => {
    expect(await type('mkdir -p')).toEqual({ code: 0, output: '' });
    expect((await type('npm run -s weft -- connect discover')).output).toContain('weft connect check: ok');
    expect(await type('sed -i.draft')).toEqual({ code: 0, output: '' });
    expect(await type('echo')).toEqual({ code: 0, output: '' });
    expect((await type('npm run -s weft -- connect check')).output).toMatch(/: ok\n$/);
    await start('NOISE_DSN=', process.execPath, 'Ctrl-C ends', ` --port ${ports.serve}`);
    expect((await type('npm run -s weft -- publish noise')).output).toMatch(
      /publication \d+ has noise in version 1 /,
    );
    expect(await untilAnswered('Noise')).toEqual({
      noiseSiteList: [
        { siteName: '路南社区', dayDb: 58.2, division: { fullName: expect.stringContaining('姑苏区') } },
        { siteName: '观前街', dayDb: 66.5, division: { fullName: expect.stringContaining('姑苏区') } },
      ],
    });
  }, 240_000);

  it('has no command and no document that was not run', () => {
    const passedOver = HAS_PYTHON ? [] : page.commands.filter((command) => command.includes('python3'));
    expect(page.commands.filter((command) => !typed.has(command))).toEqual(passedOver);
    expect(page.documents.filter((name) => !sent.has(name))).toEqual([]);
  });
});
