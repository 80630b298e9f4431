// A whole hub for a test: started as a user starts it, in a home of its own, reached only through its sockets.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort, isAlive } from '@weft/core/process-table';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { waitFor } from './wait.ts';

export const ROOT = resolve(import.meta.dirname, '..', '..');
/** The database, its migrations and nine processes, beside other hubs that start at the same time. */
const READY_MS_MAX = 110_000;
const STOP_MS_MAX = 30_000;

export interface GraphQLAnswer<Data> {
  readonly data?: Data | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions?: Readonly<Record<string, unknown>>;
  }[];
}

export interface Hub {
  readonly home: string;
  /** Name to URL, as `weft up` wrote them down. */
  readonly urls: Readonly<Record<string, string>>;
  /** All that was printed. */
  output(): string;
  query<Data>(query: string, variables?: Readonly<Record<string, unknown>>): Promise<GraphQLAnswer<Data>>;
  /** Begins a subscription over the socket; the iterator ends with `return()`. */
  subscribe<Data>(
    query: string,
    variables?: Readonly<Record<string, unknown>>,
  ): AsyncIterableIterator<GraphQLAnswer<Data>>;
  /** Process id of one part: gateway, subgraphs, connectors, city, hotline, grid, police. */
  pid(part: string): number;
  /** Ctrl-C, once; resolves with the exit code when everything has gone. */
  stop(): Promise<number | null>;
  /** kill -9 of the supervisor, of every part, and of the embedded PostgreSQL. */
  killEverything(): Promise<void>;
}

export interface HubOptions {
  /** Keep using the home of an earlier hub. */
  readonly home?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export function createHome(): string {
  return mkdtempSync(join(tmpdir(), 'weft-hub-'));
}

export function removeHome(home: string): void {
  rmSync(home, { recursive: true, force: true });
}

/** Starts `weft up` and waits until it prints that it is ready. */
export async function startHub(options: HubOptions = {}): Promise<Hub> {
  const home = options.home ?? createHome();
  const supervisor = spawn(process.execPath, ['cli/main.ts', 'up'], {
    cwd: ROOT,
    env: {
      ...cleanEnvironment(),
      PORT: String(await freePort()),
      WEFT_HOME: home,
      DEMO_RATE: '0',
      // The hub ends with the process that started it: a test that is cut off leaves nothing behind.
      npm_lifecycle_event: 'test',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [supervisor.stdout, supervisor.stderr])
    stream.on('data', (chunk) => (output += String(chunk)));
  const ended = new Promise<never>((_resolve, reject) => {
    supervisor.once('exit', (code) => reject(new Error(`weft up ended with ${code}`)));
  });
  const ready = waitFor('the hub to be ready', () => output.includes('weft: ready'), READY_MS_MAX);
  ready.catch(() => undefined);
  await Promise.race([ready, ended]).catch((thrown: Error) => {
    supervisor.kill('SIGKILL');
    throw new Error(`${thrown.message}\n${output}`);
  });
  // From here on its end is what the test asks for.
  ended.catch(() => undefined);
  return openHub(home, supervisor, () => output);
}

/** What the test runner sets must not leak into the hub. */
function cleanEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined || /^(VITEST|WEFT_|NODE_ENV|TEST|DATABASE_URL|npm_)/.test(name)
        ? []
        : [[name, value]],
    ),
  );
}

function openHub(home: string, supervisor: ChildProcess, output: () => string): Hub {
  const run = () =>
    JSON.parse(readFileSync(join(home, 'run.json'), 'utf8')) as {
      pids: Record<string, number>;
      urls: Record<string, string>;
    };
  const { urls } = run();
  const client = createClient({ url: urls.ws ?? '', webSocketImpl: WebSocket, lazy: true, retryAttempts: 0 });
  const ended = new Promise<number | null>((resolveExit) =>
    supervisor.once('exit', (code) => resolveExit(code)),
  );
  return {
    home,
    urls,
    output,
    async query<Data>(query: string, variables: Readonly<Record<string, unknown>> = {}) {
      const response = await fetch(urls.graphql ?? '', {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
        body: JSON.stringify({ query, variables }),
      });
      return (await response.json()) as GraphQLAnswer<Data>;
    },
    subscribe<Data>(query: string, variables: Readonly<Record<string, unknown>> = {}) {
      return client.iterate({ query, variables }) as AsyncIterableIterator<GraphQLAnswer<Data>>;
    },
    pid(part) {
      const pid = run().pids[part];
      if (pid === undefined) throw new Error(`no part is called ${part}`);
      return pid;
    },
    async stop() {
      await client.dispose();
      if (supervisor.exitCode === null && supervisor.signalCode === null) supervisor.kill('SIGINT');
      const force = setTimeout(() => supervisor.kill('SIGKILL'), STOP_MS_MAX);
      const code = await ended;
      clearTimeout(force);
      return code;
    },
    async killEverything() {
      const pids = [supervisor.pid ?? 0, ...Object.values(run().pids), ...postgresPid(home)];
      for (const pid of pids) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
      await ended;
    },
  };
}

/** The embedded PostgreSQL writes its process id into the first line of its lock file. */
export function postgresPid(home: string): readonly number[] {
  const file = join(home, 'postgres', 'data', 'postmaster.pid');
  return existsSync(file) ? [Number(readFileSync(file, 'utf8').split('\n')[0])] : [];
}
