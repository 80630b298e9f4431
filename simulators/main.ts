// The process of the simulated systems: one of them or several, with or without the city that drives them.
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { type DemoStream, startDemoStream } from './city/stream.ts';
import { readConfig, type SimulatorsConfig } from './config.ts';
import { type Departments, startDepartments } from './departments/departments.ts';
import { type Grid, startGrid } from './grid/server.ts';
import { type Hotline, startHotline } from './hotline/server.ts';
import { type Police, startPolice } from './police/server.ts';

interface Running {
  hotline?: Hotline;
  grid?: Grid;
  police?: Police;
  departments?: Departments;
  demo?: DemoStream;
}

const MINUTE_MS = 60_000;
const CLOSE_MS_MAX = 5_000;

const running: Running = {};
let isClosing = false;

process.stdout.on('error', ignoreClosedPipe);
process.stderr.on('error', ignoreClosedPipe);
for (const signal of ['SIGTERM', 'SIGINT', 'disconnect'] as const) process.on(signal, () => void close());

try {
  const urls = await start(readConfig(process.env));
  if (!isClosing) {
    await tell({ kind: 'ready', urls });
    process.stdout.write(`${JSON.stringify(urls)}\n`);
  }
} catch (thrown) {
  isClosing = true;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  process.stderr.write(`simulators: ${message}\n`);
  await closeAll();
  await tell({ kind: 'failed', message, exitCode: 1 });
  process.exit(1);
}

async function start(config: SimulatorsConfig): Promise<Record<string, string>> {
  const directory = resolve(config.directory);
  if (config.directory !== '') mkdirSync(directory, { recursive: true });
  const urls: Record<string, string> = {};
  const paceMs = config.demoRatePerMinute === 0 ? 0 : MINUTE_MS / config.demoRatePerMinute;
  if (config.systems.has('hotline')) {
    const { hotlinePort: port, appKey, webhookUrl, webhookSecret } = config;
    running.hotline = await startHotline({ directory, port, appKey, webhookUrl, webhookSecret });
    urls.hotline = running.hotline.url;
    urls.hotlineControl = `${running.hotline.url}/_control`;
  }
  if (config.systems.has('grid')) {
    const { gridControlPort: controlPort, gridMariadbUrl: mariadbUrl } = config;
    running.grid = await startGrid({ directory, controlPort, mariadbUrl });
    urls.gridDsn = running.grid.dsn;
    urls.gridControl = `${running.grid.controlUrl}/_control`;
  }
  if (config.systems.has('police')) {
    running.police = await startPolice({ directory, port: config.policePort, paceMs });
    urls.police = `${running.police.url}/CaseService`;
    urls.policeControl = `${running.police.url}/_control`;
    urls.policeExchangeDsn = running.police.exchangeDsn;
  }
  running.departments = await startDepartments(config.departments, { directory, paceMs });
  Object.assign(urls, running.departments.urls);
  if (config.systems.has('city') && !isClosing) {
    const { demoRatePerMinute: ratePerMinute, demoSeed: seed, controlUrls: elsewhere, hubUrl } = config;
    const controlUrls = {
      hotline: urls.hotlineControl ?? elsewhere.hotline,
      grid: urls.gridControl ?? elsewhere.grid,
      police: urls.policeControl ?? elsewhere.police,
    };
    running.demo = startDemoStream({ ratePerMinute, seed, controlUrls, hubUrl });
  }
  return urls;
}

async function close(): Promise<void> {
  if (isClosing) return;
  isClosing = true;
  setTimeout(() => process.exit(1), CLOSE_MS_MAX).unref();
  await closeAll();
  process.exit(0);
}

async function closeAll(): Promise<void> {
  await running.demo?.close();
  const { hotline, grid, police, departments } = running;
  await Promise.all([hotline?.close(), grid?.close(), police?.close(), departments?.close()]);
}

/** To the supervisor, if there is one. */
function tell(message: object): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) return resolve();
    // A supervisor that has just gone is told by 'disconnect'; nothing is left to do here.
    process.send(message, () => resolve());
  });
}

/** EPIPE on a log stream says only that nobody reads it any more. */
function ignoreClosedPipe(): void {}
