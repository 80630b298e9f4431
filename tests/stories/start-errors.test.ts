import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { freePort, processesIn } from '@weft/core/process-table';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHome, ROOT, removeHome, startHub } from '../support/hub.ts';

interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a `weft` command to its end. */
function weft(argv: readonly string[], env: Readonly<Record<string, string>>): Promise<Outcome> {
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(WEFT_|VITEST|DATABASE_URL|PORT$)/.test(name)),
  );
  const child = spawn(process.execPath, ['cli/main.ts', ...argv], {
    cwd: ROOT,
    env: { ...inherited, ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const force = setTimeout(() => child.kill('SIGKILL'), 60_000);
  return new Promise((resolve) =>
    child.once('exit', (code) => {
      clearTimeout(force);
      resolve({ code, output });
    }),
  );
}

const lastLine = (output: string) => output.trim().split('\n').at(-1);

describe('weft up, when it cannot start', () => {
  let home: string;
  beforeEach(() => {
    home = createHome();
  });
  afterEach(() => removeHome(home));

  it('says in one line that the port is in use and how to mend it, and leaves no process', async () => {
    const holder = createServer();
    const port = await new Promise<number>((resolve) =>
      holder.listen(0, '127.0.0.1', () => resolve((holder.address() as { port: number }).port)),
    );
    const { code, output } = await weft(['up'], { PORT: String(port), WEFT_HOME: home });
    holder.close();
    expect(code).toBe(2);
    expect(lastLine(output)).toBe(
      `weft: port ${port} is in use: stop what listens there, or set PORT to another one`,
    );
    expect(processesIn(join(home, 'postgres', 'data'))).toEqual([]);
  });

  it.each([
    [
      'postgresql://nobody@127.0.0.1:1/none',
      /DATABASE_URL postgresql:\/\/nobody@127\.0\.0\.1:1\/none cannot be used: .*ECONNREFUSED.* unset it/,
    ],
    [
      'postgresql://postgres@127.0.0.1:5432',
      /DATABASE_URL: expected postgresql:\/\/user:password@host:port\/database/,
    ],
    [
      'mysql://root@127.0.0.1/test',
      /DATABASE_URL: expected postgresql:\/\/user:password@host:port\/database/,
    ],
  ])('names a wrong DATABASE_URL: %s', async (url, line) => {
    const { code, output } = await weft(['up'], {
      PORT: String(await freePort()),
      WEFT_HOME: home,
      DATABASE_URL: url,
    });
    expect(code).toBe(2);
    expect(lastLine(output)).toMatch(line);
  });

  it('names a folder that it cannot write to', async () => {
    const file = join(home, 'a-file');
    writeFileSync(file, '');
    const { code, output } = await weft(['up'], {
      PORT: String(await freePort()),
      WEFT_HOME: join(file, 'below'),
    });
    expect(code).not.toBe(0);
    expect(lastLine(output)).toMatch(
      /^weft: cannot write .*a-file\/below: give yourself write permission on it, or set WEFT_HOME$/,
    );
  });

  it('names every wrong and unknown setting at once', async () => {
    const { code, output } = await weft(['up'], { PORT: 'x', WEFT_PROT: '1', WEFT_HOME: home });
    expect(code).toBe(2);
    expect(lastLine(output)).toMatch(
      /WEFT_PROT is not a setting of weft: remove it; PORT: expected a port number/,
    );
  });

  it('refuses a second hub in the same home, and leaves the first one alone', async () => {
    const hub = await startHub({ home });
    const { code, output } = await weft(['up'], { PORT: String(await freePort()), WEFT_HOME: home });
    expect(code).not.toBe(0);
    expect(lastLine(output)).toMatch(
      /^weft: the hub runs already \(process \d+\): stop it first, or set WEFT_HOME and PORT/,
    );
    expect(await hub.query('{ __typename }')).toEqual({ data: { __typename: 'Query' } });
    expect(await hub.stop()).toBe(0);
  });

  it('lets one of two hubs in that are started in the same home at the same moment, and that one lives on', async () => {
    const [first, second] = await Promise.allSettled([startHub({ home }), startHub({ home })]);
    const outcomes = [first, second];
    const started = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    const refused = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [String(outcome.reason)] : [],
    );
    expect(started).toHaveLength(1);
    expect(refused[0]).toContain('the hub runs already');
    expect(await started[0]?.query('{ __typename }')).toEqual({ data: { __typename: 'Query' } });
    expect(await started[0]?.stop()).toBe(0);
  });

  it('refuses a command that does not exist', async () => {
    expect(await weft(['fly'], {})).toEqual({
      code: 2,
      output: "weft: there is no command 'fly': 'weft help' lists them\n",
    });
  });
});

describe('weft connect check', () => {
  it('accepts the wrapped systems', async () => {
    for (const system of [
      'hotline',
      'grid',
      'police',
      'urban-management',
      'human-resources',
      'market-supervision',
    ]) {
      expect(await weft(['connect', 'check', '--alone', `subgraphs/${system}`], {})).toEqual({
        code: 0,
        output: `subgraphs/${system}: ok\n`,
      });
    }
  });

  it('says that a folder is not there', async () => {
    const { code, output } = await weft(['connect', 'check', 'subgraphs/nope'], {});
    expect(code).toBe(1);
    expect(output).toMatch(/subgraphs\/nope:1:1 error NO_SDL there is no such folder/);
  });

  it('names file, line and code of an error, as text and as JSON, and exits with 1', async () => {
    const home = createHome();
    mkdirSync(join(home, 'broken'));
    writeFileSync(
      join(home, 'broken', 'broken.graphql'),
      'extend schema\n  @link(url: "https://specs.weft.dev/hub/v0.1", import: ["@source", "@connect"])\n  @source(name: "a", rest: { baseUrl: "http://127.0.0.1" })\ntype Query {\n  x: String @connect(source: "b", http: { GET: "/x" }, select: "$")\n}\n',
    );
    const text = await weft(['connect', 'check', join(home, 'broken')], {});
    expect(text.code).toBe(1);
    expect(text.output).toMatch(/broken\.graphql:5:\d+ error UNKNOWN_SOURCE /);
    const json = await weft(['connect', 'check', join(home, 'broken'), '--json'], {});
    expect(JSON.parse(json.output)).toMatchObject({
      ok: false,
      issues: [
        {
          code: 'UNKNOWN_SOURCE',
          line: 5,
          column: 30,
          endLine: 5,
          endColumn: 33,
          severity: 'error',
          problem: "there is no source 'b'",
          mend: 'the folder has a',
        },
      ],
    });
    removeHome(home);
  });
});

describe('weft compose', () => {
  it('finds the committed supergraph up to date', async () => {
    const { code, output } = await weft(['compose', '--check'], {});
    expect(output).toContain('schema/supergraph.graphql is up to date');
    expect(code).toBe(0);
  });
});
