// Installs what the hub needs, when it is not installed yet. Runs on the host's Node (>= 20.19), before anything of ours: plain JavaScript.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PNPM = 'pnpm@10.34.9';
const LOCK_WAIT_MS_MAX = 10 * 60_000;
const LOCK_POLL_MS = 200;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampFile = join(root, 'node_modules', '.weft-installed');
const nodeFile = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.exe' : 'node');

await bootstrap();

async function bootstrap() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    fail(`Node >= 20.19 is needed to install (this is ${process.version}): install a newer Node`, 2);
  const stamp = installationStamp();
  if (isInstalled(stamp)) return;
  const release = await takeLock();
  try {
    if (!isInstalled(stamp)) install(stamp);
  } finally {
    release();
  }
}

/** Equal when and only when an installation would give the same again. */
function installationStamp() {
  const hash = createHash('sha256').update(`${PNPM} ${process.platform} ${process.arch} ${root}\n`);
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json'])
    hash.update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

function isInstalled(stamp) {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp && existsSync(nodeFile);
}

function install(stamp) {
  process.stderr.write(`weft: installing packages with ${PNPM} (once; about 20 s with an empty cache)\n`);
  rmSync(stampFile, { force: true });
  const result = spawnSync(
    'npx',
    ['--yes', PNPM, 'install', '--frozen-lockfile', '--prod=false', '--reporter=append-only'],
    {
      cwd: root,
      // Standard output belongs to the command that follows: `weft plan | jq` must not read pnpm's progress.
      stdio: ['ignore', 2, 2],
      shell: process.platform === 'win32',
    },
  );
  if (result.error) fail(`cannot run npx: ${result.error.message}. Install npm beside Node`, 1);
  if (result.status !== 0)
    fail(
      `the installation failed (exit code ${result.status}, see above). Check the network and the npm registry, then run the command again`,
      1,
    );
  if (!runsTypeScript(nodeFile)) linkHostNode();
  writeAtomically(stampFile, stamp);
}

function runsTypeScript(node) {
  const result = spawnSync(node, ['-p', 'process.features.typescript'], { encoding: 'utf8' });
  return result.status === 0 && result.stdout.trim() === 'strip';
}

/** No Node from npm runs on this machine (musl, or a rare processor): the host's own serves when it is new enough. */
function linkHostNode() {
  if (process.features.typescript !== 'strip') {
    fail(
      `no Node from npm runs on ${process.platform}-${process.arch} here, and this one (${process.version}) is too old: install Node >= 24`,
      2,
    );
  }
  rmSync(nodeFile, { force: true });
  symlinkSync(process.execPath, nodeFile);
}

/**
 * Two commands started at once in one checkout must not install at the same time. The lock is a listening local socket:
 * the system closes it for a process that is killed, so nothing stale is ever left.
 */
async function takeLock() {
  requireWritable();
  const address = lockAddress();
  const until = Date.now() + LOCK_WAIT_MS_MAX;
  for (;;) {
    const release = await listenOn(address);
    if (release !== undefined) return release;
    if (Date.now() > until)
      fail(
        'another installation has been under way in this checkout for 10 minutes: wait for it, or stop it',
        1,
      );
    await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
}

function requireWritable() {
  try {
    mkdirSync(join(root, 'node_modules'), { recursive: true });
    writeFileSync(join(root, 'node_modules', '.weft-writable'), '');
  } catch (error) {
    fail(
      `cannot write ${join(root, 'node_modules')} (${error.code}): give yourself write permission on the checkout`,
      1,
    );
  }
}

/** Linux has sockets without a file, Windows pipes; elsewhere a file in the folder for temporary files. */
function lockAddress() {
  const id = `weft-install-${createHash('sha256').update(root).digest('hex').slice(0, 32)}`;
  if (process.platform === 'linux') return `\0${id}`;
  return process.platform === 'win32' ? `\\\\.\\pipe\\${id}` : join(tmpdir(), `${id}.sock`);
}

/** Undefined when another process listens there. */
function listenOn(address) {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error) => {
      if (error.code !== 'EADDRINUSE') return reject(error);
      if (address.startsWith('\0') || process.platform === 'win32') return resolve(undefined);
      // A file without a listener was left by a process that was killed.
      const socket = connect(address, () => {
        socket.destroy();
        resolve(undefined);
      });
      socket.once('error', () => {
        rmSync(address, { force: true });
        resolve(undefined);
      });
    });
    server.listen(address, () => resolve(() => server.close()));
  });
}

function writeAtomically(file, text) {
  writeFileSync(`${file}.${process.pid}`, text);
  renameSync(`${file}.${process.pid}`, file);
}

function fail(message, exitCode) {
  process.stderr.write(`weft: ${message}\n`);
  process.exit(exitCode);
}
