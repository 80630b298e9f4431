// Installs what the hub needs, when it is not installed yet. Runs on the host's Node (>= 20.19), before anything of ours: plain JavaScript.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PNPM = 'pnpm@10.34.9';
const LOCK_WAIT_MS_MAX = 10 * 60_000;
const LOCK_STALE_MS = 15 * 60_000;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampFile = join(root, 'node_modules', '.weft-installed');
const nodeFile = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.exe' : 'node');

bootstrap();

function bootstrap() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    fail(`Node >= 20.19 is needed to install (this is ${process.version}): install a newer Node`, 2);
  const stamp = installationStamp();
  if (isInstalled(stamp)) return;
  const release = takeLock();
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

/** Two commands started at once in one checkout must not install at the same time. */
function takeLock() {
  const lock = join(root, 'node_modules', '.weft-lock');
  const until = Date.now() + LOCK_WAIT_MS_MAX;
  for (;;) {
    try {
      mkdirSync(join(root, 'node_modules'), { recursive: true });
      mkdirSync(lock);
      writeFileSync(join(lock, 'pid'), String(process.pid));
      return () => rmSync(lock, { recursive: true, force: true });
    } catch (error) {
      if (error.code === 'EACCES' || error.code === 'EROFS' || error.code === 'EPERM')
        fail(`cannot write ${join(root, 'node_modules')}: give yourself write permission on the checkout`, 1);
      if (error.code !== 'EEXIST') throw error;
    }
    if (isAbandoned(lock)) rmSync(lock, { recursive: true, force: true });
    else if (Date.now() > until)
      fail(`another installation holds ${lock}: wait for it, or remove that folder`, 1);
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
}

function isAbandoned(lock) {
  try {
    if (Date.now() - statSync(lock).mtimeMs > LOCK_STALE_MS) return true;
    process.kill(Number(readFileSync(join(lock, 'pid'), 'utf8')), 0);
    return false;
  } catch (error) {
    // ENOENT: it is being made or removed at this moment; anything but "no such process" means that its owner may live.
    return error.code === 'ESRCH';
  }
}

function writeAtomically(file, text) {
  writeFileSync(`${file}.${process.pid}`, text);
  renameSync(`${file}.${process.pid}`, file);
}

function fail(message, exitCode) {
  process.stderr.write(`weft: ${message}\n`);
  process.exit(exitCode);
}
