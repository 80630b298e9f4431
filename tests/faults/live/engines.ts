// Servers of their own under each engine of the log, which can be killed and started again in the same place.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type EmbeddedPostgres, startPostgres } from '@weft/core/embedded-postgres';
import { migrateAll } from '@weft/core/migrate';
import { freePort } from '@weft/core/process-table';
import { BARE_ENVIRONMENT } from '../../support/environment.ts';
import { waitFor } from '../../support/wait.ts';

const ROOT = resolve(import.meta.dirname, '..', '..', '..');
const MIGRATIONS = join(ROOT, 'events/prisma/migrations');
const READY_MS_MAX = 30_000;
const RELAY_RESTART_MS = 200;

/** `postgres` is the outbox table itself. */
export type EngineName = 'postgres' | 'redis' | 'nats';

export interface LiveEngine {
  readonly databaseUrl: string;
  /** Settings of whoever reads the log. */
  readonly env: Readonly<Record<string, string>>;
  /** kill -9 of the engine, and of the relay that feeds it, and both started again. */
  restart(): Promise<void>;
  /** A signal to the engine that is no database, SIGSTOP and SIGCONT for instance. */
  signalEngine(name: NodeJS.Signals): void;
  /** The same to the relay. */
  signalRelay(name: NodeJS.Signals): void;
  close(): Promise<void>;
}

interface Server {
  readonly url: string;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

interface SignalledServer extends Server {
  signal(name: NodeJS.Signals): void;
}

/** Undefined, with the reason printed, where this machine lacks the server. */
export async function startEngine(name: EngineName): Promise<LiveEngine | undefined> {
  const folder = mkdtempSync(join(tmpdir(), `weft-live-${name}-`));
  const postgres = await startOutbox(join(folder, 'postgres'));
  const stopAll = async (...servers: readonly { stop(): Promise<void> }[]) => {
    for (const server of servers) await server.stop();
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  if (name === 'postgres') {
    const env = { DATABASE_URL: postgres.url };
    const nothing = () => undefined;
    const { url: databaseUrl, restart } = postgres;
    return { databaseUrl, env, restart, signalEngine: nothing, signalRelay: nothing, close: () => stopAll() };
  }
  const server = await startServer(name, join(folder, name));
  if (server === undefined) {
    await stopAll();
    return undefined;
  }
  const env = { DATABASE_URL: postgres.url, EVENT_LOG: server.url };
  const relay = startRelay(env);
  return {
    databaseUrl: postgres.url,
    env,
    async restart() {
      relay.kill();
      await server.restart();
    },
    signalEngine: server.signal,
    signalRelay: relay.signal,
    close: () => stopAll(relay, server),
  };
}

async function startOutbox(directory: string): Promise<Server> {
  const port = await freePort();
  let postgres: EmbeddedPostgres = await startPostgres({ directory, port });
  const { url } = postgres;
  await migrateAll(url, [{ schema: 'events', directory: MIGRATIONS }]);
  return {
    url,
    async restart() {
      process.kill(postgres.pid, 'SIGKILL');
      await waitFor('PostgreSQL to be gone', () => !postgres.isRunning(), READY_MS_MAX);
      postgres = await startPostgres({ directory, port });
    },
    stop: () => postgres.stop(),
  };
}

async function startServer(name: 'redis' | 'nats', folder: string): Promise<SignalledServer | undefined> {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const [program, ...args] =
    name === 'redis'
      ? [
          'redis-server',
          '--port',
          `${port}`,
          '--dir',
          folder,
          '--appendonly',
          'yes',
          '--appendfsync',
          'everysec',
          '--save',
          '',
        ]
      : ['nats-server', '--port', `${port}`, '--addr', '127.0.0.1', '--jetstream', '--store_dir', folder];
  const start = async () => {
    const child = spawn(program ?? '', args, { stdio: 'ignore' });
    await Promise.race([
      once(child, 'spawn'),
      once(child, 'error').then(([thrown]) => Promise.reject(thrown)),
    ]);
    await waitFor(`${program} to listen`, () => listens(port), READY_MS_MAX);
    return child;
  };
  let child: ChildProcess;
  try {
    child = await start();
  } catch (thrown) {
    console.warn(`SKIPPED: ${name}: ${program} cannot be started here: ${(thrown as Error).message}`);
    return undefined;
  }
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  };
  return {
    url: `${name}://127.0.0.1:${port}`,
    async restart() {
      await end('SIGKILL');
      child = await start();
    },
    signal: (name) => void child.kill(name),
    stop: () => end('SIGKILL'),
  };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

export interface RunningRelay {
  kill(): void;
  signal(name: NodeJS.Signals): void;
  stop(): Promise<void>;
}

/** The relay as it is supervised: started again whenever it has fallen. */
export function startRelay(env: Readonly<Record<string, string>>): RunningRelay {
  let isStopped = false;
  let child: ChildProcess;
  let ended: Promise<unknown> = Promise.resolve();
  const start = () => {
    child = spawn(process.execPath, ['events/main.ts'], {
      cwd: ROOT,
      env: { ...BARE_ENVIRONMENT, WEFT_LOG_LEVEL: 'error', ...env },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    ended = once(child, 'exit').then(() => {
      if (!isStopped) setTimeout(start, RELAY_RESTART_MS);
    });
  };
  start();
  return {
    kill: () => void child.kill('SIGKILL'),
    signal: (name) => void child.kill(name),
    async stop() {
      isStopped = true;
      child.kill('SIGKILL');
      await ended;
    },
  };
}
