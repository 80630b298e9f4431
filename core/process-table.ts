// Looks at the machine's processes and ports: who lives, who works in a folder, which port is free.
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

/** A TCP port on the loopback that was free a moment ago. */
export function freePort(): Promise<number> {
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
