// A lock that ends with its holder, however that ends: a listening local socket, which the system closes for a killed process.
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Gives the lock back. */
export type Release = () => Promise<void>;

/**
 * Takes the lock of a name on this machine; undefined when another process, or this one, holds it.
 * @param name whatever the lock is for, for example an absolute path
 */
export async function holdExclusively(name: string): Promise<Release | undefined> {
  const address = addressOf(name);
  const server = createServer((socket) => socket.destroy());
  // Holding the lock is no reason to stay alive.
  server.unref();
  const listen = () =>
    new Promise<boolean>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'EADDRINUSE') resolve(false);
        else reject(error);
      });
      server.listen(address, () => resolve(true));
    });
  if (!(await listen())) {
    if (!isFile(address) || (await answers(address))) return undefined;
    // The file of a holder that was killed: nobody listens on it.
    rmSync(address, { force: true });
    if (!(await listen())) return undefined;
  }
  return () => new Promise((resolve) => server.close(() => resolve()));
}

/** Linux has sockets without a file, Windows pipes; elsewhere a file in the folder for temporary files. */
function addressOf(name: string): string {
  const id = `weft-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
  if (process.platform === 'linux') return `\0${id}`;
  return process.platform === 'win32' ? `\\\\.\\pipe\\${id}` : join(tmpdir(), `${id}.sock`);
}

function isFile(address: string): boolean {
  return process.platform !== 'linux' && process.platform !== 'win32' && address !== '';
}

function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
