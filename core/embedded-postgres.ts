// A real PostgreSQL from npm, started and owned by us; data kept in a folder between runs.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { delay } from './deadline.ts';
import { OperatorError } from './errors.ts';
import { type PostgresBinaries, postgresAccount, postgresBinaries } from './postgres-binaries.ts';
import { freePort, isAlive, isAliveIn, processesIn } from './process-table.ts';

/** A PostgreSQL that runs and is ours to stop. */
export interface EmbeddedPostgres {
  /** Connection URL of the database `weft`, password included. */
  readonly url: string;
  /** Process id of the postmaster. */
  readonly pid: number;
  /** True when one that an earlier, killed hub left behind was taken over. */
  readonly adopted: boolean;
  /** False once the server has gone, whoever ended it. */
  isRunning(): boolean;
  /** Fast shutdown: sessions are ended, everything committed is on disk. Resolves when the process is gone. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** Folder for the data and the password; made when absent. */
  readonly directory: string;
  /** TCP port on the loopback; a free one when absent. */
  readonly port?: number;
}

const START_TRIES_MAX = 5;
const START_MS_MAX = 30_000;
const STOP_MS_MAX = 15_000;
const PING_TIMEOUT_MS = 2_000;
const STDERR_CHARACTERS_MAX = 4_000;
const CONNECTIONS_MAX = 200;
const USER = 'weft';
const DATABASE = 'weft';

interface Cluster {
  readonly binaries: PostgresBinaries;
  readonly account: Awaited<ReturnType<typeof postgresAccount>>;
  readonly data: string;
  readonly pidFile: string;
  readonly password: string;
}

/**
 * Starts the PostgreSQL of a folder, makes its cluster at the first time, or takes over the one that already runs there.
 * @throws OperatorError when no binary fits this machine or the server does not come up; the message says to set DATABASE_URL
 */
export async function startPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const cluster = await openCluster(options.directory);
  const adopted = await adopt(cluster);
  if (adopted !== undefined) return adopted;
  await clearAfterKill(cluster);
  let lastStderr = '';
  for (let attempt = 0; attempt < START_TRIES_MAX; attempt++) {
    const port = options.port ?? (await freePort());
    const { child, stderr } = spawnServer(cluster, port);
    const pid = await waitUntilReady(cluster, child, port);
    if (pid !== undefined) {
      return {
        url: urlOf(cluster, port, DATABASE),
        pid,
        adopted: false,
        isRunning: () => isAliveIn(pid, cluster.data),
        stop: () => stopChild(cluster, child, pid),
      };
    }
    lastStderr = stderr();
    await endChild(child);
  }
  throw new OperatorError(
    `the embedded PostgreSQL does not start: ${lastLine(lastStderr)}. Look into ${options.directory}, or set DATABASE_URL`,
  );
}

async function openCluster(directory: string): Promise<Cluster> {
  const binaries = await postgresBinaries();
  try {
    mkdirSync(directory, { recursive: true });
  } catch (cause) {
    throw new OperatorError(
      `cannot make ${directory}: give yourself write permission on it, or set WEFT_HOME`,
      { cause },
    );
  }
  const data = join(directory, 'data');
  const account = await postgresAccount(binaries, existsSync(data) ? statSync(data).uid : undefined);
  const passwordFile = join(directory, 'password');
  if (!existsSync(passwordFile)) {
    // In one step: an empty file would be kept for ever.
    writeFileSync(`${passwordFile}.new`, randomBytes(18).toString('base64url'), { mode: 0o600, flush: true });
    renameSync(`${passwordFile}.new`, passwordFile);
  }
  const password = readFileSync(passwordFile, 'utf8');
  const complete = join(directory, 'complete');
  if (!existsSync(complete)) {
    // Without the mark an earlier initdb was cut off: nothing of value is there yet.
    rmSync(data, { recursive: true, force: true });
    await initialise(binaries, account, directory, data, password);
    writeFileSync(complete, '');
  }
  return { binaries, account, data: realpathSync(data), pidFile: join(data, 'postmaster.pid'), password };
}

async function initialise(
  binaries: PostgresBinaries,
  account: Cluster['account'],
  directory: string,
  data: string,
  password: string,
): Promise<void> {
  mkdirSync(data, { mode: 0o700 });
  const passwordFile = join(directory, `password-${process.pid}`);
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (account.uid !== undefined && account.gid !== undefined) {
    chownSync(data, account.uid, account.gid);
    chownSync(passwordFile, account.uid, account.gid);
  }
  const [command = '', ...args] = [
    ...account.wrap,
    binaries.initdb,
    ...['-D', data, '-U', USER, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8'],
    ...['--locale-provider=builtin', '--locale=C.UTF-8', '--no-instructions'],
  ];
  try {
    await promisify(execFile)(command, args, spawnIdentity(account));
  } catch (thrown) {
    const said = lastLine((thrown as { stderr?: string }).stderr ?? String(thrown));
    throw new OperatorError(
      `the embedded PostgreSQL cannot make its files in ${directory}: ${said}. Free that folder, or set DATABASE_URL`,
      { cause: thrown },
    );
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

function spawnIdentity(account: Cluster['account']) {
  return {
    ...(account.uid === undefined ? {} : { uid: account.uid }),
    ...(account.gid === undefined ? {} : { gid: account.gid }),
    env: { ...process.env, LC_ALL: 'C' },
  };
}

/** What a killed hub left running is the same server on the same data: it is used, and becomes ours to stop. */
async function adopt(cluster: Cluster): Promise<EmbeddedPostgres | undefined> {
  const left = readPidFile(cluster);
  if (left === undefined || !isAliveIn(left.pid, cluster.data) || !(await answers(cluster, left.port)))
    return undefined;
  const stop = async () => {
    if (isAlive(left.pid)) process.kill(left.pid, 'SIGINT');
    await gone(cluster, left.pid, STOP_MS_MAX);
  };
  return {
    url: urlOf(cluster, left.port, DATABASE),
    pid: left.pid,
    adopted: true,
    isRunning: () => isAliveIn(left.pid, cluster.data),
    stop,
  };
}

/** Waits for the remains of a killed server, then removes its lock file, which would name a process that is another's by now. */
async function clearAfterKill(cluster: Cluster): Promise<void> {
  if (!existsSync(cluster.pidFile)) return;
  const until = Date.now() + STOP_MS_MAX;
  while (processesIn(cluster.data).length > 0 && Date.now() < until) await delay(50);
  const left = processesIn(cluster.data);
  if (left.length > 0)
    throw new OperatorError(`another PostgreSQL (process ${left[0]}) uses ${cluster.data}: stop it`);
  rmSync(cluster.pidFile, { force: true });
}

/** The URL of the server that runs on a folder's data, whoever started it; undefined when none does. */
export function urlOfRunning(directory: string): string | undefined {
  const passwordFile = join(directory, 'password');
  if (!existsSync(passwordFile)) return undefined;
  const data = join(directory, 'data');
  const file = readPidFile({ pidFile: join(data, 'postmaster.pid') });
  if (!file?.ready || !isAliveIn(file.pid, realpathSync(data))) return undefined;
  return urlOf({ password: readFileSync(passwordFile, 'utf8') }, file.port, DATABASE);
}

function readPidFile(
  cluster: Pick<Cluster, 'pidFile'>,
): { pid: number; port: number; ready: boolean } | undefined {
  if (!existsSync(cluster.pidFile)) return undefined;
  // Lines: pid, data folder, start time, port, socket folder, listen address, shared memory, status.
  const lines = readFileSync(cluster.pidFile, 'utf8').split('\n');
  return { pid: Number(lines[0]), port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' };
}

/**
 * The shell between us and the server stops it when our end of the pipe closes, even after kill -9 of this process.
 * Detached: Ctrl-C in the terminal must not reach the database before its clients have ended.
 */
const WATCHDOG =
  'exec 3<&0; "$@" </dev/null 3<&- & p=$!; (read _ <&3; kill -INT $p) 2>/dev/null & w=$!; wait $p; s=$?; kill $w 2>/dev/null; exit $s';

function spawnServer(cluster: Cluster, port: number): { child: ChildProcess; stderr: () => string } {
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    `max_connections=${CONNECTIONS_MAX}`,
  ];
  const command = [
    ...cluster.account.wrap,
    cluster.binaries.postgres,
    ...['-D', cluster.data, '-p', String(port)],
    ...settings.flatMap((setting) => ['-c', setting]),
  ];
  const child = spawn('/bin/sh', ['-c', WATCHDOG, 'weft-postgres', ...command], {
    ...spawnIdentity(cluster.account),
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let text = '';
  child.stderr?.on('data', (chunk) => {
    text = (text + String(chunk)).slice(-STDERR_CHARACTERS_MAX);
  });
  return { child, stderr: () => text };
}

async function waitUntilReady(
  cluster: Cluster,
  child: ChildProcess,
  port: number,
): Promise<number | undefined> {
  const until = Date.now() + START_MS_MAX;
  while (child.exitCode === null && child.signalCode === null && Date.now() < until) {
    const file = readPidFile(cluster);
    if (file?.ready && file.port === port && (await answers(cluster, port))) return file.pid;
    await delay(25);
  }
  return undefined;
}

/** Whether it takes our password; makes the database on the way when it is not there. */
async function answers(cluster: Cluster, port: number): Promise<boolean> {
  const client = new pg.Client({
    connectionString: urlOf(cluster, port, 'postgres'),
    connectionTimeoutMillis: PING_TIMEOUT_MS,
  });
  // A connection that is cut while it opens reports it twice; the query's rejection is the one that counts.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
    return true;
  } catch {
    // Not yet, or not ours: the caller waits or gives up.
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function urlOf(cluster: Pick<Cluster, 'password'>, port: number, database: string): string {
  return `postgresql://${USER}:${encodeURIComponent(cluster.password)}@127.0.0.1:${port}/${database}`;
}

async function stopChild(cluster: Cluster, child: ChildProcess, pid: number): Promise<void> {
  child.stdin?.end();
  if (!(await gone(cluster, pid, STOP_MS_MAX)) && isAlive(pid)) process.kill(pid, 'SIGQUIT');
  await endChild(child);
}

async function gone(cluster: Cluster, pid: number, msMax: number): Promise<boolean> {
  const until = Date.now() + msMax;
  while (isAliveIn(pid, cluster.data)) {
    if (Date.now() > until) return false;
    await delay(20);
  }
  return true;
}

async function endChild(child: ChildProcess): Promise<void> {
  child.stdin?.end();
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise<void>((resolve) => {
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
    child.once('exit', () => {
      clearTimeout(force);
      resolve();
    });
  });
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
