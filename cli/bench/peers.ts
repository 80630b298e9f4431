// The gateways that Weft is compared with: exact versions, installed on demand into a folder of their own.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { deadlineSignal } from '@weft/core/deadline';
import { OperatorError } from '@weft/core/errors';

export type PeerName = 'apollo' | 'hive' | 'mercurius';

export interface Peer {
  readonly dependencies: Readonly<Record<string, string>>;
  /** npm overrides: what a peer's own ranges cannot be resolved to. */
  readonly overrides?: Readonly<Record<string, string>>;
  /** Its program or settings, beside this file in peers/; copied so that its imports find the peer's packages. */
  readonly file: string;
}

export const PEERS: Readonly<Record<PeerName, Peer>> = {
  apollo: {
    dependencies: { '@apollo/gateway': '2.14.4', '@apollo/server': '5.5.1', graphql: '16.14.2' },
    file: 'apollo.mjs',
  },
  hive: {
    dependencies: {
      '@graphql-hive/gateway': '2.15.1',
      '@graphql-hive/router-runtime': '1.4.23',
      graphql: '16.14.2',
    },
    // The newest delegate asks for a version of it that was never published.
    overrides: { '@graphql-tools/batch-execute': '10.2.0' },
    file: 'hive.config.mjs',
  },
  mercurius: {
    // graphql 16.15's printer breaks its entity fetches.
    dependencies: {
      '@mercuriusjs/gateway': '5.2.0',
      fastify: '5.12.8',
      graphql: '16.12.0',
      'graphql-jit': '0.8.9',
      mercurius: '16.10.1',
    },
    file: 'mercurius.mjs',
  },
};

const INSTALL_TIMEOUT_MS = 10 * 60_000;

/**
 * Installs a peer with npm unless the same versions are there already.
 * @param folder of all peers; each has its own below it
 * @returns the peer's folder, absolute
 * @throws OperatorError when npm is missing, fails, or takes longer than 10 minutes
 */
export async function installPeer(name: PeerName, folder: string, signal: AbortSignal): Promise<string> {
  const { dependencies, overrides, file } = PEERS[name];
  const home = join(folder, name);
  const manifest = JSON.stringify(
    { name: `weft-bench-${name}`, private: true, type: 'module', dependencies, overrides },
    null,
    2,
  );
  const stampFile = join(home, '.installed');
  const stamp = createHash('sha256').update(`${process.platform} ${process.arch} ${manifest}`).digest('hex');
  mkdirSync(home, { recursive: true });
  copyFileSync(join(import.meta.dirname, 'peers', file), join(home, file));
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return home;
  process.stderr.write(`bench: installing ${name} into ${home} (once)\n`);
  writeFileSync(join(home, 'package.json'), manifest);
  await runNpm(name, home, deadlineSignal(INSTALL_TIMEOUT_MS, signal));
  writeFileSync(stampFile, stamp);
  return home;
}

function runNpm(name: PeerName, home: string, signal: AbortSignal): Promise<void> {
  const logFile = join(home, 'install.log');
  const log = openSync(logFile, 'w');
  // No script of a package runs: none of these needs one.
  const npm = spawn('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], {
    cwd: home,
    stdio: ['ignore', log, log],
    shell: process.platform === 'win32',
    signal,
  });
  closeSync(log);
  return new Promise((resolve, reject) => {
    const fail = (reason: string, cause?: unknown) =>
      reject(new OperatorError(`bench: ${name} cannot be installed (${reason}): see ${logFile}`, { cause }));
    npm.once('error', (error) => fail(error.message, error));
    npm.once('exit', (code) => (code === 0 ? resolve() : fail(`npm ended with exit code ${code}`)));
  });
}

/** The versions that npm installed, by package, in the order of the peer's list. */
export function installedVersions(name: PeerName, home: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.keys(PEERS[name].dependencies).map((dependency) => {
      const manifest = JSON.parse(
        readFileSync(join(home, 'node_modules', dependency, 'package.json'), 'utf8'),
      ) as { readonly version: string };
      return [dependency, manifest.version];
    }),
  );
}
