// An SFTP server of an old system: one folder, read only, with fault switches, and a count of what it was asked.
import { createHash } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  type Stats,
} from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join, posix } from 'node:path';
import ssh2, { type Connection, type SFTPWrapper } from 'ssh2';

const { OPEN_MODE, STATUS_CODE } = ssh2.utils.sftp;

export interface SftpLogin {
  readonly user: string;
  readonly password?: string;
  /** OpenSSH public key, `ssh-ed25519 …`. */
  readonly publicKey?: string;
}

export interface SftpServer {
  readonly port: number;
  /** `SHA256:…` of the key that it shows. */
  readonly hostKey: string;
  /** Connections that logged in, those that were refused, and writes that were tried. */
  readonly counts: {
    logins: number;
    refused: number;
    writes: number;
    connections: number;
    reads: number;
    atOnceMax: number;
  };
  faults: { refuseLogin: boolean; resetReads: boolean; shortReads: boolean; slowMs: number };
  close(): Promise<void>;
}

/** @param port 0 takes a free one */
export function startSftpServer(
  folder: string,
  login: SftpLogin,
  port = 0,
  key = newKey(),
): Promise<SftpServer> {
  const counts = { logins: 0, refused: 0, writes: 0, connections: 0, reads: 0, atOnceMax: 0 };
  const faults = { refuseLogin: false, resetReads: false, shortReads: false, slowMs: 0 };
  const open = new Set<Connection>();
  const server = new ssh2.Server({ hostKeys: [key.private] }, (connection) => {
    counts.connections += 1;
    open.add(connection);
    counts.atOnceMax = Math.max(counts.atOnceMax, open.size);
    // Its types lack it. Without, each small answer waits for the one before to be acknowledged.
    (connection as unknown as { setNoDelay(on: boolean): void }).setNoDelay(true);
    connection.on('error', () => undefined).on('close', () => open.delete(connection));
    connection.on('authentication', (context) => {
      if (!faults.refuseLogin && isWelcome(context, login)) return context.accept();
      if (context.method !== 'none') counts.refused += 1;
      context.reject(['password', 'publickey']);
    });
    connection.on('ready', () => {
      counts.logins += 1;
      connection.on('session', (accept) =>
        accept().on('sftp', (acceptSftp) =>
          serveFolder(acceptSftp(), connection, { folder, counts, faults }),
        ),
      );
    });
  });
  return new Promise((resolve) =>
    server.listen(port, '127.0.0.1', () =>
      resolve({
        port: (server.address() as AddressInfo).port,
        hostKey: key.fingerprint,
        counts,
        faults,
        close: () =>
          new Promise((done) => {
            for (const connection of open) connection.end();
            server.close(() => done());
          }),
      }),
    ),
  );
}

export interface HostKey {
  readonly private: string;
  readonly fingerprint: string;
}

export function newKey(): HostKey {
  const made = ssh2.utils.generateKeyPairSync('ed25519');
  const parsed = ssh2.utils.parseKey(made.private);
  if (parsed instanceof Error) throw parsed;
  const hash = createHash('sha256').update(parsed.getPublicSSH()).digest('base64');
  return { private: made.private, fingerprint: `SHA256:${hash.replace(/=+$/, '')}` };
}

function isWelcome(context: ssh2.AuthContext, login: SftpLogin): boolean {
  if (context.username !== login.user) return false;
  if (context.method === 'password') return context.password === login.password;
  if (context.method !== 'publickey' || login.publicKey === undefined) return false;
  const known = ssh2.utils.parseKey(login.publicKey);
  if (known instanceof Error || !known.getPublicSSH().equals(context.key.data)) return false;
  return (
    context.signature === undefined ||
    known.verify(context.blob ?? Buffer.alloc(0), context.signature) === true
  );
}

interface Served {
  readonly folder: string;
  readonly counts: SftpServer['counts'];
  readonly faults: SftpServer['faults'];
}

/** What the handlers of one session share. */
interface Session extends Served {
  readonly sftp: SFTPWrapper;
  readonly connection: Connection;
  /** Below the folder, whatever the client says. */
  here(path: string): string;
  refuse(id: number, code: number): void;
  attempt(id: number, work: () => void): void;
  nextHandle(): number;
}

function serveFolder(sftp: SFTPWrapper, connection: Connection, served: Served): void {
  let next = 0;
  const session: Session = {
    ...served,
    sftp,
    connection,
    here: (path) => join(served.folder, posix.normalize(`/${path}`)),
    refuse: (id, code) => sftp.status(id, code),
    attempt(id, work) {
      setTimeout(() => {
        try {
          work();
        } catch {
          sftp.status(id, STATUS_CODE.NO_SUCH_FILE);
        }
      }, served.faults.slowMs);
    },
    nextHandle: () => next++,
  };
  serveNames(session);
  serveFiles(session);
  for (const event of [
    'WRITE',
    'REMOVE',
    'RENAME',
    'MKDIR',
    'RMDIR',
    'SETSTAT',
    'FSETSTAT',
    'SYMLINK',
  ] as const)
    sftp.on(event as 'REMOVE', (id) => {
      served.counts.writes += 1;
      session.refuse(id, STATUS_CODE.PERMISSION_DENIED);
    });
}

const handleOf = (number: number) => Buffer.from(String(number));

function serveNames({ sftp, folder, here, refuse, attempt, nextHandle }: Session): void {
  const listed = new Map<number, string[]>();
  sftp.on('REALPATH', (id, path) =>
    attempt(id, () =>
      sftp.name(id, [{ filename: resolved(folder, here(path)), longname: '', attrs: none() }]),
    ),
  );
  for (const event of ['STAT', 'LSTAT'] as const)
    sftp.on(event, (id: number, path: string) =>
      attempt(id, () => sftp.attrs(id, attrsOf(lstatSync(here(path))))),
    );
  sftp.on('OPENDIR', (id, path) =>
    attempt(id, () => {
      const handle = nextHandle();
      listed.set(handle, [here(path), ...readdirSync(here(path))]);
      sftp.handle(id, handleOf(handle));
    }),
  );
  sftp.on('READDIR', (id, handle) => {
    const [path, ...names] = listed.get(Number(handle)) ?? [];
    if (path === undefined || names.length === 0) return refuse(id, STATUS_CODE.EOF);
    listed.set(Number(handle), [path]);
    attempt(id, () =>
      sftp.name(
        id,
        names.map((name) => entryOf(path, name)),
      ),
    );
  });
}

function serveFiles({ sftp, connection, counts, faults, here, refuse, attempt, nextHandle }: Session): void {
  const files = new Map<number, number>();
  const fileOf = (handle: Buffer) => files.get(Number(handle)) ?? -1;
  sftp.on('OPEN', (id, path, flags) => {
    if ((flags & ~OPEN_MODE.READ) !== 0) {
      counts.writes += 1;
      return refuse(id, STATUS_CODE.PERMISSION_DENIED);
    }
    attempt(id, () => {
      const handle = nextHandle();
      files.set(handle, openSync(here(path), 'r'));
      counts.reads += 1;
      sftp.handle(id, handleOf(handle));
    });
  });
  sftp.on('FSTAT', (id, handle) => attempt(id, () => sftp.attrs(id, attrsOf(fstatSync(fileOf(handle))))));
  sftp.on('READ', (id, handle, offset, length) => {
    if (faults.resetReads) return void connection.end();
    if (faults.shortReads && offset > 0) return refuse(id, STATUS_CODE.EOF);
    attempt(id, () => {
      const bytes = Buffer.alloc(Math.min(length, 32_768));
      const read = readSync(fileOf(handle), bytes, 0, bytes.length, offset);
      if (read === 0) refuse(id, STATUS_CODE.EOF);
      else sftp.data(id, bytes.subarray(0, read));
    });
  });
  sftp.on('CLOSE', (id, handle) => {
    const file = files.get(Number(handle));
    if (file !== undefined) closeSync(file);
    files.delete(Number(handle));
    refuse(id, STATUS_CODE.OK);
  });
}

/** As the server names a path: below its own root. */
function resolved(folder: string, path: string): string {
  const real = realpathSync(path).slice(realpathSync(folder).length);
  return real === '' ? '/' : real;
}

function entryOf(folder: string, name: string) {
  const found = lstatSync(join(folder, name));
  // The first letter of the long name is what clients tell kinds of entries by.
  const kind = found.isDirectory() ? 'd' : found.isSymbolicLink() ? 'l' : '-';
  return {
    filename: name,
    longname: `${kind}rw-r--r-- 1 epb epb ${found.size} Nov 22 08:00 ${name}`,
    attrs: attrsOf(found),
  };
}

function attrsOf({ mode, uid, gid, size, atimeMs, mtimeMs }: Stats) {
  return { mode, uid, gid, size, atime: Math.floor(atimeMs / 1000), mtime: Math.floor(mtimeMs / 1000) };
}

function none() {
  return { mode: 0, uid: 0, gid: 0, size: 0, atime: 0, mtime: 0 };
}
