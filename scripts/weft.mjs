#!/usr/bin/env node
// The `weft` command on any Node: installs when needed, then runs the command line on the project's own Node.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

await import('./bootstrap.mjs');
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const node = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.exe' : 'node');
const child = spawn(node, [join(root, 'cli', 'main.ts'), ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: {
    // Tells the supervisor to end when this process is killed.
    npm_lifecycle_event: 'weft',
    // From the first module on (core/compile-cache.ts): what strips types, 24 MB and 50 ms, is then not loaded at all.
    NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'weft-compiled'),
    ...process.env,
  },
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
