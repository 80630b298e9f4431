// `weft gateway` as a process: SIGHUP, and files that it refuses to start with.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../support/wait.ts';
import { createReloadRig, type ReloadRig } from './reload-rig.ts';

const ROOT = join(import.meta.dirname, '../..');

let rig: ReloadRig;
let children: ChildProcess[];
beforeEach(async () => {
  rig = await createReloadRig();
  children = [];
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rig.close();
});

interface Running {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  output(): string;
}

function weftGateway(...options: readonly string[]): Running {
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(WEFT_|VITEST|DATABASE_URL|PORT$)/.test(name)),
  );
  const argv = ['cli/main.ts', 'gateway', '--supergraph', rig.supergraphFile, '--port', '0', ...options];
  const child = spawn(process.execPath, argv, {
    cwd: ROOT,
    env: { ...inherited, WEFT_DRAIN_GRACE_MS: '0' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  children.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += String(chunk)));
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { child, exited, output: () => output };
}

describe('weft gateway', () => {
  it('reads its file again on SIGHUP, and ends on SIGTERM', async () => {
    const { child, exited, output } = weftGateway();
    await new Promise((resolve) => child.once('message', resolve));
    await waitFor('the line that says what serves', () => output().includes('the gateway serves'));
    expect(output()).toMatch(
      /"engine":"weft","planner":"auto","graph":"[0-9a-f]{16}","liveFields":"of subgraphs only/,
    );
    child.kill('SIGHUP');
    await waitFor('the second reading', () => output().includes('the graph was read again and is the same'));
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
  });

  it.each([
    ['query { a }', 'the supergraph has no enum join__Graph'],
    ['<html>', 'the supergraph is not GraphQL SDL'],
    [
      'schema @link(url: "https://specs.apollo.dev/policy/v0.2", for: SECURITY) { query: Query } enum join__Graph { A @join__graph(name: "a", url: "") } type Query { a: Int }',
      'the supergraph asks for https://specs.apollo.dev/policy/v0.2 (for: SECURITY), which this gateway does not enforce',
    ],
  ])('does not start with %s, and says in one line why', async (text, reason) => {
    rig.replace(text);
    const { exited, output } = weftGateway();
    expect(await exited).toBe(2);
    expect(output().trim().split('\n')).toEqual([
      expect.stringContaining(`weft gateway: WEFT_SUPERGRAPH_FILE: ${rig.supergraphFile}: ${reason}`),
    ]);
  });

  it('refuses an engine that does not exist, naming the setting', async () => {
    const { exited, output } = weftGateway('--engine', 'steam');
    expect(await exited).toBe(2);
    expect(output()).toContain('WEFT_ENGINE: ');
  });
});
