// The examples of docs/clients.md run as they stand, each against a real gateway over the project's own incidents.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createLogger } from '@weft/core/logger';
import type { Started } from '@weft/core/process';
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

let live: LiveLog;
let incidents: SubgraphServer;
let gateway: Started;
let folder: string;
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
  gateway = await startGateway({
    config: {
      port: 0,
      host: '127.0.0.1',
      logLevel: 'silent',
      databaseUrl: live.databaseUrl,
      supergraphFile,
      manifest: undefined,
      cursorKeys: [{ id: 'k1', secret: 's'.repeat(32) }],
    },
    logger: createLogger('test', 'silent'),
  });
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

/** Reports incidents until the program prints the title of one. */
async function untilPrinted(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    for (let n = 0; !/title i\d+/.test(output); n += 1) {
      if (n === 400 || child.exitCode !== null) throw new Error(`the example printed: ${output}`);
      await report();
      await wait(100);
    }
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

describe('docs/clients.md', () => {
  it('has an example of every client', () => {
    const names = [
      'weft',
      'graphql-ws',
      'graphql-sse',
      'apollo-multipart',
      'apollo-ws',
      'urql-fetch',
      'urql-ws',
      'relay',
    ];
    expect(examples.map(({ name }) => name)).toEqual(names);
  });

  it.each(examples.filter(({ name }) => name !== 'relay'))(
    'shows $name so that it prints what happens',
    async ({ name, code }) => {
      const file = join(folder, `${name}.mjs`);
      writeFileSync(file, here(code));
      await untilPrinted(process.execPath, [file]);
    },
  );

  it('shows a network layer of Relay that brings a subscription', async () => {
    const file = join(folder, 'relay.mjs');
    const { code = '' } = examples.find(({ name }) => name === 'relay') ?? {};
    const text = 'subscription { incidentChanged { cursor incident { id title } } }';
    const params = `{ name: 'Live', text: ${JSON.stringify(text)}, operationKind: 'subscription', cacheID: 'c', id: null, metadata: {} }`;
    writeFileSync(
      file,
      `${here(code)}\nenvironment.getNetwork().execute(${params}, {}, {}).subscribe({ next: ({ data }) => console.log(data.incidentChanged.incident) });`,
    );
    await untilPrinted(process.execPath, [file]);
  });

  it('shows a command of curl', async () => {
    await untilPrinted('bash', ['-c', here(curl)]);
  });
});
