// The whole loop over a whole hub: requests replayed into the hotline, handled by staff and departments, some of which are down.
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type EmbeddedPostgres, startPostgres } from '@weft/core/embedded-postgres';
import pg from 'pg';
import { createHome, type Hub, ROOT, removeHome, startHub } from '../support/hub.ts';
import { waitFor } from '../support/wait.ts';
import { type Books, openBooks } from './books.ts';
import { ask, tokenOf } from './graph.ts';
import { judge, type Queued, type Shown, type Verdict } from './judge.ts';
import { type Spread, spreadOf, type Usage } from './measures.ts';
import { type People, startPeople } from './people.ts';
import { evenly, findRequests, lastsMs, MAPPING } from './requests.ts';
import {
  countStatements,
  forgetStatements,
  readStatements,
  type StatementCosts,
  usageByProcess,
} from './split.ts';
import { type Staff, startStaff } from './staff.ts';
import { DEPARTMENTS, type DepartmentName } from './ways.ts';

export interface LoopOptions {
  readonly requests: number;
  /** How many seconds of the file pass in one; with `perSecond` the file's own times do not count. */
  readonly speed: number;
  /** Requests a second, evenly. */
  readonly perSecond?: number | undefined;
  readonly seed: number;
  /** Whether two departments are down for a third of the replay. */
  readonly outage: boolean;
  /** Whether PostgreSQL counts its statements, which takes some time of its own. */
  readonly split?: boolean;
  /** Told how far it is. */
  readonly onProgress?: (line: string) => void;
}

/** How much waits for whom. */
export interface Lengths {
  readonly atMs: number;
  readonly staff: number;
  readonly people: number;
  /** Commands that are not settled. */
  readonly commands: number;
  /** What departments have told and nobody has done yet, and deliveries likewise. */
  readonly news: number;
  /** Changes that old systems have still to tell. */
  readonly untold: number;
  readonly reported: number;
  readonly ended: number;
}

export interface LoopReport extends Verdict {
  readonly areReal: boolean;
  readonly replaySeconds: number;
  readonly seconds: number;
  readonly lengths: readonly Lengths[];
  readonly latencyMs: Readonly<Record<string, Spread>>;
  /** By process, over the whole run. */
  readonly usage: Readonly<Record<string, Usage & { readonly cpuMsPerIncident: number }>>;
  readonly statements: StatementCosts | undefined;
  readonly reconnections: number;
  readonly gaps: number;
}

const SAMPLE_MS = 1_000;
const SETTLED_MS_MAX = 1_200_000;
const FIRST_LIVE_MS_MAX = 60_000;
const PAGE = 100;

interface Running {
  readonly options: LoopOptions;
  readonly folder: string;
  readonly hub: Hub;
  readonly database: EmbeddedPostgres;
  readonly client: pg.Client;
  readonly token: string;
  readonly books: Books;
  readonly people: People;
  readonly staff: Staff;
  readonly lengths: Lengths[];
  readonly startedMs: number;
}

/** @throws when it does not come to an end in time */
export async function runLoop(options: LoopOptions): Promise<LoopReport> {
  const [home, folder] = [createHome(), mkdtempSync(join(tmpdir(), 'weft-loop-'))];
  // A server of its own: a whole hub under load takes half the connections that one for all tests has.
  const directory = join(folder, 'postgres');
  if (options.split) await countStatements(directory);
  const database = await startPostgres({ directory });
  const hub = await startHub({ home, env: { DATABASE_URL: database.url, WEFT_LOG_LEVEL: 'warn' } });
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    return await runOver({ hub, database, client, folder, options });
  } finally {
    await client.end();
    await hub.stop();
    await database.stop();
    removeHome(home);
    rmSync(folder, { recursive: true });
  }
}

type Given = Pick<Running, 'hub' | 'database' | 'client' | 'folder' | 'options'>;

async function runOver(given: Given): Promise<LoopReport> {
  const { hub, database, client, options } = given;
  const token = await tokenOf(
    hub.home,
    '--role',
    'duty-officer',
    '--subject',
    '值班席',
    '--division',
    '320508',
  );
  const books = openBooks(join(hub.home, 'simulators'));
  const { seed } = options;
  const controls = controlsOf(hub);
  const people = startPeople({ books, controls, seed });
  const staff = startStaff({ hub, people, token, seed });
  const startedMs = performance.now();
  const running: Running = { ...given, token, books, people, staff, lengths: [], startedMs };
  try {
    await callUntilTold(running);
    if (options.split) await forgetStatements(client);
    const before = usageByProcess(hub.home, database.pid);
    const { replaySeconds, areReal, outage } = await replayThrough(running);
    await settle(running);
    const seconds = (performance.now() - startedMs) / 1_000;
    const usage = usageSince(running, before);
    const statements = options.split ? await readStatements(client, books.orders().length) : undefined;
    const [incidents, counts, queued] = [
      await readAll(running),
      await readCounts(running),
      await readQueued(client),
    ];
    const { told, caught, troubles } = staff;
    const verdict = judge({ incidents, counts, books, told, caught, queued, outage, seed });
    return {
      ...verdict,
      // Where somebody could not do their part, the rest says nothing of the hub.
      differences: troubles.length > 0 ? troubles : verdict.differences,
      ...{ areReal, replaySeconds, seconds, usage, statements },
      lengths: running.lengths,
      latencyMs: latenciesOf(running, incidents, outage),
      reconnections: staff.reconnections(),
      gaps: staff.gaps(),
    };
  } finally {
    await staff.close();
    await people.close();
    books.close();
  }
}

function controlsOf({ urls }: Hub): Readonly<Record<DepartmentName, string>> {
  return {
    police: urls.policeControl ?? '',
    'urban-management': urls.urbanManagementControl ?? '',
    'human-resources': urls.humanResourcesControl ?? '',
    'market-supervision': urls.marketSupervisionControl ?? '',
  };
}

/** Somebody calls the hotline until the staff sees it live: from then on nothing is missed. */
async function callUntilTold({ hub, staff }: Running): Promise<void> {
  let calls = 0;
  await waitFor(
    'the first live change',
    async () => {
      if (staff.told.size > 0) return true;
      calls += 1;
      const order = {
        externalRef: `LOOP-${calls}`,
        subject: '路灯不亮',
        areaCode: '320508017003',
        kind: '2',
      };
      await fetch(`${hub.urls.hotlineControl}/orders`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify([order]),
      });
      await sleep(SAMPLE_MS);
      return false;
    },
    FIRST_LIVE_MS_MAX,
  );
  await staff.catchUp();
}

async function replayThrough(running: Running) {
  const { options, folder, hub } = running;
  const { requests, perSecond } = options;
  const found = findRequests(folder, requests);
  const file = perSecond === undefined ? found.file : evenly(folder, found, requests);
  const speed = perSecond === undefined ? options.speed : perSecond * 60;
  const wholeMs = lastsMs(file, requests, speed);
  const beganMs = performance.now();
  const replaying = replay(hub.home, file, speed, requests);
  const stop = new AbortController();
  const [sampling, breaking] = [sample(running, stop.signal), breakDown(running, wholeMs)];
  const code = await replaying.ended;
  const replaySeconds = (performance.now() - beganMs) / 1_000;
  const outage = await breaking;
  stop.abort();
  await sampling;
  if (code !== 0) throw new Error(`weft replay ended with ${code}\n${replaying.output()}`);
  return { replaySeconds, outage, areReal: found.areReal };
}

function replay(home: string, file: string, speed: number, limit: number) {
  const args = ['replay', file, '--speed', String(speed), '--mapping', MAPPING, '--limit', String(limit)];
  const child = spawn(process.execPath, ['cli/main.ts', ...args], {
    cwd: ROOT,
    env: { ...process.env, WEFT_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { ended, output: () => output };
}

/**
 * For the second third of the time the police are dead, and market supervision does what it is asked and never answers. For a
 * while afterwards human resources refuses what comes.
 */
async function breakDown(
  running: Running,
  wholeMs: number,
): Promise<{ fromMs: number; toMs: number } | undefined> {
  const { options, hub } = running;
  if (!options.outage) return undefined;
  const controls = controlsOf(hub);
  await sleep(wholeMs / 3);
  const fromMs = Date.now();
  process.kill(hub.pid('police'), 'SIGKILL');
  await setFaults(controls['market-supervision'], { refuse: true });
  await sleep(wholeMs / 3);
  await setFaults(controls['market-supervision'], {});
  await simulate(hub.home, 'police');
  const toMs = Date.now();
  await setFaults(controls['human-resources'], { refuseWork: true });
  await sleep(wholeMs / 6);
  await setFaults(controls['human-resources'], {});
  return { fromMs, toMs };
}

async function setFaults(control: string, faults: object): Promise<void> {
  const response = await fetch(`${control}/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(faults),
  });
  if (!response.ok) throw new Error(`${control}/faults: HTTP ${response.status}`);
}

async function simulate(home: string, name: string): Promise<void> {
  await promisify(execFile)(process.execPath, ['cli/main.ts', 'simulate', name], {
    cwd: ROOT,
    env: { ...process.env, WEFT_HOME: home },
  });
}

const LENGTHS = `SELECT
  (SELECT count(*)::int FROM connectors.command WHERE state IN ('PENDING', 'SENT', 'UNKNOWN')) AS commands,
  (SELECT count(*)::int FROM incidents.progress WHERE next_at IS NOT NULL)
    + (SELECT count(*)::int FROM incidents.delivery WHERE next_at IS NOT NULL) AS news`;

async function measure({ client, staff, people, books, startedMs }: Running): Promise<Lengths> {
  const { rows } = await client.query<{ commands: number; news: number }>(LENGTHS);
  const { commands = 0, news = 0 } = rows[0] ?? {};
  const [reported, ended] = [staff.told.size + staff.caught.size, staff.ended()];
  const atMs = Math.round(performance.now() - startedMs);
  const waiting = { staff: staff.waiting(), people: people.waiting(), untold: books.untold() };
  return { atMs, ...waiting, commands, news, reported, ended };
}

async function sample(running: Running, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    running.hub.pid('gateway');
    const lengths = await measure(running);
    running.lengths.push(lengths);
    running.options.onProgress?.(JSON.stringify(lengths));
    await sleep(SAMPLE_MS);
  }
}

/** Until every order's incident has come to its end, and nothing waits for anybody. */
async function settle(running: Running): Promise<void> {
  const { books, staff, options, lengths, hub } = running;
  const untilMs = performance.now() + SETTLED_MS_MAX;
  for (;;) {
    // Throws when the hub has ended.
    hub.pid('gateway');
    const now = await measure(running);
    lengths.push(now);
    options.onProgress?.(JSON.stringify(now));
    const left = now.commands + now.news + now.untold + now.staff;
    if (staff.troubles.length > 0 || (now.ended === books.orders().length && left === 0)) return;
    if (performance.now() > untilMs) throw new Error(`it does not come to its end: ${JSON.stringify(now)}`);
    await sleep(SAMPLE_MS);
  }
}

const SHOWN = `query ($first: Int!, $after: String) { incidents(division: "320508", first: $first, after: $after) {
  pageInfo { hasNextPage endCursor }
  edges { node {
    id state externalNumbers { kind number } problems { text } steps { kind at attempt }
    attempts { number department { code } routedAt delivery deliveredAt outcome externalNumber { kind number } }
  } }
} }`;

interface Page {
  readonly incidents: {
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
    readonly edges: readonly { readonly node: Shown }[];
  };
}

async function readAll({ hub, token }: Running): Promise<readonly Shown[]> {
  const all: Shown[] = [];
  for (let after: string | null = null; ; ) {
    const page: Page = await ask<Page>(hub, token, SHOWN, { first: PAGE, after });
    all.push(...page.incidents.edges.map(({ node }) => node));
    if (!page.incidents.pageInfo.hasNextPage) return all;
    after = page.incidents.pageInfo.endCursor;
  }
}

async function readCounts({ hub, token }: Running) {
  const query = '{ incidentCounts(division: "320508") { state count } }';
  type Counts = { readonly incidentCounts: readonly { readonly state: string; readonly count: number }[] };
  return (await ask<Counts>(hub, token, query)).incidentCounts;
}

async function readQueued(client: pg.Client): Promise<readonly Queued[]> {
  const { rows } = await client.query<Queued>(
    `SELECT c.system, c.idempotency_key AS key, c.state, extract(epoch FROM c.created_at)::float8 * 1000 AS "storedAtMs",
       EXISTS (SELECT 1 FROM connectors.command_attempt t WHERE t.command_id = c.id AND t.kind = 'SEND' AND t.outcome = 'UNKNOWN')
         AS "wasUnknown"
     FROM connectors.command c WHERE c.dispatch IS NOT NULL ORDER BY c.seq`,
  );
  return rows;
}

function usageSince(
  { hub, database, books }: Running,
  before: ReadonlyMap<string, Usage>,
): LoopReport['usage'] {
  const incidents = books.orders().length;
  return Object.fromEntries(
    [...usageByProcess(hub.home, database.pid)].map(([part, { cpuMs, rssMb }]) => {
      // One that was killed counts from its new beginning.
      const used = Math.max(0, cpuMs - (before.get(part)?.cpuMs ?? 0));
      return [part, { cpuMs: used, rssMb, cpuMsPerIncident: Math.round((used / incidents) * 10) / 10 }];
    }),
  );
}

function latenciesOf(
  { staff, people }: Running,
  incidents: readonly Shown[],
  outage: { readonly fromMs: number; readonly toMs: number } | undefined,
): Readonly<Record<string, Spread>> {
  const attempts = incidents.flatMap(({ attempts: all, steps }) =>
    all.map((attempt) => ({ ...attempt, steps })),
  );
  const isDown = (at: number) => outage !== undefined && at >= outage.fromMs && at <= outage.toMs;
  const deliveries = attempts.flatMap(({ routedAt, deliveredAt, department }) => {
    const routedMs = Date.parse(routedAt);
    if (deliveredAt === null) return [];
    const isQueued = isDown(routedMs) && ['police', 'market-supervision'].includes(department.code);
    return [{ isQueued, ms: Date.parse(deliveredAt) - routedMs }];
  });
  const news = attempts.flatMap(({ number, externalNumber, department, steps }) =>
    steps.flatMap(({ kind, at, attempt }) => {
      const didMs = attempt === number ? people.done.get(`${externalNumber?.number}:${kind}`) : undefined;
      return didMs === undefined
        ? []
        : [{ of: `what ${department.code} did until its step`, ms: Date.parse(at) - didMs }];
    }),
  );
  return {
    'an operation of the staff through the gateway': spreadOf(staff.operationMs),
    'a step until it is told live': spreadOf(staff.liveMs),
    'routing until the department has it': spreadOf(
      deliveries.filter(({ isQueued }) => !isQueued).map(({ ms }) => ms),
    ),
    'the same, queued in the outage': spreadOf(
      deliveries.filter(({ isQueued }) => isQueued).map(({ ms }) => ms),
    ),
    ...Object.fromEntries(
      DEPARTMENTS.map((name) => {
        const of = `what ${name} did until its step`;
        return [of, spreadOf(news.flatMap((one) => (one.of === of ? [one.ms] : [])))];
      }),
    ),
  };
}
