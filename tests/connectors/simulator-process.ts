// The simulators as a process of their own, on ports that stay the same when they are killed and started again.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@weft/core/process-table';
import { BARE_ENVIRONMENT } from '../support/environment.ts';

export type SystemName = 'hotline' | 'grid' | 'police';

export const APP_KEY = 'rig-app-key';
export const WEBHOOK_SECRET = 'rig-webhook-secret';

const MAIN = fileURLToPath(new URL('../../simulators/main.ts', import.meta.url));

export interface SimulatorOptions {
  readonly systems: readonly SystemName[];
  readonly webhookUrl: string;
  readonly gridMariadbUrl?: string | undefined;
}

export interface SimulatorProcess {
  /** As the simulators report them. */
  readonly urls: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly ports: Readonly<Record<SystemName, number>>;
  control<Answer>(system: SystemName, path: string, method?: string, body?: unknown): Promise<Answer>;
  start(): Promise<void>;
  kill(): Promise<void>;
  close(): Promise<void>;
}

export async function startSimulators(options: SimulatorOptions): Promise<SimulatorProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'weft-rig-'));
  const hotline = await freePort();
  const grid = await freePort(new Set([hotline]));
  const ports = { hotline, grid, police: await freePort(new Set([hotline, grid])) };
  let child: ChildProcess | undefined;
  const simulators = {
    urls: {},
    folder,
    ports,
    control: <Answer>(system: SystemName, path: string, method = 'GET', body?: unknown) =>
      control<Answer>(`http://127.0.0.1:${ports[system]}/_control${path}`, method, body),
    async start() {
      child = fork(MAIN, {
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        env: environment(options, folder, ports),
      });
      const [message] = (await once(child, 'message')) as [
        { kind: string; message?: string; urls: Record<string, string> },
      ];
      if (message.kind !== 'ready') throw new Error(`simulators: ${message.message}`);
      Object.assign(simulators.urls, message.urls);
    },
    async kill() {
      if (child === undefined) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      child = undefined;
    },
    async close() {
      await simulators.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await simulators.start();
  return simulators;
}

function environment(
  options: SimulatorOptions,
  folder: string,
  ports: Readonly<Record<SystemName, number>>,
): NodeJS.ProcessEnv {
  return {
    ...BARE_ENVIRONMENT,
    WEFT_SIM_DIR: folder,
    SIMULATORS: options.systems.join(','),
    HOTLINE_PORT: String(ports.hotline),
    GRID_CONTROL_PORT: String(ports.grid),
    POLICE_PORT: String(ports.police),
    HOTLINE_APP_KEY: APP_KEY,
    HOTLINE_WEBHOOK_SECRET: WEBHOOK_SECRET,
    HOTLINE_WEBHOOK_URL: options.webhookUrl,
    DEMO_RATE: '0',
    ...(options.gridMariadbUrl === undefined ? {} : { GRID_MARIADB_URL: options.gridMariadbUrl }),
  };
}

async function control<Answer>(url: string, method: string, body: unknown): Promise<Answer> {
  const response = await fetch(url, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as Answer;
}
