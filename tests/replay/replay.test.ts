import { type ChildProcess, fork, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { waitFor } from '../support/wait.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'weft-replay-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ROWS = 600;

/** Requests in the columns of the real file, two minutes apart, the last one first; each tenth told to the police too. */
function writeRequests(): string {
  const lines = Array.from({ length: ROWS }, (_, index) => {
    const created = `1/1/20 ${Math.floor(index / 30)}:${String((index % 30) * 2).padStart(2, '0')}`;
    const type = index % 10 === 0 ? 'Homeless Encampment' : 'Bulky Items';
    return `R-${index},${type},${created},Call,"${index} MAIN ST",${index % 99},Open,BOS`;
  });
  const file = join(folder, 'requests.csv');
  const header = 'srnumber,requesttype,createddate,requestsource,address,nc,status,owner';
  writeFileSync(file, [header, ...lines.reverse()].join('\n'));
  return file;
}

interface Simulators {
  readonly process: ChildProcess;
  readonly urls: Readonly<Record<string, string>>;
}

/** The simulated hotline and police in a process of their own, written down as a running hub does. */
async function startSimulators(home: string): Promise<Simulators> {
  const child = fork(join(ROOT, 'simulators', 'main.ts'), {
    env: {
      ...process.env,
      WEFT_SIM_DIR: join(home, 'simulators'),
      HOTLINE_APP_KEY: 'key',
      DEMO_RATE: '0',
      SIMULATORS: 'hotline,police',
    },
    silent: true,
  });
  const urls = await new Promise<Readonly<Record<string, string>>>((ready, failed) => {
    child.once('message', (message: { readonly urls?: Readonly<Record<string, string>> }) =>
      message.urls === undefined ? failed(new Error(JSON.stringify(message))) : ready(message.urls),
    );
    child.once('exit', (code) => failed(new Error(`the simulators ended with ${code}`)));
  });
  writeFileSync(join(home, 'run.json'), JSON.stringify({ pid: process.pid, pids: {}, urls }));
  return { process: child, urls };
}

async function stopSimulators({ process: child }: Simulators, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((done) => child.once('exit', done));
  child.kill(signal);
  await ended;
}

/** `weft replay` as a person runs it; ends with its exit code and what it printed. */
function runReplay(
  home: string,
  file: string,
  speed: string,
): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, ['cli/main.ts', 'replay', file, '--speed', speed], {
    cwd: ROOT,
    env: { ...process.env, WEFT_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  return new Promise((done) => child.once('close', (code) => done({ code, output })));
}

async function ordersOf({ urls }: Simulators): Promise<number> {
  const answer = await fetch(`${urls.hotline}/_control/stats`);
  return ((await answer.json()) as { readonly orders: number }).orders;
}

describe('weft replay', () => {
  it('makes each order once, also when the simulators are killed with -9 half way, move, and it is run again', async () => {
    const home = mkdtempSync(join(folder, 'home-'));
    mkdirSync(join(home, 'simulators'));
    const file = writeRequests();
    let simulators = await startSimulators(home);
    try {
      const feeding = runReplay(home, file, '18000');
      await waitFor('half of the orders', async () => (await ordersOf(simulators)) >= ROWS / 2, 30_000);
      await stopSimulators(simulators, 'SIGKILL');
      simulators = await startSimulators(home);
      const first = await feeding;
      expect(first.code, first.output).toBe(0);
      expect(await ordersOf(simulators)).toBe(ROWS);
      const again = await runReplay(home, file, 'max');
      expect(again.code, again.output).toBe(0);
      expect(again.output).toMatch(/orders made +0\n +already there +600\n +police cases +0\n/);
      expect(await ordersOf(simulators)).toBe(ROWS);
    } finally {
      await stopSimulators(simulators, 'SIGTERM');
    }
  });
});
