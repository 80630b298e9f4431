// What a row needs beside its gateway: PostgreSQL for the outbox, and Redis with the relay where its log is there.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { deadlineSignal, delay } from '@weft/core/deadline';
import { startPostgres } from '@weft/core/embedded-postgres';
import { HubError } from '@weft/core/errors';
import { findMigrationOwners, migrateAll } from '@weft/core/migrate';
import { ROOT } from '../../checkout.ts';
import { findFreePort } from '../http-client.ts';
import { LOAD_CORE, pinned } from '../pinning.ts';
import { bareEnvironment, type Program, startProgram } from '../program.ts';
import { LIVE_LIMITS } from './limits.ts';

export interface OutboxDatabase {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * The embedded PostgreSQL in a folder of the bench's own, on the core of the load: one elsewhere would run on the gateway's.
 * @throws OperatorError when no binary fits this machine
 */
export async function openOutboxDatabase(folder: string): Promise<OutboxDatabase> {
  const server = await startPostgres({ directory: join(folder, 'postgres') });
  try {
    await migrateAll(server.url, findMigrationOwners(ROOT));
  } catch (thrown) {
    await server.stop();
    throw thrown;
  }
  return { url: server.url, stop: () => server.stop() };
}

export interface RedisLog {
  readonly url: string;
  /** The relay, whose processor time belongs to the row. */
  readonly relay: Program;
  stop(): Promise<void>;
}

/** The program that moves what is committed from the outbox to the live log. */
const RELAY = join(ROOT, 'events', 'main.ts');

export interface RedisLogOptions {
  readonly folder: string;
  readonly logFolder: string;
  readonly databaseUrl: string;
  readonly isPinning: boolean;
}

/** @throws HubError when this machine has no `redis-server`, or server or relay do not start */
export async function openRedisLog(options: RedisLogOptions, signal: AbortSignal): Promise<RedisLog> {
  const { folder, logFolder, databaseUrl, isPinning } = options;
  if (spawnSync('redis-server', ['--version']).status !== 0)
    throw new HubError('UPSTREAM_UNAVAILABLE', 'this machine has no redis-server');
  if (!existsSync(RELAY)) throw new HubError('UPSTREAM_UNAVAILABLE', `this checkout has no relay (${RELAY})`);
  const data = join(folder, 'redis');
  rmSync(data, { recursive: true, force: true });
  mkdirSync(data, { recursive: true });
  const port = await findFreePort();
  const start = (name: string, command: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    startProgram({
      name,
      command: pinned(command, LOAD_CORE, isPinning),
      env: bareEnvironment(env),
      logFile: join(logFolder, `${name}.log`),
    });
  const server = start('redis', [
    'redis-server',
    ...['--port', String(port), '--bind', '127.0.0.1', '--dir', data],
    ...['--appendonly', 'yes', '--maxmemory-policy', 'noeviction'],
  ]);
  try {
    const url = `redis://127.0.0.1:${port}`;
    const starting = deadlineSignal(LIVE_LIMITS.startMsMax, signal);
    await untilListening(server, port, starting);
    const relay = start('relay', [process.execPath, RELAY], { DATABASE_URL: databaseUrl, EVENT_LOG: url });
    const stop = async () => {
      await relay.stop();
      await server.stop();
    };
    await relay.ready(starting);
    return { url, relay, stop };
  } catch (thrown) {
    await server.stop();
    throw thrown;
  }
}

async function untilListening(server: Program, port: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    const ended = server.ended();
    if (ended !== undefined) throw new HubError('UPSTREAM_UNAVAILABLE', `${server.name} ${ended}`);
    if (await isListening(port)) return;
    await delay(LIVE_LIMITS.pollMs, signal);
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
