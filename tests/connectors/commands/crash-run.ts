// Writes through connector hosts that are killed at any moment, to a ledger that fails one call in five; judged by the ledger's own book.
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom, type Random } from '../../differential/random.ts';
import { waitFor } from '../../support/wait.ts';
import { FAULTS, type FaultPlan, type Ledger, startLedger } from './old-ledger.ts';
import {
  type Answer,
  ask,
  type CommandDatabase,
  createCommandDatabase,
  type HostProcess,
  startHostProcess,
} from './rig.ts';

export interface CrashOptions {
  readonly writes: number;
  readonly subjects: number;
  readonly kills: number;
  readonly hosts: number;
  readonly seed: number;
  readonly onProgress?: (text: string) => void;
}

export interface CrashReport {
  readonly seconds: number;
  readonly kills: number;
  readonly writesThatReachedIt: number;
  readonly questions: number;
  /** Sendings by what they brought. */
  readonly sendings: Readonly<Record<string, number>>;
  /** Client numbers that the book does not have. */
  readonly lost: readonly string[];
  /** Client numbers that the book has more than once. */
  readonly doubled: readonly string[];
  /** Subjects whose records do not stand in the order of their acceptance. */
  readonly reversed: readonly string[];
  /** Commands that are not APPLIED at the end, or under another number than the book's. */
  readonly strange: readonly string[];
}

const FAULTS_PERCENT = 20;
const SETTLED_MS_MAX = 120_000;
const KILL_AFTER_MS_MAX = 40;
const ADD = `mutation ($subject: ID!, $text: String!, $requestId: ID!) {
  addEntry(subject: $subject, text: $text, requestId: $requestId) { commandId outcome }
}`;
/** So short that some receipts say PENDING, and the next write of the subject follows all the same. */
const DEADLINE = { 'x-weft-deadline-ms': '450' };

/** Runs until every write has its fate. */
export async function runCrashes(options: CrashOptions): Promise<CrashReport> {
  const startedAtMs = performance.now();
  const random = createRandom(options.seed);
  const database = await createCommandDatabase();
  const ledger = await startLedger();
  const faults = createRandom(options.seed + 1);
  ledger.plan = () => planOf(faults);
  const hosts = await startHosts(options.hosts, database.url, ledger.url);
  try {
    const killed = { count: 0 };
    await Promise.all([
      killHosts(options, random, ledger, hosts, killed),
      writeAll(options, hosts, (n) => n * options.kills < (killed.count + 2) * options.writes),
    ]);
    await waitFor('every write to have its fate', () => isSettled(database, options.writes), SETTLED_MS_MAX);
    return await judge(options, ledger, database, (performance.now() - startedAtMs) / 1_000);
  } finally {
    await Promise.all(hosts.all.map((host) => host.kill()));
    await ledger.close();
    await database.drop();
  }
}

function planOf(random: Random): FaultPlan | undefined {
  if (!random.chance(FAULTS_PERCENT)) return undefined;
  if (random.chance(10)) return { fault: 'late', isCommitted: true };
  return { fault: random.pick(FAULTS), isCommitted: random.chance(50) };
}

interface Hosts {
  readonly all: HostProcess[];
  start(): Promise<HostProcess>;
}

async function startHosts(count: number, databaseUrl: string, ledgerUrl: string): Promise<Hosts> {
  const start = () => startHostProcess(databaseUrl, ledgerUrl);
  return { all: await Promise.all(Array.from({ length: count }, start)), start };
}

/** Kills spread over the whole run, each at a moment that nothing in the host knows of. */
async function killHosts(
  { writes, kills, onProgress }: CrashOptions,
  random: Random,
  ledger: Ledger,
  hosts: Hosts,
  killed: { count: number },
): Promise<void> {
  for (let index = 0; index < kills; index++) {
    const place = Math.floor(((index + random.below(100) / 100) * writes) / kills);
    await waitFor(
      `write ${place}`,
      () => ledger.writes() >= place || ledger.book.length >= place,
      SETTLED_MS_MAX,
    );
    await sleep(random.below(KILL_AFTER_MS_MAX));
    const at = random.below(hosts.all.length);
    await hosts.all[at]?.kill();
    hosts.all[at] = await hosts.start();
    killed.count = index + 1;
    onProgress?.(`${index + 1} kills, ${ledger.writes()} writes reached the ledger`);
  }
}

/** @param mayGo holds writes back that would be over before the kills of their part of the run */
async function writeAll(
  { writes, subjects }: CrashOptions,
  hosts: Hosts,
  mayGo: (n: number) => boolean,
): Promise<void> {
  const ofSubject = (subject: number) =>
    Array.from({ length: writes }, (_, n) => n).filter((n) => n % subjects === subject);
  await Promise.all(
    Array.from({ length: subjects }, async (_, subject) => {
      for (const n of ofSubject(subject)) {
        await waitFor(`the turn of write ${n}`, () => mayGo(n), SETTLED_MS_MAX);
        await writeUntilAccepted(hosts, `S${subject}`, n);
      }
    }),
  );
}

/** As a client does: the same client number again until there is a receipt. */
async function writeUntilAccepted(hosts: Hosts, subject: string, n: number): Promise<void> {
  const variables = { subject, text: `第${n}笔`, requestId: numberOf(n) };
  await waitFor(
    `a receipt of ${numberOf(n)}`,
    async () => {
      const host = hosts.all[n % hosts.all.length];
      const { data } = await ask<Answer>(host?.urls.ledger, ADD, variables, DEADLINE);
      return data?.addEntry?.commandId;
    },
    SETTLED_MS_MAX,
  );
}

function numberOf(n: number): string {
  return `W-${String(n).padStart(6, '0')}`;
}

async function isSettled(database: CommandDatabase, writes: number): Promise<boolean> {
  const [row] = await database.rows<{ settled: number }>(
    `SELECT count(*)::int AS settled FROM connectors.command WHERE state IN ('APPLIED', 'REJECTED', 'DEAD')`,
  );
  return row?.settled === writes;
}

async function judge(
  options: CrashOptions,
  ledger: Ledger,
  database: CommandDatabase,
  seconds: number,
): Promise<CrashReport> {
  const commands = await database.rows<{ no: string; state: string; ref: string | null }>(
    `SELECT idempotency_key AS no, state, upstream_ref AS ref FROM connectors.command ORDER BY seq`,
  );
  const sendings = await database.rows<{ outcome: string; count: number }>(
    `SELECT outcome, count(*)::int AS count FROM connectors.command_attempt WHERE kind = 'SEND' GROUP BY outcome`,
  );
  const byNo = Map.groupBy(ledger.book, ({ no }) => no);
  const numbers = Array.from({ length: options.writes }, (_, n) => numberOf(n));
  const bySubject = Map.groupBy(ledger.book, ({ subject }) => subject);
  return {
    seconds,
    kills: options.kills,
    writesThatReachedIt: ledger.writes(),
    questions: ledger.questions(),
    sendings: Object.fromEntries(sendings.map(({ outcome, count }) => [outcome, count])),
    lost: numbers.filter((no) => !byNo.has(no)),
    doubled: numbers.filter((no) => (byNo.get(no)?.length ?? 0) > 1),
    // A client sent those of a subject one after the other, by growing numbers.
    reversed: [...bySubject].flatMap(([subject, entries]) =>
      entries.some(({ no }, at) => no < (entries[at - 1]?.no ?? '')) ? [subject] : [],
    ),
    strange: commands.flatMap(({ no, state, ref }) =>
      state === 'APPLIED' && ref === byNo.get(no)?.[0]?.ref ? [] : [`${no} ${state} ${ref}`],
    ),
  };
}
