// Two gateways, many clients that resume, numbered events, and everything restarted under them at random moments.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { delay } from '@weft/core/deadline';
import { createLogger } from '@weft/core/logger';
import { freePort } from '@weft/core/process-table';
import { START } from '@weft/events/event-log';
import { openPostgresLog } from '@weft/events/postgres/log';
import { compose } from '@weft/schema/compose';
import { createRandom } from '../../differential/random.ts';
import type { SubgraphServer } from '../../gateway/subgraph-server.ts';
import { type RunningGateway, startGatewayCommand } from '../../rolling/gateways.ts';
import { waitFor } from '../../support/wait.ts';
import { judge, type Verdict } from './check.ts';
import type { LiveEngine } from './engines.ts';
import { type ResumingClient, startResumingClient } from './resuming-client.ts';
import { openWriter, startThings, TOPIC, ticksSdl, type Writer } from './ticks.ts';

export interface RestartsOptions {
  readonly engine: LiveEngine;
  readonly clients: number;
  readonly events: number;
  readonly perSecond: number;
  /** kill -9 of a gateway, in turn. */
  readonly kills: number;
  readonly engineRestarts: number;
  readonly reloads: number;
  readonly seed: number;
  onProgress?(text: string): void;
}

export interface RestartsReport extends Verdict {
  readonly reconnects: number;
  /** Of the client that was without events longest after it had lost its connection, in milliseconds. */
  readonly awayMsMax: number;
  readonly writerRetries: number;
  readonly seconds: number;
}

/** Steps between 0 and 1. */
const CHANCES = 1_000_000;
const SETTLE_MS_MAX = 120_000;
const WARM_UP_MS_MAX = 60_000;

interface Scene extends RestartsOptions {
  readonly folder: string;
  readonly ports: readonly number[];
  readonly gateways: Map<number, RunningGateway>;
  readonly things: SubgraphServer;
  readonly writer: Writer;
  readonly random: () => number;
}

/** Runs until every client has every event, or time is up; the verdict says what is missing. */
export async function runRestarts(options: RestartsOptions): Promise<RestartsReport> {
  const scene = await setScene(options);
  const clients: ResumingClient[] = [];
  const startedAt = performance.now();
  try {
    for (const port of scene.ports) scene.gateways.set(port, await startGateway(scene, port));
    const urls = scene.ports.map((port) => `ws://127.0.0.1:${port}/graphql`);
    for (let client = 0; client < options.clients; client += 1)
      clients.push(startResumingClient(client, urls, scene.random));
    await warmUp(scene.writer, clients);
    const written = scene.writer.write(1, options.events, options.perSecond);
    await Promise.all([written, ...disturbances(scene)]);
    await waitFor(
      'every client to have the last event',
      () => clients.every(has(options.events)),
      SETTLE_MS_MAX,
    )
      // What is missing is for the judge to say.
      .catch(() => undefined);
    const inLog = await numbersInLog(options.engine.databaseUrl);
    if (inLog.length !== options.events)
      throw new Error(`the log has ${inLog.length} of ${options.events} events`);
    return {
      ...judge(inLog, clients.map(withoutWarmUp)),
      reconnects: clients.reduce((sum, { reconnects }) => sum + reconnects, 0),
      awayMsMax: Math.round(Math.max(...clients.map(({ awayMsMax }) => awayMsMax))),
      writerRetries: scene.writer.retries,
      seconds: (performance.now() - startedAt) / 1_000,
    };
  } finally {
    await Promise.all(clients.map((client) => client.stop()));
    for (const gateway of scene.gateways.values()) gateway.kill();
    await scene.writer.close();
    await scene.things.close();
    rmSync(scene.folder, { recursive: true, force: true });
  }
}

async function setScene(options: RestartsOptions): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), 'weft-restarts-'));
  const things = await startThings();
  const keys = { cursorKeys: [{ id: 'test', secret: 'a secret of more than thirty-two characters' }] };
  writeFileSync(join(folder, 'keys.json'), JSON.stringify(keys));
  const scene: Scene = {
    ...options,
    folder,
    things,
    ports: [await freePort(), await freePort()],
    gateways: new Map(),
    writer: openWriter(options.engine.databaseUrl),
    random: seededNumbers(options.seed),
  };
  writeSupergraph(scene, 0);
  return scene;
}

function seededNumbers(seed: number): () => number {
  const random = createRandom(seed);
  return () => random.below(CHANCES) / CHANCES;
}

function writeSupergraph({ folder, things }: Scene, version: number): void {
  const composition = compose([{ name: things.name, url: things.url, sdl: ticksSdl(version) }]);
  if (composition.errors !== undefined) throw new Error(JSON.stringify(composition.errors));
  writeFileSync(join(folder, 'supergraph.graphql'), composition.supergraphSdl);
}

function startGateway({ folder, engine }: Scene, port: number): Promise<RunningGateway> {
  const env = { ...engine.env, WEFT_KEYS_FILE: join(folder, 'keys.json'), WEFT_LOG_LEVEL: 'warn' };
  return startGatewayCommand(join(folder, 'supergraph.graphql'), port, env);
}

/** Events with numbers below 1, until every client has had one: from then on it must miss nothing. */
export async function warmUp(writer: Writer, clients: readonly ResumingClient[]): Promise<void> {
  let number = 0;
  const until = performance.now() + WARM_UP_MS_MAX;
  while (!clients.every(({ cursor }) => cursor !== undefined)) {
    if (performance.now() > until) throw new Error('not every client received an event of the warm-up');
    await writer.write(number, number, 1_000);
    number -= 1;
    await delay(100);
  }
}

const has = (number: number) => (client: ResumingClient) => client.numbers.includes(number);

/** Numbers from 1 on; what was noted before the client stood in the stream does not count. */
export function withoutWarmUp({ client, numbers, gaps, errors }: ResumingClient) {
  return { client, numbers: numbers.filter((number) => number >= 1), gaps, errors };
}

function disturbances(scene: Scene): Promise<void>[] {
  const { kills, engineRestarts, reloads, events, perSecond, onProgress } = scene;
  const lengthMs = (events / perSecond) * 1_000;
  /** At random moments, one in each equal part of the time. */
  const spread = async (count: number, act: (turn: number) => Promise<void> | void) => {
    const startedAt = performance.now();
    for (let turn = 0; turn < count; turn += 1) {
      const at = ((turn + scene.random()) / count) * lengthMs;
      await delay(Math.max(1, startedAt + at - performance.now()));
      await act(turn);
    }
  };
  return [
    spread(kills, async (turn) => {
      const port = scene.ports[turn % scene.ports.length] ?? 0;
      scene.gateways.get(port)?.kill();
      scene.gateways.set(port, await startGateway(scene, port));
      onProgress?.(`gateway ${turn + 1} of ${kills} killed and started again`);
    }),
    spread(engineRestarts, async (turn) => {
      await scene.engine.restart();
      onProgress?.(`engine restart ${turn + 1} of ${engineRestarts}`);
    }),
    spread(reloads, (turn) => writeSupergraph(scene, turn + 1)),
  ];
}

/** As a reader of the outbox sees them. */
export async function numbersInLog(databaseUrl: string): Promise<readonly number[]> {
  const log = openPostgresLog({ databaseUrl, logger: createLogger('test', 'silent') });
  const numbers: number[] = [];
  try {
    const { signal } = new AbortController();
    const upTo = await log.head(TOPIC);
    for await (const batch of log.read(TOPIC, { after: START, upTo, signal })) {
      for (const entry of batch) if (entry.kind === 'event') numbers.push(Number(entry.event.data.n));
    }
  } finally {
    await log.close();
  }
  return numbers.filter((number) => number >= 1);
}
