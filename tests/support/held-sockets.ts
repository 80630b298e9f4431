// The TCP connections that a process holds on one port, at either end, as Linux lists them.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

const LISTENING = '0A';

/** What the kernel still ends by itself after the process has let it go is not counted, nor is what listens. */
export function heldSockets(pid: number, port: number): number {
  const inodes = socketInodes(pid);
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const rows = ['tcp', 'tcp6'].flatMap((file) =>
    readFileSync(`/proc/net/${file}`, 'utf8').split('\n').slice(1),
  );
  return rows.filter((row) => {
    // https://www.kernel.org/doc/Documentation/networking/proc_net_tcp.txt
    const [, local = '', remote = '', state, , , , , , inode = ''] = row.trim().split(/\s+/);
    const isOnPort = local.endsWith(`:${hexPort}`) || remote.endsWith(`:${hexPort}`);
    return isOnPort && state !== LISTENING && inodes.has(inode);
  }).length;
}

function socketInodes(pid: number): ReadonlySet<string> {
  const folder = `/proc/${pid}/fd`;
  return new Set(readdirSync(folder).map((name) => inodeOf(join(folder, name))));
}

function inodeOf(file: string): string {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(file))?.[1] ?? '';
  } catch {
    // Closed meanwhile.
    return '';
  }
}
