// A folder behind SFTP: one connection a visit, to the one server whose key is known.
import { createHash } from 'node:crypto';
import { connect as openSocket } from 'node:net';
import type { Writable } from 'node:stream';
import { HubError } from '@weft/core/errors';
import type { ParsedKey } from 'ssh2';
import SftpClient from 'ssh2-sftp-client';
import { type CallContext, upstreamError } from '../upstream-error.ts';
import { type FilePattern, isPlainName } from './file-pattern.ts';
import { type FilePlace, type FileVisit, FOLDER_ENTRIES_MAX, type FoundFile, type Listing } from './place.ts';

export interface SftpAddress {
  readonly host: string;
  readonly port: number;
  /** Absolute path on the server. */
  readonly folder: string;
  readonly user: string;
  readonly password: string | undefined;
  /** Opened already: to open one by its passphrase takes the processor for a second. */
  readonly privateKey: ParsedKey | undefined;
  /** `SHA256:` and the hash of the server's key in base64. */
  readonly hostKey: string;
  /** Of connecting, and of every answer but the bytes of a file. */
  readonly timeoutMs: number;
}

/** Nothing of a file came for so long: the connection is given up. */
const IDLE_MS_MAX = 30_000;

export function sftpPlace(address: SftpAddress, context: CallContext): FilePlace {
  return {
    async visit(signal) {
      const client = new SftpClient('weft', {
        error: () => undefined,
        end: () => undefined,
        close: () => undefined,
      });
      // `end` waits for the server, which may be what is slow.
      const close = () => settleWithin(client.end(), address.timeoutMs).catch(() => undefined);
      const onAbort = () => void close();
      signal.addEventListener('abort', onAbort, { once: true });
      const end = async () => {
        signal.removeEventListener('abort', onAbort);
        await close();
      };
      try {
        await connect(client, address, context);
        return visitOf(client, address, context, end);
      } catch (thrown) {
        await end();
        throw thrown;
      }
    },
  };
}

async function connect(client: SftpClient, address: SftpAddress, context: CallContext): Promise<void> {
  let isOther = false;
  const { host, port, user: username, password, privateKey, timeoutMs } = address;
  const byKey = privateKey && [{ type: 'publickey' as const, username, key: privateKey }];
  const login = byKey === undefined ? { password } : { authHandler: byKey };
  try {
    await client.connect({
      // The exchange is many small messages: none of them waits for the next.
      sock: openSocket({ host, port, noDelay: true }),
      username,
      ...withoutUndefined(login),
      readyTimeout: timeoutMs,
      keepaliveInterval: 5_000,
      keepaliveCountMax: 3,
      hostVerifier: (key: Buffer) => {
        isOther = fingerprintOf(key) !== address.hostKey;
        return !isOther;
      },
    });
  } catch (thrown) {
    if (isOther) {
      throw upstreamError('UPSTREAM_INVALID', 'the server has another key than hostKey says', context, {
        reason: 'HOST_KEY',
      });
    }
    throw unavailable(thrown, context);
  }
}

/** As `ssh-keygen -l` prints it. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

function visitOf(
  client: SftpClient,
  { folder, timeoutMs }: SftpAddress,
  context: CallContext,
  close: () => Promise<void>,
): FileVisit {
  const attempt = <Value>(work: Promise<Value>) =>
    settleWithin(work, timeoutMs).catch((thrown: unknown) => {
      throw unavailable(thrown, context);
    });
  return {
    async list(pattern) {
      const base = await attempt(client.realPath(folder));
      const inner = pattern.folder === '' ? base : `${base}/${pattern.folder}`;
      const real = await attempt(client.realPath(inner));
      if (real !== base && !real.startsWith(base === '/' ? '/' : `${base}/`)) {
        throw upstreamError('UPSTREAM_INVALID', 'the folder of the path is a link that leads out', context);
      }
      return listed(await attempt(client.list(inner)), pattern, context);
    },
    async stat({ path }) {
      try {
        const { size, modifyTime, isFile } = await settleWithin(client.stat(`${folder}/${path}`), timeoutMs);
        return isFile ? { size, modifiedMs: modifyTime } : undefined;
      } catch (thrown) {
        if (isMissing(thrown)) return undefined;
        throw unavailable(thrown, context);
      }
    },
    read: (file, into) => readFile(client, `${folder}/${file.path}`, into, context),
    close,
  };
}

/** Links are refused: where they lead is the server's to say, and to change. */
function listed(
  entries: readonly SftpClient.FileInfo[],
  pattern: FilePattern,
  context: CallContext,
): Listing {
  if (entries.length > FOLDER_ENTRIES_MAX) {
    const message = `${context.system}: expected at most ${FOLDER_ENTRIES_MAX} entries in a folder`;
    const details = { source: context.source, operation: context.operation, limit: 'FOLDER_ENTRIES_MAX' };
    throw new HubError('LIMIT_EXCEEDED', message, { system: context.system, details });
  }
  const files: FoundFile[] = [];
  let refused = 0;
  for (const { name, type, size, modifyTime } of entries) {
    const isWanted = pattern.name.test(name) && type !== 'd';
    if (!isPlainName(name) || (isWanted && type !== '-')) refused += 1;
    else if (isWanted) {
      const path = pattern.folder === '' ? name : `${pattern.folder}/${name}`;
      files.push({ path, size, modifiedMs: modifyTime });
    }
  }
  return { files, names: new Set(entries.map(({ name }) => name)), refused };
}

/** `get` and not `fastGet`: old servers answer requests that overlap in the wrong order. */
async function readFile(
  client: SftpClient,
  path: string,
  into: Writable,
  context: CallContext,
): Promise<void> {
  let stalled: NodeJS.Timeout | undefined;
  const stall = new Promise<never>((_resolve, reject) => {
    stalled = setTimeout(() => reject(new TypeError('nothing came')), IDLE_MS_MAX);
    into.on('pipe', (from) => from.on('data', () => stalled?.refresh()));
  });
  try {
    await Promise.race([client.get(path, into), stall]);
  } catch (thrown) {
    into.destroy();
    throw thrown instanceof HubError ? thrown : unavailable(thrown, context);
  } finally {
    clearTimeout(stalled);
  }
}

function unavailable(thrown: unknown, context: CallContext): HubError {
  if (thrown instanceof HubError) return thrown;
  const { code } = thrown as { code?: unknown };
  const reason = typeof code === 'string' && /^[A-Z_]+$/.test(code) ? code : 'UNKNOWN';
  const message = `the SFTP server cannot be read (${reason})`;
  return upstreamError('UPSTREAM_UNAVAILABLE', message, context, { reason }, thrown);
}

/** SSH_FX_NO_SUCH_FILE of draft-ietf-secsh-filexfer-02, section 7, as the library names it. */
function isMissing(thrown: unknown): boolean {
  const { code } = thrown as { code?: unknown };
  return code === 'ENOENT' || code === 2;
}

function withoutUndefined<Value extends object>(
  value: Value,
): { [Key in keyof Value]?: NonNullable<Value[Key]> } {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as {
    [Key in keyof Value]?: NonNullable<Value[Key]>;
  };
}

async function settleWithin<Value>(work: Promise<Value>, ms: number): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(Object.assign(new TypeError('no answer'), { code: 'ETIMEDOUT' })), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined); // Told already: what comes after the time-out is nobody's.
  }
}
