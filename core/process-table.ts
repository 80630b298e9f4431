// Looks at the machine's processes and ports: who lives, who works in a folder, which port is free.
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';

/** Whether a process exists. A zombie counts as alive: see `isAliveIn`. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Whether a process lives and has `directory` as its working directory; a zombie does not live. Without /proc (not
 * Linux) it is `isAlive`.
 */
export function isAliveIn(pid: number, directory: string): boolean {
  if (process.platform !== 'linux') return isAlive(pid);
  try {
    return (
      !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')) &&
      readlinkSync(`/proc/${pid}/cwd`) === directory
    );
  } catch {
    // It is gone, or not ours to look at.
    return false;
  }
}

/** The processes whose working directory is `directory`; none where there is no /proc. */
export function processesIn(directory: string): readonly number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => isAliveIn(pid, directory));
}

/** The command line of a process, arguments joined by blanks; undefined when it is gone or there is no /proc. */
export function commandLineOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return text === '' ? undefined : text;
  } catch {
    // Gone, or another system.
    return undefined;
  }
}

/** Where ports for servers are looked for: below those that systems hand out to connections. */
const FREE_PORT_MIN = 20_000;
/** The least port that Linux hands out to a connection, unless its administrator says otherwise. */
const CONNECTION_PORT_MIN = 32_768;
const PORT_TRIES_MAX = 50;

/**
 * A TCP port on the loopback that was free a moment ago: one that no connection out is given meanwhile, and by chance, so that
 * two programs that look at one moment hardly take the same.
 * @param taken ports that are promised already: nobody needs to listen on them yet
 */
export async function freePort(taken: ReadonlySet<number> = new Set()): Promise<number> {
  const end = connectionPortMin();
  const draw = end > FREE_PORT_MIN ? () => randomInt(FREE_PORT_MIN, end) : anyPort;
  for (let tries = 0; tries < PORT_TRIES_MAX; tries += 1) {
    const port = await draw();
    if (!taken.has(port) && (await isPortFree(port, '127.0.0.1'))) return port;
  }
  return anyPort();
}

function connectionPortMin(): number {
  try {
    const [least] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/);
    return Number(least) || CONNECTION_PORT_MIN;
  } catch {
    // Another system.
    return CONNECTION_PORT_MIN;
  }
}

function anyPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Whether nobody listens on a port of an address. */
export function isPortFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
