// Servers that carry the event log, started for a test on a port and in a folder of their own.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectNats } from '@nats-io/transport-node';
import { createClient } from '@redis/client';
import { freePort } from '@weft/core/process-table';
import { waitFor } from './wait.ts';

export interface EventServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly directory: string;
  /** SIGKILL, SIGSTOP and the like; resolves when a killed one is gone. */
  signal(name: NodeJS.Signals): Promise<void>;
  /** On the same port and folder, after it was killed. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Undefined when the program is installed, else why tests with it are skipped, which is told loudly too. */
export function whyNoProgram(program: 'redis-server' | 'nats-server'): string | undefined {
  if (spawnSync(program, ['--version']).error === undefined) return undefined;
  const reason = `${program} is not installed here`;
  console.warn(`SKIPPED: ${reason}`);
  return reason;
}

/** With an append-only file, so that a killed one has everything that it acknowledged a second ago. */
export function startRedis(...options: readonly string[]): Promise<EventServer> {
  return startServer(
    'redis',
    (port, directory) => [
      'redis-server',
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', ''],
      ...['--appendonly', 'yes', '--appendfsync', 'everysec', '--loglevel', 'warning', ...options],
    ],
    async (url) => {
      await askRedis(url, 'PING');
    },
  );
}

/** @param configuration further lines of its configuration file */
export function startNats(...options: readonly string[]): Promise<EventServer> {
  return startServer(
    'nats',
    (port, directory) => [
      'nats-server',
      ...['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', directory, ...options],
    ],
    async (url) => {
      const connection = await connectNats({ servers: url, reconnect: false, timeout: 1_000 });
      await connection.close();
    },
  );
}

/** One command on a connection of its own. */
export async function askRedis(url: string, ...command: string[]): Promise<unknown> {
  const client = createClient({ url, RESP: 2, socket: { reconnectStrategy: false, connectTimeout: 2_000 } });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await client.sendCommand(command);
  } finally {
    client.destroy();
  }
}

async function startServer(
  scheme: string,
  commandLine: (port: number, directory: string) => readonly string[],
  answers: (url: string) => Promise<void>,
): Promise<EventServer> {
  const directory = mkdtempSync(join(tmpdir(), `weft-${scheme}-`));
  const port = await freePort();
  const url = `${scheme}://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  const begin = async () => {
    const [program = '', ...args] = commandLine(port, directory);
    child = spawn(program, args, { stdio: 'ignore' });
    await waitFor(`${program} to answer`, async () => {
      await answers(url);
      return true;
    });
  };
  const signal = async (name: NodeJS.Signals) => {
    const target = child;
    if (target === undefined || target.exitCode !== null || target.signalCode !== null) return;
    const gone = once(target, 'exit');
    target.kill(name);
    if (name === 'SIGKILL' || name === 'SIGTERM') await gone;
  };
  await begin();
  return {
    url,
    port,
    directory,
    get pid() {
      return child?.pid ?? 0;
    },
    signal,
    restart: begin,
    async stop() {
      await signal('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
