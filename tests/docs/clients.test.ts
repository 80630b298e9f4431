// The examples of docs/clients.md run as they stand, each against a real gateway over the project's own incidents.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createLogger } from '@weft/core/logger';
import type { Started } from '@weft/core/process';
import { freePort } from '@weft/core/process-table';
import { startGateway } from '@weft/gateway/start';
import { splitEventStreams } from '@weft/schema/event-streams';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { incidentEvent } from '../../subgraphs/incidents/incident-event.ts';
import { type SubgraphServer, startSubgraph } from '../gateway/subgraph-server.ts';
import { type LiveLog, openLiveLog } from '../live/live-log.ts';
import { ROOT } from '../support/hub.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const page = readFileSync(join(ROOT, 'docs', 'clients.md'), 'utf8');
const examples = [...page.matchAll(/```js (\S+)\n([\s\S]*?)```/g)].map(([, name = '', code = '']) => ({
  name,
  code,
}));
const curl = /^ {4}(curl -N .*)$/m.exec(page)?.[1] ?? '';

/** Of 100 ms. */
const TRIES_MAX = 400;
/** Long enough for a client to be refused a connection. */
const DOWN_MS = 1_500;

let live: LiveLog;
let incidents: SubgraphServer;
let gateway: Started;
let folder: string;
let port: number;

function openGateway(): Promise<Started> {
  return startGateway({
    config: {
      port,
      host: '127.0.0.1',
      logLevel: 'silent',
      databaseUrl: live.databaseUrl,
      supergraphFile: join(folder, 'supergraph.graphql'),
      manifest: undefined,
      cursorKeys: [{ id: 'k1', secret: 's'.repeat(32) }],
    },
    logger: createLogger('test', 'silent'),
  });
}

beforeAll(async () => {
  live = await openLiveLog();
  const sdl = readFileSync(join(ROOT, 'subgraphs', 'incidents', 'schema.graphql'), 'utf8');
  const __resolveReference = ({ id }: { id: string }) => ({ id, title: `title ${id}` });
  incidents = await startSubgraph(
    'incidents',
    sdl,
    { Incident: { __resolveReference } },
    splitEventStreams(sdl).served,
  );
  // Beside the packages that the examples import.
  folder = mkdtempSync(join(ROOT, 'tests', '.clients-'));
  // The whole graph of the project: only incidents are asked for.
  const supergraphFile = join(folder, 'supergraph.graphql');
  const supergraph = readFileSync(join(ROOT, 'schema', 'supergraph.graphql'), 'utf8');
  writeFileSync(
    supergraphFile,
    supergraph.replace('http://localhost:4101/incidents/graphql', () => incidents.url),
  );
  const resuming = examples.find(({ name }) => name === 'resuming')?.code ?? '';
  writeFileSync(join(folder, 'resuming.mjs'), resuming);
  // It comes back on it.
  port = await freePort();
  gateway = await openGateway();
});
afterAll(async () => {
  if (folder !== undefined) rmSync(folder, { recursive: true });
  await gateway?.close();
  await incidents?.close();
  await live?.close();
});

const here = (text: string) => text.replaceAll('127.0.0.1:4000', new URL(gateway.urls.graphql ?? '').host);

let incident = 0;
async function report(): Promise<void> {
  incident += 1;
  const step = {
    incidentId: `i${incident}`,
    sequence: 1,
    kind: 'REPORTED',
    from: null,
    to: 'REPORTED',
  } as const;
  await live.append(
    'incident',
    incidentEvent({ ...step, at: new Date(), by: 'test' }, { division: '320508', channel: 'HOTLINE' }),
  );
}

interface Running {
  readonly output: () => string;
  /** Reports incidents until the title of one is printed that was reported since. */
  untilLive(): Promise<void>;
  /** Waits for the titles of these incidents. */
  untilTold(from: number, to: number): Promise<void>;
}

/** Runs an example as long as `work` lasts. */
async function whileRunning(
  command: string,
  args: readonly string[],
  work: (running: Running) => Promise<void>,
): Promise<void> {
  const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const until = async (isSo: () => boolean, meanwhile: () => Promise<void>) => {
    for (let n = 0; !isSo(); n += 1) {
      if (n === TRIES_MAX || child.exitCode !== null) throw new Error(`the example printed: ${output}`);
      await meanwhile();
      await wait(100);
    }
  };
  const isTold = (number: number) => new RegExp(`title i${number}\\b`).test(output);
  try {
    await work({
      output: () => output,
      async untilLive() {
        const before = incident;
        const isLive = () => {
          for (let number = before + 1; number <= incident; number += 1) if (isTold(number)) return true;
          return false;
        };
        await until(isLive, report);
      },
      untilTold: (from, to) =>
        until(
          () => Array.from({ length: to - from + 1 }, (_, n) => from + n).every(isTold),
          async () => undefined,
        ),
    });
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

/** The example is live, loses its gateway, and tells what happened while there was none. */
async function overARestart(running: Running): Promise<void> {
  await running.untilLive();
  const last = incident + 1;
  // The cursor of this one is in the client's hands when the gateway goes.
  await report();
  await running.untilTold(last, last);
  await gateway.close();
  await report();
  await wait(DOWN_MS);
  await report();
  gateway = await openGateway();
  await report();
  await running.untilTold(last + 1, incident);
}

describe('docs/clients.md', () => {
  it('has an example of every client', () => {
    const names = [
      'weft',
      'graphql-ws',
      'resuming',
      'graphql-sse',
      'apollo-multipart',
      'apollo-ws',
      'urql-fetch',
      'urql-ws',
      'relay',
    ];
    expect(examples.map(({ name }) => name)).toEqual(names);
  });

  it.each(examples.filter(({ name }) => name !== 'relay' && name !== 'resuming'))(
    'shows $name so that it prints what happens, and what happened while there was no gateway',
    async ({ name, code }) => {
      const file = join(folder, `${name}.mjs`);
      writeFileSync(file, here(code));
      await whileRunning(process.execPath, [file], overARestart);
    },
  );

  it('shows a network layer of Relay that brings a subscription, and what happened while there was no gateway', async () => {
    const file = join(folder, 'relay.mjs');
    const { code = '' } = examples.find(({ name }) => name === 'relay') ?? {};
    const text =
      'subscription ($after: Cursor) { incidentChanged(after: $after) { cursor incident { id title } } }';
    const params = `{ name: 'Live', text: ${JSON.stringify(text)}, operationKind: 'subscription', cacheID: 'c', id: null, metadata: {} }`;
    writeFileSync(
      file,
      `${here(code)}\nenvironment.getNetwork().execute(${params}, {}, {}).subscribe({ next: ({ data }) => console.log(data.incidentChanged.incident) });`,
    );
    await whileRunning(process.execPath, [file], overARestart);
  });

  it('shows a command of curl', async () => {
    await whileRunning('bash', ['-c', here(curl)], ({ untilLive }) => untilLive());
  });
});
